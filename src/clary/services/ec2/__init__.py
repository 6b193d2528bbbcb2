"""What EC2 says of regions, instance types and an account's network."""

from clary.services.ec2 import attributes, instance_types, network, nothing, regions, security_groups

__all__ = ["attributes", "instance_types", "network", "nothing", "regions", "security_groups"]
