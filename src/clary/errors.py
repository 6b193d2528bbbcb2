"""The two families of errors: what a client of the API reads, and what a person at the command line reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AWSError(Exception):
    """An answer that AWS would give instead of a result.

    `code` and `message` are AWS's own; `status` is the HTTP status; `members` are further members of the error's shape
    (`OriginalStatusCode` of ModelError, `Key` of NoSuchKey); `headers` go with S3's (`x-amz-delete-marker`).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members: dict[str, Any] = dict(members or {})
        self.headers: dict[str, str] = dict(headers or {})


class ValidationError(AWSError):
    """The request breaks a constraint of the API model or a rule of the service (code ValidationException)."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class AccessDenied(AWSError):
    """The principal's policies do not allow the call (code AccessDeniedException; S3 says AccessDenied)."""

    def __init__(self, message: str) -> None:
        super().__init__("AccessDeniedException", message, status=403)


class ServiceUnavailable(AWSError):
    """A part of Clary is not there at the moment; SDKs try again on their own."""

    def __init__(self, message: str) -> None:
        super().__init__("ServiceUnavailable", message, status=503)


class ClaryError(Exception):
    """Something that a person at the command line can mend: what happened, and the remedy."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message = message
        self.remedy = remedy
