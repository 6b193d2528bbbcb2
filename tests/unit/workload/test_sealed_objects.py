"""What is encrypted under a customer's key, no role can read; what KMS has the key of, those that KMS lets have it.

What is small lies in no file either."""

from dataclasses import replace

import pytest

from clary.errors import AWSError
from clary.objects import Attributes, small
from clary.objects.body import receive_bytes
from clary.objects.checksums import Digest
from clary.objects.envelopes import Wanted, ask, generation
from clary.objects.errors import ObjectSealed
from clary.workload.errors import NotAllowed
from tests.kms import ARN

KEY = b"k" * 32
TEXT = b"secret" * 100_000


@pytest.fixture
def sealed(objects, storage, kms):
    """An object under a key of KMS's."""
    key = ask(generation(storage.session(), objects.bucket("b"), "sealed.csv", Wanted("aws:kms")), kms)
    kms.calls.clear()
    return objects.put("b", "sealed.csv", receive_bytes(objects.files, TEXT, key=key))


def test_a_job_is_told_why_it_cannot_read_it(objects, storage, tmp_path):
    body = receive_bytes(objects.files, b"secret", key=KEY)
    info = objects.put("b", "sealed.csv", body)
    target = tmp_path / "target"
    for read in (
        storage.read,
        lambda one: storage.segments(one, target),
        lambda one: storage.link_to(one, target),
        lambda one: storage.copy_to(one, target),
    ):
        with pytest.raises(NotAllowed, match=r"s3://b/sealed\.csv \(InvalidRequest: The object was stored"):
            read(info)
    assert not target.exists()
    assert b"".join(objects.unsealed(info, KEY, 0, info.size)) == b"secret"


def test_a_job_is_told_that_it_is_archived_until_it_is_restored(objects, storage, tmp_path):
    info = objects.put_bytes("b", "old.csv", b"1,2", Attributes(storage_class="GLACIER"))
    with pytest.raises(NotAllowed, match=r"s3://b/old\.csv \(InvalidObjectState: The operation is not valid"):
        storage.copy_to(info, tmp_path / "target")
    restored = objects.revise("b", "old.csv", lambda known: replace(known, restored_until=2**50))
    assert b"".join(storage.read(restored)) == b"1,2"


def test_what_is_read_under_a_key_of_kmss_is_decrypted(objects, storage, kms, sealed, tmp_path):
    assert b"".join(storage.read(sealed)) == TEXT
    storage.copy_to(sealed, tmp_path / "copied")
    storage.link_to(sealed, tmp_path / "linked")
    [(path, offset, length)] = storage.segments(sealed, tmp_path / "plain")
    [again] = storage.segments(sealed, tmp_path / "plain")  # after a crash
    assert again == (path, offset, length) == (tmp_path / "plain", 0, len(TEXT))
    assert {(tmp_path / name).read_bytes() for name in ("copied", "linked", "plain")} == {TEXT}
    assert {(call.operation, call.principal.identity) for call in kms.calls} == {
        ("Decrypt", "arn:aws:iam::000000000000:role/R")
    }
    with pytest.raises(ObjectSealed):
        objects.segments(sealed)


def test_what_kms_does_not_let_it_have_is_the_reason(storage, kms, sealed, tmp_path):
    kms.refuses = AWSError("DisabledException", f"{ARN} is disabled.")
    said = r"ClientError: .*Unable to download object s3://b/sealed\.csv \(KMS\.DisabledException: arn"
    with pytest.raises(NotAllowed, match=said):
        storage.link_to(sealed, tmp_path / "linked")
    kms.refuses = AWSError("InternalFailure", "later", status=500)
    with pytest.raises(AWSError, match="later"):  # trying again may mend it
        storage.read(sealed)


def test_a_right_in_s3_is_needed_first(storage, kms, sealed, forbidden):
    forbidden.add("s3:GetObject")
    with pytest.raises(NotAllowed, match="AccessDenied"):
        storage.read(sealed)
    assert kms.calls == []


def test_what_is_small_is_written_to_a_file_for_who_needs_one(objects, storage, tmp_path):
    digest = Digest()
    digest.update(b"1,2")
    info = objects.put("b", "small.csv", small.taken(b"1,2", digest))
    assert storage.segments(info, tmp_path / "plain") == ((tmp_path / "plain", 0, 3),)
    storage.link_to(info, tmp_path / "linked")
    assert {(tmp_path / name).read_bytes() for name in ("plain", "linked")} == {b"1,2"}
