"""What SNS answers instead of a result, in its own words."""

from __future__ import annotations

from clary.errors import AWSError


def invalid(said: str) -> AWSError:
    """A parameter that is no good."""
    return AWSError("InvalidParameter", f"Invalid parameter: {said}")


def invalid_attribute(said: str) -> AWSError:
    """A message attribute that is no good."""
    return AWSError("ParameterValueInvalid", said)


def not_offered(what: str) -> AWSError:
    """What Clary does not have."""
    return invalid(f"{what} is not offered by Clary.")


def no_topic() -> AWSError:
    """No topic of that ARN."""
    return AWSError("NotFound", "Topic does not exist", status=404)


def no_subscription() -> AWSError:
    """No subscription of that ARN."""
    return AWSError("NotFound", "Subscription does not exist", status=404)


def no_resource() -> AWSError:
    """Nothing of that ARN that could have tags."""
    return AWSError("ResourceNotFound", "Resource does not exist", status=404)
