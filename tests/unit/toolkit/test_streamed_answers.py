"""A script whose functions yield: its parts leave as they are computed, for whoever asks for parts."""

import json
import socket
from pathlib import Path

import pytest

from clary.toolkit.server.listener import Listener, bind
from clary.toolkit.server.message import Response
from clary.toolkit.server.streaming import Outlet
from tests.running import wait_until
from tests.unit.toolkit.containers import answers_in

WORDS = """
import json, os, time
def model_fn(model_dir): return model_dir
def input_fn(body, content_type): return body
def predict_fn(data, model):
    for word in data.split():
        if word == "break": raise RuntimeError("no more words")
        yield word
"""
STREAM = (
    b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nAccept: text/plain\r\nx-clary-stream: 1\r\n"
)


@pytest.fixture
def host(opt, serve, sklearn_python):
    """Serves a script."""

    def start(text=WORDS, **env):
        (opt.base / "model/code").mkdir(exist_ok=True)
        (opt.base / "model/code/inference.py").write_text(text)
        return serve(sklearn_python, **env)

    return start


def streamed(body, headers=STREAM):
    return headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Client:
    """One connection, read part by part."""

    def __init__(self, server):
        self.connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self.file = self.connection.makefile("rb")

    def head(self):
        status = int(self.file.readline().split()[1])
        lines = iter(lambda: self.file.readline().strip(), b"")
        return status, {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}

    def part(self):
        """None where the connection ended."""
        size = self.file.readline()
        if not size:
            return None
        body = self.file.read(int(size, 16))
        self.file.readline()
        return body

    def parts(self):
        return list(iter(self.part, b""))


def test_each_part_leaves_before_the_next_is_computed(host, opt):
    server = host(
        WORDS.replace(
            "        yield word", "        yield word\n        while not os.path.exists(word): time.sleep(0.01)"
        )
    )
    client, places = Client(server), [str(opt.base / name) for name in ("a", "b", "c")]
    client.connection.sendall(streamed(" ".join(places).encode()))
    status, headers = client.head()
    assert (status, headers[b"content-type"], headers[b"transfer-encoding"]) == (200, b"text/plain", b"chunked")
    for place in places:
        assert client.part() == place.encode()
        Path(place).touch()
    assert client.part() == b""


def test_a_connection_goes_on_after_its_stream_in_the_order_of_the_requests(host):
    client = Client(host())
    client.connection.sendall(streamed(b"a b") + b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n" + streamed(b"c"))
    assert client.head()[0] == 200
    assert client.parts() == [b"a", b"b"]
    status, headers = client.head()
    assert (status, headers[b"content-length"]) == (200, b"0")
    client.head()
    assert client.parts() == [b"c"]


def test_whoever_asks_for_no_parts_gets_them_together(host):
    server = host()
    assert server.invoke("a b c", accept="text/plain")[:2] == (200, b"abc")
    assert [status for status, _ in server.together([("a", "text/csv", "x/y"), ("b", "text/csv", "x/y")])] == [200, 200]


def test_an_error_before_the_first_part_is_an_answer(host):
    server = host()
    ((status, body),) = answers_in(server.raw(streamed(b"break")))
    assert (status, body.splitlines()[0]) == (500, b"no more words")
    status, body, _ = server.invoke("a break")
    assert (status, body.splitlines()[0]) == (500, b"no more words")


def test_an_error_between_parts_breaks_the_answer_off_and_is_logged(host):
    server = host()
    client = Client(server)
    client.connection.sendall(streamed(b"a b break"))
    assert client.head()[0] == 200
    assert [client.part(), client.part(), client.part()] == [b"a", b"b", None]
    assert server.invoke("c")[:2] == (200, b"c")
    wait_until(lambda: "RuntimeError: no more words" in server.log(), 60, "the log says why")


@pytest.mark.parametrize(
    ("functions", "parts"),
    [
        ("def output_fn(p, accept):\n    for word in p: yield word.upper()\n", [b"A", b"B"]),
        ("def output_fn(p, accept): return (word + '!' for word in p), 'x/y'\n", [b"a!", b"b!"]),
        ("def output_fn(p, accept): return ' '.join(p)\n", None),
    ],
    ids=["yields", "with-a-type", "joins"],
)
def test_an_output_fn_of_its_own_has_the_say(host, functions, parts):
    server = host(WORDS + functions)
    client = Client(server)
    client.connection.sendall(streamed(b"a b"))
    _, headers = client.head()
    if parts is None:
        assert client.file.read(int(headers[b"content-length"])) == b"a b"
    else:
        assert client.parts() == parts


def test_a_transform_fn_may_yield_values_that_are_encoded_one_by_one(host):
    server = host("def model_fn(d): return 1\ndef transform_fn(m, b, c, a):\n    yield {'a': 1}\n    yield [2, 3]\n")
    client = Client(server)
    client.connection.sendall(streamed(b"x", STREAM.replace(b"text/plain", b"application/json")))
    client.head()
    assert [json.loads(part) for part in client.parts()] == [{"a": 1}, [2, 3]]


def test_a_client_that_goes_ends_the_computation(host, opt):
    ended = opt.base / "ended"
    server = host(
        "def model_fn(d): return d\n"
        "def transform_fn(m, b, c, a):\n"
        "    try:\n"
        "        while True: yield 'x' * 10000\n"
        f"    finally: open({str(ended)!r}, 'w').close()\n"
    )
    client = Client(server)
    client.connection.sendall(streamed(b"x"))
    client.head()
    client.part()
    client.file.close()
    client.connection.close()
    assert server.request("GET", "/ping")[0] == 200
    other = Client(server)
    other.connection.sendall(streamed(b"x"))
    assert other.head()[0] == 200
    wait_until(ended.exists, 60, "the generator was closed")
    other.file.close()
    other.connection.close()


def test_a_client_that_does_not_read_holds_the_computation_up(host, opt):
    count = opt.base / "count"
    server = host(
        "def model_fn(d): return d\n"
        "def transform_fn(m, b, c, a):\n"
        "    for number in range(100):\n"
        f"        open({str(count)!r}, 'w').write(str(number))\n"
        "        yield b'x' * 1000000\n"
    )
    client = Client(server)
    client.connection.sendall(streamed(b"x"))
    client.head()
    client.part()
    assert b"200 OK" in server.raw(b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert int(count.read_text() or 0) < 99
    assert sum(map(len, client.parts())) == 99 * 10**6


def test_a_script_that_fails_when_it_is_told_to_leave_off_harms_nobody_else():
    """Its client has gone; others wait for this thread."""

    def stubborn():
        try:
            yield b"one"
            yield b"two"
        finally:
            raise RuntimeError("not yet")

    ended = []
    outlet = Outlet(lambda function, *given: function(*given), lambda _part: outlet.lose(), ended.append)
    outlet.send_all(stubborn())
    assert ended == [False]


def test_nothing_is_said_to_a_request_in_the_midst_of_the_parts_of_the_one_before_it():
    listener = Listener(bind(0, "127.0.0.1"), lambda _: None, 1000)
    listener.start()
    with socket.create_connection(("127.0.0.1", listener.port), timeout=60) as client:

        def parts():
            yield b"one"
            client.sendall(streamed(b"1", b"POST /invocations HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n")[:-1])
            [connection] = listener.connections
            wait_until(lambda: "expect" in connection._headers, 60, "its head has been read")
            yield b"two"

        client.sendall(streamed(b"1"))
        [first] = listener.take(1, 1000)
        listener.stream(first, Response(200, b"", parts=parts()))
        client.sendall(b"1")
        [second] = listener.take(1, 1000)
        listener.answer([(second, Response(200, b"whole"))])
        with client.makefile("rb") as answers:
            listener.refuse_more()
            listener.stop()
            _, _, rest = answers.read().partition(b"\r\n\r\n")
    assert rest.startswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert rest.endswith(b"whole")
