"""A round of a transform's engine after a crash of control."""

from datetime import UTC, datetime

import pytest

from clary.store.rows import Key, Row
from clary.telemetry.logfile import LogWriter
from clary.workload.download import items_of_prefix
from clary.workload.errors import NotAllowed
from clary.workload.transform_round import Round


@pytest.fixture
def round_(tmp_path, storage, put):
    put({"in/a.csv": b"1", "in/b.csv": b"2", "in/c.csv": b"3"})
    now = datetime.now(UTC)
    spec = {"TransformOutput": {"S3OutputPath": "s3://b/out/", "Accept": "text/csv"}}
    row = Row(Key("transform-job", "1", "us-east-1", "t"), "arn", "Transforming", now, now, spec, {}, "Completed")
    for name in ("out", "uploaded"):
        (tmp_path / name).mkdir()
    log = LogWriter(tmp_path / "log")
    yield Round(storage, row, list(items_of_prefix(storage, "s3://b/in/")), tmp_path, log)
    log.close()


def test_what_was_finished_is_uploaded_and_not_asked_for_again(round_, objects, tmp_path):
    (tmp_path / "out" / "1").write_bytes(b"answers")
    (tmp_path / "uploaded" / "2").touch()
    assert round_.todo() == [0]
    [found] = objects.list("b", "out/")
    assert (found.key, b"".join(objects.read(found)), found.attributes.content_type) == (
        "out/b.csv.out",
        b"answers",
        "text/csv",
    )


def test_answers_are_encrypted_under_the_key_that_is_named(round_, storage, objects, kms, tmp_path):
    round_._row.spec["TransformOutput"]["KmsKeyId"] = "alias/mine"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0").write_bytes(b"decrypted")
    (tmp_path / "out" / "0").write_bytes(b"answers")
    assert round_.todo() == [1, 2]
    [found] = objects.list("b", "out/")
    assert found.attributes.wrapped and kms.calls[0].params["KeyId"] == "alias/mine"
    assert b"".join(storage.read(found)) == b"answers"
    assert list((tmp_path / "in").iterdir()) == []


def test_killed_between_the_object_and_its_mark_it_is_not_put_twice(round_, objects, tmp_path):
    answers = tmp_path / "out" / "0"
    answers.write_bytes(b"answers")
    before = objects.put_bytes("b", "out/a.csv.out", b"ANSWERS")  # tells whether it was written over
    assert round_.todo() == [1, 2]
    assert objects.head("b", "out/a.csv.out").etag == before.etag
    assert not answers.exists()


def test_an_older_object_of_the_same_name_is_written_over(round_, objects, tmp_path):
    objects.put_bytes("b", "out/a.csv.out", b"of the last job")
    (tmp_path / "out" / "0").write_bytes(b"answers")
    assert round_.todo() == [1, 2]
    assert objects.head("b", "out/a.csv.out").size == 7


def test_a_role_that_may_not_write(round_, objects, forbidden, tmp_path):
    forbidden.add("s3:PutObject")
    (tmp_path / "out" / "0").write_bytes(b"answers")
    with pytest.raises(NotAllowed, match="Unable to upload object"):
        round_.todo()
    assert list(objects.list("b", "out/")) == []
