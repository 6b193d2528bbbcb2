"""The same refusal in the words of each protocol: AWS's services answer one cause with different codes."""

from __future__ import annotations

from collections.abc import Mapping

from clary.errors import AWSError
from clary.full_disk import DiskFull, is_full
from clary.wire import ec2, rpc_cbor
from clary.wire.protocols import FORMS

# cause -> (code, status); what is not named keeps its own
_JSON = {
    "AccessDenied": ("AccessDeniedException", 400),
    "AccessDeniedException": ("AccessDeniedException", 400),
    "AuthorizationQueryParametersError": ("IncompleteSignatureException", 400),
    "ExpiredToken": ("ExpiredTokenException", 400),
    "IncompleteSignature": ("IncompleteSignatureException", 400),
    "InvalidClientTokenId": ("UnrecognizedClientException", 400),
    "MissingAuthenticationToken": ("MissingAuthenticationTokenException", 400),
    "SignatureDoesNotMatch": ("InvalidSignatureException", 400),
}
_REST_JSON = {cause: (code, 403) for cause, (code, _) in _JSON.items()}
_QUERY = {
    "AccessDeniedException": ("AccessDenied", 403),
    "AuthorizationQueryParametersError": ("IncompleteSignature", 400),
    "ExpiredToken": ("ExpiredToken", 403),
    "InvalidClientTokenId": ("InvalidClientTokenId", 403),
    "ValidationException": ("ValidationError", 400),
}
_REST_XML = {
    "AccessDeniedException": ("AccessDenied", 403),
    "ExpiredToken": ("ExpiredToken", 400),
    "IncompleteSignature": ("AuthorizationHeaderMalformed", 400),
    "InternalFailure": ("InternalError", 500),
    "InvalidClientTokenId": ("InvalidAccessKeyId", 403),
    "MissingAuthenticationToken": ("AccessDenied", 403),
    "ValidationException": ("InvalidRequest", 400),
}
_EC2 = {
    "AccessDenied": ("UnauthorizedOperation", 403),
    "AccessDeniedException": ("UnauthorizedOperation", 403),
    "AuthorizationQueryParametersError": ("AuthFailure", 401),
    "ExpiredToken": ("RequestExpired", 400),
    "IncompleteSignature": ("AuthFailure", 401),
    "InternalFailure": ("InternalError", 500),
    "InvalidClientTokenId": ("AuthFailure", 401),
    "ServiceUnavailable": ("Unavailable", 503),
    "SignatureDoesNotMatch": ("AuthFailure", 401),
    "ValidationException": ("InvalidParameterValue", 400),
}
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
_CODES = {
    "json": _JSON,
    "rest-json": _REST_JSON,
    "query": _QUERY,
    ec2.NAME: _EC2,
    "rest-xml": _REST_XML,
    rpc_cbor.NAME: _QUERY,
}

_ONCE_QUERY = frozenset({"cloudwatch"})

_SERVICES = {
    ("ecr", "ValidationException"): "InvalidParameterException",
    ("logs", "ValidationException"): "InvalidParameterException",
    ("sagemaker-runtime", "ValidationException"): "ValidationError",
    ("sns", "AccessDeniedException"): "AuthorizationError",
}
"""Services that name a refusal in their own way."""

_TEXTS = {
    ("rest-xml", "InvalidClientTokenId"): "The AWS Access Key Id you provided does not exist in our records.",
    ("rest-xml", "ExpiredToken"): "The provided token has expired.",
    (ec2.NAME, "ExpiredToken"): "Request has expired.",
    (ec2.NAME, "InternalFailure"): "An internal error has occurred",
    (ec2.NAME, "InvalidClientTokenId"): "AWS was not able to validate the provided access credentials",
    (ec2.NAME, "SignatureDoesNotMatch"): "AWS was not able to validate the provided access credentials",
    ("query", "MissingAuthenticationToken"): "Request is missing Authentication Token",
    ("rest-xml", "MissingAuthenticationToken"): "Access Denied",
    ("rest-xml", "InternalFailure"): "We encountered an internal error. Please try again.",
}


def _codes(protocol: str, service: str) -> Mapping[str, tuple[str, int]]:
    """A service that once spoke query only has kept its codes, whatever is spoken to it."""
    if service in _ONCE_QUERY:
        return _QUERY
    return _CODES.get(protocol, _JSON)


def worded(error: AWSError, protocol: str, service: str) -> AWSError:
    """The error as this protocol and service say it."""
    code, status = _codes(protocol, service).get(error.code, (error.code, error.status))
    code = _SERVICES.get((service, error.code), code)
    message = _TEXTS.get((protocol, error.code), error.message)
    if (code, message, status) == (error.code, error.message, error.status):
        return error
    return AWSError(code, message, status=status, members=error.members, headers=error.headers)


def missing_token() -> AWSError:
    """No signature where one is needed."""
    return AWSError("MissingAuthenticationToken", "Missing Authentication Token", status=403)


def failure(error: BaseException) -> AWSError:
    """What a client is told of an error of ours."""
    return DiskFull() if is_full(error) else internal_failure()


def internal_failure() -> AWSError:
    """What went wrong stands in the server's log, under the request's id; nothing of it leaves the server."""
    return AWSError("InternalFailure", "The request processing has failed because of an unknown error.", status=500)


def too_large(limit: int) -> AWSError:
    """A body over the settings' limit."""
    return AWSError("413", f"HTTP content length exceeded {limit} bytes.", status=413)


def unknown_operation(protocol: str, service: str, operation: str) -> AWSError:
    """An operation that the service does not have on AWS either."""
    if protocol in FORMS:
        return AWSError("InvalidAction", f"The action {operation or '(none)'} is not valid for this web service.")
    if protocol == "rest-xml":
        text = "The specified method is not allowed against this resource."
        return AWSError("MethodNotAllowed", text, status=405)
    what = f"operation {operation}" if operation else "operation for this method and path"
    return AWSError("UnknownOperationException", f"{service} has no {what}.", status=404)


def not_offered(protocol: str, service: str, operation: str = "") -> AWSError:
    """An operation, or a whole service, that AWS has and Clary has not (yet)."""
    what = f"{service}.{operation}" if operation else f"a service named {service}"
    code = "NotImplemented" if protocol == "rest-xml" or protocol in FORMS else "UnknownOperationException"
    return AWSError(code, f"Clary does not offer {what}; `clary coverage` lists what it does.", status=501)
