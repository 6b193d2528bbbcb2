"""Lambda's Runtime API over a socket: who invokes on the one end, a runtime's requests on the other."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from clary.launcher.engine_log import EngineLog
from clary.launcher.invocations import MOST, Invocations
from clary.launcher.runtime_api import server
from clary.launcher.scribe import Scribe
from clary.toolkit.function import frames
from tests.running import wait_until

SECONDS = 60
ROOT = "/2018-06-01/runtime/"
HEAD = {"id": "one", "arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "deadline": 2_000_000_000.5}


class Runtime:
    """A connection of the runtime's."""

    def __init__(self, invocations: Invocations) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours = socket.create_connection(listener.getsockname())
            theirs, _ = listener.accept()
        self._thread = threading.Thread(target=self._serve, args=(invocations, theirs), daemon=True)
        self._thread.start()
        self.http = http.client.HTTPConnection("runtime")
        self.http.sock = ours
        ours.settimeout(SECONDS)

    @staticmethod
    def _serve(invocations: Invocations, theirs: socket.socket) -> None:
        with theirs:
            server(invocations)(theirs)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        """One request, and its answer."""
        self.http.request(method, ROOT + path, body, headers)
        answer = self.http.getresponse()
        return answer, answer.read()

    def next(self) -> None:
        """Asked for; the answer is waited for by `given`."""
        self.http.request("GET", ROOT + "invocation/next")

    def given(self) -> tuple[http.client.HTTPResponse, bytes]:
        """The next invocation."""
        answer = self.http.getresponse()
        return answer, answer.read()


class Invoker:
    """Who invokes."""

    def __init__(self, invocations: Invocations) -> None:
        line = invocations.connect()
        assert line is not None
        self.line = line
        self.line.settimeout(SECONDS)
        self._buffer = bytearray()

    def say(self, event: bytes, **head: Any) -> None:
        """One invocation."""
        self.line.sendall(frames.pack({**HEAD, **head}, event))

    def hear(self) -> tuple[frames.Head, bytes]:
        """The next frame."""
        while True:
            frame = frames.unpack(self._buffer)
            if frame is not None:
                return frame
            piece = self.line.recv(65_536)
            assert piece
            self._buffer += piece


@pytest.fixture
def ended() -> threading.Event:
    return threading.Event()


@pytest.fixture
def log(tmp_path) -> Iterator[EngineLog]:
    made = EngineLog(str(tmp_path), str(tmp_path / "log"))
    yield made
    made.close()


@pytest.fixture
def invocations(ended: threading.Event, log: EngineLog) -> Iterator[Invocations]:
    scribe = Scribe({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256"}, lambda: 7, lambda: True)
    scribe.write_to(log)
    made = Invocations(scribe, ended.set)
    yield made
    made.close()


def test_an_event_goes_in_and_an_answer_comes_out(invocations, tmp_path):
    invoker, runtime = Invoker(invocations), Runtime(invocations)
    runtime.next()
    assert invoker.hear()[0]["ready"]
    invoker.say(b'{"a": 1}', trace="Root=1", client_context='{"b": 2}')
    answer, event = runtime.given()
    assert event == b'{"a": 1}'
    assert answer.headers["Lambda-Runtime-Aws-Request-Id"] == "one"
    assert answer.headers["Lambda-Runtime-Deadline-Ms"] == "2000000000500"
    assert answer.headers["Lambda-Runtime-Invoked-Function-Arn"] == HEAD["arn"]
    assert answer.headers["Lambda-Runtime-Trace-Id"] == "Root=1"
    assert answer.headers["Lambda-Runtime-Client-Context"] == '{"b": 2}'
    accepted, said = runtime.ask("POST", "invocation/one/response", b"[1]")
    assert (accepted.status, json.loads(said)) == (202, {"status": "OK"})
    head, payload = invoker.hear()
    assert (head["id"], head["error"], payload) == ("one", False, b"[1]")
    text = (tmp_path / "log").read_text
    wait_until(lambda: "REPORT RequestId: one" in text(), SECONDS, "the report")
    words = [line.split(" ", 2)[2].split(" ")[0] for line in text().splitlines()]
    assert words == ["START", "END", "REPORT"]
    assert "Memory Size: 256 MB\tMax Memory Used: 7 MB\tInit Duration: " in text()


def test_a_body_may_come_in_chunks(invocations):
    invoker, runtime = Invoker(invocations), Runtime(invocations)
    invoker.say(b"1")
    runtime.next()
    runtime.given()
    runtime.http.request("POST", ROOT + "invocation/one/response", iter([b"[1,", b"2]"]), encode_chunked=True)
    assert runtime.given()[0].status == 202
    assert [invoker.hear()[1], invoker.hear()[1]] == [b"", b"[1,2]"]


@pytest.mark.parametrize(
    ("body", "said"),
    [(b'{"errorType": "Own"}', {"errorType": "Own"}), (None, {"errorType": "Runtime.Broken", "errorMessage": ""})],
    ids=["body", "header"],
)
def test_an_error_is_the_answer(invocations, body, said):
    invoker, runtime = Invoker(invocations), Runtime(invocations)
    invoker.say(b"1")
    runtime.next()
    runtime.given()
    headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.Broken"}
    assert runtime.ask("POST", "invocation/one/error", body, **headers)[0].status == 202
    invoker.hear()
    head, payload = invoker.hear()
    assert head["error"]
    assert json.loads(payload) == said


def test_what_is_not_under_way_cannot_be_answered(invocations):
    invoker, runtime = Invoker(invocations), Runtime(invocations)
    answer, said = runtime.ask("POST", "invocation/one/response", b"1")
    assert (answer.status, json.loads(said)["errorType"]) == (400, "InvalidRequestID")
    invoker.say(b"1")
    runtime.next()
    runtime.given()
    answer, said = runtime.ask("GET", "invocation/next")
    assert (answer.status, json.loads(said)["errorType"]) == (403, "InvalidStateTransition")
    assert runtime.ask("POST", "invocation/other/error", b"1")[0].status == 400
    assert runtime.ask("GET", "elsewhere")[0].status == 404
    assert runtime.ask("POST", "invocation/one/response", b"1")[0].status == 202


def test_an_answer_that_is_too_large_is_an_error_and_the_connection_goes_on(invocations):
    invoker, runtime = Invoker(invocations), Runtime(invocations)
    invoker.say(b"1")
    runtime.next()
    runtime.given()
    answer, said = runtime.ask("POST", "invocation/one/response", b" " * (MOST + 1))
    assert (answer.status, json.loads(said)["errorType"]) == (413, "RequestEntityTooLarge")
    invoker.hear()
    head, payload = invoker.hear()
    assert (head["error"], json.loads(payload)["errorType"]) == (True, "Function.ResponseSizeTooLarge")
    invoker.say(b"2", id="two")
    runtime.next()
    assert runtime.given()[1] == b"2"


def test_the_connection_that_asked_last_is_given_the_event(invocations):
    invoker, forgotten, runtime = Invoker(invocations), Runtime(invocations), Runtime(invocations)
    forgotten.next()
    assert invoker.hear()[0]["ready"]
    runtime.next()
    with pytest.raises(http.client.RemoteDisconnected):
        forgotten.given()
    invoker.say(b"1")
    assert runtime.given()[1] == b"1"


def test_why_a_runtime_cannot_begin_is_said_to_whoever_invokes(invocations):
    runtime = Runtime(invocations)
    assert runtime.ask("POST", "init/error", b'{"errorType": "Runtime.ImportModuleError"}')[0].status == 202
    invoker = Invoker(invocations)
    assert invoker.hear()[0]["ready"]
    invoker.say(b"1")
    head, payload = invoker.hear()
    assert (head["error"], json.loads(payload)) == (True, {"errorType": "Runtime.ImportModuleError"})


def test_the_end_of_the_line_ends_the_container(invocations, ended):
    invoker = Invoker(invocations)
    assert invocations.connect() is None
    invoker.line.close()
    assert ended.wait(SECONDS)


def test_the_end_of_the_container_ends_the_line(invocations):
    invoker, runtime = Invoker(invocations), Runtime(invocations)
    runtime.next()
    invoker.hear()
    invocations.close()
    assert invoker.line.recv(1) == b""
    with pytest.raises(http.client.RemoteDisconnected):
        runtime.given()
