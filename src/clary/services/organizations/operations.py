"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.organizations import accounts, organization, tags, tree

__all__ = ["accounts", "organization", "tags", "tree"]
