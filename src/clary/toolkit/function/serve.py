"""The runtime of an execution environment (`python -m clary.toolkit.function.begin`): imports the handler, then answers
one invocation after the other.

It serves whoever connects first, and lives as long as that connection.
"""

from __future__ import annotations

import decimal
import json
import os
import select
import socket
import sys
import threading
import time
from typing import Any, Callable, Tuple, Union

from clary.toolkit.function import errors, frames, handler, logs
from clary.toolkit.function.context import LambdaContext

_PATIENCE = 60.0
"""Seconds that it waits for somebody to connect: whoever had it started may have died meanwhile."""

_PORT = "SAGEMAKER_BIND_TO_PORT"
"""Where there is no network of its own, the port that it was given instead."""

_PIECE = 262_144

Begun = Union[handler.Function, errors.HandlerMissing]


class Runtime:
    """One execution environment."""

    def __init__(self, function: Begun, connection: socket.socket, init_milliseconds: float) -> None:
        self._function = function
        self._connection = connection
        self._init_milliseconds = init_milliseconds
        self._buffer = bytearray()
        self._version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        self._memory_size = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")

    def serve(self) -> None:
        """Answer until the connection ends, or after the first answer where there is no function."""
        self._connection.sendall(frames.pack({"ready": True, "memory": logs.memory_used()}))
        while True:
            received = self._receive()
            if received is None:
                return
            self._answer(*received)
            if isinstance(self._function, errors.HandlerMissing):
                return

    def _receive(self) -> Any:  # noqa: ANN401  a frame, or None at the end
        while True:
            frame = frames.unpack(self._buffer)
            if frame is not None:
                return frame
            piece = self._connection.recv(_PIECE)
            if not piece:
                return None
            self._buffer += piece

    def _answer(self, head: frames.Head, event: bytes) -> None:
        request = head["id"]
        os.environ["_X_AMZN_TRACE_ID"] = head.get("trace", "")
        logs.start(request, self._version)
        began = time.perf_counter()
        failed, answer = self._outcome(head, event)
        milliseconds = (time.perf_counter() - began) * 1000
        logs.report(logs.Report(request, milliseconds, self._memory_size, self._init_milliseconds))
        self._init_milliseconds = 0.0
        self._connection.sendall(frames.pack({"id": request, "error": failed, "memory": logs.memory_used()}, answer))

    def _outcome(self, head: frames.Head, event: bytes) -> Tuple[bool, bytes]:
        if isinstance(self._function, errors.HandlerMissing):
            return True, errors.payload(self._function, head["id"])
        try:
            return False, _marshal(self._function(_unmarshal(event), LambdaContext(head)))
        except Exception as error:  # whatever a function raises is its answer
            return True, errors.payload(error, head["id"])


def _unmarshal(event: bytes) -> Any:  # noqa: ANN401  any JSON
    try:
        return json.loads(event)
    except ValueError as error:
        raise errors.Unmarshalled("Runtime.UnmarshalError", "Unable to unmarshal input: {}".format(error)) from error


def _marshal(result: Any) -> bytes:  # noqa: ANN401  what a function returns
    try:
        return json.dumps(result, ensure_ascii=False, default=_number).encode()
    except (TypeError, ValueError) as error:
        message = "Unable to marshal response: {}".format(error)
        raise errors.Unmarshalled("Runtime.MarshalError", message) from error


def _number(value: Any) -> Any:  # noqa: ANN401  as json asks
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError("Object of type {} is not JSON serializable".format(type(value).__name__))


def _begin(name: str) -> Tuple[Begun, float]:
    """The function, or why there is none; and how long that took, in milliseconds."""
    began = time.perf_counter()
    function: Begun
    try:
        function = handler.load(name)
    except errors.HandlerMissing as missing:
        function = missing
    return function, (time.perf_counter() - began) * 1000


def _end_with(connection: socket.socket, end: Callable[[int], Any]) -> None:
    """End the process as soon as nobody is there any more, whatever the function is doing."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    poll.poll()
    end(0)


def main() -> None:
    """Listen, begin, serve."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(os.environ.pop(_PORT, frames.PORT))))
        listener.listen(1)
        listener.settimeout(_PATIENCE)
        logs.prepare(os.environ.get("AWS_LAMBDA_LOG_FORMAT", ""), os.environ.get("AWS_LAMBDA_LOG_LEVEL", ""))
        logs.say("INIT_START Runtime Version: python:{}.{}.{}".format(*sys.version_info[:3]))
        handler.search_path(os.environ["LAMBDA_TASK_ROOT"])
        function, milliseconds = _begin(os.environ["_HANDLER"])
        try:
            connection, _ = listener.accept()
        except socket.timeout:
            return
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threading.Thread(target=_end_with, args=(connection, os._exit), daemon=True).start()
    Runtime(function, connection, milliseconds).serve()
    sys.exit(0)
