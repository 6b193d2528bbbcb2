"""Secrets Manager: secrets in versions, encrypted by KMS."""

from clary.services.secretsmanager import listing, passwords, policies, rotation, secrets, tags, versions

__all__ = ["listing", "passwords", "policies", "rotation", "secrets", "tags", "versions"]
