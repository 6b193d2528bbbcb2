"""Content types, and how one is read from a header."""

from __future__ import annotations

import functools
from typing import Dict, Tuple

JSON = "application/json"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"
NPY = "application/x-npy"
NPZ = "application/x-npz"
LIBSVM = "text/libsvm"
X_LIBSVM = "text/x-libsvm"
PARQUET = "application/x-parquet"
RECORDIO = "application/x-recordio-protobuf"
OCTETS = "application/octet-stream"
ANY = "*/*"

UTF8 = frozenset({JSON, CSV})
"""Handed to a user's `input_fn` as text, not as bytes."""


@functools.lru_cache(maxsize=512)
def kind_of(value: str) -> str:
    """`Text/CSV; label_size=1` → `text/csv`; kept, since clients say the same again and again."""
    return parse(value)[0]


def parse(value: str) -> Tuple[str, Dict[str, str]]:
    """`Text/CSV; label_size=1` → (`text/csv`, {`label_size`: `1`})."""
    kind, *rest = value.split(";")
    parameters: Dict[str, str] = {}
    for part in rest:
        name, found, text = part.partition("=")
        if found:
            parameters[name.strip().lower()] = text.strip().strip('"')
    return kind.strip().lower(), parameters


@functools.lru_cache(maxsize=512)
def accepted(value: str) -> Tuple[str, ...]:
    """The content types of an Accept header, in its order, without their weights."""
    return tuple(parse(part)[0] for part in value.split(",") if part.strip())
