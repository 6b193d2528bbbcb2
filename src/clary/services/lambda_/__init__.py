"""Lambda: functions, their versions and aliases, layers, and how they are invoked."""

from clary.services.lambda_ import aliases, functions, invocations, versions

__all__ = ["aliases", "functions", "invocations", "versions"]
