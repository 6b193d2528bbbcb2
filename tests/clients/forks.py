"""An SDK that is loaded once for several programs: each runs in a fork of the process that has loaded it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

SERVER = Path(__file__).parent / "scripts" / "forks.py"


class Forks:
    """`with Forks(python, environment) as forks: forks.run(program, 60)`; the programs run one after the other."""

    def __init__(self, python: Path, environment: dict[str, str]) -> None:
        self._server = subprocess.Popen(
            [python, SERVER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.killpg(self._server.pid, signal.SIGKILL)
        self._server.communicate()

    def run(self, program: Path, seconds: float) -> str:
        """What the program prints; AssertionError with all of it where it fails or takes longer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        output = program.with_suffix(".output")
        print(json.dumps({"program": str(program), "output": str(output)}), file=self._server.stdin, flush=True)
        ready, _, _ = select.select([self._server.stdout], [], [], seconds)
        status = self._server.stdout.readline().strip() if ready else f"no end within {seconds} s"
        said = output.read_text() if output.exists() else ""
        assert status == "0", f"{program.name} failed: {status}\n{said}"
        return said
