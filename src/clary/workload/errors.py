"""Why a workload cannot go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clary.errors import ClaryError
from clary.full_disk import NO_SPACE


class WorkloadError(Exception):
    """Trying again will not mend it. `reason` is AWS's FailureReason: `ClientError: …`, `AlgorithmError: …`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FullDisk(WorkloadError):
    """There is no room on the disk; when something else has left it there may be."""


class NotAllowed(WorkloadError):
    """The execution role may not: `reason` says which right it lacks on what."""


class Cancelled(Exception):
    """What was being done is not wanted any more."""


@contextmanager
def room_for(what: str) -> Iterator[None]:
    """What is done within needs disk space; a full disk is the job's FailureReason. `what` as AWS names it: `Data
    download`, `Artifact upload`. Raises WorkloadError."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise full_disk(what) from error


def full_disk(what: str) -> FullDisk:
    """No public source shows AWS's words for it."""
    return FullDisk(f"ClientError: {what} failed: No space left on the disk that holds Clary's data.")


def cannot_start(error: WorkloadError | ClaryError) -> str:
    """The FailureReason of a container that cannot be started; where the machine is the cause, with its remedy."""
    return error.reason if isinstance(error, WorkloadError) else f"InternalServerError: {error}"
