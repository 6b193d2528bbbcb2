"""Log groups and streams of containers."""

from __future__ import annotations

import pytest

from clary.calls import Call
from clary.controllers.logs import Logs
from clary.errors import AWSError
from clary.store import Key

OWNER = Key("transform-job", "000000000000", "us-east-1", "t")


class Service:
    """CloudWatch Logs, as far as is asked here; somebody deletes the group before the first `deletions` streams."""

    def __init__(self, deletions: int) -> None:
        self.groups: dict[str, set[str]] = {}
        self._deletions = deletions

    def __call__(self, call: Call) -> dict[str, object]:
        group = call.params["logGroupName"]
        if call.operation == "CreateLogGroup":
            if group in self.groups:
                raise AWSError("ResourceAlreadyExistsException", "The specified log group already exists")
            self.groups[group] = set()
            return {}
        if self._deletions:
            self._deletions -= 1
            self.groups.clear()
        if group not in self.groups:
            raise AWSError("ResourceNotFoundException", "The specified log group does not exist.")
        self.groups[group].add(call.params["logStreamName"])
        return {}


@pytest.mark.parametrize("deletions", [0, 1, 2])
def test_a_group_that_is_deleted_before_its_stream_is_there_is_made_anew(deletions):
    service = Service(deletions)
    Logs(service).ensure(OWNER, "/aws/sagemaker/TransformJobs", "t/data-log")
    assert service.groups == {"/aws/sagemaker/TransformJobs": {"t/data-log"}}


def test_a_group_that_is_deleted_each_time_is_an_error():
    with pytest.raises(AWSError, match="does not exist"):
        Logs(Service(100)).ensure(OWNER, "/aws/sagemaker/TransformJobs", "t/data-log")


def test_a_stream_that_is_there_already_is_enough():
    service = Service(0)
    for _ in range(2):
        Logs(service).ensure(OWNER, "group", "stream")
    assert service.groups == {"group": {"stream"}}
