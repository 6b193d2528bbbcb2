"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.sagemaker_metrics import getting, putting

__all__ = ["getting", "putting"]
