"""EC2's errors (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html)."""

from __future__ import annotations

from clary.errors import AWSError


def dry_run() -> AWSError:
    """What a call gets that only asks whether it may."""
    return AWSError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status=412)


def invalid_filter(name: str) -> AWSError:
    """One that the operation does not have."""
    return AWSError("InvalidParameterValue", f"The filter '{name}' is invalid")


def invalid_value(value: str, parameter: str) -> AWSError:
    """One that the parameter cannot have."""
    text = f"Value ({value}) for parameter {parameter} is invalid."
    return AWSError("InvalidParameterValue", text)


def not_together(one: str, other: str) -> AWSError:
    """Parameters that exclude each other."""
    return AWSError("InvalidParameterCombination", f"The parameter {one} cannot be used with the parameter {other}")


def missing(parameter: str) -> AWSError:
    """A parameter that has to be there."""
    return AWSError("MissingParameter", f"The request must contain the parameter {parameter}")


def bad_token() -> AWSError:
    """A NextToken that no answer of this operation held."""
    return AWSError("InvalidNextToken", "The specified NextToken is invalid.")
