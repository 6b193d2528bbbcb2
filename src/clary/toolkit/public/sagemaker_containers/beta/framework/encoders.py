"""`framework.encoders`: both directions in one module."""

from __future__ import annotations

from sagemaker_inference.decoder import decode
from sagemaker_inference.encoder import encode

__all__ = ["decode", "encode"]
