"""A real browser for tests: Chromium without a window, asked over the pipe of its DevTools protocol
(https://chromedevtools.github.io/devtools-protocol/)."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.running import wait_until

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_COMMAND_SECONDS = 60
_LOAD_SECONDS = 90


def needed() -> str:
    """The browser's command; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no browser: install Chromium (`apt-get install chromium`)")
    return found


def _pipe() -> tuple[int, int]:
    """Its ends, with numbers that are not in the way: DevTools reads from 3 and writes to 4."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


class Browser:
    """One browser with one page; `folder` is its profile. Ended, with all its processes, at the end."""

    def __init__(self, folder: Path) -> None:
        self._command = needed()
        self._folder = folder
        self._number = 0
        self._rest = b""
        self._session = ""

    def __enter__(self) -> Self:
        to_read, self._to = _pipe()
        self._from, to_write = _pipe()
        self._log = (self._folder / "browser.log").open("wb")
        self._process = subprocess.Popen(
            [
                *("bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "bash", self._command),
                *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
                *("--disable-background-networking", "--no-proxy-server", "--remote-debugging-pipe"),
                f"--user-data-dir={self._folder}",
                "about:blank",
            ],
            env={**os.environ, "HOME": str(self._folder)},
            pass_fds=(to_read, to_write),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        os.close(to_read)
        os.close(to_write)
        try:
            self._attach()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._to)
        os.close(self._from)
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def open(self, url: str) -> None:
        """Go there, and wait until the page has loaded."""
        failed = self._ask("Page.navigate", url=url).get("errorText")
        assert not failed, f"{url}: {failed}"
        wait_until(
            lambda: self.value("document.readyState === 'complete' && location.href !== 'about:blank'"),
            _LOAD_SECONDS,
            f"{url} has loaded",
        )

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is in the page."""
        said = self._ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def _attach(self) -> None:
        pages = wait_until(self._pages, _LOAD_SECONDS, "the browser has a page")
        self._session = self._ask("Target.attachToTarget", targetId=pages[0], flatten=True)["sessionId"]

    def _pages(self) -> list[str]:
        found = self._ask("Target.getTargets")["targetInfos"]
        return [target["targetId"] for target in found if target["type"] == "page"]

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        command = {"id": self._number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._to, json.dumps(command).encode() + b"\0")
        end = time.monotonic() + _COMMAND_SECONDS
        while True:
            said = self._message(end)
            if said.get("id") == self._number:
                assert "error" not in said, (method, said["error"])
                result: dict[str, Any] = said["result"]
                return result

    def _message(self, end: float) -> dict[str, Any]:
        """The next answer or event. Fails where none comes in time, or the browser has gone."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], max(0.0, end - time.monotonic()))
            data = os.read(self._from, 65_536) if ready else b""
            assert data, f"the browser says nothing\n{(self._folder / 'browser.log').read_text()}"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        said: dict[str, Any] = json.loads(message)
        return said
