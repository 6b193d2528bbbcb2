"""What is uploaded of what containers leave, and whose failure is the job's."""

from __future__ import annotations

import io
import os
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clary.compute.base import Exited, Lost
from clary.errors import AWSError
from clary.objects.errors import ObjectSealed
from clary.store.rows import Key, Row
from clary.telemetry.logfile import LogWriter
from clary.workload import pack
from clary.workload.errors import NotAllowed, WorkloadError
from clary.workload.outputs import collect, first_to_fail, last_of_each
from tests.kms import ARN

WELL = Exited(1.0, 0)
MODEL, OUTPUT = "out/j/output/model.tar.gz", "out/j/output/output.tar.gz"


@pytest.fixture
def job(storage, objects, hosts, tmp_path):
    """A job whose programs have ended: `job.write(…)`, then `job.collect(…)`."""

    class Job:
        def __init__(self):
            self.count = 1
            self.spec = {"OutputDataConfig": {"S3OutputPath": "s3://b/out/"}}

        def begin(self, count=1, **spec):
            self.places = hosts(count=count, **{**self.spec, **spec})
            self.bundles = [bundle for _, bundle in self.places]
            return self

        def write(self, name, content=b"x", host=0):
            path = self.bundles[host].root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            return path

        def collect(self, *endings):
            now = datetime.now(UTC)
            row = Row(Key("training-job", "1", "r", "j"), "arn:j", "Uploading", now, now, self.places[0][0].spec)
            logs = [tmp_path / f"log-{number}" for number in range(len(self.bundles))]
            return collect(storage, row, self.bundles, logs, endings or [WELL] * len(self.bundles), [])

    return Job()


@pytest.fixture
def kept(objects):
    """What S3 has."""
    return lambda: {info.key: b"".join(objects.read(info)) for info in objects.list("b")}


def unpacked(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {member.name: opened.extractfile(member).read() for member in opened if member.isfile()}


def test_a_model_and_further_output(job, kept):
    job.begin()
    job.write("model/deep/m.bin", b"model")
    job.write("output/data/report.html", b"report")
    assert job.collect().model_artifacts == f"s3://b/{MODEL}"
    found = kept()
    assert {key: unpacked(content) for key, content in found.items()} == {
        MODEL: {"deep/m.bin": b"model"},
        OUTPUT: {"report.html": b"report"},
    }


def test_nothing_is_uploaded_of_empty_folders(job, kept):
    outputs = job.begin().collect()
    assert (kept(), outputs.failure) == ({}, None)
    assert outputs.model_artifacts == f"s3://b/{MODEL}"


def test_several_hosts_leave_one_model(job, kept):
    job.begin(count=2)
    job.write("model/same", b"1"), job.write("model/first", b"1")
    job.write("model/same", b"2", host=1), job.write("model/second", b"2", host=1)
    job.write("output/data/only", b"2", host=1)
    job.collect()
    assert unpacked(kept()[MODEL]) == {"same": b"1", "first": b"1", "second": b"2"}
    assert unpacked(kept()[OUTPUT]) == {"only": b"2"}


def test_uncompressed(job, kept):
    job.begin(count=2, OutputDataConfig={"S3OutputPath": "s3://b/out", "CompressionType": "NONE"})
    job.write("model/a/1", b"1"), job.write("model/a/2", b"2", host=1), job.write("model/a/1", b"no", host=1)
    job.write("model/" + os.fsdecode(b"\xff"), b"odd")
    (job.bundles[0].model / "secret").symlink_to("/etc/passwd")
    os.mkfifo(job.bundles[0].model / "fifo")
    job.write("output/data/o", b"o")
    assert job.collect().model_artifacts == "s3://b/out/j/output/model/"
    base = "out/j/output/"
    assert kept() == {
        base + "model/a/1": b"1",
        base + "model/a/2": b"2",
        base + "model/\\xff": b"odd",
        base + "output/o": b"o",
    }


def test_uncompressed_files_are_the_stores_own_afterwards(job, objects):
    job.begin(OutputDataConfig={"S3OutputPath": "s3://b/out", "CompressionType": "NONE"})
    path = job.write("model/closed", b"x")
    path.chmod(0)
    job.collect()
    (segment,) = objects.segments(objects.head("b", "out/j/output/model/closed"))
    assert (segment[0].stat().st_mode & 0o777, segment[0].stat().st_uid) == (0o600, os.geteuid())


@pytest.mark.parametrize("compression", ["GZIP", "NONE"])
def test_artifacts_are_encrypted_under_the_key_that_is_named(job, objects, storage, kms, compression):
    said = {"S3OutputPath": "s3://b/out", "CompressionType": compression}
    job.begin(OutputDataConfig={**said, "KmsKeyId": "alias/mine"})
    job.write("model/m", b"hunter2")
    job.collect()
    [info] = objects.list("b", "out/")
    assert info.attributes.headers == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": ARN}
    assert [(call.principal.identity, call.params["KeyId"]) for call in kms.calls] == [
        ("arn:aws:iam::000000000000:role/R", "alias/mine")
    ]
    with pytest.raises(ObjectSealed):
        objects.segments(info)
    assert b"".join(storage.read(info)).startswith(b"\x1f\x8b" if compression == "GZIP" else b"hunter2")


def test_a_bucket_may_name_the_key_of_all_that_is_written_to_it(job, objects, kms):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/its"}}
    objects.set_bucket("b", "Encryption", {"Rules": [rule]})
    job.begin()
    job.write("model/m")
    job.collect()
    assert objects.head("b", MODEL).attributes.wrapped and kms.calls[0].params["KeyId"] == "alias/its"


def test_a_key_that_the_role_may_not_use_is_the_reason(job, kms):
    kms.refuses = AWSError("AccessDeniedException", "not authorized to perform: kms:GenerateDataKey")
    job.begin(OutputDataConfig={"S3OutputPath": "s3://b/out", "KmsKeyId": "alias/mine"})
    job.write("model/m")
    with pytest.raises(
        NotAllowed, match=r"Unable to upload object s3://b/out/.* \(AccessDenied: .*kms:GenerateDataKey"
    ):
        job.collect()


def test_collecting_again_after_a_crash_is_the_same(job, kept):
    job.begin()
    job.write("model/m", b"m")
    job.collect()
    first = kept()
    job.collect()
    assert kept() == first


@pytest.mark.parametrize("spoil", [lambda p: p.symlink_to("/etc"), os.mkfifo, lambda p: p.touch(), lambda p: None])
def test_a_folder_that_is_none_any_more(job, kept, spoil):
    job.begin()
    job.bundles[0].model.rmdir()
    spoil(job.bundles[0].model)
    job.collect()
    assert kept() == {}


@pytest.mark.parametrize("compression", ["GZIP", "NONE"])
def test_what_cannot_be_uploaded_is_said(job, compression):
    job.spec["OutputDataConfig"]["CompressionType"] = compression
    job.begin()
    with job.write("model/sparse").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(WorkloadError, match="'sparse' says that it has 1099511627776 bytes"):
        job.collect()


def test_a_full_disk_is_said_and_leaves_nothing(job, monkeypatch):
    job.begin()
    job.write("model/m")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pack.os, "fsync", full)
    with pytest.raises(WorkloadError, match="Artifact upload failed: No space left"):
        job.collect()
    assert list(job.bundles[0].scratch.iterdir()) == []


def test_a_disk_that_fills_in_the_child_is_said(tmp_path):
    assert Path("/dev/full").exists()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "m").write_bytes(os.urandom(10_000))
    (tmp_path / "m.tar.part").symlink_to("/dev/full")
    assert pack.main(["make", str(tmp_path / "m.tar.gz"), str(tmp_path / "model")]) == pack.FULL


@pytest.mark.parametrize(
    ("action", "said"), [("s3:PutObject", "Artifact upload failed:Unable to upload object s3://b")]
)
def test_a_role_that_may_not_write(job, forbidden, action, said):
    job.begin()
    job.write("model/m")
    forbidden.add(action)
    with pytest.raises(WorkloadError) as raised:
        job.collect()
    assert said in raised.value.reason


def test_a_bucket_that_is_not_there(job):
    job.begin(OutputDataConfig={"S3OutputPath": "s3://nobody/out"})
    with pytest.raises(WorkloadError, match="the bucket nobody does not exist"):
        job.collect()


@pytest.mark.parametrize(
    ("endings", "first"),
    [
        ([WELL, WELL], None),
        ([WELL, Exited(2.0, 1)], 1),
        ([Exited(3.0, 1), Exited(2.0, 2)], 1),
        ([Exited(1.0, 137, signal=9), Exited(2.0, 1)], 1),  # stopped since the other one failed
        ([Exited(1.0, 143, signal=15), Lost()], 1),
        ([Lost(), Exited(2.0, 1)], 1),
        ([Exited(1.0, 137, signal=9, out_of_memory=True), Exited(0.5, 143, signal=15)], 0),
        ([Exited(1.0, 137, signal=9), Exited(2.0, 137, signal=9)], 0),
    ],
)
def test_who_failed_first(endings, first):
    assert first_to_fail(endings) == first


def test_the_failure_file_of_the_host_that_failed(job):
    job.begin(count=2)
    job.write("output/failure", b"not mine", host=0)
    job.write("output/failure", b"the reason", host=1)
    assert (
        job.collect(Exited(2.0, 143, signal=15), Exited(1.0, 3)).failure
        == "AlgorithmError: the reason, exit code: 3 (host algo-2)"
    )


@pytest.mark.parametrize("spoil", [lambda p: p.symlink_to("/etc/passwd"), os.mkfifo, lambda p: p.mkdir()])
def test_a_failure_file_that_is_none(job, spoil):
    job.begin()
    spoil(job.bundles[0].output / "failure")
    assert job.collect(Exited(1.0, 1)).failure == "AlgorithmError: , exit code: 1"


def test_metrics_of_several_hosts_are_the_latest_of_each(job, tmp_path):
    definition = {"Name": "loss", "Regex": "loss=([0-9.]+)"}
    job.begin(count=2, AlgorithmSpecification={"MetricDefinitions": [definition]})
    for number, value in enumerate((0.5, 0.25)):
        log = LogWriter(tmp_path / f"log-{number}")
        log.feed(f"loss={value}\n".encode(), number + 1)
        log.close()
    assert [metric["Value"] for metric in job.collect().metrics] == [0.25]


def test_of_one_name_the_latest_counts():
    found = [[{"MetricName": "a", "Timestamp": 2, "Value": 1}], [{"MetricName": "a", "Timestamp": 1, "Value": 2}]]
    assert last_of_each(found) == found[0]
