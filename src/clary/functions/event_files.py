"""Events on the disk: each is a file until its function has answered it. The edge carries them out; what control
invokes comes to the edge as a file as well, and a counter that tells of it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clary import durable
from clary.functions.invoking import Invocation
from clary.functions.letters import Letter
from clary.publish import Publisher

POSTED = "posted"
"""The name of the counter, in the folder of the files."""


@dataclass(frozen=True)
class Event:
    """One that waits. Times in epoch seconds."""

    id: str
    account: str
    region: str
    name: str
    qualifier: str
    payload: str
    client_context: str
    accepted: float
    tries: int = 0
    """How often the function has been asked, and failed."""
    refusals: int = 0
    """How often it could not be asked."""
    due: float = 0.0
    tell: str = ""
    """The ARN of what waits for the answer; its function's rules on retries and destinations do not hold then."""
    letters: tuple[Letter, ...] = ()
    """What is still to be said of it: it is over."""

    @classmethod
    def of(cls, invocation: Invocation, tell: str = "") -> Event:
        """A new one."""
        function = invocation.function
        return cls(
            id=invocation.request,
            account=function.account,
            region=function.region,
            name=function.name,
            qualifier=invocation.qualifier,
            payload=invocation.event.decode(),
            client_context=invocation.client_context,
            accepted=time.time(),
            tell=tell,
        )


class EventFiles:
    """The files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, event: Event) -> None:
        """It is on the disk when this returns."""
        durable.replace(self._path(event), json.dumps(asdict(event)).encode())

    def remove(self, event: Event) -> None:
        """It was answered, or given up."""
        self._path(event).unlink(missing_ok=True)

    def left(self) -> list[Event]:
        """All that wait; files that are none are nothing."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            with suppress(ValueError, TypeError, FileNotFoundError):
                found.append(_event(json.loads(path.read_text())))
        return found

    def _path(self, event: Event) -> Path:
        return self._folder / f"{event.id}.json"


def _event(said: dict[str, Any]) -> Event:
    letters = tuple(Letter(**letter) for letter in said.get("letters", ()))
    return Event(**{**said, "letters": letters})


class PostedEvents:
    """Events that control hands to the edge; may be asked from any thread."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files = EventFiles(folder)
        self._publisher = Publisher(folder / POSTED)
        self._lock = threading.Lock()

    async def accept(self, invocation: Invocation, tell: str = "") -> None:
        """Durable when it returns; the edge takes it up within a second, or when it is there again."""
        self._files.write(Event.of(invocation, tell))
        with self._lock:
            self._publisher.publish({})
