"""The data sets below `training-datasets/`, where AWS's notebooks look for them; AWS's own are others and larger.

Public data: handwritten digits (https://archive.ics.uci.edu/dataset/80, CC BY 4.0), house prices in Boston's suburbs
(Harrison and Rubinfeld, 1978), heart failure (https://archive.ics.uci.edu/dataset/519, CC BY 4.0).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files

BINARY, MULTICLASS, REGRESS = "tabular_binary", "tabular_multiclass", "tabular_regress"
_ROOT = "training-datasets"
_CHARLES_RIVER = 4
"""The column of Boston's that is categorical."""
_PARTS = ("test", "validation", *["train"] * 6)
"""Every eighth row is for tests, every eighth for validation."""


def folder(name: str) -> str:
    """The prefix of a data set's keys."""
    return f"{_ROOT}/{name}/"


def contents() -> Iterator[tuple[str, bytes]]:
    """Keys and their bytes."""
    for name, rows in (
        (BINARY, _patients()),
        (MULTICLASS, _packed("digits")),
        (REGRESS, _packed("boston_housing")),
    ):
        for part, text in _parted(rows).items():
            yield f"{folder(name)}{part}/data.csv", text.encode()
    described = {"cat_index_list": [_CHARLES_RIVER]}
    yield f"{folder(REGRESS)}categorical_index.json", json.dumps(described).encode()


def _parted(rows: Sequence[str]) -> Mapping[str, str]:
    parts: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        parts.setdefault(_PARTS[number % len(_PARTS)], []).append(row)
    return {name: "\n".join(part) + "\n" for name, part in parts.items()}


def _packed(name: str) -> list[str]:
    content = files("clary.jumpstart").joinpath("data", f"{name}.csv.gz").read_bytes()
    return gzip.decompress(content).decode().splitlines()


def _patients() -> list[str]:
    """The demo's table: its header goes, and its target, which is its last column, comes first."""
    rows = files("clary.demo").joinpath("heart_failure.csv").read_text().splitlines()[1:]
    cells = [row.split(",") for row in rows if row]
    return [",".join([row[-1], *row[:-1]]) for row in cells]
