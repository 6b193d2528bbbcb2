"""What jobs emit while they run, value by value."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clary.controllers.hearing import Hearing
from clary.controllers.trials import Heard
from clary.store.rows import Key, Row
from clary.telemetry.logfile import LogWriter
from clary.workload.errors import WorkloadError

LOSS = {"Name": "loss", "Regex": "loss=([0-9.]+)"}
MADE = datetime.fromtimestamp(1000, UTC)


def job(status="Training", metrics=(LOSS,), **state):
    key = Key("training-job", "000000000000", "us-east-1", "j")
    spec = {"AlgorithmSpecification": {"MetricDefinitions": list(metrics)}}
    return Row(key, "arn", status, MADE, MADE, spec, {"log_streams": ["j/algo-1-1"], **state}, "Completed")


@pytest.fixture
def hearing(tmp_path):
    return Hearing(lambda row: [tmp_path / row.state["log_streams"][0].replace("/", "-")], lambda _: [LOSS])


def write(tmp_path, *lines, name="j-algo-1-1"):
    writer = LogWriter(tmp_path / name)
    for line in lines:
        writer.feed(f"{line}\n".encode(), 1000)
    writer.close()


def test_each_value_is_heard_once_and_in_order_also_several_in_one_second(hearing, tmp_path):
    write(tmp_path, "begun", "loss=3", "loss=2")
    hearing.listen(job(), "loss")
    assert hearing.heard(job()) == Heard((3.0, 2.0), False)
    write(tmp_path, "loss=1.5", "val=9")
    hearing.listen(job("Completed"), "loss")
    assert hearing.heard(job()) == Heard((3.0, 2.0, 1.5), True)


def test_the_users_own_expression_is_matched_beside_control(tmp_path):
    hearing = Hearing(lambda _: [tmp_path / "j-algo-1-1"], lambda _: [])
    write(tmp_path, "loss=3", "loss=2")
    hearing.listen(job(), "loss")
    assert hearing.heard(job()) == Heard((3.0, 2.0), False)


def test_another_attempt_begins_anew(hearing, tmp_path):
    write(tmp_path, "loss=3")
    hearing.listen(job(), "loss")
    second = job(log_streams=["j/algo-1-2"])
    write(tmp_path, "loss=5", name="j-algo-1-2")
    hearing.listen(second, "loss")
    assert hearing.heard(second) == Heard((5.0,), False)


@pytest.mark.parametrize("metrics", [(), ({"Name": "cost", "Regex": "x"},), ({"Name": "loss", "Regex": "("},)])
def test_a_metric_that_nothing_defines_is_silence(hearing, tmp_path, metrics):
    write(tmp_path, "loss=3")
    hearing.listen(job("Failed", metrics), "loss")
    assert hearing.heard(job()) == Heard((), True)


def test_a_job_that_ended_before_it_had_a_log_says_nothing_more(hearing):
    ended = job("Failed")
    hearing.listen(replace(ended, state={}), "loss")
    assert hearing.heard(ended) == Heard((), True)


def test_an_image_that_is_gone_is_no_reason_to_stop_hearing(tmp_path):
    def gone(_row):
        raise WorkloadError("ClientError: no such image")

    hearing = Hearing(lambda _: [tmp_path / "j-algo-1-1"], gone)
    write(tmp_path, "loss=3")
    hearing.listen(job(), "loss")
    assert hearing.heard(job()) == Heard((3.0,), False)


def test_nobody_asks_for_a_job_that_is_forgotten(hearing, tmp_path):
    write(tmp_path, "loss=3")
    hearing.listen(job(), "loss")
    hearing.forget(job().key)
    assert hearing.heard(job()) is None
