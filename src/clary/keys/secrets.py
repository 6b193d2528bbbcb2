"""Rows of secrets, which Secrets Manager keeps and time deletes."""

from __future__ import annotations

KIND = "secret"
VERSION = "secret-version"
"""A version's parent is its secret."""
