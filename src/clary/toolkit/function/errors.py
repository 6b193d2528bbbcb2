"""What an invocation answers that failed (https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html)."""

from __future__ import annotations

import json
import sys
import traceback
from types import TracebackType
from typing import List, Optional

from clary.toolkit.function import logs

_OWN = "/clary/toolkit/function/"


class HandlerMissing(Exception):
    """The function cannot be begun: `kind` is AWS's errorType."""

    def __init__(self, kind: str, message: str, frames: Optional[List[str]] = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.frames = frames or []


class Unmarshalled(Exception):
    """What came is no JSON, or what is to go cannot be: `kind` is AWS's errorType."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def payload(error: BaseException, request: str) -> bytes:
    """The answer, and the lines of it in the log."""
    kind, frames = _kind(error), _frames(error)
    said = {"errorMessage": str(error), "errorType": kind, "requestId": request, "stackTrace": frames}
    heading = "[ERROR] {}: {}".format(kind, error) if str(error) else "[ERROR] {}".format(kind)
    logs.flush_quietly(sys.stdout)
    logs.say("\n".join([heading, "Traceback (most recent call last):", "".join(frames).rstrip()]).rstrip())
    return json.dumps(said).encode()


def _kind(error: BaseException) -> str:
    if isinstance(error, (HandlerMissing, Unmarshalled)):
        return error.kind
    return type(error).__name__


def _frames(error: BaseException) -> List[str]:
    """The frames of the function's own, outermost first."""
    if isinstance(error, HandlerMissing):
        return error.frames
    if isinstance(error, Unmarshalled):
        return []
    return own_frames(error.__traceback__)


def own_frames(trace: Optional[TracebackType]) -> List[str]:
    """Formatted, without the runtime's and without those of the import machinery."""
    found = traceback.extract_tb(trace)
    own = [each for each in found if _OWN not in each.filename and "importlib" not in each.filename]
    return traceback.format_list(own)
