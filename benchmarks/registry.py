"""`python -m benchmarks.registry [--megabytes N] [--rounds N]`: how fast a layer is pushed and pulled, by plain HTTP as
Docker speaks it (begin, one PATCH in chunks, finish), against the time that 150 MB/s take."""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, ended
from tests.running import RunningClary
from tests.system.registry import RegistryClient

TARGET = 150e6
"""Bytes in a second."""

_PIECE = 2**20


def layer(megabytes: int, rounds: int) -> Iterator[Figure]:
    """A layer that is new in every round, through one connection."""
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder, RunningClary(Path(folder) / "data") as clary:
        clary.client("ecr").create_repository(repositoryName="bench")
        client = RegistryClient.of(clary)
        pushed, pulled = [], []
        for _ in range(rounds):
            piece = os.urandom(_PIECE)
            digest = hashlib.sha256()
            for _ in range(megabytes):
                digest.update(piece)
            said = f"sha256:{digest.hexdigest()}"
            pushed.append(_push(client, piece, megabytes, said))
            pulled.append(_pull(client, said))
        target = megabytes * _PIECE / TARGET
        yield Figure(f"pushing a layer of {megabytes} MiB, until it is durable", pushed, target)
        yield Figure(f"pulling a layer of {megabytes} MiB", pulled, target)


def _push(client: RegistryClient, piece: bytes, count: int, digest: str) -> float:
    began = time.perf_counter()
    upload = client.begin("bench")
    sent = client("PATCH", upload, (piece for _ in range(count)))
    done = client("PUT", f"{upload}?digest={digest}")
    if (sent.status, done.status) != (202, 201):
        raise RuntimeError(f"{sent} {done}")
    return time.perf_counter() - began


def _pull(client: RegistryClient, digest: str) -> float:
    began, into = time.perf_counter(), bytearray(_PIECE)
    connection = http.client.HTTPConnection("127.0.0.1", client.port)
    connection.request("GET", f"/v2/bench/blobs/{digest}", headers={"Authorization": f"Basic {client.token}"})
    answer = connection.getresponse()
    while answer.readinto(into):
        pass
    connection.close()
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.registry", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    figures = list(layer(arguments.megabytes, arguments.rounds))
    for figure in figures:
        print(figure.line())
    return ended(figures)


if __name__ == "__main__":
    sys.exit(main())
