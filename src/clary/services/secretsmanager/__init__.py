"""Secrets Manager: secrets in versions, encrypted by KMS."""
