"""Short-lived children: work that is heavy, or not to be trusted with a server process.

What is small and trusted is done here and now: a Python that starts costs more than packing a megabyte.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clary.workload.errors import WorkloadError
from clary.workload.metrics import scan
from clary.workload.pack import REFUSED, make

SMALL_BYTES = 2 * 2**20
SMALL_FILES = 200

METRICS_SECONDS = 30.0
"""What the user's expressions may take in all; then there are no metrics."""

_log = logging.getLogger(__name__)


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-m", module, *arguments]


class ChildFailed(Exception):
    """A child ended as it never should: an error of ours or of the machine (no space left)."""


def make_archive(source: Path, target: Path) -> None:
    """Pack a folder. Raises ChildFailed."""
    if _is_small(source):
        make(source, target)
    else:
        _run_pack("make", source, target)


def _is_small(folder: Path) -> bool:
    """Counts no further than it must: a container may have left a million files."""
    size = files = 0
    for path, folders, names in os.walk(folder):
        files += len(folders) + len(names)
        if files > SMALL_FILES:
            return False
        size += sum(Path(path, name).lstat().st_size for name in names)
    return size <= SMALL_BYTES


def unpack_archive(source: Path, target: Path, uri: str) -> None:
    """Unpack what was at `uri`. Raises WorkloadError where the archive is refused, ChildFailed."""
    try:
        _run_pack("unpack", source, target)
    except _Refused as error:
        raise WorkloadError(
            f'ClientError: Failed to extract model data archive from URL "{uri}". Please ensure that the object '
            f"located at the URL is a valid tar.gz archive: {error}."
        ) from None


class _Refused(Exception):
    """The child would not touch the archive."""


def _run_pack(command: str, source: Path, target: Path) -> None:
    arguments = _command("clary.workload.pack", command, str(source), str(target))
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode == REFUSED:
        raise _Refused(said)
    if done.returncode:
        raise ChildFailed(f"{command} {source}: exit code {done.returncode}: {said}")


class MetricsScan:
    """A scan of a log for metrics: of our own definitions here, of a user's in a child beside whatever else is done."""

    def __init__(self, log: Path, own: Sequence[Mapping[str, str]], given: Sequence[Mapping[str, str]]) -> None:
        foreign = [definition for definition in given if definition not in own]
        small = log.exists() and log.stat().st_size <= SMALL_BYTES
        definitions = [*own, *foreign]
        self._child: subprocess.Popen[bytes] | None = None
        self._found: list[dict[str, Any]] = scan(log, own) if small and not foreign else []
        if log.exists() and definitions and (foreign or not small):
            self._child = subprocess.Popen(
                _command("clary.workload.metrics"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._asked = json.dumps({"log": os.fspath(log), "definitions": list(definitions)}).encode()

    def result(self) -> list[dict[str, Any]]:
        """FinalMetricDataList; empty where the scan took too long."""
        if self._child is None:
            return self._found
        try:
            output, _ = self._child.communicate(self._asked, timeout=METRICS_SECONDS)
            found: list[dict[str, Any]] = json.loads(output)
        except (subprocess.TimeoutExpired, ValueError) as error:
            self._child.kill()
            self._child.wait()
            _log.warning("the metric definitions gave no result: %s", error)
            return []
        return found
