"""AWS Security Token Service: `SERVICE` with its operations."""

from clary.services.sts import identities, messages, refusals, roles, sessions, web_identity
from clary.services.sts.service import SERVICE

__all__ = ["SERVICE", "identities", "messages", "refusals", "roles", "sessions", "web_identity"]
