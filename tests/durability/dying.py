"""`python -m tests.durability.dying`: imports once, and forks a child for each line of its input. The child makes calls
on real databases, and kills itself, as `kill -9` would, at the line of the code that is named."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.durability.lines import Asked, Line, begin
from tests.unit.conftest import Inner


def _die_at(line: Line) -> None:
    owner, name = _found(line.function)
    setattr(owner, name, _deadly(getattr(owner, name), line))


def _found(function: str) -> tuple[Any, str]:
    """What has it as an attribute, and of which name."""
    module, _, path = function.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    return owner, name


def _deadly(function: Callable[..., Any], line: Line) -> Callable[..., Any]:
    left = [line.nth]

    def called(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if not left[0] and not line.after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = function(*arguments, **named)
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return called


def _run(folder: str, calls: Sequence[Sequence[Any]], line: Sequence[Any]) -> None:
    control = begin(Inner(Path(folder)))
    _die_at(Line(*line))
    for each in calls:
        asked = Asked(*each)
        control.invocation_id = asked.invocation
        if asked.service:
            control(asked.service, asked.operation, **asked.params)
        else:
            owner, name = _found(asked.operation)
            getattr(owner, name)(control, **asked.params)


def main() -> None:
    """Answers each line of the input by the status with which the child ended."""
    for said in sys.stdin:
        child = os.fork()
        if not child:
            try:
                _run(*json.loads(said))
            finally:
                os._exit(1)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
