"""Versions against a plain list per key: puts, deletes, deletes of versions, suspension, listings; no file
is lost or left."""

import shutil
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clary.errors import AWSError
from clary.objects import Attributes, ObjectReader, ObjectStore
from clary.objects.errors import BucketNotEmpty
from clary.objects.model import NULL_VERSION, DeleteMarker, ObjectInfo
from clary.objects.store import Deletion
from clary.objects.version_listing import After
from clary.objects.versions import Deleted
from tests import memory
from tests.unit.objects.test_object_store_model import grouped

KEYS = st.sampled_from(["a", "a/b", "a/c", "a/c/d", "b", "ü"])
BODIES = st.binary(max_size=8)
HELD = Attributes(legal_hold="ON")
BUCKET = "bucket"


class Entry:
    """A version as the model has it; a body of None: a delete marker."""

    def __init__(self, version, body, held=False):
        self.version, self.body, self.held = version, body, held


class Versions(RuleBasedStateMachine):
    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp(dir=memory.chosen()))
        self.store = ObjectStore(self.folder / "objects")
        self.reader = ObjectReader(self.folder / "objects")
        self.store.create_bucket(BUCKET, account="1", region="us-east-1")
        self.status = ""
        self.model = {}
        """By key its versions, the newest first."""
        self.given = [("a", NULL_VERSION)]

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(status=st.sampled_from(["Enabled", "Suspended"]))
    def set_versioning(self, status):
        self.store.set_bucket(BUCKET, "Versioning", {"Status": status})
        self.status = status

    @rule(key=KEYS, body=BODIES, held=st.booleans())
    def put(self, key, body, held):
        held = held and self.status == "Enabled"  # object lock needs versions
        info = self.store.put_bytes(BUCKET, key, body, HELD if held else None)
        self._write(key, Entry(info.version, body, held))

    @rule(key=KEYS)
    def delete(self, key):
        [outcome] = self.store.delete_many(BUCKET, [Deletion(key)])
        if not self.status:
            assert outcome == Deleted()
            self.model.pop(key, None)
        else:
            assert outcome.marker
            self._write(key, Entry(outcome.version, None))

    def _write(self, key, entry):
        if self.status == "Enabled":
            assert entry.version not in {NULL_VERSION, *(version for _, version in self.given)}
        else:
            assert entry.version == NULL_VERSION
        there = [old for old in self.model.get(key, []) if old.version != entry.version]
        self.model[key] = [entry, *there]
        self.given.append((key, entry.version))

    @rule(data=st.data(), bypass=st.booleans())
    def delete_version(self, data, bypass):
        key, version = data.draw(st.sampled_from(self.given))
        found = [entry for entry in self.model.get(key, []) if entry.version == version]
        [outcome] = self.store.delete_many(BUCKET, [Deletion(key, version, bypass=bypass)])
        if found and found[0].held:
            assert isinstance(outcome, AWSError)
            assert outcome.code == "AccessDenied"
            return
        assert outcome == Deleted(version, marker=bool(found) and found[0].body is None)
        self.model[key] = [entry for entry in self.model.get(key, []) if entry.version != version]
        self.model = {name: entries for name, entries in self.model.items() if entries}

    @rule(data=st.data(), refuse=st.booleans())
    @precondition(lambda self: self.model)
    def release(self, data, refuse):
        """A change that is refused changes nothing."""
        key = data.draw(st.sampled_from(sorted(self.model)))
        for entry in self.model[key]:
            if entry.held and not refuse:
                self.store.revise(BUCKET, key, lambda _: Attributes(legal_hold="OFF"), entry.version)
                entry.held = False

    @rule()
    def delete_bucket(self):
        if self.model:
            with pytest.raises(BucketNotEmpty):
                self.store.delete_bucket(BUCKET)
        else:
            self.store.delete_bucket(BUCKET)
            self.store.create_bucket(BUCKET, account="1", region="us-east-1")
            self.status = ""

    @rule()
    def collect_and_sweep(self):
        self.store.collector.collect(now=time.time() + 1e6)
        assert self.store.collector.sweep(older_than=-60) == 0

    @rule()
    def start_again(self):
        self.store.close()
        self.store = ObjectStore(self.folder / "objects")

    @rule(
        prefix=KEYS | st.just(""),
        delimiter=st.sampled_from(["", "/"]),
        after=st.none() | KEYS,
        limit=st.integers(1, 4),
    )
    def list_pages(self, prefix, delimiter, after, limit):
        expected = []
        for name, is_group in grouped(self.model, prefix, delimiter, after):
            expected += [name] if is_group else [(name, entry.version) for entry in self.model[name]]
        assert list(self._pages(prefix, delimiter, None if after is None else After(after), limit)) == expected

    def _pages(self, prefix, delimiter, after, limit):
        more = True
        while more:
            page = self.reader.version_page(BUCKET, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
            entries = [(e.version.key, e.version.version) for e in page.versions] + list(page.prefixes)
            assert len(entries) <= limit
            yield from sorted(entries, key=lambda e: (e if isinstance(e, str) else e[0]).encode())
            more, last = page.truncated, page.last
            if last is not None:
                after = After(last) if isinstance(last, str) else After(last.key, last.place)

    @invariant()
    def what_is_current_is_listed_and_read(self):
        if not hasattr(self, "model"):
            return
        current = {key: entries[0] for key, entries in self.model.items() if entries[0].body is not None}
        listed = list(self.reader.list(BUCKET))
        assert [info.key for info in listed] == sorted(current, key=str.encode)
        for info in listed:
            assert info.version == current[info.key].version
            assert b"".join(self.reader.read(info)) == current[info.key].body

    @invariant()
    def every_version_is_found_by_its_id(self):
        if not hasattr(self, "model"):
            return
        for key, version in self.given:
            entry = next((e for e in self.model.get(key, []) if e.version == version), None)
            found = self.reader.version(BUCKET, key, version)
            if entry is None:
                assert found is None
            elif entry.body is None:
                assert isinstance(found, DeleteMarker)
            else:
                assert isinstance(found, ObjectInfo)
                assert b"".join(self.reader.read(found)) == entry.body

    @invariant()
    def the_newest_is_the_latest_and_no_other(self):
        if not hasattr(self, "model"):
            return
        latest = {(e.version.key, e.version.version): e.latest for e in self.reader.version_page(BUCKET).versions}
        newest = {(key, entries[0].version) for key, entries in self.model.items()}
        assert {place for place, is_latest in latest.items() if is_latest} == newest

    @invariant()
    def every_file_is_accounted_for(self):
        if not hasattr(self, "model"):
            return
        connection = self.reader._connections.get()
        named = {file for (file,) in connection.execute("SELECT file FROM garbage")}
        versions = [entry.version for entry in self.reader.version_page(BUCKET).versions]
        named |= {piece.file for info in versions if isinstance(info, ObjectInfo) for piece in info.pieces}
        assert {file for file, _ in self.store.files.all()} == named


TestVersions = Versions.TestCase
TestVersions.settings = settings(
    max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
