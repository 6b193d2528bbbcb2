"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.tagging import changing, reading

__all__ = ["changing", "reading"]
