"""What a function from an image has beside its container: Lambda's Runtime API, and the line to whoever invokes."""

from __future__ import annotations

import socket
from typing import Callable, Dict, Mapping, Optional

from clary.compute.launch import RUNTIME_API
from clary.launcher import engine_file, relay, runtime_api
from clary.launcher.engine_log import EngineLog
from clary.launcher.family import Family
from clary.launcher.guards import Verdict
from clary.launcher.invocations import Invocations
from clary.launcher.scribe import Scribe

PATIENCE = 60.0
"""Seconds that it waits for somebody to connect: whoever had it started may have died meanwhile."""

_MB = 2**20


class FunctionRuntime:
    """That of one container, whose variables are `env`. `family` tells its processes; `end` ends it."""

    def __init__(self, env: Mapping[str, str], family: Callable[[], Family], end: Callable[[], None]) -> None:
        self._scribe = Scribe(
            env, lambda: family().held_bytes() // _MB + 1, lambda: engine_file.is_settled(family().pid)
        )
        self._invocations = Invocations(self._scribe, end)

    @property
    def servers(self) -> Dict[str, relay.Serve]:
        """What the container finds, by the place that its variables name."""
        return {RUNTIME_API: runtime_api.server(self._invocations)}

    def begin(self, log: EngineLog) -> None:
        """The container is about to be started; its lines are in `log`."""
        self._scribe.write_to(log)

    def connect(self) -> Optional[socket.socket]:
        """The line for the first who asks; frames as in `toolkit.function.frames`."""
        return self._invocations.connect()

    def verdict(self) -> Optional[Verdict]:
        """An environment that nobody has come to is ended."""
        return None if self._invocations.is_connected else Verdict("")

    def close(self) -> None:
        """The container has ended."""
        self._invocations.close()
