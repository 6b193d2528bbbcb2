"""What CloudWatch answers instead of a result, in its own words where they are public."""

from __future__ import annotations

from clary.errors import AWSError


def invalid_value(message: str) -> AWSError:
    """A parameter that breaks a rule of the service."""
    return AWSError("InvalidParameterValue", message)


def invalid_combination(message: str) -> AWSError:
    """Parameters that do not go together."""
    return AWSError("InvalidParameterCombination", message)


def missing(message: str) -> AWSError:
    """A parameter that is needed."""
    return AWSError("MissingParameter", message)


def invalid_query(message: str) -> AWSError:
    """A query of GetMetricData."""
    return AWSError("ValidationError", message)


def invalid_token() -> AWSError:
    """A token that was never given."""
    return invalid_value("Invalid nextToken")


def invalid_alarm(message: str) -> AWSError:
    """What is wrong about an alarm."""
    return AWSError("ValidationError", message)


def invalid_page() -> AWSError:
    """A token of a list of alarms or of their history that was never given."""
    return AWSError("InvalidNextToken", "The next token specified is invalid.")
