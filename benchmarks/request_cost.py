"""What a prediction costs the edge, whatever the machine: `python -m benchmarks.request_cost`.

CPU time of the edge for one InvokeEndpoint, its signature verified, its policies decided, its metrics counted, over
that of a loop of plain Python that runs before and after: JSON, HMAC-SHA256 and dictionaries, as a request's way has
them.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.figures import Figure, ended
from benchmarks.soak.connection import Signer
from tests.running import RunningClary
from tests.system.endpoints import deploy, model, variant
from tests.system.jobs import Jobs

TARGET = 30.0
"""Turns of the loop."""

_CONNECTIONS = 16
"""Each asks one request at a time."""
_REQUESTS = _CONNECTIONS * 200
"""That differ."""
_TURNS = 20_000
_ENDPOINT = "cost"
_SECOND = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """1 where the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.request_cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="the median counts")
    rounds = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory(prefix="clary-bench-") as folder,
        RunningClary(Path(folder) / "data") as clary,
    ):
        figure = measure(clary, rounds)
    print(figure.line())
    return ended([figure])


def measure(clary: RunningClary, rounds: int) -> Figure:
    """A first round does not count."""
    jobs = Jobs(clary)
    deploy(jobs, _ENDPOINT, variant("v", model(jobs, _ENDPOINT)))
    signer, edge = Signer(clary), clary.process("edge")
    requests = [signer.request(_ENDPOINT, {}) for _ in range(_REQUESTS)]
    ratios = []
    for number in range(rounds + 1):
        before = _turn_seconds()
        cost = _cost_seconds(edge, clary.port, requests)
        turn = (before + _turn_seconds()) / 2
        if number:
            print(
                f"{cost * 1e6:.0f} µs of the edge for a request, {turn * 1e6:.1f} µs for a turn of the loop", flush=True
            )
            ratios.append(cost / turn)
    return Figure("the edge's CPU time for a request over a turn of plain Python", ratios, TARGET, "×")


def _cost_seconds(edge: int, port: int, requests: Sequence[bytes]) -> float:
    """Of the edge, for each of the requests."""
    before = _processor_seconds(edge)
    with ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(_CONNECTIONS)]
        answers = [stack.enter_context(connection.makefile("rb")) for connection in connections]
        for first in range(0, len(requests), _CONNECTIONS):
            for connection, request in zip(connections, requests[first : first + _CONNECTIONS], strict=True):
                connection.sendall(request)
            for each in answers:
                _read(each)
    return (_processor_seconds(edge) - before) / len(requests)


def _read(answers: BinaryIO) -> None:
    status, length = answers.readline(), 0
    if not status.startswith(b"HTTP/1.1 200"):
        raise ValueError(status)
    while (line := answers.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    answers.read(length)


def _processor_seconds(pid: int) -> float:
    """What a process has used until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _SECOND


def _turn_seconds() -> float:
    """CPU time of one turn of the loop."""
    document: dict[str, Any] = {
        "endpoint": _ENDPOINT,
        "headers": {f"header-{number}": "value" * 3 for number in range(10)},
    }
    began = time.process_time()
    for number in range(_TURNS):
        document["number"] = number
        text = json.dumps(document).encode()
        hmac.digest(b"key", text, hashlib.sha256)
        document = json.loads(text)
    return (time.process_time() - began) / _TURNS


if __name__ == "__main__":
    sys.exit(main())
