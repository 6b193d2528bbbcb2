"""Short-lived children: work that is heavy, or not to be trusted with a server process.

What is small and trusted is done here and now: a Python that starts costs more than packing a megabyte.
"""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from clary.workload.errors import WorkloadError, room_for
from clary.workload.matching import MATCHING, TooSlow
from clary.workload.metrics import scan
from clary.workload.pack import FULL, REFUSED, Refused, check_holes, make
from clary.workload.tree import walk

SMALL_BYTES = 2 * 2**20
SMALL_FILES = 200

METRICS_SECONDS = 30.0
"""What the user's expressions may take in all; then there are no metrics."""

_log = logging.getLogger(__name__)


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-m", module, *arguments]


class ChildFailed(Exception):
    """A child ended as it never should: an error of ours or of the machine (no space left)."""


def make_archive(sources: Sequence[Path], target: Path) -> None:
    """Pack folders as one archive. Raises WorkloadError where what is there cannot be packed, OSError, ChildFailed."""
    try:
        if _is_small(sources):
            make(sources, target)
        else:
            _run_pack("make", target, sources)
    except Refused as error:
        raise WorkloadError(f"ClientError: Artifact upload failed: {error}.") from None


def check_left(path: str, file: BinaryIO) -> None:
    """Raises WorkloadError for a file of a container, `path` in its folder, that cannot be uploaded as it is."""
    try:
        check_holes(path, os.fstat(file.fileno()))
    except Refused as error:
        raise WorkloadError(f"ClientError: Artifact upload failed: {error}.") from None


def _is_small(sources: Sequence[Path]) -> bool:
    """Counts no further than it must: a container may have left a million files."""
    size = 0
    for count, entry in enumerate(chain.from_iterable(map(walk, sources)), 1):
        size += entry.stat.st_size
        if count > SMALL_FILES or size > SMALL_BYTES:
            return False
    return True


def unpack_archive(source: Path, target: Path, uri: str) -> None:
    """Unpack what was at `uri`. Raises WorkloadError where the archive is refused or the disk is full, ChildFailed."""
    try:
        with room_for("Model data download"):
            _run_pack("unpack", target, [source])
    except Refused as error:
        raise WorkloadError(
            f'ClientError: Failed to extract model data archive from URL "{uri}". Please ensure that the object '
            f"located at the URL is a valid tar.gz archive: {error}."
        ) from None


def _run_pack(command: str, target: Path, sources: Sequence[Path]) -> None:
    arguments = _command("clary.workload.pack", command, str(target), *map(str, sources))
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode == REFUSED:
        raise Refused(said)
    if done.returncode == FULL:
        raise OSError(errno.ENOSPC, said)
    if done.returncode:
        raise ChildFailed(f"{command} {target}: exit code {done.returncode}: {said}")


class MetricsScan:
    """A scan of a log for metrics: of our own definitions here, of a user's in a child."""

    def __init__(self, log: Path, own: Sequence[Mapping[str, str]], given: Sequence[Mapping[str, str]]) -> None:
        self._log = log
        self._foreign = [definition for definition in given if definition not in own]
        self._definitions = [*own, *self._foreign]

    def result(self) -> list[dict[str, Any]]:
        """FinalMetricDataList; empty where the scan took too long."""
        if not self._definitions or not self._log.exists():
            return []
        if not self._foreign and self._log.stat().st_size <= SMALL_BYTES:
            return scan(self._log, self._definitions)
        asked = {"log": os.fspath(self._log), "definitions": self._definitions}
        try:
            found: list[dict[str, Any]] = MATCHING.ask(asked, METRICS_SECONDS)
        except TooSlow as error:
            _log.warning("the metric definitions gave no result: %s", error)
            return []
        return found
