"""An inference component's life
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeInferenceComponent.html).

It is an endpoint's (`lifecycles/endpoint.py`), with one variant whose replicas are the component's copies: the same
states, the same moves, the same controller. What the API shows has two statuses fewer.
"""

from __future__ import annotations

from clary.lifecycles.endpoint import (
    CREATING,
    DELETING,
    FAILED,
    IN_SERVICE,
    ROLLING_BACK,
    UPDATE_ROLLBACK_FAILED,
    UPDATING,
)

KIND = "inference-component"

_SHOWN = {ROLLING_BACK: UPDATING, UPDATE_ROLLBACK_FAILED: FAILED}
_ALL = (CREATING, IN_SERVICE, UPDATING, ROLLING_BACK, UPDATE_ROLLBACK_FAILED, FAILED, DELETING)


def shown_status(status: str) -> str:
    """InferenceComponentStatus of a row's status."""
    return _SHOWN.get(status, status)


def statuses_shown_as(shown: str) -> tuple[str, ...]:
    """The statuses of rows that the API shows as `shown`."""
    return tuple(status for status in _ALL if shown_status(status) == shown)
