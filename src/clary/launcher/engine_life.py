"""One container's life in an engine, from its name to its end: every step may be done again by a new keeper.

    begun.json   the ports at which it finds the API and others; written before the engine is asked to create it

Standard library only, Python 3.8 and later.
"""

# ruff: noqa: PTH110
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import time
from typing import Any, Callable, Dict, Mapping, NamedTuple, NoReturn, Optional, TypeVar

from clary.compute import record
from clary.compute.docker_api import Document, Engine, EngineError
from clary.compute.launch import EnginePart, Launch
from clary.launcher import engine_document, engine_file, engine_networks, engine_trust, engine_ways, relay
from clary.launcher.engine_log import EngineLog, Source
from clary.launcher.shares import Share

BEGUN = "begun.json"

_PATIENCE = 60.0
_PAUSE = 0.2
_LONGEST_PAUSE = 2.0
_CANNOT_RUN = 126
_NOT_THERE = 127
_KILLED = 137
_NOT_STARTED = ("created", "configured", "initialized")
_ENDED = ("exited", "stopped", "dead")
_MISSING = ("not found", "no such file")

_START_IT = "Start Docker or Podman, then try again."
_HAVE_IT = "Build or pull it there, then try again."

T = TypeVar("T")


class End(NamedTuple):
    """How it ended; `reason` where it never ran, or the engine has lost it."""

    code: int
    reason: str = ""
    out_of_memory: bool = False


class Refused(Exception):
    """It cannot be run."""

    def __init__(self, reason: str, code: int = _CANNOT_RUN) -> None:
        super().__init__(reason)
        self.end = End(code, reason)


class Life:
    """The container of `folder`. `begin` and `follow` block as long as that takes; all else returns at once."""

    def __init__(
        self, folder: str, launch: Launch, part: EnginePart, share: Share, servers: Mapping[str, relay.Serve]
    ) -> None:
        """`servers` are those that the container finds, by the places that its variables name."""
        self._folder = folder
        self._launch = launch
        self._part = part
        self._share = share
        self._servers = servers if launch["api"] else {}
        self._entries: Dict[str, engine_ways.Entry] = {}
        self.engine = Engine(part["socket"])
        self._asked = record.read(folder, BEGUN) is not None
        self.name = engine_networks.name_of(folder)
        self._networks = engine_networks.Networks(self.engine, launch, part, folder)
        self.address = ""
        """Where it is reached; empty while it does not run, or has no network."""
        self.pid = 0
        """Its first process, as the engine knows it; 0 while it does not run."""
        self.id = ""
        """By which the engine knows it."""

    def begin(self, wanted: Callable[[], bool]) -> None:
        """It has been started afterwards. Raises Refused where it cannot be, or is not `wanted` any more."""
        try:
            found = self._promptly(lambda: self.engine.container(self.name))
            if found is None:
                self._create()
            elif (found["Config"].get("Labels") or {}).get(engine_document.FOLDER_LABEL) != self._folder:
                raise Refused(f"The container engine has a container {self.name} that is another's.")
            else:
                self._open_entries()
            if not wanted():
                raise Refused("", _KILLED)
            if found is None or found["State"]["Status"] in _NOT_STARTED:
                self._promptly(lambda: self._networks.join(self.name))
                self._promptly(self._trust_as_its_image)
                self._promptly(self._seclude)
                self._promptly(lambda: self.engine.start(self.name))
        except EngineError as error:
            self._refuse(error)
        except OSError as error:
            raise Refused(f"The container could not be made: {error}.") from error

    def _create(self) -> None:
        """Raises Refused where it was there before and is not any more."""
        if record.read(self._folder, BEGUN) is not None and self._started_before():
            raise Refused("The container engine has lost the container.", _KILLED)
        engine_document.copy_layers(self._launch, self._folder)
        names = self._launch.get("aws_names")
        if names:
            engine_trust.prepare(self._folder, names)
        self._open_entries()
        translate = engine_ways.translated({inner: entry.place for inner, entry in self._entries.items()})
        image = self._promptly(lambda: self.engine.image(self._part["image"]))
        if image is None:
            raise Refused(f"The container engine has no image {self._part['image']}. {_HAVE_IT}")
        self._promptly(lambda: self._make(image, translate))

    def _make(self, image: Document, translate: Callable[[str], str]) -> None:
        with self._networks.seat() as seat:
            if self.engine.container(self.name) is None:
                given = self._launch, self._part, self._folder, self._share
                self.engine.create(self.name, engine_document.document(*given, seat, image, translate))

    def _seclude(self) -> None:
        """Before its program begins, if the engine makes cables before."""
        if engine_networks.SHARED in self._networks.names:
            self.engine.prepare(self.name)
            engine_networks.seclude()

    def _trust_as_its_image(self) -> None:
        names = self._launch.get("aws_names")
        if names:
            engine_trust.complete(self._folder, names, self.engine, self.name)

    def _open_entries(self) -> None:
        begun = record.read(self._folder, BEGUN) or {}
        known = begun.get("ports") or {}
        for inner, serve in self._servers.items():
            if inner not in self._entries:
                self._entries[inner] = engine_ways.Entry(int(known.get(inner, 0)), serve)
        ports = {inner: entry.port for inner, entry in self._entries.items()}
        self._asked = True
        if ports != known or not begun:
            record.write(self._folder, BEGUN, {**begun, "ports": ports}, durable=False)

    def _started_before(self) -> bool:
        return bool((record.read(self._folder, BEGUN) or {}).get("started"))

    def _refuse(self, error: EngineError) -> NoReturn:
        missing = any(word in str(error) for word in _MISSING) and error.status != 409
        raise Refused(str(error), _NOT_THERE if missing else _CANNOT_RUN) from error

    def note_start(self) -> None:
        """From now on a container that is not there has been lost."""
        begun = record.read(self._folder, BEGUN) or {}
        record.write(self._folder, BEGUN, {**begun, "started": True}, durable=False)
        found = self._promptly(lambda: self.engine.container(self.name)) or {}
        self.pid, self.id = int((found.get("State") or {}).get("Pid") or 0), str(found.get("Id") or "")
        networks = (found.get("NetworkSettings") or {}).get("Networks") or {}
        self.address = str((networks.get(self._networks.reached_by) or {}).get("IPAddress") or "")
        for entry in self._entries.values() if self.address else ():
            entry.open_to(self.address)

    def follow(self, log: EngineLog) -> End:
        """Reads what it prints until it has ended, however often the engine goes away meanwhile."""
        pause = _PAUSE
        while True:
            with contextlib.suppress(OSError, EngineError):
                log.take(self._output(True, log.pause))
                pause = _PAUSE
            end = self._end()
            if end is not None:
                with contextlib.suppress(OSError, EngineError):
                    log.mend(lambda: self._output(False, time.sleep))
                return end
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _output(self, follow: bool, pause: Callable[[float], None]) -> Source:
        """All that it has printed and, where `follow`, prints until it ends; it may `pause` before it looks again."""
        found = self.engine.container(self.name) or {}
        path = str(found.get("LogPath") or "")
        if not engine_file.is_readable(path):
            return self.engine.logs(self.name, follow)
        process = f"/proc/{(found.get('State') or {}).get('Pid')}"
        return engine_file.LogFile(path, lambda: not follow or self._is_over(process), pause)

    def _is_over(self, process: str) -> bool:
        """The engine is asked only when the process has gone: it may still be writing then."""
        return not os.path.exists(process) and self._end() is not None

    def _end(self) -> Optional[End]:
        """How it ended, or None while it runs, or the engine does not say."""
        try:
            found = self.engine.container(self.name)
        except (OSError, EngineError):
            return None
        if found is None:
            return End(_KILLED, "The container engine has lost the container.")
        state: Dict[str, Any] = found["State"]
        if state["Status"] not in _ENDED:
            return None
        return End(int(state["ExitCode"]), str(state.get("Error") or ""), bool(state.get("OOMKilled")))

    def give_back(self) -> None:
        """What its root has written for itself alone, a server that is not root could neither read nor remove: one more
        container of the image opens it, by the image's own `chmod`. Without one, it stays as it is."""
        wanted = engine_document.opening(self._launch, self._part, self._folder)
        if os.geteuid() == 0 or wanted is None:
            return
        name = engine_document.opener_of(self.name)
        with contextlib.suppress(OSError, EngineError):
            self.engine.remove(name)
            self.engine.create(name, wanted)
            self.engine.start(name)
            deadline = time.monotonic() + _PATIENCE
            while (self.engine.container(name) or {"State": {}})["State"].get(
                "Running"
            ) and time.monotonic() < deadline:
                time.sleep(_PAUSE)

    def clear(self) -> bool:
        """Nothing of it is left in the engine; whether the engine has answered, if it has ever been asked for it."""
        if not self._asked:
            return True
        try:
            self.engine.remove(self.name)
            self.engine.remove(engine_document.opener_of(self.name))
            self._networks.leave()
        except (OSError, EngineError):
            return False
        return True

    @staticmethod
    def _promptly(ask: Callable[[], T]) -> T:
        """An engine that is being started anew is waited for. Raises Refused where it does not answer for long."""
        deadline, pause = time.monotonic() + _PATIENCE, _PAUSE
        while True:
            try:
                return ask()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise Refused(f"The container engine does not answer: {error}. {_START_IT}") from error
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
