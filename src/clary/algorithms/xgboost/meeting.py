"""Hosts of one job tell one another something: each says a word, and all learn every word.

The first host by name presides; the others connect to it, again and again until it is there, because hosts come up and
read their data at their own pace (a job's MaxRuntimeInSeconds is the limit). One line of JSON goes each way.
"""

from __future__ import annotations

import json
import socket
import time
from typing import IO, Any, Dict, List, Sequence

from clary.toolkit.errors import AlgorithmError

Word = Any
"""Whatever JSON can say."""

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


def master_of(hosts: Sequence[str]) -> str:
    """The host that presides: the first by name, so that all agree without asking."""
    return min(hosts)


def meet(hosts: Sequence[str], current: str, port: int, word: Word) -> Dict[str, Word]:
    """Every host's word by the host's name. Raises AlgorithmError where a host leaves before the end."""
    if len(hosts) == 1:
        return {current: word}
    if current == master_of(hosts):
        return _preside(hosts, current, port, word)
    return _attend(master_of(hosts), current, port, word)


def _preside(hosts: Sequence[str], current: str, port: int, word: Word) -> Dict[str, Word]:
    words: Dict[str, Word] = {current: word}
    lines: List[IO[str]] = []
    with socket.create_server((socket.gethostbyname(current), port), backlog=len(hosts)) as door:
        while len(words) < len(hosts):
            guest, _address = door.accept()
            with guest:
                lines.append(guest.makefile("rw", encoding="utf-8", newline="\n"))
            said = _heard(lines[-1], "a host")
            words[str(said["host"])] = said["word"]
    for line in lines:
        with line:
            _say(line, words)
    return words


def _attend(master: str, current: str, port: int, word: Word) -> Dict[str, Word]:
    with _connected(master, port) as connection, connection.makefile("rw", encoding="utf-8", newline="\n") as line:
        _say(line, {"host": current, "word": word})
        return _heard(line, master)


def _connected(host: str, port: int) -> socket.socket:
    pause = _FIRST_PAUSE
    while True:
        try:
            return socket.create_connection((host, port))
        except OSError:  # its name is not known yet, or it is still reading its data
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _say(line: IO[str], word: Word) -> None:
    line.write(json.dumps(word) + "\n")
    line.flush()


def _heard(line: IO[str], whom: str) -> Dict[str, Word]:
    text = line.readline()
    if not text.endswith("\n"):
        raise AlgorithmError(f"The connection to {whom} ended while the hosts gathered.")
    said: Dict[str, Word] = json.loads(text)
    return said
