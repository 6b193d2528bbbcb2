"""Clary beside moto's server, in one run on one machine: `python -m benchmarks.against_moto [--rounds N]`; Clary as
`make wheel` builds it. `--sides moto wheel source` has the development environment answer as well.

Thousands of signed requests that differ, from wrk: objects of 10 KiB put and got, training jobs and models described.
One object of 256 MiB put and got by a streaming client, and what that adds to the server's memory. All servers are
started once, and are asked in turns. moto keeps everything in memory and checks no signature; what Clary has
acknowledged is on the disk.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.against_moto import large, small, subjects
from benchmarks.against_moto.report import CPU, Measured, figures, table
from benchmarks.against_moto.sides import SIDES, Side, version
from benchmarks.figures import ended, render
from benchmarks.serving import load

_WRK = "This needs wrk (https://github.com/wg/wrk), which makes the load: apt-get install wrk, or brew install wrk."


def main() -> int:
    """1 where a gate is missed."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # so that what was started is ended
    if not load.available():
        print(_WRK, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder, ExitStack() as stack:
        sides = [stack.enter_context(SIDES[name](Path(folder))) for name in arguments.sides]
        for side in sides:
            subjects.make(side)
        measured = measure(sides, arguments, Path(folder))
    found = figures(measured)
    print(f"\nmoto is {version()}")
    print("\n" + table(measured, [side.title for side in sides]) + "\n\n" + render(found))
    return ended(found)


def _parser() -> argparse.ArgumentParser:
    kinds = [*small.KINDS, *large.KINDS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against_moto", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=3, help="medians count (default: %(default)s)")
    add("--seconds", type=int, default=3, help="of wrk's, each (default: %(default)s)")
    add("--only", nargs="+", choices=kinds, default=kinds, metavar="KIND", help=f"some of {', '.join(kinds)}")
    add("--sides", nargs="+", choices=SIDES, default=["moto", "wheel"], metavar="SIDE", help=f"of {', '.join(SIDES)}")
    return parser


def measure(sides: Sequence[Side], arguments: argparse.Namespace, folder: Path) -> Measured:
    """Each kind's rounds together, the servers in turns; a first of each does not count."""
    measured: Measured = defaultdict(lambda: defaultdict(list))
    for kind in arguments.only:
        if kind in small.KINDS:
            _small(sides, kind, arguments, folder, measured)
        else:
            _large(sides, kind, arguments.rounds, measured)
    return measured


def _small(sides: Sequence[Side], kind: str, arguments: argparse.Namespace, folder: Path, measured: Measured) -> None:
    if kind == small.GET:
        for side in sides:
            small.put_once(side)
    asked = [small.prepared(side, kind, folder) for side in sides]
    for number in range(arguments.rounds + 1):
        for each in asked:
            found = each.round(arguments.seconds if number else 1)
            if number:
                measured[kind][each.side.title].append(found.rate)
                measured[f"{kind}: {CPU}"][each.side.title].append(sum(found.spent.values()))
                print(f"{kind}, {each.side.title}: {found.said()}", flush=True)


def _large(sides: Sequence[Side], kind: str, rounds: int, measured: Measured) -> None:
    block = os.urandom(large.PIECE)
    for side in sides:
        large.put(side, block)
    for _ in range(rounds):
        for side in sides:
            moved = large.move(side, kind, block)
            measured[kind][side.title].append(large.SIZE / 2**20 / moved.seconds)
            measured[f"{kind}: memory"][side.title].append(moved.grown)
            print(f"{kind}, {side.title}: {moved.seconds:.3f} s, {moved.grown:.1f} MiB more", flush=True)


if __name__ == "__main__":
    sys.exit(main())
