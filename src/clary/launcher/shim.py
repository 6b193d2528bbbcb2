"""The shim: one process per container, outside of it, that outlives the server.

It holds the log's pipe, the container's lock and sockets, obeys whoever connects to `sock` (requests.py), and writes
how it ended. It has one thread for all of that (PID 1 dies with that thread); only relayed connections have threads of
their own.
"""

# ruff: noqa: PTH110, PTH112, PTH118
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import stat
import threading
import time
import traceback
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Union

from clary.compute import record
from clary.compute.launch import Launch
from clary.launcher import (
    cgroup,
    confine,
    disk,
    ending,
    init,
    memory,
    messages,
    network,
    proxy,
    relay,
    shares,
    sources,
    syscalls,
    usage,
)
from clary.launcher.child import Begin, become_container
from clary.launcher.disk_watch import Quota
from clary.launcher.guards import Guard, Verdict, first_verdict
from clary.launcher.requests import Requests
from clary.launcher.start import Start
from clary.telemetry.logfile import LogWriter

Source = Union[int, socket.socket]

_LOG_PIECE = 262_144
_MEMORY_SECONDS = 0.25
_QUOTA_SECONDS = 0.5
_HOME_SECONDS = 5.0
_TERM_GRACE = 10.0  # when the machine itself tells the shim to end
_KILL_SECONDS = 2.0  # an unconfined container is asked to kill itself; after that PID 1 is killed


def run(start: Start, api_socket: str, begin: init.Begin) -> NoReturn:
    """The whole life of one container, in a process forked for it. Raises only Begin, in the program's own process."""
    try:
        start.leave_the_launcher()
        syscalls.adopt_orphans()
        raw: Any = record.read(start.folder, record.LAUNCH)
        Shim(start, raw, api_socket).live(begin)
    except Begin:
        raise
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


class Shim:
    """One container seen from outside."""

    def __init__(self, start: Start, launch: Launch, api_socket: str) -> None:
        shares.without_others(launch, start.share.gpus)
        self._folder = start.folder
        self._share = start.share
        self._launch = launch
        self._api_socket = api_socket
        self._since = time.time()
        self._look = usage.Look(launch, self._since)
        self._selector = selectors.DefaultSelector()
        self._requests = Requests(self, start.listener, launch["port"], launch["confined"])
        self._channel: socket.socket
        self._output = -1
        self._child = -1
        self._init: Optional[int] = None
        self._group = cgroup.Cgroup({})
        self._member: Optional[network.Membership] = None
        self._guards: List[Guard] = []
        self._in_memory: List[int] = []
        self._let_go = False
        self._ready = False
        self._stopping = False
        self._asked_to_kill = False
        self._killed = False
        self._deadline: Optional[float] = None
        self._status: Optional[int] = None
        self._failed = ""
        self._verdict: Optional[Verdict] = None
        self._over = False

    def live(self, begin: init.Begin) -> None:
        """From the handle to the exit record."""
        handle = ending.handle(self._launch["id"], self._since, self._share)
        record.write(self._folder, record.HANDLE, handle, durable=False)
        self._log = LogWriter(self._launch["log"])
        try:
            self._start(begin)
        except OSError as error:
            self._give_up(error)
        signal.signal(signal.SIGTERM, lambda *_: self.stop(_TERM_GRACE))
        while not self._over:
            self._turn()
        self._finish()

    # -- its beginning

    def _give_up(self, error: OSError) -> None:
        """A child that is there already waits for a word that will not come."""
        self._failed, self._over = str(error), True
        if self._child > 0:
            os.kill(self._child, signal.SIGKILL)

    def _start(self, begin: init.Begin) -> None:
        self._group = cgroup.create(self._folder, self._launch)
        place, ranged = self._launch["network"], self._launch["identity"]["count"] > 1
        self._member = network.join(self._folder, place["name"], ranged) if place else None
        self._guards = self._appoint()
        self._channel, theirs = messages.pair()
        self._output, writing = os.pipe()
        self._open_to_all(writing)
        self._child = syscalls.fork()
        if self._child == 0:
            if self._share.cores:
                os.sched_setaffinity(0, self._share.cores)
            outer = self._member.user_namespace if self._member else None
            become_container(self._launch, theirs, writing, outer, begin)
        theirs.close()
        os.close(writing)
        self._group.add(self._child)  # takes the kernel some 8 ms, in which the child does its own work
        os.set_blocking(self._output, False)
        self.watch(self._channel, self._hear)
        self.watch(self._output, self._write_log)

    def _open_to_all(self, stream: int) -> None:
        """User code opens /dev/stdout anew, as whichever inner user it has become."""
        os.fchmod(stream, 0o666)
        if self._launch["identity"]["count"] > 1:
            os.fchown(stream, self._launch["identity"]["base"], self._launch["identity"]["base"])

    def admit(self, streams: Sequence[int]) -> None:
        """Pipes and terminals of somebody who is let in are opened anew too; a file keeps its owner."""
        base = self._launch["identity"]["base"]
        for stream in streams:
            if stat.S_ISFIFO(os.fstat(stream).st_mode):
                self._open_to_all(stream)
            elif os.isatty(stream) and self._launch["identity"]["count"] > 1:
                os.fchown(stream, base, base)

    def _appoint(self) -> List[Guard]:
        guards = [Guard(_HOME_SECONDS, self._look_at_home)]
        if self._launch["limits"]["memory_bytes"] is not None and not self._group.holds_memory:
            guards.append(Guard(_MEMORY_SECONDS, self._look_at_memory))
        if self._launch["limits"]["disk_bytes"] is not None:
            quota = Quota(self._launch, self._launch["limits"]["disk_bytes"])
            guards.append(Guard(_QUOTA_SECONDS, quota.verdict))
        return guards

    # -- its loop

    def watch(self, source: Source, on_ready: Callable[[Any], None]) -> None:
        """Call `on_ready(source)` whenever there is something to read."""
        self._selector.register(source, selectors.EVENT_READ, on_ready)

    def unwatch(self, source: Source) -> None:
        """No more."""
        self._selector.unregister(source)

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            if key.fileobj in self._selector.get_map():
                key.data(key.fileobj)
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline:
            self._kill()
        verdict = first_verdict(self._guards, now)
        if verdict is not None:
            self.end(verdict)

    def _patience(self) -> float:
        times = [guard.due for guard in self._guards] + ([] if self._deadline is None else [self._deadline])
        return max(0.0, min(times) - time.monotonic())

    def _look_at_home(self) -> Optional[Verdict]:
        """A container whose folder was deleted is nobody's any more: it must not run for ever."""
        return None if os.path.exists(os.path.join(self._folder, record.HANDLE)) else Verdict("")

    def _look_at_memory(self) -> Optional[Verdict]:
        limit = self._launch["limits"]["memory_bytes"]
        if limit is None or self._init is None:
            return None
        if not memory.roughly_above(self._init, limit - memory.in_files(self._in_memory)):
            return None
        return Verdict("", out_of_memory=True)

    def _write_log(self, output: int) -> None:
        try:
            data = os.read(output, _LOG_PIECE)
        except BlockingIOError:
            return
        if data:
            self._keep(data)
        else:
            self.unwatch(output)

    def _keep(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # a full disk costs lines, not the container
            self._log.feed(data)

    # -- what PID 1 says

    def _hear(self, channel: socket.socket) -> None:
        try:
            message, descriptors = messages.receive(channel)
        except EOFError:
            self._over = True
            return
        try:
            for name, answer in self._answers().items():
                if name in message:
                    answer(message, descriptors)
                    return
        finally:
            messages.close_all(descriptors)

    def _answers(self) -> Dict[str, Callable[[messages.Message, List[int]], None]]:
        return {
            "waiting": self._let_go_on,
            "init": self._know_init,
            "copy": self._copy,
            "ready": self._open_ways,
            "socket": self._requests.hand_out,
            "memory": self._note_memory,
            "left": self._requests.left,
            "note": self._note,
            "failed": self._note_failure,
            "exit": self._note_exit,
        }

    def _let_go_on(self, message: messages.Message, descriptors: List[int]) -> None:
        if self._member:
            self._member.plug_in(descriptors[0])
        trees: Dict[int, int] = {}
        if self._launch["identity"]["count"] > 1:
            confine.write_range(self._child, self._launch["identity"])
            trees = sources.open_mapped(self._launch, self._child)
        self._let_go = True
        self.tell({"go": True, "mapped": list(trees)}, list(trees.values()))
        messages.close_all(list(trees.values()))

    def _know_init(self, message: messages.Message, _: List[int]) -> None:
        self._init = message["init"]
        os.waitpid(self._child, 0)
        if self._killed:
            self._kill()
        self.tell({"adopted": True})

    def _copy(self, message: messages.Message, _: List[int]) -> None:
        """Takes as long as it takes: in a thread of its own."""
        threading.Thread(
            target=lambda: self.tell(sources.copied(self._launch, int(message["copy"]))), daemon=True
        ).start()

    def _open_ways(self, message: messages.Message, descriptors: List[int]) -> None:
        self._init = self._child if self._init is None else self._init
        listeners = [socket.socket(fileno=os.dup(descriptor)) for descriptor in descriptors]
        if listeners:
            relay.Door(listeners[0], relay.to_unix(self._api_socket), self)
            relay.Door(listeners[1], proxy.of(self._launch, self._api_socket), self)
        self._ready = True
        self._requests.open()
        if self._stopping:
            self.tell({"signal": signal.SIGTERM})

    def _note_memory(self, message: messages.Message, descriptors: List[int]) -> None:
        self._in_memory = [os.dup(descriptor) for descriptor in descriptors]

    def _note(self, message: messages.Message, _: List[int]) -> None:
        """A line of its own, whatever the program has left unfinished."""
        self._keep("\n{}\n".format(message["note"]).encode())

    def _note_failure(self, message: messages.Message, _: List[int]) -> None:
        self._failed = message["failed"]

    def _note_exit(self, message: messages.Message, _: List[int]) -> None:
        self._status = message["exit"]

    # -- what it does to the container

    def tell(self, message: messages.Message, descriptors: Sequence[int] = ()) -> None:
        """A message to PID 1; where that has just ended, the loop will hear of it."""
        with contextlib.suppress(OSError):
            messages.send(self._channel, message, descriptors)

    def network(self) -> Sequence[int]:
        """Descriptors of the network of which it is a member."""
        return self._member.descriptors if self._member else []

    def usage(self) -> Optional[messages.Message]:
        """What the container has used and holds; None before its first process is known."""
        if self._init is None:
            return None
        return self._look.told(self._init, self._in_memory)

    def stop(self, grace: float) -> None:
        """SIGTERM now, or when it is ready, and SIGKILL after `grace` seconds; the shortest grace holds."""
        deadline = time.monotonic() + max(0.0, grace)
        self._deadline = deadline if self._deadline is None else min(self._deadline, deadline)
        if not self._stopping and self._ready:
            self.tell({"signal": signal.SIGTERM})
        self._stopping = True

    def end(self, verdict: Verdict) -> None:
        """SIGKILL now."""
        self._stopping = True
        self._verdict = self._verdict or verdict
        self._kill()

    def _kill(self) -> None:
        """SIGKILL for everything inside: by PID 1's death, or, without namespaces, by PID 1's own hand."""
        if self._launch["confined"] or self._asked_to_kill:
            self._deadline, self._killed = None, True
            if not self._awaits_init():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._child if self._init is None else self._init, signal.SIGKILL)
        else:
            self._asked_to_kill = True
            self.tell({"signal": signal.SIGKILL})
            self._deadline = time.monotonic() + _KILL_SECONDS

    def _awaits_init(self) -> bool:
        """Whether PID 1 may be there already and is not known yet: the child that makes it must live to say so."""
        return self._launch["confined"] and self._let_go and self._init is None

    # -- its end

    def _finish(self) -> None:
        self._reap()
        self._drain_log()
        with contextlib.suppress(OSError):
            self._log.close()
        told = self._verdict or Verdict("")
        out_of_memory = told.out_of_memory or self._group.killed_for_memory()
        self._group.remove()
        if self._member:
            self._member.leave()
        if told.for_the_disk:
            disk.make_room(self._launch)
        ended = ending.Ending(self._status, self._failed, told.reason, out_of_memory)
        if os.path.isdir(self._folder):
            record.write(self._folder, record.EXIT, ending.exit_record(ended, self._since))

    def _reap(self) -> None:
        """Returns when nothing is left inside: the kernel lets PID 1 go only after all others."""
        with contextlib.suppress(ChildProcessError):
            if self._child > 0:
                os.waitpid(self._init or self._child, 0)

    def _drain_log(self) -> None:
        while self._output >= 0 and self._output in self._selector.get_map():
            try:
                data = os.read(self._output, _LOG_PIECE)
            except BlockingIOError:
                return
            if not data:
                return
            self._keep(data)
