"""Pure parts: names of files in channels, config files, failure reasons, metrics."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.compute.base import Exited, Lost
from clary.store.rows import Key, Row
from clary.telemetry.logfile import LogWriter
from clary.workload.channels import Placing
from clary.workload.children import MetricsScan
from clary.workload.download import place, relative_name
from clary.workload.errors import WorkloadError
from clary.workload.failure import LIMIT, cut, failure_reason, last_exception, read_failure
from clary.workload.hosts import hosts_of
from clary.workload.metrics import final_metrics, required_literal, scan
from clary.workload.s3uri import as_key, canonical, join, split
from clary.workload.training import config_files, contract_env


@pytest.mark.parametrize(
    ("key", "prefix", "name"),
    [
        ("data/a/b.csv", "data/", "a/b.csv"),
        ("data/a/b.csv", "data", "a/b.csv"),
        ("data/b.csv", "data/b.csv", "b.csv"),
        ("data/part-1.csv", "data/par", "part-1.csv"),
        ("data-2/b.csv", "data", "data-2/b.csv"),
        ("b.csv", "", "b.csv"),
        ("b.csv", "b.csv", "b.csv"),
        ("data/", "data/", ""),
    ],
)
def test_where_an_object_lies_in_its_channel(key, prefix, name):
    assert relative_name(key, prefix) == name


@pytest.mark.parametrize("name", ["../x", "a/../../x", "..", "a/./b", ".", "/", "a\0b"])
def test_keys_that_climb_are_refused(name):
    with pytest.raises(WorkloadError, match="cannot be a path"):
        place(Path("/data"), name)


@given(st.text(min_size=1, max_size=30))
def test_no_key_leads_out_of_its_channel(key):
    try:
        found = place(Path("/data/channel"), key)
    except WorkloadError:
        return
    assert ".." not in found.parts
    assert found.is_relative_to("/data/channel")


@pytest.mark.parametrize("uri", ["", "s3://", "http://b/k", "b/k"])
def test_what_is_no_s3_address(uri):
    with pytest.raises(WorkloadError, match="Invalid S3 URI"):
        split(uri)


def test_s3_addresses():
    assert (split("s3://b/k/l"), split("s3://b"), join("s3://b/", "j", "o")) == (("b", "k/l"), ("b", ""), "s3://b/j/o")


@pytest.mark.parametrize(
    ("uri", "same"),
    [
        ("https://s3.amazonaws.com/b/k", "s3://b/k"),
        ("https://s3-us-west-2.amazonaws.com/b/k/l", "s3://b/k/l"),
        ("https://s3.eu-west-1.amazonaws.com/b", "s3://b"),
        ("https://b.s3.cn-north-1.amazonaws.com.cn/k", "s3://b/k"),
        ("https://my.bucket.s3.amazonaws.com/k", "s3://my.bucket/k"),
        ("https://example.com/b/k", "https://example.com/b/k"),
        ("s3://b/k", "s3://b/k"),
    ],
)
def test_addresses_of_old_notebooks(uri, same):
    assert canonical(uri) == same


def test_a_path_of_any_bytes_is_a_key():
    assert as_key(os.fsdecode(b"dir/\xff\xc3\xa4")) == "dir/\\xffä"


SPEC = {
    "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
    "HyperParameters": {"max_depth": "5"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/p"}},
        },
        {
            "ChannelName": "code",
            "InputMode": "FastFile",
            "RecordWrapperType": "RecordIO",
            "DataSource": {"S3DataSource": {"S3Uri": "s3://b/c", "S3DataDistributionType": "ShardedByS3Key"}},
        },
    ],
}


PLACING = Placing(SPEC, "us-east-1", hosts_of(SPEC)[0], hosts_of(SPEC))


def test_config_files_as_aws_writes_them():
    files = config_files(PLACING)
    assert files["hyperparameters.json"] == {"max_depth": "5"}
    assert files["inputdataconfig.json"] == {
        "train": {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            "ContentType": "text/csv",
        },
        "code": {
            "TrainingInputMode": "FastFile",
            "S3DistributionType": "ShardedByS3Key",
            "RecordWrapperType": "RecordIO",
        },
    }
    assert files["resourceconfig.json"]["hosts"] == ["algo-1"]
    assert files["resourceconfig.json"]["current_instance_type"] == "ml.m5.large"
    assert files["resourceconfig.json"]["network_interface_name"] == "lo"


def test_contract_variables_name_the_job():
    now = datetime.now(UTC)
    row = Row(Key("training-job", "1", "eu-west-1", "j"), "arn:j", "Starting", now, now, SPEC)
    found = contract_env(row, PLACING)
    assert (found["TRAINING_JOB_NAME"], found["TRAINING_JOB_ARN"], found["CURRENT_HOST"]) == ("j", "arn:j", "algo-1")


TRACEBACK = [
    "loading",
    "Traceback (most recent call last):",
    '  File "train.py", line 3, in <module>',
    "    fit(x)",
    "sklearn.exceptions.NotFittedError: call fit first",
    "",
    "bye",
]


@pytest.mark.parametrize(
    ("ended", "said", "tail", "reason"),
    [
        (Exited(1.0, 0), "old news", ["x"], None),
        (
            Exited(1.0, 1),
            "",
            TRACEBACK,
            "AlgorithmError: sklearn.exceptions.NotFittedError: call fit first, exit code: 1",
        ),
        (Exited(1.0, 1), "ExecuteUserScriptError:\nx", [], "AlgorithmError: ExecuteUserScriptError:\nx, exit code: 1"),
        (Exited(1.0, 1), "ClientError: bad csv", [], "ClientError: bad csv, exit code: 1"),
        (Exited(1.0, 1), "", [], "AlgorithmError: , exit code: 1"),
        (Exited(1.0, 126, reason="no such file"), "", [], "ClientError: CannotStartContainerError. no such file"),
        (Lost(), "", [], "InternalServerError: We encountered an internal error.  Please try again."),
    ],
)
def test_failure_reasons(ended, said, tail, reason):
    assert failure_reason(ended, said, tail) == reason


def test_out_of_memory_says_what_to_do():
    reason = failure_reason(Exited(1.0, 137, 9, out_of_memory=True), "", ["x"])
    assert reason.startswith("ClientError: Please use an instance type with more memory")


@given(st.text(max_size=5000), st.integers(1, 255))
def test_reasons_fit_the_model_and_keep_the_exit_code(said, code):
    reason = failure_reason(Exited(1.0, code), said, [])
    assert len(reason) <= LIMIT
    assert reason.endswith(f", exit code: {code}")


def test_a_long_text_keeps_its_beginning_and_its_end():
    text = cut("begin" + "x" * 5000 + "ValueError: the end")
    assert len(text) == LIMIT
    assert text.startswith("begin")
    assert text.endswith("ValueError: the end")


def test_last_of_several_tracebacks():
    assert last_exception([*TRACEBACK, *TRACEBACK[:4], "KeyboardInterrupt"]) == "KeyboardInterrupt"


def test_failure_file_is_never_followed(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "failure").symlink_to(tmp_path / "secret")
    assert read_failure(tmp_path / "failure") == ""
    assert read_failure(tmp_path / "none") == ""
    assert read_failure(tmp_path / "secret") == "secret"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    writer = LogWriter(path)
    for number in range(3):
        writer.feed(f"[{number}]#011train-rmse:{3 - number}.5\n".encode(), 1000 * (number + 1))
    writer.feed(b"done\n", 9000)
    writer.close()
    return path


NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"
RMSE = {"Name": "train:rmse", "Regex": rf".*\[[0-9]+\].*#011train-rmse:{NUMBER}"}
NEVER = {"Name": "train:auc", "Regex": rf".*\[[0-9]+\].*#011train-auc:{NUMBER}"}
EXPECTED = [{"MetricName": "train:rmse", "Value": 1.5, "Timestamp": 3.0}]


def test_the_last_value_of_each_metric(log):
    assert scan(log, [NEVER, RMSE]) == EXPECTED


@pytest.mark.parametrize(("own", "given"), [([NEVER, RMSE], []), ([NEVER], [RMSE]), ([RMSE], [RMSE]), ([], [RMSE])])
def test_own_and_given_definitions(log, own, given):
    assert MetricsScan(log, own, given).result() == EXPECTED


def test_an_expression_that_takes_for_ever_gives_no_metrics(log, monkeypatch):
    monkeypatch.setattr("clary.workload.children.METRICS_SECONDS", 0.5)
    writer = LogWriter(log)
    writer.feed(b"a" * 60 + b"\n")
    writer.close()
    assert MetricsScan(log, [], [{"Name": "evil", "Regex": "(a+)+b"}]).result() == []


@pytest.mark.parametrize("regex", ["(", "loss", "loss=(.*)", "loss=(nan)", r"loss=(\d+)x"])
def test_expressions_that_give_no_number_are_nothing(regex):
    assert final_metrics([(1, "loss=nan")], [{"Name": "m", "Regex": regex}]) == []


def test_no_log_no_metrics(tmp_path):
    assert MetricsScan(tmp_path / "none", [RMSE], []).result() == []


@given(st.from_regex(r"(?:[ab.^$]|a\+|b\*|c\?|d\{2\}|\[ab\]|\\\.|\(ab\)){0,8}", fullmatch=True), st.data())
def test_every_match_holds_the_required_literal(regex, data):
    text = data.draw(st.from_regex(regex))
    assert required_literal(regex) in re.search(regex, text)[0]


def test_required_literals():
    assert required_literal(RMSE["Regex"]) == "#011train-rmse:"
    assert required_literal("a|b") == required_literal("(?i)abc") == ""
