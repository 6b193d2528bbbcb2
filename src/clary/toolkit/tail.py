"""The end of a process's error output: passed on as it comes, kept for saying why the process failed."""

from __future__ import annotations

import os
import re
import select
from typing import IO, List, Optional

_KEPT = 64 * 1024
_READ = 64 * 1024
_STANDARD_ERROR = 2
_SECONDS = 0.2
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning|Failure|Invalid\w*)\b")
_TRACEBACK = "Traceback (most recent call last):"
_ABOUT_OTHERS = "torch.distributed.elastic."
"""Errors of torchrun's, which say that a script has failed, after the script's own."""
_END = re.compile(r"-{20,}\Z|={20,}\Z|[EFIW]\d{4} \d\d:\d\d:|Traceback \(most recent call last\):\Z")
"""Where what torchrun and mpirun say after a script's error begins."""


class Tail:
    """The last 64 KiB that went by."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> None:
        """Take note of a piece."""
        self._data = (self._data + data)[-_KEPT:]

    def reason(self) -> str:
        """The last exception that a traceback named, else the last line that is not empty."""
        lines = [line.rstrip() for line in self._data.decode("utf-8", "replace").splitlines()]
        return _exception(lines) or next((line.strip() for line in reversed(lines) if line.strip()), "")


def _exception(lines: List[str]) -> str:
    """From the line of the last traceback's exception to the end of its message."""
    starts = [index for index, line in enumerate(lines) if line.strip() == _TRACEBACK]
    found = [text for text in (_below(lines, start + 1) for start in reversed(starts)) if text]
    own = (text for text in found if not text.startswith(_ABOUT_OTHERS))
    return next(own, found[0] if found else "")


def _below(lines: List[str], start: int) -> str:
    """The message of the traceback whose frames begin at this line."""
    for index in range(start, len(lines)):
        if _EXCEPTION.match(lines[index]):
            end = next((number for number in range(index, len(lines)) if _END.match(lines[number])), len(lines))
            return "\n".join(lines[index:end]).strip()
    return ""


def copy_through(source: Optional[IO[bytes]], tail: Tail) -> None:
    """Copy a pipe to standard error until it ends; nothing waits for a whole line."""
    if source is None:
        return
    while True:
        while not select.select([source], [], [], _SECONDS)[0]:
            continue  # a signal that came just before is passed on now
        data = os.read(source.fileno(), _READ)
        if not data:
            return
        tail.feed(data)
        _write_all(data)


def _write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(_STANDARD_ERROR, view) :]
