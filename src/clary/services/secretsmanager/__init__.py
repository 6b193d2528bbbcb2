"""Secrets Manager: secrets in versions, encrypted by KMS."""

from clary.services.secretsmanager import listing, passwords, policies, secrets, tags, versions

__all__ = ["listing", "passwords", "policies", "secrets", "tags", "versions"]
