"""Arrays in requests and answers, as the public model servers decode and encode them by default."""

from __future__ import annotations

import csv
import io
import json
import struct
import tokenize
import zipfile
import zlib
from typing import Any, Callable, Dict, List, Optional, Union

import numpy as np
from scipy import sparse

from clary.formats import content_types
from clary.toolkit.server.message import Refused

Array = Any
"""numpy's, scipy's or pandas's, or plain lists: the numpy of old images has no types."""

_UNSUPPORTED = (
    "Content type {} is not supported by this framework.\n\n"
    "Please implement input_fn to to deserialize the request data or an output_fn to\n"
    "serialize the response. For more information, see the SageMaker Python SDK README."
)


_UNREADABLE = (
    *(ValueError, TypeError, LookupError, ArithmeticError, OSError, EOFError, csv.Error),
    *(MemoryError, NotImplementedError, RecursionError, RuntimeError, SyntaxError),
    *(struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What numpy, scipy and Python raise for bodies that are not what they say, such as a cut archive."""


def decode(data: Union[str, bytes], content_type: str) -> Array:
    """A request's body as an array: CSV, JSON, NPY or NPZ (sparse).

    Raises Refused: 415 for another content type, 400 for a body that is not what it says.
    """
    decoder = _DECODERS.get(content_types.kind_of(content_type))
    if decoder is None:
        raise Refused(415, _UNSUPPORTED.format(content_type))
    try:
        return decoder(data)
    except _UNREADABLE as error:
        raise Refused(400, f"Error while decoding {content_type}: {error}") from error


def encode(value: Array, accept: str) -> bytes:
    """A prediction as the client wants it: CSV, JSON or NPY. Raises Refused with 406 for another content type."""
    for wanted in content_types.accepted(accept):
        encoder = _ENCODERS.get(wanted)
        if encoder is not None:
            return encoder(value)
    raise Refused(406, _UNSUPPORTED.format(accept))


def _text(data: Union[str, bytes]) -> str:
    return data if isinstance(data, str) else data.decode("utf-8")


def _from_csv(data: Union[str, bytes]) -> Array:
    text = _text(data)
    if '"' in text:
        rows = [row for row in csv.reader(io.StringIO(text), strict=True) if row]
    else:
        rows = [line.split(",") for line in text.splitlines() if line]
    return np.array([list(map(float, row)) for row in rows], dtype=float).squeeze()


def csv_row(text: str) -> Optional[List[float]]:
    """The numbers of a body that is one line of two or more of them; None for any other, which `decode` is for."""
    lines = text.splitlines()
    if len(lines) != 1:
        return None
    try:
        row = list(map(float, lines[0].split(",")))
    except ValueError:
        return None
    return row if len(row) > 1 else None


def _from_json(data: Union[str, bytes]) -> Array:
    return np.array(json.loads(_text(data)))


def _from_npy(data: Union[str, bytes]) -> Array:
    """Never with pickle: it would run what the request says."""
    return np.load(io.BytesIO(_bytes(data)), allow_pickle=False)


def _from_npz(data: Union[str, bytes]) -> Array:
    return sparse.load_npz(io.BytesIO(_bytes(data)))


def _bytes(data: Union[str, bytes]) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _to_csv(value: Array) -> bytes:
    """Lines end with a newline; a one-dimensional array has one value a line."""
    array = np.asarray(value)
    # short floats are printed with their own few digits, not as the long ones that they turn into
    short = array.dtype.kind == "f" and array.dtype.itemsize < 8
    if array.ndim == 1 and array.dtype.kind in _NUMBERS:  # numbers need no quotes
        return "".join([f"{each!s}\n" for each in (array if short else array.tolist())]).encode()
    rows = array.reshape(-1, 1) if array.ndim < 2 else array
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows if short else rows.tolist())
    return stream.getvalue().encode()


def _to_json(value: Array) -> bytes:
    if not isinstance(value, np.ndarray):
        return _JSON.encode(value).encode()
    values = value.tolist()
    if value.dtype.kind in _NUMBERS:
        text = repr(values)  # as json writes them, in a third of the time, but for these two
        if "n" not in text:
            return text.encode()
    return _JSON.encode(values).encode()


_NUMBERS = frozenset("iuf")
"""numpy's kinds of dtypes that Python writes as JSON does, `nan` and `inf` excepted."""


def _plain(value: Array) -> Array:
    """What json does not know but numpy, pandas and scipy do."""
    for name in ("tolist", "toarray", "to_list"):
        method = getattr(value, name, None)
        if method is not None:
            found = method()
            return found.tolist() if hasattr(found, "tolist") else found
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_JSON = json.JSONEncoder(default=_plain)
"""`json.dumps` makes one each time."""


def _to_npy(value: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(value), allow_pickle=False)
    return stream.getvalue()


_DECODERS: Dict[str, Callable[[Union[str, bytes]], Array]] = {
    content_types.CSV: _from_csv,
    content_types.JSON: _from_json,
    content_types.NPY: _from_npy,
    content_types.NPZ: _from_npz,
}
_ENCODERS: Dict[str, Callable[[Array], bytes]] = {
    content_types.CSV: _to_csv,
    content_types.JSON: _to_json,
    content_types.NPY: _to_npy,
}
