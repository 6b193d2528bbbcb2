"""Errors that a script raises to answer with another status than 500."""

from __future__ import annotations

from clary.toolkit.server.message import Refused


class BaseInferenceToolkitError(Refused):
    """Answered with its status and its message: `(status_code, message, phrase)`."""

    def __init__(self, status_code: int, message: str, phrase: str = "") -> None:
        super().__init__(status_code, message)
        self.status_code = status_code
        self.phrase = phrase


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """`(status_code, message=None, phrase=None)`."""

    def __init__(self, status_code: int, message: str = "Invalid Request", phrase: str = "") -> None:
        super().__init__(status_code, message, phrase or message)


class UnsupportedFormatError(BaseInferenceToolkitError):
    """A content type that nobody decodes, or an Accept that nobody encodes: 415."""

    def __init__(self, content_type: str) -> None:
        super().__init__(
            415,
            f"Content type {content_type} is not supported by this framework.\n\n"
            "Please implement input_fn to to deserialize the request data or an output_fn to\n"
            "serialize the response. For more information, see the SageMaker Python SDK README.",
        )
