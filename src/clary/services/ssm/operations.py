"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.ssm import describing, labels, parameters, reading, tags

__all__ = ["describing", "labels", "parameters", "reading", "tags"]
