"""IAM's refusals: codes, statuses and sentences
(https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html)."""

from __future__ import annotations

from clary.errors import AWSError


def no_such_entity(text: str) -> AWSError:
    """NoSuchEntity, 404."""
    return AWSError("NoSuchEntity", text, status=404)


def entity_exists(text: str) -> AWSError:
    """EntityAlreadyExists, 409."""
    return AWSError("EntityAlreadyExists", text, status=409)


def delete_conflict(text: str) -> AWSError:
    """DeleteConflict, 409."""
    return AWSError("DeleteConflict", text, status=409)


def limit_exceeded(text: str) -> AWSError:
    """LimitExceeded, 409."""
    return AWSError("LimitExceeded", text, status=409)


def malformed_policy(text: str) -> AWSError:
    """MalformedPolicyDocument, 400."""
    return AWSError("MalformedPolicyDocument", text)


def invalid_input(text: str) -> AWSError:
    """InvalidInput, 400."""
    return AWSError("InvalidInput", text)


def validation(text: str) -> AWSError:
    """IAM says ValidationError where others say ValidationException; 400."""
    return AWSError("ValidationError", text)


def unmodifiable(text: str) -> AWSError:
    """UnmodifiableEntity, 400."""
    return AWSError("UnmodifiableEntity", text)
