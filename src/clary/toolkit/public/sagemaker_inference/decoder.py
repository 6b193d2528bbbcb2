"""`decode(body, content_type)` of the public toolkit."""

from __future__ import annotations

from typing import Union

from clary.toolkit import arrays
from clary.toolkit.arrays import Array


def decode(obj: Union[str, bytes], content_type: str) -> Array:
    """A request's body as a numpy array (scipy's where it is sparse)."""
    return arrays.decode(obj, content_type)
