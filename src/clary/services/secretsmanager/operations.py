"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.secretsmanager import listing, passwords, policies, rotation, secrets, tags, versions

__all__ = ["listing", "passwords", "policies", "rotation", "secrets", "tags", "versions"]
