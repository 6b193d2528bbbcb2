"""An answer that leaves part by part: the main thread computes, another one writes (RFC 9112, 7.1)."""

from __future__ import annotations

import logging
import threading
from typing import Callable, Iterator

from clary.toolkit.server.message import Request, Response

STREAM = "x-clary-stream"
"""The header by which Clary's edge asks for parts as they come. Everyone else gets them together, as one answer that
can still be an error."""

_AHEAD = 16
"""So many parts may be computed before the first of them was written: a client that reads slowly slows the
model down."""

LAST = b"0\r\n\r\n"

logger = logging.getLogger("sagemaker-inference")


def chunk(part: bytes) -> bytes:
    """A part on the wire."""
    return b"%x\r\n%b\r\n" % (len(part), part)


def begun(response: Response, request: Request) -> Response:
    """The answer as it leaves: with its first part computed, where parts are asked for; else whole. Raises what
    computing it raises."""
    if response.parts is None:
        return response
    if STREAM not in request.headers:
        return response._replace(body=b"".join(response.parts), parts=None)
    return response._replace(parts=_with_first(next(response.parts, b""), response.parts))


def _with_first(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


class Outlet:
    """The way of one answer's parts from the thread that computes them to the one that writes them."""

    def __init__(
        self, call: Callable[..., object], write: Callable[[bytes], None], end: Callable[[bool], None]
    ) -> None:
        """`call` has the other thread call `write`, which takes a part, and `end`, with whether the answer is whole."""
        self._call = call
        self._write = write
        self._end = end
        self._places = threading.Semaphore(_AHEAD)
        self._open = True
        self._paused = False
        self._owed = 0

    def send_all(self, parts: Iterator[bytes]) -> None:
        """All parts, as long as somebody reads them; raises nothing. For the thread that computes."""
        whole = False
        try:
            for part in parts:
                if not self._send(part):
                    logger.info("The client has gone before the last part of its answer.")
                    break
            else:
                whole = True
        except Exception:  # a user's function may raise anything; the server lives on
            logger.exception("An answer that had begun could not be finished.")
        finally:
            _leave_off(parts)
        self._call(self._end, whole)

    def _send(self, part: bytes) -> bool:
        self._places.acquire()
        if self._open and part:
            self._call(self._write, chunk(part))
        elif self._open:
            self._places.release()  # an empty chunk would be the last one
        return self._open

    # for the thread that writes
    def written(self) -> None:
        """One part has left; where the client reads too slowly its place is free only once it has caught up."""
        if self._paused:
            self._owed += 1
        else:
            self._places.release()

    def pause(self) -> None:
        """The client does not keep up."""
        self._paused = True

    def resume(self) -> None:
        """It does again."""
        self._paused = False
        for _ in range(self._owed):
            self._places.release()
        self._owed = 0

    def lose(self) -> None:
        """The client has gone."""
        self._open = False
        self._places.release()


def _leave_off(parts: Iterator[bytes]) -> None:
    """What a script does at its end it does here, and may fail in it."""
    close = getattr(parts, "close", None)
    try:
        if close is not None:
            close()
    except Exception:
        logger.exception("A script that was told to leave off has failed.")
