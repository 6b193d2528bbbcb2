"""How replicas are asked: what the job says, what the container says, and how many batches are in memory at once."""

import asyncio
import contextlib
import gzip
import socket
import struct
import threading

import pytest

from clary.workload.transform.engine import Engine, Parameters

PLAN = {"max_payload_bytes": None, "concurrency": None, "strategy": None}


@pytest.mark.parametrize(
    ("plan", "said", "found"),
    [
        ({}, {}, (1, 6, "MULTI_RECORD")),
        (
            {},
            {"MaxConcurrentTransforms": 8, "MaxPayloadInMB": 2, "BatchStrategy": "SINGLE_RECORD"},
            (8, 2, "SINGLE_RECORD"),
        ),
        ({"concurrency": 3}, {"MaxConcurrentTransforms": 8}, (3, 6, "MULTI_RECORD")),
        ({"max_payload_bytes": 2**20}, {"MaxPayloadInMB": 2}, (1, 1, "MULTI_RECORD")),
        ({"strategy": "SingleRecord"}, {"BatchStrategy": "MULTI_RECORD"}, (1, 6, "SINGLE_RECORD")),
        ({"concurrency": 0}, {"MaxConcurrentTransforms": "4"}, (4, 6, "MULTI_RECORD")),
        ({}, {"MaxConcurrentTransforms": [], "MaxPayloadInMB": "much", "BatchStrategy": {}}, (1, 6, "MULTI_RECORD")),
        ({}, {"MaxConcurrentTransforms": -1, "MaxPayloadInMB": 10**9}, (1, 6, "MULTI_RECORD")),
        ({}, {"MaxConcurrentTransforms": 1e400, "MaxPayloadInMB": True}, (1, 1, "MULTI_RECORD")),
    ],
)
def test_the_job_before_the_container_before_the_default(plan, said, found):
    assert tuple(Parameters.of(PLAN | plan, said).told().values()) == found


class Upper:
    """A model server that answers in capitals; a body is `seen` before it is answered."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.seen = []
        threading.Thread(target=self._accept, daemon=True).start()

    def dial(self, _container):
        return socket.create_connection(self._listener.getsockname())

    def close(self):
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=self._listener.accept()[:1], daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError):
            while head := stream.readline():
                length = 0
                while (line := stream.readline().lower()) not in (b"\r\n", b""):
                    length = int(line.partition(b":")[2]) if line.startswith(b"content-length") else length
                body = stream.read(length)
                self.seen.append(body)
                status = b"404 Not Found" if head.startswith(b"GET") else b"400 Bad" if b"bad" in body else b"200 OK"
                connection.sendall(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, length, body.upper()))


@pytest.fixture
def server():
    with contextlib.closing(Upper()) as made:
        yield made


def plan(tmp_path, contents, **more):
    (tmp_path / "out").mkdir()
    files = []
    for number, content in enumerate(contents):
        path = tmp_path / f"in-{number}"
        path.write_bytes(content)
        files.append({"number": number, "segments": [[str(path), 0, len(content)]], "name": "b/k", "gzip": False})
    said = {
        "folder": str(tmp_path),
        "files": files,
        "replicas": [["a"], ["b"]],
        "names": ["primary"],
        "split": "Line",
        "strategy": "SingleRecord",
    }
    asked = {"concurrency": 2, "max_payload_bytes": 2**20, "content_type": "text/csv", "accept": "", "assemble": "None"}
    rules = {"input_filter": "$", "output_filter": "$", "join": False, "timeout_s": 10, "retries": 0}
    return said | asked | rules | more


def test_many_files_share_few_places_and_keep_their_order(tmp_path, server):
    contents = [b"".join(b"a%d-%d\n" % (file, line) for line in range(50)) for file in range(20)]
    told = []
    asyncio.run(Engine(plan(tmp_path, contents), server.dial, told.append).run())
    assert sorted(message["done"] for message in told[1:]) == list(range(20))
    assert [(tmp_path / "out" / str(number)).read_bytes() for number in range(20)] == [
        each.upper() for each in contents
    ]


def test_each_batch_goes_through_all_containers_of_an_instance(tmp_path, server):
    line = {"replicas": [["a", "b", "c"]], "names": ["one", "two", "three"], "content_type": "text/csv"}
    told = []
    asyncio.run(Engine(plan(tmp_path, [b"x\n", b"bad\n"], **line), server.dial, told.append).run())
    assert (tmp_path / "out" / "0").read_bytes() == b"X\n"
    assert [server.seen.count(body) for body in (b"x\n", b"X\n", b"bad\n")] == [1, 2, 1]
    (failed,) = (message for message in told if "failed" in message)
    assert failed["lines"][0] == "ClientError: 400 from one"


def _damaged():
    packed = bytearray(gzip.compress(bytes(range(256)) * 400))
    packed[12:60] = b"\xff" * 48
    return bytes(packed)


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        (_damaged(), {"gzip": True, "split": "Line"}),
        (struct.pack("<QI", 2**63, 0) + b"x", {"split": "TFRecord"}),
        (struct.pack("<QI", 2**42, 0) + b"x", {"split": "TFRecord"}),
    ],
)
def test_a_damaged_file_fails_alone(tmp_path, server, content, rules):
    made = plan(tmp_path, [content], **rules)
    made["files"][0]["gzip"] = rules.get("gzip", False)
    told = []
    asyncio.run(Engine(made, server.dial, told.append).run())
    assert [(message["kind"], "cannot be read" in message["lines"][0]) for message in told[1:]] == [
        ("ClientError", True)
    ]


def test_a_file_that_fails_or_is_gone_leaves_nothing_and_gives_its_place_back(tmp_path, server):
    contents = [b"1\nbad\n" + b"2\n" * 20] * 10 + [b"3\n"] * 5
    made = plan(tmp_path, contents)
    (tmp_path / "in-12").unlink()
    told = []
    asyncio.run(Engine(made, server.dial, told.append).run())
    assert {message["failed"] for message in told if "failed" in message} == {*range(10), 12}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["10", "11", "13", "14"]
