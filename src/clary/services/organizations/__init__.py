"""AWS Organizations: further accounts beside the one that this Clary began with."""

from clary.services.organizations import accounts, organization, tags, tree

__all__ = ["accounts", "organization", "tags", "tree"]
