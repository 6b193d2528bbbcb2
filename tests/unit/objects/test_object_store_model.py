"""The object store against a dict: whatever is done to it, reader and writer agree with the model, and no file is lost
or left."""

import shutil
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clary.errors import AWSError
from clary.objects import Attributes, ObjectReader, ObjectStore
from clary.objects.body import receive_bytes
from clary.objects.completion import ChosenPart, Completion
from clary.objects.errors import BucketNotEmpty, NoSuchBucket, NoSuchUpload
from clary.objects.model import Upload
from tests import memory

BUCKETS = st.sampled_from(["one", "two"])
KEYS = st.sampled_from(["a", "a/", "a/b", "a/b/c", "a0", "b", "ü", "\U0001f600", "z" * 1024]) | st.text(
    min_size=1, max_size=6
)
BODIES = st.binary(max_size=40)
DELIMITERS = st.sampled_from(["", "/", "b", "/b"])


def grouped(keys, prefix, delimiter, after):
    """ListObjects said plainly: keys and common prefixes in bytewise order."""
    entries = {}
    for key in sorted(
        (key for key in keys if key.startswith(prefix)), key=lambda k: k.encode("utf-8", "surrogatepass")
    ):
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        group = key if at < 0 else key[: at + len(delimiter)]
        entries.setdefault(group, at >= 0)
    found = list(entries.items())
    if after is None:
        return found
    marker = after.encode("utf-8", "surrogatepass")
    return [
        (name, is_group)
        for name, is_group in found
        if name.encode("utf-8", "surrogatepass") > marker and not (is_group and after.startswith(name))
    ]


class Objects(RuleBasedStateMachine):
    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp(dir=memory.chosen()))
        self.store = ObjectStore(self.folder / "objects")
        self.reader = ObjectReader(self.folder / "objects")
        self.model = {}
        self.uploads = {}

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(bucket=BUCKETS)
    def create_bucket(self, bucket):
        if bucket in self.model:
            return
        self.store.create_bucket(bucket, account="1", region="us-east-1")
        self.model[bucket] = {}

    @rule(bucket=BUCKETS)
    def delete_bucket(self, bucket):
        if bucket not in self.model:
            with pytest.raises(NoSuchBucket):
                self.store.delete_bucket(bucket)
        elif self.model[bucket]:
            with pytest.raises(BucketNotEmpty):
                self.store.delete_bucket(bucket)
        else:
            self.store.delete_bucket(bucket)
            del self.model[bucket]
            self.uploads = {key: value for key, value in self.uploads.items() if value[0].bucket != bucket}

    @rule(bucket=BUCKETS, key=KEYS, body=BODIES)
    def put(self, bucket, key, body):
        if bucket not in self.model:
            with pytest.raises(NoSuchBucket):
                self.store.put_bytes(bucket, key, body)
            return
        self.store.put_bytes(bucket, key, body, Attributes(metadata={"of": key}))
        self.model[bucket][key] = body

    @rule(bucket=BUCKETS, key=KEYS, body=BODIES)
    @precondition(lambda self: self.model)
    def put_refused_by_its_guard(self, bucket, key, body):
        def refuse(info):
            raise AWSError("PreconditionFailed", "no")

        with pytest.raises(AWSError):
            self.store.put(bucket, key, receive_bytes(self.store.files, body), guard=refuse)

    @rule(bucket=BUCKETS, keys=st.lists(KEYS, max_size=3))
    def delete(self, bucket, keys):
        if bucket not in self.model:
            return
        self.store.delete(bucket, keys)
        for key in keys:
            self.model[bucket].pop(key, None)

    @rule(source=BUCKETS, to=BUCKETS, key=KEYS, data=st.data())
    def copy(self, source, to, key, data):
        if to not in self.model or not self.model.get(source):
            return
        chosen = data.draw(st.sampled_from(sorted(self.model[source])))
        info = self.reader.head(source, chosen)
        copied = self.store.copy(info, to, key, replace(info.attributes, upload=""))
        assert copied.parts_count is None
        self.model[to][key] = self.model[source][chosen]

    @rule(bucket=BUCKETS, key=KEYS)
    def begin_upload(self, bucket, key):
        identity = f"upload-{len(self.uploads)}-{time.monotonic_ns()}"
        begun = Upload(identity, bucket, key, datetime.now(UTC), {}, Attributes(), "CRC64NVME", declared=False)
        if bucket in self.model:
            self.uploads[identity] = (self.store.uploads.create(begun), {})

    @rule(number=st.integers(1, 3), body=BODIES, data=st.data())
    @precondition(lambda self: self.uploads)
    def put_part(self, number, body, data):
        upload, parts = self.uploads[data.draw(st.sampled_from(sorted(self.uploads)))]
        received = receive_bytes(self.store.files, body)
        parts[number] = (self.store.uploads.put_part(upload.bucket, upload.key, upload.id, number, received), body)

    @rule(data=st.data(), complete=st.booleans())
    @precondition(lambda self: self.uploads)
    def end_upload(self, data, complete):
        upload, parts = self.uploads[data.draw(st.sampled_from(sorted(self.uploads)))]
        if complete and parts:
            number, (part, body) = max(parts.items())
            asked = Completion([ChosenPart(number, part.etag)])
            info = self.store.uploads.complete(upload.bucket, upload.key, upload.id, asked)
            assert info.parts_count == 1
            self.model[upload.bucket][upload.key] = body
        else:
            self.store.uploads.abort(upload.bucket, upload.key, upload.id)
        del self.uploads[upload.id]
        with pytest.raises(NoSuchUpload):
            self.store.uploads.abort(upload.bucket, upload.key, upload.id)

    @rule()
    def collect(self):
        self.store.collector.collect(now=time.time() + 1e6)

    @rule()
    def sweep(self):
        """Whatever has a row, or is to go later, is no business of the sweep."""
        assert self.store.collector.sweep(older_than=-60) == 0

    @rule()
    def start_again(self):
        self.store.close()
        self.store = ObjectStore(self.folder / "objects")

    @rule(
        bucket=BUCKETS, prefix=KEYS | st.just(""), delimiter=DELIMITERS, after=st.none() | KEYS, limit=st.integers(1, 4)
    )
    def list_pages(self, bucket, prefix, delimiter, after, limit):
        expected = grouped(self.model.get(bucket, {}), prefix, delimiter, after)
        found, more = [], True
        while more:
            page = self.reader.page(bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
            entries = [(info.key, False) for info in page.objects] + [(name, True) for name in page.prefixes]
            assert len(entries) <= limit
            found += sorted(entries, key=lambda entry: entry[0].encode("utf-8", "surrogatepass"))
            more, after = page.truncated, page.last
        assert found == expected

    @invariant()
    def reader_agrees_with_the_model(self):
        if not hasattr(self, "model"):
            return
        assert [bucket.name for bucket in self.reader.buckets("1")] == sorted(self.model)
        for bucket, objects in self.model.items():
            listed = list(self.reader.list(bucket))
            assert [info.key for info in listed] == [name for name, _ in grouped(objects, "", "", None)]
            assert {info.key: b"".join(self.reader.read(info)) for info in listed} == objects

    @invariant()
    def every_file_is_accounted_for(self):
        if not hasattr(self, "model"):
            return
        connection = self.reader._connections.get()
        named = {file for (file,) in connection.execute("SELECT file FROM garbage UNION SELECT file FROM part")}
        named |= {p.file for b in self.model for info in self.reader.list(b) for p in info.pieces}
        assert {file for file, _ in self.store.files.all()} == named


TestObjects = Objects.TestCase
TestObjects.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
