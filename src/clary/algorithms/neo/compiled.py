"""What compiling gives, and why it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, NamedTuple

from clary.toolkit.proving import Proof


class Uncompilable(Exception):
    """The model cannot be compiled; the message says why."""


class Compiled(NamedTuple):
    """A model as a file, and what was compared with the model that it was made of."""

    content: bytes
    proof: Proof


def only_file(folder: Path, what: str, *suffixes: str, usual: str = "model") -> Path:
    """The one file of a model's folder, or the one with such a suffix; of several the one that is called as is usual,
    but for its suffix. Raises Uncompilable."""
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".") and (not suffixes or path.suffix in suffixes)
    ]
    if len(found) > 1:
        found = [path for path in found if path.stem == usual] or found
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "nothing"
        wanted = f" ({', '.join(suffixes)})" if suffixes else ""
        raise Uncompilable(f"the archive must hold one file with {what}{wanted} at its top; it holds {names}")
    return found[0]


def check_columns(shapes: Mapping[str, Any], columns: int) -> None:
    """Raises Uncompilable where DataInputConfig says that rows have another number of features."""
    for name, shape in shapes.items():
        if not isinstance(shape, list) or not shape or shape[-1] not in (columns, None, -1):
            raise Uncompilable(f"DataInputConfig says {name}: {shape}, the model takes rows of {columns} features")
