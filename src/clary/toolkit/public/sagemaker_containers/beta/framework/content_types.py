"""`framework.content_types`: the same names as the inference toolkit's."""

from __future__ import annotations

from sagemaker_inference.content_types import ANY, CSV, JSON, NPY, NPZ, OCTET_STREAM, UTF8_TYPES

__all__ = ["ANY", "CSV", "JSON", "NPY", "NPZ", "OCTET_STREAM", "UTF8_TYPES"]
