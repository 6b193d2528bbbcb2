"""`encode(array, content_type)` of the public toolkit."""

from __future__ import annotations

from typing import Union

from clary.formats import content_types
from clary.toolkit import arrays
from clary.toolkit.arrays import Array


def encode(array_like: Array, content_type: str) -> Union[str, bytes]:
    """An array as CSV or JSON text, or as the bytes of an NPY file."""
    body = arrays.encode(array_like, content_type)
    return body.decode("utf-8") if content_types.parse(content_type)[0] in content_types.UTF8 else body
