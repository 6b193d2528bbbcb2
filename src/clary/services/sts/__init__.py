"""AWS Security Token Service: `SERVICE` with its operations."""

from clary.services.sts import identities, roles, sessions
from clary.services.sts.service import SERVICE

__all__ = ["SERVICE", "identities", "roles", "sessions"]
