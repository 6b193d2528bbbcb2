"""An SDK that is loaded once for several programs: each runs in a fork of the process that has loaded it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

SERVER = Path(__file__).parent / "scripts" / "forks.py"


class Forks:
    """`with Forks(python, environment, folder, "sagemaker") as forks: forks.run(program, 60)`; the programs run one
    after the other. What they print is kept in the folder until they have ended."""

    def __init__(self, python: Path, environment: dict[str, str], folder: Path, *modules: str) -> None:
        self._output, self._errors = folder / "output", folder / "errors"
        self._server = subprocess.Popen(
            [python, SERVER, *modules],
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

    def run(self, program: Path, seconds: int) -> str:
        """What the program prints; AssertionError with all of it where it fails or takes longer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        asked = {"program": str(program), "output": str(self._output), "errors": str(self._errors), "seconds": seconds}
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        status = self._server.stdout.readline().strip()
        said, complained = (path.read_text() if path.exists() else "" for path in (self._output, self._errors))
        assert status == "0", f"{program.name} failed: {status}\n{said}\n{complained}"
        return said
