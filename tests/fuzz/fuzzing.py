"""All fuzzers, and what must hold after each of their rounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

from tests.fuzz.framing import Framing
from tests.fuzz.neighbours import Neighbours
from tests.fuzz.objects import Objects
from tests.fuzz.operations import Operations
from tests.fuzz.signing import Signing
from tests.fuzz.strangers import Strangers
from tests.processes import bytes_of
from tests.running import RunningClary

PROCESSES = ("supervisor", "edge", "control", "launcher")

MORE_DESCRIPTORS = 100
"""Than before, at most: databases' connections, and those of clients that have just gone."""

MORE_THREADS = 64
"""Than before, at most: control's pool of 32, and the few of each of its loops."""


class Fuzzer(Protocol):
    """Made anew for each seed."""

    def round(self) -> None:
        """Some hundred requests. AssertionError where something does not hold."""
        ...


class _Kind(Protocol):
    def __call__(self, clary: RunningClary, chance: Random) -> Fuzzer: ...


FUZZERS: dict[str, _Kind] = {
    "operations": Operations,
    "framing": Framing,
    "signing": Signing,
    "objects": Objects,
    "strangers": Strangers,
    "neighbours": Neighbours,
}


@dataclass(frozen=True)
class Size:
    """Of a process."""

    pid: int
    descriptors: int
    threads: int
    memory: int
    """Bytes that are in RAM."""


def sizes(clary: RunningClary) -> dict[str, Size]:
    """Of each of Clary's processes. Raises LookupError where one is not there."""
    return {name: _size(clary.process(name)) for name in PROCESSES}


def _size(pid: int) -> Size:
    folder = Path(f"/proc/{pid}")
    descriptors, threads = (len(list((folder / name).iterdir())) for name in ("fd", "task"))
    return Size(pid, descriptors, threads, bytes_of(pid, "Rss"))


def one_round(clary: RunningClary, name: str, seed: int) -> None:
    """A round of a fuzzer; the same one with the same seed. AssertionError says how to have it again."""
    again = f"again: CLARY_FUZZ_SEED={seed} .venv/bin/pytest tests/fuzz -k {name}"
    try:
        FUZZERS[name](clary, Random(seed)).round()
    except AssertionError as error:
        raise AssertionError(f"{again}\n{error}") from error
    log = (clary.data_dir / "server.log").read_text(errors="replace")
    assert "Traceback" not in log, f"{again}\n{log.partition('Traceback')[2][:5000]}"


def check_unharmed(clary: RunningClary, before: dict[str, Size], more_bytes: int) -> None:
    """The same processes answer, and hold no more than that beyond what they held."""
    assert clary.client("sts").get_caller_identity()["Account"] == "000000000000"
    for name, after in sizes(clary).items():
        was = before[name]
        assert after.pid == was.pid, f"{name} has died"
        assert after.descriptors <= was.descriptors + MORE_DESCRIPTORS, (name, was, after)
        assert after.threads <= was.threads + MORE_THREADS, (name, was, after)
        assert after.memory <= was.memory + more_bytes, (name, was, after)
