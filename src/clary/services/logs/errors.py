"""What CloudWatch Logs answers instead of a result, in its own words."""

from __future__ import annotations

from clary.errors import AWSError


def no_group() -> AWSError:
    """Any operation on a group that is not there."""
    return AWSError("ResourceNotFoundException", "The specified log group does not exist.")


def no_stream() -> AWSError:
    """Any operation on a stream that is not there."""
    return AWSError("ResourceNotFoundException", "The specified log stream does not exist.")


def no_resource() -> AWSError:
    """Tags of an ARN that nothing bears."""
    return AWSError("ResourceNotFoundException", "The specified resource does not exist.")


def group_exists() -> AWSError:
    """CreateLogGroup."""
    return AWSError("ResourceAlreadyExistsException", "The specified log group already exists")


def stream_exists() -> AWSError:
    """CreateLogStream."""
    return AWSError("ResourceAlreadyExistsException", "The specified log stream already exists")


def invalid(message: str) -> AWSError:
    """A parameter that breaks a rule of the service."""
    return AWSError("InvalidParameterException", message)


def invalid_token() -> AWSError:
    """A token that was never given, or for another request."""
    return invalid("The specified nextToken is invalid.")
