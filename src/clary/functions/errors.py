"""What Invoke answers instead of an outcome, in AWS's words
(https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors)."""

from __future__ import annotations

from clary.errors import AWSError


def not_found(arn: str) -> AWSError:
    """No such function, version or alias."""
    text = f"Function not found: {arn}"
    return AWSError("ResourceNotFoundException", text, status=404, members={"Type": "User"})


def not_ready(state: str) -> AWSError:
    """Its code is being prepared, or could not be."""
    text = f"The operation cannot be performed at this time. The function is currently in the following state: {state}"
    return AWSError("ResourceConflictException", text, status=409, members={"Type": "User"})


def throttled(*, reserved: bool) -> AWSError:
    """As many invocations as may be are under way."""
    which = "ReservedFunctionConcurrentInvocationLimitExceeded" if reserved else "ConcurrentInvocationLimitExceeded"
    members = {"Type": "User", "Reason": which}
    return AWSError("TooManyRequestsException", "Rate Exceeded.", status=429, members=members)


def too_large(size: int, limit: int, kind: str) -> AWSError:
    """An event that is larger than its type of invocation takes."""
    text = f"{size} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
    return AWSError("RequestTooLargeException", text, status=413, members={"Type": "User"})


def no_json(said: str) -> AWSError:
    """An event that is no JSON."""
    text = f"Could not parse request body into json: Could not parse payload into json: {said}"
    return AWSError("InvalidRequestContentException", text, status=400, members={"Type": "User"})


def no_client_context() -> AWSError:
    """A client context that a function could not read."""
    text = "Client context must be a valid Base64-encoded JSON object."
    return AWSError("InvalidRequestContentException", text)


def failed(said: str) -> AWSError:
    """No environment could be started: nothing that the function could help."""
    return AWSError("ServiceException", said, status=500)
