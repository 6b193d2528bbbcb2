"""Load by wrk (https://github.com/wg/wrk), with a file of requests that differ."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("wrk.lua")
_MARK = "figures "
_GRACE_SECONDS = 30


class LoadFailed(Exception):
    """A measurement that does not count: requests were refused, connections broke, or wrk itself did not run."""


@dataclass(frozen=True)
class Round:
    """One measurement."""

    per_second: float
    p50: float
    """Milliseconds, as p99."""
    p99: float


def available() -> bool:
    """Whether wrk is on the PATH."""
    return shutil.which("wrk") is not None


def written(requests: Iterable[bytes], file: Path) -> Path:
    """The file as wrk.lua reads it."""
    file.write_bytes(b"".join(b"%d\n%b" % (len(each), each) for each in requests))
    return file


def run(port: int, requests: Path, clients: int, seconds: int) -> Round:
    """Ask from so many kept-alive connections, each one request after the other. Raises LoadFailed."""
    options = ["--threads", "1", "--connections", str(clients), "--duration", f"{seconds}s", "--timeout", "20s"]
    done = subprocess.run(
        ["wrk", *options, "--script", SCRIPT, f"http://127.0.0.1:{port}", "--", requests],
        capture_output=True,
        text=True,
        timeout=seconds + _GRACE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise LoadFailed(done.stdout + done.stderr)
    return parse(done.stdout)


def parse(output: str) -> Round:
    """What wrk.lua has said last. Raises LoadFailed."""
    lines = [line for line in output.splitlines() if line.startswith(_MARK)]
    if not lines:
        raise LoadFailed(f"wrk gave no figures:\n{output}")
    said = json.loads(lines[-1].removeprefix(_MARK))
    if said["refused"] or said["broken"] or not said["requests"]:
        raise LoadFailed(f"{said['refused']} refused, {said['broken']} broken of {said['requests']} requests")
    return Round(said["requests"] / said["microseconds"] * 1e6, said["p50"] / 1000, said["p99"] / 1000)
