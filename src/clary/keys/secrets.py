"""Rows of secrets, which Secrets Manager keeps and time rotates and deletes."""

from __future__ import annotations

KIND = "secret"
VERSION = "secret-version"
"""A version's parent is its secret."""

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
"""Staging labels (https://docs.aws.amazon.com/secretsmanager/latest/userguide/getting-started.html#term_version)."""

SERVICE = "secretsmanager.amazonaws.com"
"""Whom a function's policy lets in, that it may rotate secrets."""
