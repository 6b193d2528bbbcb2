"""Ten times as many requests as a model can answer: `python -m benchmarks.overload`.

One replica of 50 ms a prediction, and two hundred clients for eight seconds, who try again as SDKs do when they are
told to.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figures import Figure, ended, render
from benchmarks.soak.connection import Signer
from benchmarks.soak.crowds import TIMES, Overload, overload
from benchmarks.soak.series import quantile
from benchmarks.soak.stage import deploy_slow
from benchmarks.soak.verdict import ANSWER_SECONDS, RECOVERY_SECONDS, REFUSAL_SECONDS
from tests.running import RunningClary
from tests.system.jobs import Jobs


def main() -> int:
    """1 where a target is missed, or anything but 200 and 429 was answered."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="bursts; the median counts")
    rounds = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory(prefix="clary-bench-") as folder,
        RunningClary(Path(folder) / "data") as clary,
    ):
        found = measure(clary, rounds)
    figures = list(told(found))
    print("\n" + render(figures))
    others = [each.others for each in found if each.others]
    if others:
        print(f"neither 200 nor 429: {others}")
    return max(ended(figures), int(bool(others)))


def measure(clary: RunningClary, rounds: int) -> list[Overload]:
    """One burst after the other."""
    deploy_slow(Jobs(clary))
    signer, found = Signer(clary), []
    for _ in range(rounds):
        found.append(asyncio.run(overload(signer)))
        print(found[-1], flush=True)
    return found


def told(found: Sequence[Overload]) -> Iterator[Figure]:
    """What an overload must keep to."""
    yield Figure("asked for", [each.times for each in found], TIMES, "× what can be answered", is_least=True)
    yield Figure("accepted: answered, the slowest", [max(each.answered) for each in found], ANSWER_SECONDS)
    yield Figure("refused (429): told so, median", [quantile(each.refused, 0.5) for each in found], REFUSAL_SECONDS)
    yield Figure("refused (429): told so, p99", [quantile(each.refused, 0.99) for each in found], REFUSAL_SECONDS)
    yield Figure("afterwards, until a request is answered", [each.recovered for each in found], RECOVERY_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
