"""What Application Auto Scaling answers instead of a result.

AWS's own texts, from public issue reports, where they say so; no public source shows those that name Clary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.errors import AWSError, ValidationError

UNSUPPORTED = "Unsupported service namespace, resource type or scalable dimension"


def _named(params: Mapping[str, Any]) -> str:
    return (
        f"service namespace: {params['ServiceNamespace']}, resource ID: {params['ResourceId']}, "
        f"scalable dimension: {params['ScalableDimension']}"
    )


def _not_found(message: str) -> AWSError:
    return AWSError("ObjectNotFoundException", message)


def no_target(params: Mapping[str, Any]) -> AWSError:
    """A policy or a scheduled action for what is not registered (ansible/ansible#40237)."""
    return _not_found(f"No scalable target registered for {_named(params)}")


def no_such_target(params: Mapping[str, Any]) -> AWSError:
    """DeregisterScalableTarget."""
    return _not_found(f"No scalable target found for {_named(params)}")


def no_policy(params: Mapping[str, Any]) -> AWSError:
    """DeleteScalingPolicy."""
    return _not_found(f"No scaling policy found for {_named(params)}, policy name: {params['PolicyName']}")


def no_scheduled_action(params: Mapping[str, Any]) -> AWSError:
    """DeleteScheduledAction."""
    name = params["ScheduledActionName"]
    return _not_found(f"No scheduled action found for {_named(params)}, scheduled action name: {name}")


def no_resource(arn: str) -> AWSError:
    """Tags of what is not there."""
    return AWSError("ResourceNotFoundException", f"No resource found for ARN: {arn}", members={"ResourceName": arn})


def too_many_tags(arn: str, most: int) -> AWSError:
    """TagResource."""
    text = f"A resource can have at most {most} tags."
    return AWSError("TooManyTagsException", text, members={"ResourceName": arn})


def invalid_token() -> AWSError:
    """A NextToken that was never given."""
    return AWSError("InvalidNextTokenException", "The next token supplied is invalid")


def bad_bounds() -> AWSError:
    """More at least than at most."""
    return ValidationError("Maximum capacity cannot be less than minimum capacity")


def no_bounds() -> AWSError:
    """A scheduled action that would do nothing (aws-cloudformation/community-registry-extensions#255)."""
    return ValidationError("At least one of minimum capacity and maximum capacity should be provided")


def not_offered(what: str) -> AWSError:
    """Something of the API that Clary does not do: refused, never ignored."""
    return ValidationError(f"{what} is not offered by Clary.")
