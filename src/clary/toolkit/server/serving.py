"""The life of a model server: load, listen, answer one request after the other, drain at SIGTERM."""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import signal
import socket
import sys
import traceback
from typing import Callable, Iterable, Iterator, Mapping, Optional, Protocol, Sequence, Tuple

from clary.toolkit.server import batching
from clary.toolkit.server.batching import RowWise
from clary.toolkit.server.listener import Exchange, Listener, bind
from clary.toolkit.server.message import Refused, Request, Response
from clary.toolkit.server.streaming import begun

_PORT = 8080
MAX_BODY = 2**30
"""What an asynchronous request may bring."""
_SWITCH_SECONDS = 0.0005
"""How soon another thread gets its turn while the model computes in Python (default: 5 ms)."""

_PR_SET_PDEATHSIG = 1
_FOR_THE_PARENT = (signal.SIGTERM, signal.SIGCHLD)
_CANNOT_LOAD = 1

_PARAMETERS = "/execution-parameters"
_PONG = Response(200)
_NOT_FOUND = Response(404, b"Not Found")
_WRONG_METHOD = Response(405, b"Method Not Allowed")

logger = logging.getLogger("sagemaker-inference")


class Service(Protocol):
    """A model, loaded, and how it is asked."""

    def invoke(self, request: Request) -> Response:
        """Answer POST /invocations; Refused and any other exception become answers too."""
        ...

    def execution_parameters(self) -> Optional[Response]:
        """Answer GET /execution-parameters; None where the model has none."""
        ...

    def row_wise(self) -> Optional[RowWise]:
        """How requests that wait are computed together; None where each is computed by itself."""
        ...


Load = Callable[[], Service]
"""Loads the model. What it raises ends the server: a container that cannot load never becomes healthy."""


def serve(load: Load, environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM; the exit code. `SAGEMAKER_MODEL_SERVER_WORKERS` processes, one by default."""
    bound = bind(port(environ))
    workers = _workers(environ)
    if workers == 1:
        return work(load, bound, alone=True)
    return _supervise(load, bound, workers)


def port(environ: Mapping[str, str]) -> int:
    """Where a container listens."""
    return int(environ.get("SAGEMAKER_BIND_TO_PORT") or _PORT)


def _workers(environ: Mapping[str, str]) -> int:
    text = environ.get("SAGEMAKER_MODEL_SERVER_WORKERS", "")
    return max(1, int(text)) if text.isdigit() else 1


def work(load: Load, bound: socket.socket, *, alone: bool) -> int:
    """One worker: the model in the main thread, which reads HTTP while it waits; the exit code.

    Several requests wait on one connection only where this worker is `alone`: the others would have nothing to do.
    """
    try:
        service = load()
    except Exception:  # the last line of defence of this process: why it cannot serve stands in the log
        traceback.print_exc()
        sys.stderr.flush()
        return _CANNOT_LOAD
    sys.setswitchinterval(_SWITCH_SECONDS)
    listener = Listener(bound, _immediate, MAX_BODY, pipelined=alone)
    signal.signal(signal.SIGTERM, lambda _number, _frame: listener.end())
    listener.start()
    logger.info("Listening on %s.", listener.place)
    _answer_until_end(service, listener)
    listener.refuse_more()
    _answer_rest(service, listener)
    listener.stop()
    return 0


def _immediate(request: Request) -> Optional[Response]:
    """What is answered as it is read; None for what the model has to answer."""
    if request.path == "/ping":
        return _PONG
    if request.path == _PARAMETERS:
        return None
    if request.path == "/invocations":
        return None if request.method == "POST" else _WRONG_METHOD
    return _NOT_FOUND


def _answer_until_end(service: Service, listener: Listener) -> None:
    while True:
        taken = listener.take(batching.MOST_REQUESTS, batching.MOST_BYTES)
        if not taken:
            return
        _answer_taken(service, listener, taken)


def _answer_rest(service: Service, listener: Listener) -> None:
    """What came in between the signal and the closed door."""
    while not listener.requests.empty():
        _answer_taken(service, listener, listener.take(1, 1))


def _answer_taken(service: Service, listener: Listener, taken: Sequence[Exchange]) -> None:
    together = service.row_wise() if len(taken) > 1 else None
    if together is None:
        for exchange in taken:
            _send(listener, exchange, answer(service, exchange.request))
    else:
        alone = functools.partial(answer, service)
        answered = batching.answers(together, [exchange.request for exchange in taken], alone)
        pairs = list(zip(taken, answered))  # noqa: B905 - Python 3.8
        if all(response.parts is None for response in answered):
            listener.answer(pairs)
            return
        for exchange, response in pairs:
            _send(listener, exchange, response)


def _send(listener: Listener, exchange: Exchange, response: Response) -> None:
    if response.parts is None:
        listener.answer([(exchange, response)])
    else:
        listener.stream(exchange, response)


def answer(service: Service, request: Request) -> Response:
    """The service's answer, or the error that AWS's model servers would give: message first, then the traceback."""
    try:
        if request.path == _PARAMETERS:
            return service.execution_parameters() or _NOT_FOUND
        return begun(service.invoke(request), request)
    except Refused as refused:
        logger.warning("%s", refused.message)
        return Response(refused.status, refused.message.encode("utf-8", "replace"))
    except Exception as error:  # a user's function may raise anything; the server lives on
        trace = traceback.format_exc()
        logger.error("%s\n%s", error, trace)  # noqa: TRY400 - one text for the log and the client
        status, message = _told_by(error)
        return Response(status, f"{message}\n{trace}".encode("utf-8", "replace"))


def _told_by(error: Exception) -> Tuple[int, str]:
    """Errors of sagemaker-inference's kind bring their own status and message."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status < 600:
        return status, str(getattr(error, "message", error))
    return 500, str(error)


def _supervise(load: Load, bound: socket.socket, workers: int) -> int:
    """Several workers share the listening socket; each loads the model itself. A dead one is replaced.

    The parent only forks: it never loads or computes, so that its children start clean. Its signals are blocked and
    waited for: a handler would miss one that comes just before the call that waits, or in the middle of a fork.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_PARENT)
    children = {_fork(load, bound) for _ in range(workers)}
    ending, code = False, 0
    while children:
        if signal.sigwait(_FOR_THE_PARENT) == signal.SIGTERM:
            ending = True
            _end(children)
        for child, ended in _reaped(children):
            children.discard(child)
            if not ending and ended == _CANNOT_LOAD:  # its like cannot either
                ending, code = True, ended
                _end(children)
            elif not ending:
                logger.error("Worker %d ended with code %d; starting another.", child, ended)
                children.add(_fork(load, bound))
    return code


def _end(children: Iterable[int]) -> None:
    for child in children:
        os.kill(child, signal.SIGTERM)


def _reaped(children: Iterable[int]) -> Iterator[Tuple[int, int]]:
    """Those that have ended, with their exit codes; several ends may have been one signal."""
    for child in list(children):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            yield child, os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _fork(load: Load, bound: socket.socket) -> int:
    child = os.fork()
    if child == 0:
        end_with_parent()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FOR_THE_PARENT)
        code = _CANNOT_LOAD
        try:
            code = work(load, bound, alone=False)
        finally:
            os._exit(code)
    return child


def end_with_parent() -> None:
    """A parent that is killed cannot tell its workers: the kernel does (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
