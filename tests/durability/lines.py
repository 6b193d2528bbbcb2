"""A control without processes that is killed at a line (`tests/durability/dying.py`), and one that comes after it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from clary.services.iam.bootstrap import ensure_defaults
from clary.services.logs.remains import remove_all
from clary.services.s3.publication import publish as publish_buckets

if TYPE_CHECKING:
    from tests.unit.conftest import Inner

ROOT = Path(__file__).parents[2]
COMMIT, PUBLICATION = "clary.store.store:Store.write", "clary.publish:Publisher.publish"


class Line(NamedTuple):
    """Where it dies: before or after it calls a function (`module:name.name`) for the n-th time."""

    function: str
    after: bool = False
    nth: int = 1


class Asked(NamedTuple):
    """A call; two with the same invocation are one that an SDK tries again. Without a service the operation is a
    function (`module:name`) of the control, for what comes by itself."""

    service: str
    operation: str
    params: Mapping[str, Any]
    invocation: str = ""


class Lines:
    """The process that forks."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.durability.dying"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, bufsize=1
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate(timeout=60)

    def killed(self, folder: Path, calls: Sequence[Asked], line: Line) -> None:
        """Make the calls on a data folder. AssertionError where it did not die at the line, within one of them."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([str(folder), calls, line]) + "\n")
        status = int(self._process.stdout.readline())
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"{line} was not come to: {status}"


def begin(control: Inner) -> Inner:
    """What `app.control` does first, on what another one has left."""
    ensure_defaults(control.store, control.settings)
    remove_all(control.store, control.settings.logs_dir)
    publish_buckets(control.objects, control.settings)
    return control
