"""Short-lived children: work that is heavy, or not to be trusted with a server process."""

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
from clary.workload.pack import REFUSED

METRICS_SECONDS = 30.0
"""What the user's expressions may take in all; then there are no metrics."""

_log = logging.getLogger(__name__)


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-m", module, *arguments]


class ChildFailed(Exception):
    """A child ended as it never should: an error of ours or of the machine (no space left)."""


def make_archive(source: Path, target: Path) -> None:
    """Pack a folder. Raises ChildFailed."""
    _run_pack("make", source, target)


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
    """A scan of a log for metrics, running beside whatever else is done. No definitions, no child."""

    def __init__(self, log: Path, definitions: Sequence[Mapping[str, str]]) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        if definitions and log.exists():
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
            return []
        try:
            output, _ = self._child.communicate(self._asked, timeout=METRICS_SECONDS)
            found: list[dict[str, Any]] = json.loads(output)
        except (subprocess.TimeoutExpired, ValueError) as error:
            self._child.kill()
            self._child.wait()
            _log.warning("the metric definitions gave no result: %s", error)
            return []
        return found
