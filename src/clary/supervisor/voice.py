"""What the supervisor says: to the person at the terminal, or to the `clary up --detach` that waits for it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import suppress

from clary import __version__
from clary.settings import Settings


class Voice:
    """`notify_fd`: a pipe to a waiting command; it hears of the start and nothing after."""

    def __init__(self, notify_fd: int | None) -> None:
        self._notify_fd = notify_fd
        if notify_fd is not None:
            os.set_inheritable(notify_fd, False)

    def ready(self, settings: Settings, seconds: float) -> None:
        """Requests are answered from now on."""
        if self._notify_fd is None:
            print(banner(settings, seconds), flush=True)  # noqa: T201
        self._tell({"ready": True, "seconds": seconds})

    def failed(self, message: str) -> None:
        """Clary could not be started."""
        if self._notify_fd is None:
            print(f"clary: {message}", file=sys.stderr, flush=True)  # noqa: T201
        self._tell({"failure": message})

    def notice(self, message: str) -> None:
        """Something that whoever runs Clary may want to know, while it goes on."""
        with suppress(OSError):  # the log's disk is full, or the terminal is gone: no reason to end
            print(f"clary: {message}", file=sys.stderr, flush=True)  # noqa: T201

    def _tell(self, word: dict[str, object]) -> None:
        if self._notify_fd is not None:
            os.write(self._notify_fd, json.dumps(word).encode() + b"\n")
            os.close(self._notify_fd)
            self._notify_fd = None


def banner(settings: Settings, seconds: float, *, detached: bool = False) -> str:
    """What a person needs to know when Clary is ready."""
    folder = "" if settings.data_dir.name == ".clary" else f" --data-dir {shlex.quote(str(settings.data_dir))}"
    here, ends = ("", f"`clary down{folder}`") if detached else ("In another shell: ", "Ctrl-C")
    return (
        f"Clary {__version__} is ready at {settings.endpoint_url} ({seconds:.1f} s)\n"
        f"  data     {settings.data_dir}\n"
        f"  account  {settings.account_id}, region {settings.region}\n"
        f'  {here}eval "$(clary env{folder})", then run your SageMaker program.\n'
        f"  {ends} ends the server; jobs and endpoints that run go on."
    )
