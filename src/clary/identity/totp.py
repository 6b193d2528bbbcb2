"""One-time codes of virtual devices (RFC 6238): six digits, a new one every 30 seconds."""

from __future__ import annotations

import base64
import hashlib
import hmac

STEP_SECONDS = 30
_DIGITS = 6
_DRIFT = 1
"""Steps that a device's clock may be off."""


def code(seed: str, step: int) -> str:
    """The code of one step of time; `seed` is base32."""
    mac = hmac.digest(base64.b32decode(seed), step.to_bytes(8, "big"), hashlib.sha1)
    start = mac[-1] & 15
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}}"


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def step_of(seed: str, shown: str, now: float, after: int = -1) -> int | None:
    """The step of time that a code belongs to, around `now` (epoch seconds) and later than `after`: a code counts once.
    None where it is wrong."""
    middle = int(now) // STEP_SECONDS
    for step in range(max(middle - _DRIFT, after + 1), middle + _DRIFT + 1):
        if _same(code(seed, step), shown):
            return step
    return None


def consecutive(seed: str, first: str, second: str, now: float, window: int = 10, after: int = -1) -> int | None:
    """The step of the second of two codes in a row, within `window` steps of `now` and later than `after`; None where
    they are wrong."""
    middle = int(now) // STEP_SECONDS
    for step in range(max(middle - window, after + 1), middle + window + 1):
        if _same(code(seed, step), first) and _same(code(seed, step + 1), second):
            return step + 1
    return None
