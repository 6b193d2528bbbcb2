"""The Resource Groups Tagging API: tags of all services in one place."""

from clary.services.tagging import changing, reading

__all__ = ["changing", "reading"]
