"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.sagemaker_metrics import putting

__all__ = ["putting"]
