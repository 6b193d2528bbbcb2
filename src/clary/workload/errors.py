"""Why a workload cannot go on."""

from __future__ import annotations

from clary.errors import ClaryError


class WorkloadError(Exception):
    """Trying again will not mend it. `reason` is AWS's FailureReason: `ClientError: …`, `AlgorithmError: …`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAllowed(WorkloadError):
    """The execution role may not: `reason` says which right it lacks on what."""


class Cancelled(Exception):
    """What was being done is not wanted any more."""


def cannot_start(error: WorkloadError | ClaryError) -> str:
    """The FailureReason of a container that cannot be started; where the machine is the cause, with its remedy."""
    return error.reason if isinstance(error, WorkloadError) else f"InternalServerError: {error}"
