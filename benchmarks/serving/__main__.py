"""Clary's endpoints and other model servers, side by side in one run: the same three models, one row a request.

Prints the table of medians (requests in a second, p50 / p99), Clary against the best of the others, and what idle
endpoints cost. Ends with 1 where a gate is missed.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, ended, render
from benchmarks.serving import idle, load, models, report
from benchmarks.serving.drawing import drawn
from benchmarks.serving.endpoints import Clary
from benchmarks.serving.environments import python_of
from benchmarks.serving.measuring import Measured, Plan, by_title, measure
from benchmarks.serving.peers import PEERS
from benchmarks.serving.servers import Server
from tests import wheel
from tests.running import CLARY

IDLE = "idle"
_WRK = "This needs wrk (https://github.com/wg/wrk), which makes the load: apt-get install wrk, or brew install wrk."


def main() -> int:
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # so that what was started is ended
    if not load.available():
        print(_WRK, file=sys.stderr)
        return 2
    for name in dict.fromkeys(["flask", *arguments.peers]):
        python_of(name)
    with tempfile.TemporaryDirectory(prefix="cbs-") as folder:
        program = wheel.installed(Path(folder) / "clary").with_name("clary")
        _tell(f"Clary is {wheel.built().name}: {_said(program)}")
        every, figures = _measured(arguments, Path(folder), program)
    print("\n" + render(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(report.document(every, figures), indent=1) + "\n")
    return ended(figures)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parts = [*models.NAMES, IDLE]
    add = parser.add_argument
    add("--only", nargs="+", choices=parts, default=parts, metavar="PART", help=f"some of {', '.join(parts)}")
    peers = ", ".join(PEERS)
    add("--peers", nargs="*", choices=PEERS, default=list(PEERS), metavar="PEER", help=f"some of {peers}; or none")
    add("--seconds", type=int, default=3, help="of each measurement (default: %(default)s)")
    add("--rounds", type=int, default=3, help="of each server; medians count (default: %(default)s)")
    add("--svg", type=Path, metavar="FILE", help="draw the table")
    add("--json", type=Path, metavar="FILE", help="write every round and figure")
    return parser


def _measured(arguments: argparse.Namespace, folder: Path, program: Path) -> tuple[list[Measured], list[Figure]]:
    fitted = models.fitted(folder)
    names = [name for name in models.NAMES if name in arguments.only]
    plan = Plan(fitted, names, arguments.rounds, arguments.seconds)
    every: list[Measured] = []
    figures: list[Figure] = []
    if names:
        every = measure(_servers(arguments.peers, program), plan, folder, _tell)
        servers = by_title(every, plan.cells)
        print("\n" + report.table(servers, plan.cells))
        figures += report.figures(servers, plan.cells)
        if arguments.svg:
            arguments.svg.write_text(drawn(servers, plan.cells, report.OWN))
    if IDLE in arguments.only:
        _tell(f"{idle.COUNT} idle endpoints")
        figures += report.idle_figures(idle.measure(fitted, folder, program))
    return every, figures


def _servers(peers: Sequence[str], program: Path) -> list[Server]:
    own = (Clary(report.SOURCE, CLARY), Clary(report.OWN, program))
    return [*(peer for name in peers for peer in PEERS[name]), *own]


def _said(program: Path) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
