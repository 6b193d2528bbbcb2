"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.ec2 import attributes, instance_types, network, nothing, regions, security_groups

__all__ = ["attributes", "instance_types", "network", "nothing", "regions", "security_groups"]
