"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.sts import identities, messages, refusals, roles, sessions, web_identity

__all__ = ["identities", "messages", "refusals", "roles", "sessions", "web_identity"]
