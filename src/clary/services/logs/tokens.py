"""Opaque tokens for what is not a page of rows."""

from __future__ import annotations

import base64
import json

from clary.services.logs.errors import invalid_token

SEQUENCE = "49039859588773230130105370014113582300370514063590199298"
"""AWS gives and ignores sequence tokens since 2023; old clients hand them back."""


def write(*place: str | int) -> str:
    """A token for a place."""
    text = json.dumps(place, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(token: str, *types: type) -> tuple[str | int, ...]:
    """The place that `write` was given. Raises InvalidParameterException for anything else."""
    try:
        place = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, RecursionError):
        raise invalid_token() from None
    if not isinstance(place, list) or [type(part) for part in place] != list(types):
        raise invalid_token()
    return tuple(place)


def forward(position: int) -> str:
    """Where GetLogEvents goes on towards newer events."""
    return f"f/{position:056d}"


def backward(position: int) -> str:
    """Where GetLogEvents goes on towards older events."""
    return f"b/{position:056d}"


def position(token: str) -> tuple[str, int]:
    """The direction (`f` or `b`) and the position of such a token. Raises InvalidParameterException."""
    direction, _, digits = token.partition("/")
    if direction not in ("f", "b") or not (digits.isascii() and digits.isdigit() and len(digits) == 56):
        raise invalid_token()
    return direction, int(digits)
