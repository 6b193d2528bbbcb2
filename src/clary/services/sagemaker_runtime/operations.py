"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.sagemaker_runtime import asynchronous, invocations, response_streams

__all__ = ["asynchronous", "invocations", "response_streams"]
