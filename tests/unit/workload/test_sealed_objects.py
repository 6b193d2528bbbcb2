"""What is encrypted under a customer's key, no role can read."""

import pytest

from clary.objects.body import receive_bytes
from clary.workload.errors import NotAllowed

KEY = b"k" * 32


def test_a_job_is_told_why_it_cannot_read_it(objects, storage, tmp_path):
    body = receive_bytes(objects.files, b"secret", key=KEY)
    info = objects.put("b", "sealed.csv", body)
    target = tmp_path / "target"
    for read in (storage.read, storage.segments, lambda one: storage.link_to(one, target)):
        with pytest.raises(NotAllowed, match=r"s3://b/sealed\.csv \(InvalidRequest: The object was stored"):
            read(info)
    with pytest.raises(NotAllowed):
        storage.copy_to(info, target)
    assert not target.exists()
    assert b"".join(objects.unsealed(info, KEY, 0, info.size)) == b"secret"
