"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.sns import permissions, publishing, subscriptions, tags, topics

__all__ = ["permissions", "publishing", "subscriptions", "tags", "topics"]
