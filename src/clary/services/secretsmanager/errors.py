"""What Secrets Manager answers instead of a result, in its own words."""

from __future__ import annotations

from clary.errors import AWSError


def no_secret() -> AWSError:
    """No secret of that name or ARN."""
    return AWSError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


def no_value(what: str) -> AWSError:
    """No version of that id or label."""
    text = "Secrets Manager can't find the specified secret value for"
    return AWSError("ResourceNotFoundException", f"{text} {what}")


def exists(said: str) -> AWSError:
    """The name, or the version's id, is taken."""
    return AWSError("ResourceExistsException", said)


def token_taken(token: str, arn: str) -> AWSError:
    """The token's version has another value."""
    text = (
        f"You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
    )
    return exists(text)


def invalid(said: str) -> AWSError:
    """A parameter that is no good."""
    return AWSError("InvalidParameterException", said)


def refused(said: str) -> AWSError:
    """What cannot be done with the secret as it is."""
    return AWSError("InvalidRequestException", said)


def deleted() -> AWSError:
    """Marked for deletion."""
    return refused("You can't perform this operation on the secret because it was marked for deletion.")


def bad_policy(said: str) -> AWSError:
    """A resource policy that is none."""
    return AWSError("MalformedPolicyDocumentException", said)


def bad_token() -> AWSError:
    """A NextToken of another request."""
    return AWSError("InvalidNextTokenException", "Invalid NextToken.")
