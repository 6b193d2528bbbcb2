"""AWS Identity and Access Management: `SERVICE` with its operations, one file per resource."""

from clary.services.iam import attachments, boundaries, groups, keys, policies, roles, simulation, tags, users, versions
from clary.services.iam.service import SERVICE

__all__ = [
    "SERVICE",
    "attachments",
    "boundaries",
    "groups",
    "keys",
    "policies",
    "roles",
    "simulation",
    "tags",
    "users",
    "versions",
]
