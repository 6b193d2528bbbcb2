"""What API Gateway answers instead of a result, in its own words where they are public."""

from __future__ import annotations

from clary.errors import AWSError


def not_found(what: str) -> AWSError:
    """`Invalid Resource identifier specified`: whatever a request names that is not there."""
    return AWSError("NotFoundException", f"Invalid {what} specified", status=404)


def no_api(account: str, api: str) -> AWSError:
    """Any operation on an API that is not there."""
    return AWSError("NotFoundException", f"Invalid API identifier specified {account}:{api}", status=404)


def bad_request(text: str) -> AWSError:
    """A request that breaks a rule of the service."""
    return AWSError("BadRequestException", text)


def conflict(text: str) -> AWSError:
    """Something is there already, or is still in use."""
    return AWSError("ConflictException", text, status=409)


def not_offered(text: str) -> AWSError:
    """What AWS has and Clary has not: said where it would be set up, and not first where it would be used."""
    return bad_request(f"{text} Clary does not offer this.")
