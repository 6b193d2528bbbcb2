"""Feeds channels in Pipe mode: `python -m clary.toolkit.pipes PLANS DATA FAILURE`, beside the program, ended with it;
from outside where the program's image need not have a Python (`clary.launcher.engine_feeder`).

For each channel and epoch there is a FIFO `DATA/CHANNEL_EPOCH`; the next one is there before the last has ended. A
program that closes one early goes on with the next
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html). The folder is
the program's, which may put there what it likes: pipes are made and opened by the folder's descriptor, and nothing
else is ever opened there. Standard library only: it runs on the Python of any image.
"""

# ruff: noqa: PTH116, PTH123, PTH208
# Paths are strings here: entries of /proc are many.

from __future__ import annotations

import contextlib
import fcntl
import gzip
import json
import os
import random
import select
import signal
import stat
import struct
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterable, Iterator, List, Optional

_MAGIC = 0xCED7230A
_LARGEST_RECORD = (1 << 29) - 1
"""RecordIO gives a record's length 29 bits (https://mxnet.apache.org/versions/1.9.1/architecture/note_data_loading);
readers of pipes know no records in parts."""

_F_SETPIPE_SZ = 1031
_PIECE = 1 << 20
_IN_MEMORY = 64 << 20
_READERS_SECONDS = 10.0
_PAUSE_SECONDS = 0.01

Part = List[str]
"""`["text", TEXT]` or `["file", NAME, ADDRESS]`."""


GiveUp = Callable[[str, Optional[BinaryIO]], None]
"""Hears why a channel cannot be fed, and which pipe is being read, if one is. It ends when the call returns: its reader
must not take what it has had for the whole."""


class BadData(Exception):
    """An object that cannot be streamed, or a pipe that is none."""


class Channel:
    """One channel, as its plan says."""

    def __init__(self, folder: Path, target: int, give_up: GiveUp) -> None:
        """`target` is a descriptor of the folder of pipes."""
        self._folder = folder
        self._target = target
        self._give_up = give_up
        self._plan: Dict[str, Any] = json.loads((folder / "plan.json").read_text())

    def feed(self) -> None:
        """Epoch after epoch, as long as somebody opens them; until data are bad, with which no reader shall go on."""
        epoch = 0
        while self._feed(epoch):
            epoch += 1

    def _feed(self, epoch: int) -> bool:
        """Whether the next may follow."""
        sink: Optional[BinaryIO] = None
        try:
            self._make(epoch)
            self._make(epoch + 1)  # who opens this one may come for the next at any moment
            sink = self._open(epoch)
            _widen(sink)
            self._stream(epoch, sink)
        except BrokenPipeError:  # the program has had enough of this epoch
            return True
        except (BadData, OSError) as error:
            self._give_up("channel {}: {}".format(self._plan["name"], error), sink)
            return False
        finally:
            if sink is not None:
                sink.close()
        return True

    def _name(self, epoch: int) -> str:
        return "{}_{}".format(self._plan["name"], epoch)

    def _make(self, epoch: int) -> None:
        with contextlib.suppress(FileExistsError):  # the first is there from the beginning
            os.mkfifo(self._name(epoch), 0o666, dir_fd=self._target)

    def _open(self, epoch: int) -> BinaryIO:
        """Waits for a reader. What stands there is looked at before it is opened: a link would lead elsewhere, and
        devices do what they do when they are opened."""
        place = os.open(self._name(epoch), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._target)
        try:
            if not stat.S_ISFIFO(os.fstat(place).st_mode):
                raise BadData("{} is no pipe any more".format(self._name(epoch)))
            return open("/proc/self/fd/{}".format(place), "wb", buffering=0)
        finally:
            os.close(place)

    def _stream(self, epoch: int, sink: BinaryIO) -> None:
        for record in self._records(epoch):
            for part in record:
                self._send(part, sink)

    def _records(self, epoch: int) -> Iterator[List[Part]]:
        """In order, or in this epoch's own, of which each host streams its share."""
        with (self._folder / "records").open(encoding="utf-8") as file:
            lines: Iterable[str] = file
            if self._plan["seed"] is not None:
                shuffled = list(file)
                random.Random(self._plan["seed"] + epoch).shuffle(shuffled)  # noqa: S311 - an order, no secret
                lines = shuffled[self._plan["host"] :: self._plan["hosts"]]
            for line in lines:
                yield json.loads(line)

    def _send(self, part: Part, sink: BinaryIO) -> None:
        if part[0] == "text":
            data = part[1].encode("utf-8")
            self._frame(len(data), "a text", sink)
            _write(data + self._padding(len(data)), sink)
        elif self._plan["gzip"]:
            self._send_unpacked(self._folder / part[1], part[2], sink)
        else:
            with (self._folder / part[1]).open("rb") as source:
                self._send_file(source, os.fstat(source.fileno()).st_size, part[2], sink)

    def _send_file(self, source: BinaryIO, size: int, name: str, sink: BinaryIO) -> None:
        self._frame(size, name, sink)
        _splice(source, size, sink)
        _write(self._padding(size), sink)

    def _send_unpacked(self, path: Path, name: str, sink: BinaryIO) -> None:
        """A wrapped record's length comes first: what is unpacked is kept aside until it is known."""
        if not self._plan["wrapped"]:
            for piece in _unpacked(path, name):
                _write(piece, sink)
            return
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as whole:
            for piece in _unpacked(path, name):
                whole.write(piece)
            size = whole.tell()
            whole.seek(0)
            self._frame(size, name, sink)
            for piece in iter(lambda: whole.read(_PIECE), b""):
                _write(piece, sink)
            _write(self._padding(size), sink)

    def _frame(self, size: int, name: str, sink: BinaryIO) -> None:
        if self._plan["wrapped"]:
            if size > _LARGEST_RECORD:
                raise BadData("{} is too large for a RecordIO record".format(name))
            _write(struct.pack("<II", _MAGIC, size), sink)

    def _padding(self, size: int) -> bytes:
        return b"\0" * (-size % 4) if self._plan["wrapped"] else b""


def _unpacked(path: Path, name: str) -> Iterator[bytes]:
    try:
        with gzip.open(str(path), "rb") as source:
            for piece in iter(lambda: source.read(_PIECE), b""):
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise BadData("{} cannot be decompressed: {}".format(name, error)) from error


def _splice(source: BinaryIO, size: int, sink: BinaryIO) -> None:
    """The file's pages become the pipe's: nothing is copied."""
    offset = 0
    while offset < size:
        offset += os.sendfile(sink.fileno(), source.fileno(), offset, min(size - offset, _PIECE))


def _write(data: bytes, sink: BinaryIO) -> None:
    view = memoryview(data)
    while view:
        view = view[sink.write(view) :]


def _widen(sink: BinaryIO) -> None:
    """A pipe holds 64 KiB at first: too little to keep both ends busy."""
    with contextlib.suppress(OSError):  # the user has as many large ones as allowed
        fcntl.fcntl(sink.fileno(), _F_SETPIPE_SZ, _PIECE)


def end_readers(sink: BinaryIO) -> None:
    """Kill the processes that read the pipe, until nobody does; for some seconds at most, as those of others are not
    seen here. One that is in the middle of opening it counts as a reader before it has a descriptor."""
    deadline = time.monotonic() + _READERS_SECONDS
    while _is_read(sink) and time.monotonic() < deadline:
        _kill_readers(os.fstat(sink.fileno()))
        time.sleep(_PAUSE_SECONDS)


def _is_read(sink: BinaryIO) -> bool:
    poll = select.poll()
    poll.register(sink, 0)
    return not any(event & select.POLLERR for _, event in poll.poll(0))


def _kill_readers(fifo: os.stat_result) -> None:
    for process in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
        if process != os.getpid() and _has_open(process, fifo):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)


def _has_open(process: int, fifo: os.stat_result) -> bool:
    folder = "/proc/{}/fd".format(process)
    with contextlib.suppress(OSError):  # gone, or another user's
        for number in os.listdir(folder):
            with contextlib.suppress(OSError):
                if os.path.samestat(os.stat("{}/{}".format(folder, number)), fifo):
                    return True
    return False


def feed(plans: Path, target: Path, give_up: GiveUp) -> None:
    """Feed every channel, each by its own thread. Raises OSError where a folder is not there."""
    os.umask(0)  # the user who reads need not be this one
    folder = os.open(str(target), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    channels = [Channel(plan, folder, give_up) for plan in sorted(plans.iterdir())]
    threads = [threading.Thread(target=channel.feed) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(plans: Path, target: Path, failure: Path) -> None:
    """Feed from inside: why a channel could not be fed is written to `failure`, then who reads it is ended."""

    def give_up(why: str, sink: Optional[BinaryIO]) -> None:
        reason = "ClientError: Data download failed: {}".format(why)
        sys.stderr.write(reason + "\n")
        failure.write_text(reason)
        if sink is not None:
            end_readers(sink)

    feed(plans, target, give_up)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
