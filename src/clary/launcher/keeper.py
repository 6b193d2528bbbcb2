"""The keeper: one process per container of an engine, where a sandbox has a shim (docs/decisions/0027).

To others it is a shim: the same lock, socket, messages and records. One thread makes and follows the container, this
one obeys whoever connects, and sends signals when they are due.

    stop.json     when SIGKILL is due (epoch seconds)
    ending.json   how it ended, as long as the engine still has it; then exit.json
"""

# ruff: noqa: PTH110, PTH118
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import threading
import time
import traceback
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence

from clary.compute import record, tries
from clary.compute.docker_api import Engine, EngineError
from clary.compute.launch import API_PORT, PROXY_PORT, Launch
from clary.launcher import disk, ending, engine_sweep, freezer, messages, proxy, relay, shares, usage
from clary.launcher.disk_watch import Quota
from clary.launcher.engine_exec import Visit
from clary.launcher.engine_feeder import Feeder
from clary.launcher.engine_life import End, Life, Refused
from clary.launcher.engine_log import EngineLog
from clary.launcher.engine_networks import name_of
from clary.launcher.family import Family
from clary.launcher.function_runtime import PATIENCE, FunctionRuntime
from clary.launcher.guards import Guard, Verdict, first_verdict
from clary.launcher.requests import Requests
from clary.launcher.start import Start

STOP = "stop.json"
ENDING = "ending.json"

_HOME_SECONDS = 5.0
_QUOTA_SECONDS = 0.5
_FEEDER_SECONDS = 0.5
_TERM_GRACE = 10.0  # when the machine itself tells the keeper to end
_AGAIN_SECONDS = 1.0
_CLEAR_SECONDS = 300.0
_LONGEST_PAUSE = 10.0
_TURN_SECONDS = 1.0


def run(start: Start, api_socket: str) -> NoReturn:
    """The whole life of one container's keeper, in a process forked for it."""
    try:
        start.leave_the_launcher()
        number = tries.count(start.folder) + 1
        tries.note(start.folder, number)
        if number > tries.MOST:
            _give_up(start.folder)
        else:
            _live(start, api_socket, number)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _live(start: Start, api_socket: str, number: int) -> None:
    try:
        raw: Any = record.read(start.folder, record.LAUNCH)
        Keeper(start, raw, api_socket).live()
    except BaseException as error:
        tries.note(start.folder, number, f"{type(error).__name__}: {error}")
        raise


def _give_up(folder: str) -> None:
    """So many before this one have failed that the next would too: the container has an end, whatever it is doing."""
    raw: Any = record.read(folder, record.LAUNCH)
    try:
        Engine(raw["engine"]["socket"]).remove(name_of(folder))
    except (OSError, EngineError, LookupError, TypeError):
        engine_sweep.leave(folder)
    reason = f"The process beside the container has failed {tries.MOST} times: {tries.why(folder)}. Start it again."
    ended = ending.Ending(None, reason, "", False)
    record.write(folder, record.EXIT, ending.exit_record(ended, time.time()))


class Keeper:
    """One container of an engine, seen from outside."""

    def __init__(self, start: Start, launch: Launch, api_socket: str) -> None:
        handle = record.read(start.folder, record.HANDLE)
        part = launch["engine"]
        if part is None:
            raise ValueError("a sandbox has no keeper")
        self._folder = start.folder
        self._launch = launch
        self._share = shares.of_handle(handle) if handle else start.share
        self._since = handle["since"] if handle else time.time()
        self._runtime = (
            FunctionRuntime(launch["env"], lambda: self._family, self.let_go) if part["runtime_api"] else None
        )
        servers = {f"127.0.0.1:{API_PORT}": relay.to_unix(api_socket)}
        if launch.get("aws_names"):
            servers[f"127.0.0.1:{PROXY_PORT}"] = proxy.of(launch, api_socket)
        servers.update(self._runtime.servers if self._runtime else {})
        self._life = Life(start.folder, launch, part, self._share, servers)
        feed = part.get("feed")
        self._feeder = Feeder(start.folder, feed) if feed else None
        self._selector = selectors.DefaultSelector()
        self._requests = Requests(self, start.listener, launch["port"], confined=True)
        self._wake, self._waker = socket.socketpair()
        self._visits: Dict[int, Visit] = {}
        self._done: List[Callable[[], None]] = []
        self._guards = self._appoint(resumed=handle is not None)
        self._running = False
        self._to_send: List[str] = []
        self._kill_at: Optional[float] = None
        self._verdict = Verdict("")
        self._end: Optional[End] = None
        self._family = Family(0, "")

    def live(self) -> None:
        """From the handle to the exit record."""
        told = {**ending.handle(self._launch["id"], self._since, self._share), "engine": True}
        record.write(self._folder, record.HANDLE, told, durable=False)
        signal.signal(signal.SIGTERM, lambda *_: self.stop(_TERM_GRACE))
        self.watch(self._wake, self._hear)
        stop = record.read(self._folder, STOP)
        if stop:
            self.stop(stop["at"] - time.time())
        if record.read(self._folder, ENDING) is None:
            if self._feeder is not None:
                self._feeder.begin()
            threading.Thread(target=self._carry, daemon=True).start()
            while self._end is None:
                self._turn()
            self._life.give_back()
            self._write_ending(self._end)
        self._finish()

    def _appoint(self, *, resumed: bool) -> List[Guard]:
        guards = [Guard(_HOME_SECONDS, self._look_at_home)]
        if self._launch["limits"]["disk_bytes"] is not None:
            quota = Quota(self._launch, self._launch["limits"]["disk_bytes"])
            guards.append(Guard(_QUOTA_SECONDS, quota.verdict))
        if self._runtime is not None:
            patience = _AGAIN_SECONDS if resumed else PATIENCE  # whoever invoked has lost its line to the one before
            guards.append(Guard(patience, self._runtime.verdict))
        if self._feeder is not None:
            guards.append(Guard(_FEEDER_SECONDS, self._feeder.verdict))
        return guards

    # -- the thread that makes and follows the container

    def _carry(self) -> None:
        try:
            end = self._whole_life()
        except Exception as error:  # whatever it is, the container gets an end and is not left behind
            traceback.print_exc()
            end = End(ending.CANNOT_BEGIN, f"The container's keeper failed: {error}.")
        self._later(lambda: self._note_end(end))

    def _whole_life(self) -> End:
        log = EngineLog(self._folder, self._launch["log"])
        if self._runtime is not None:
            self._runtime.begin(log)
        try:
            self._life.begin(lambda: "KILL" not in self._to_send)
            self._life.note_start()
            self._family = Family(self._life.pid, self._life.id)
            self._later(self._open)
            engine_sweep.sweep(self._life.engine, self._folder)
            return self._life.follow(log)
        except Refused as refused:
            return refused.end
        finally:
            if self._runtime is not None:
                self._runtime.close()
            log.close()

    def _later(self, what: Callable[[], None]) -> None:
        """Done by the other thread."""
        self._done.append(what)
        self._waker.send(b"x")

    def _hear(self, wake: socket.socket) -> None:
        wake.recv(1)
        self._done.pop(0)()

    def _open(self) -> None:
        self._running = True
        self._requests.open()
        tries.forget(self._folder)

    def _note_end(self, end: End) -> None:
        """However well it has ended: what was fed only in part has been taken for the whole."""
        verdict = self._feeder.verdict() if self._feeder is not None else None
        if verdict is not None and not end.reason:
            self._verdict, end = verdict, End(128 + signal.SIGKILL)
        self._end = end

    # -- the loop

    def watch(self, source: Any, on_ready: Callable[[Any], None]) -> None:  # noqa: ANN401  descriptor or socket
        """Call `on_ready(source)` whenever there is something to read."""
        self._selector.register(source, selectors.EVENT_READ, on_ready)

    def unwatch(self, source: Any) -> None:  # noqa: ANN401
        """No more."""
        self._selector.unregister(source)

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            if key.fileobj in self._selector.get_map():
                key.data(key.fileobj)
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill()
        verdict = first_verdict(self._guards, now)
        if verdict is not None:
            self.end(verdict)
        self._send()

    def _patience(self) -> float:
        times = [guard.due for guard in self._guards] + ([] if self._kill_at is None else [self._kill_at])
        return min(_TURN_SECONDS, max(0.0, min(times) - time.monotonic()))

    def _look_at_home(self) -> Optional[Verdict]:
        """A container whose folder was deleted is nobody's any more: it must not run for ever."""
        return None if os.path.exists(os.path.join(self._folder, record.HANDLE)) else Verdict("")

    # -- what others ask

    def tell(self, message: messages.Message, descriptors: Sequence[int] = ()) -> None:
        """What a shim asks PID 1 for, the engine is asked for."""
        if "socket" in message:
            self._hand_out()
        elif "freezer" in message:
            self.watch(socket.socket(fileno=os.dup(descriptors[0])), self._freeze)
        elif "enter" in message:
            self._enter(message, descriptors)
        elif "leave" in message:
            visit = self._visits.pop(message["leave"], None)
            if visit:
                visit.leave()

    def _freeze(self, line: socket.socket) -> None:
        if not freezer.obey(line, self._family.signal):
            self.unwatch(line)
            line.close()

    def _hand_out(self) -> None:
        line = self._runtime.connect() if self._runtime is not None else None
        if line is not None:
            with line:
                self._requests.hand_out({"connected": True}, [line.fileno()])
            return
        if self._runtime is not None or not self._life.address:
            self._requests.hand_out({}, [])
            return
        with socket.socket() as fresh:
            self._requests.hand_out({"host": self._life.address}, [fresh.fileno()])

    def _enter(self, message: messages.Message, streams: Sequence[int]) -> None:
        number = int(message["enter"])

        def ended(code: int) -> None:
            self._later(lambda: self._note_left(number, code))

        self._visits[number] = Visit(self._life.engine, self._life.name, streams, ended)
        self._visits[number].begin(message["argv"], message["env"])

    def _note_left(self, number: int, code: int) -> None:
        self._visits.pop(number, None)
        self._requests.left({"left": number, "status": code << 8}, [])

    def network(self) -> Sequence[int]:
        """None that another could join by descriptors."""
        return []

    def admit(self, streams: Sequence[int]) -> None:
        """The engine opens streams of its own."""

    def usage(self) -> Optional[messages.Message]:
        """What the container has used and holds; None where its processes are another machine's."""
        if not self._family.members():
            return None
        return usage.told(self._launch, self._since, self._family.cpu_seconds(), self._family.held_bytes())

    def stop(self, grace: float) -> None:
        """SIGTERM now, or when it runs, and SIGKILL after `grace` seconds; the shortest grace holds."""
        kill_at = time.monotonic() + max(0.0, grace)
        first = self._kill_at is None and "KILL" not in self._to_send
        if first or (self._kill_at is not None and kill_at < self._kill_at):
            self._kill_at = kill_at
            with contextlib.suppress(OSError):
                record.write(self._folder, STOP, {"at": time.time() + max(0.0, grace)}, durable=False)
        if first:
            self._to_send.append("TERM")

    def end(self, verdict: Verdict) -> None:
        """SIGKILL now."""
        if not self._verdict.reason:
            self._verdict = verdict
        self._kill()

    def let_go(self) -> None:
        """SIGKILL, at the word of another thread."""
        self._later(self._kill)

    def _kill(self) -> None:
        self._kill_at = None
        if "KILL" not in self._to_send:
            self._to_send.append("KILL")

    def _send(self) -> None:
        """Signals that are due; an engine that does not answer is asked again at the next turn."""
        if not self._running or not self._to_send:
            return
        name = self._to_send[0]
        with contextlib.suppress(OSError, EngineError):
            self._life.engine.signal(self._life.name, name)
            if name != "KILL":
                self._to_send.remove(name)

    # -- its end

    def _write_ending(self, end: End) -> None:
        code = end.code
        told = {
            "protocol": record.PROTOCOL,
            "code": code,
            "signal": code - 128 if 128 < code < 128 + signal.NSIG and not end.reason else None,
            "oom": end.out_of_memory or self._verdict.out_of_memory,
            "reason": end.reason or self._verdict.reason,
            "at": time.time(),
            "since": self._since,
        }
        if self._verdict.for_the_disk:
            disk.make_room(self._launch)
        with contextlib.suppress(FileNotFoundError):  # a folder that was deleted has no readers
            record.write(self._folder, ENDING, told)

    def _finish(self) -> None:
        if self._feeder is not None:
            self._feeder.end()
        if not self._clear():
            engine_sweep.leave(self._folder)
        with contextlib.suppress(FileNotFoundError):
            os.rename(os.path.join(self._folder, ENDING), os.path.join(self._folder, record.EXIT))  # noqa: PTH104

    def _clear(self) -> bool:
        """Whether nothing of it is left in the engine, which is asked for some minutes."""
        deadline, pause = time.monotonic() + _CLEAR_SECONDS, _AGAIN_SECONDS
        while not self._life.clear():
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True
