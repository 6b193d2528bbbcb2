"""`python -m clary.supervisor`: the process behind `clary up`. Standard library only."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from dataclasses import replace

from clary import __version__
from clary.errors import ClaryError
from clary.settings import Settings
from clary.supervisor import lock
from clary.supervisor.child import Child
from clary.supervisor.log import log_file, log_path
from clary.supervisor.programs import programs
from clary.supervisor.sockets import Sockets, bind
from clary.supervisor.supervisor import Supervisor
from clary.supervisor.voice import Voice


def main() -> int:
    """Supervise one Clary; 0 after an orderly end, 1 where it could not be started (the reason was said)."""
    options = _parser().parse_args()
    voice = Voice(options.notify_fd)
    try:
        _supervise(Settings.loads(options.settings), voice, options.begun or time.time())
    except ClaryError as error:
        voice.failed(str(error))
        return 1
    return 0


def _supervise(wanted: Settings, voice: Voice, begun: float) -> None:
    allow_open_files()
    descriptor = lock.take(wanted)
    sockets = bind(wanted, was_killed=lock.read_handle(wanted) is not None)
    secure = sockets.secure.getsockname()[1] if sockets.secure else None
    settings = replace(wanted, port=sockets.tcp.getsockname()[1], tls_port=secure)
    settings.containers_dir.mkdir(mode=0o700, exist_ok=True)
    lock.write_handle(settings, _handle(settings, begun))
    children = [Child(program, log_file(settings)) for program in programs(settings, sockets)]
    try:
        _supervisor(settings, children, voice, begun).run()
    finally:
        _leave(settings, sockets, descriptor)


def _supervisor(settings: Settings, children: list[Child], voice: Voice, begun: float) -> Supervisor:
    return Supervisor(
        children,
        on_ready=lambda: voice.ready(settings, time.time() - begun),
        notice=voice.notice,
        log=log_path(settings),
    )


def _leave(settings: Settings, sockets: Sockets, descriptor: int) -> None:
    sockets.close()
    lock.remove_handle(settings)
    os.close(descriptor)


def _handle(settings: Settings, begun: float) -> lock.Handle:
    return lock.Handle(pid=os.getpid(), version=__version__, started=begun, settings=settings)


def allow_open_files() -> None:
    """As many as the system lets us: each connection of the edge is one, and shells often start with 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m clary.supervisor")
    parser.add_argument("--settings", required=True, help="the settings as JSON")
    parser.add_argument("--notify-fd", type=int, help="where to say that Clary is ready, for `clary up --detach`")
    parser.add_argument("--begun", type=float, default=0.0, help="when the command was given (epoch seconds)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
