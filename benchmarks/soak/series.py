"""What is written down each second: requests, how long they took, how they failed, what Clary's processes hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.running import RunningClary

PROCESSES = ("supervisor", "launcher", "control", "edge")


@dataclass(frozen=True)
class Held:
    """By one process."""

    mib: float
    """Of memory (its resident set)."""
    files: int
    threads: int


@dataclass(frozen=True)
class Second:
    """One second of a run; `at` counts from its beginning."""

    at: float
    answered: int
    p50: float
    """Milliseconds, as p99; 0 where nothing was answered."""
    p99: float
    failures: Mapping[str, int]
    """By their kind."""
    held: Mapping[str, Held]
    """By the process's name; absent while it does not run."""


@dataclass
class Tally:
    """The second that is running."""

    took: list[float] = field(default_factory=list)
    """Seconds."""
    failures: Counter[str] = field(default_factory=Counter)

    def closed(self, at: float, held: Mapping[str, Held]) -> Second:
        """What it was; the next one begins."""
        took, failures = sorted(self.took), dict(self.failures)
        self.took, self.failures = [], Counter()
        return Second(at, len(took), quantile(took, 0.5) * 1000, quantile(took, 0.99) * 1000, failures, held)


def quantile(ordered: Sequence[float], part: float) -> float:
    """0 of nothing."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


class Watch:
    """Clary's processes, whatever becomes of them."""

    def __init__(self, clary: RunningClary) -> None:
        self._clary = clary
        self._pids: dict[str, int] = {}

    def look(self) -> dict[str, Held]:
        """At those that run."""
        found = {name: self._held(name) for name in PROCESSES}
        return {name: held for name, held in found.items() if held}

    def _held(self, name: str) -> Held | None:
        if name not in self._pids:
            with suppress(LookupError):
                self._pids[name] = self._clary.process(name)
        with suppress(OSError, KeyError):
            return _held_by(self._pids[name])
        self._pids.pop(name, None)
        return None


def _held_by(pid: int) -> Held:
    """Raises OSError where it does not run any more, KeyError where it is just ending."""
    folder = Path(f"/proc/{pid}")
    said = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    return Held(int(said["VmRSS"].split()[0]) / 1024, sum(1 for _ in (folder / "fd").iterdir()), int(said["Threads"]))
