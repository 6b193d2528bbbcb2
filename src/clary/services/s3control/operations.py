"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.s3control import access_points, public_access_block, tags

__all__ = ["access_points", "public_access_block", "tags"]
