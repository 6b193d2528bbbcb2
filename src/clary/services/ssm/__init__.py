"""Systems Manager's Parameter Store."""

from clary.services.ssm import describing, labels, parameters, reading, tags

__all__ = ["describing", "labels", "parameters", "reading", "tags"]
