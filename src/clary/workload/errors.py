"""Why a workload cannot go on."""

from __future__ import annotations


class WorkloadError(Exception):
    """Trying again will not mend it. `reason` is AWS's FailureReason: `ClientError: …`, `AlgorithmError: …`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Cancelled(Exception):
    """What was being done is not wanted any more."""
