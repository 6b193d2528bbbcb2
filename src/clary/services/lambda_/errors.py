"""What Lambda answers instead of a result, in its own words."""

from __future__ import annotations

from clary.errors import AWSError

_BY_USER = {"Type": "User"}


def invalid(message: str) -> AWSError:
    """A parameter that is no good."""
    return AWSError("InvalidParameterValueException", message, status=400, members=_BY_USER)


def conflict(message: str) -> AWSError:
    """It is there already, or is being changed."""
    return AWSError("ResourceConflictException", message, status=409, members=_BY_USER)


def not_found(message: str) -> AWSError:
    """It is not there."""
    return AWSError("ResourceNotFoundException", message, status=404, members=_BY_USER)


def no_function(arn: str) -> AWSError:
    """No function, version or alias of that name."""
    return not_found(f"Function not found: {arn}")


def outdated() -> AWSError:
    """RevisionId is not the current one."""
    text = (
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
        "the latest Revision Id"
    )
    return AWSError("PreconditionFailedException", text, status=412, members=_BY_USER)


def not_offered(what: str) -> AWSError:
    """A parameter for something that Clary does not have."""
    return invalid(f"{what} is not offered by Clary.")


def too_large(message: str) -> AWSError:
    """More than a request may hold."""
    return AWSError("RequestEntityTooLargeException", message, status=413)
