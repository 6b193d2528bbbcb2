"""AWS Lambda's Runtime API, for the runtime in a function's image: it asks for its next invocation, and says what came
of it (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

Standard library only, Python 3.8 and later.
"""

from __future__ import annotations

import http.server
import json
import re
import socket
from typing import Any, Dict, Optional

from clary.launcher.invocations import MOST, Busy, Invocation, Invocations

_ROOT = "/2018-06-01/runtime/"
_OUTCOME = re.compile(_ROOT + r"invocation/([^/]+)/(response|error)")
_LONGEST_LINE = 4096
_PIECE = 262_144


class TooLarge(Exception):
    """A body of more than AWS allows."""


class _Held:
    """A body, as far as it may be kept."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._size = 0

    def add(self, data: bytes) -> None:
        """One piece."""
        self._size += len(data)
        if self._size <= MOST:
            self._data += data

    def whole(self) -> bytes:
        """Raises TooLarge."""
        if self._size > MOST:
            raise TooLarge
        return bytes(self._data)


def server(invocations: Invocations) -> Any:  # noqa: ANN401  a relay.Serve
    """Answers the requests of one connection after another."""

    def serve(connection: socket.socket) -> None:
        _Connection(connection, invocations)

    return serve


class _Connection(http.server.BaseHTTPRequestHandler):
    """One of the runtime's."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, connection: socket.socket, invocations: Invocations) -> None:
        self._invocations = invocations
        nobody: Any = None  # nothing is asked of a server
        super().__init__(connection, ("", 0), nobody)

    def do_GET(self) -> None:
        """`next`: waits until there is one."""
        if self.path != _ROOT + "invocation/next":
            self._refuse(404, "NotFound", "404 page not found")
            return
        try:
            invocation = self._invocations.next()
        except Busy:
            text = "State transition from Running to Ready failed for runtime. Error: State transition is not allowed"
            self._refuse(403, "InvalidStateTransition", text)
            return
        if invocation is None:
            self.close_connection = True
        else:
            self._say(200, invocation.event, _headers(invocation))

    def do_POST(self) -> None:
        """`response`, `error`, `init/error`."""
        outcome = _OUTCOME.fullmatch(self.path)
        try:
            body = self._body()
        except TooLarge:
            if outcome:
                self._invocations.answered_too_much(outcome[1])
            self._refuse(413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({MOST} bytes).")
            return
        except ValueError:
            self.close_connection = True
            self._refuse(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")
            return
        if self.path == _ROOT + "init/error":
            self._invocations.failed(self._error(body))
            self._accept()
        elif outcome is None:
            self._refuse(404, "NotFound", "404 page not found")
        elif self._carry(outcome[1], body, is_error=outcome[2] == "error"):
            self._accept()
        else:
            self._refuse(400, "InvalidRequestID", "Invalid request ID")

    def _carry(self, request: str, body: bytes, *, is_error: bool) -> bool:
        return self._invocations.answered(request, self._error(body) if is_error else body, is_error=is_error)

    def _error(self, body: bytes) -> bytes:
        """What the runtime says of it; where it says nothing, its header does."""
        kind = self.headers.get("Lambda-Runtime-Function-Error-Type") or "Runtime.Unknown"
        return body or json.dumps({"errorType": kind, "errorMessage": ""}).encode()

    def _body(self) -> bytes:
        """Raises TooLarge when it has been read, ValueError where it is cut off or no HTTP."""
        held = _Held()
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            self._chunks(held)
        else:
            self._exactly(int(self.headers.get("Content-Length") or 0), held)
        return held.whole()

    def _chunks(self, held: _Held) -> None:
        while True:
            size = int(self.rfile.readline(_LONGEST_LINE).partition(b";")[0], 16)
            if size == 0:
                break
            self._exactly(size, held)
            self.rfile.readline(_LONGEST_LINE)
        while self.rfile.readline(_LONGEST_LINE).strip():  # trailers
            pass

    def _exactly(self, size: int, held: _Held) -> None:
        while size > 0:
            data = self.rfile.read(min(size, _PIECE))
            if not data:
                raise ValueError("cut off")
            held.add(data)
            size -= len(data)

    def _accept(self) -> None:
        self._say(202, b'{"status":"OK"}\n')

    def _refuse(self, status: int, kind: str, message: str) -> None:
        self._say(status, json.dumps({"errorMessage": message, "errorType": kind}).encode())

    def _say(self, status: int, body: bytes, headers: Optional[Dict[str, str]] = None) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:  # noqa: ANN401
        """Nothing: a request is nobody's news."""


def _headers(invocation: Invocation) -> Dict[str, str]:
    head = invocation.head
    found = {
        "Lambda-Runtime-Aws-Request-Id": head["id"],
        "Lambda-Runtime-Deadline-Ms": str(int(head["deadline"] * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": head["arn"],
        "Lambda-Runtime-Trace-Id": head.get("trace", ""),
        "Lambda-Runtime-Client-Context": head.get("client_context", ""),
    }
    return {name: value for name, value in found.items() if value}
