"""Clients who write, read, list, complete and abort at the same time: there is an order that explains what all of them
were told, with versions and without (`racing`)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.contract.s3.racing import (
    KEYS,
    UPLOAD_KEY,
    Abort,
    Complete,
    Copy,
    Delete,
    Get,
    List,
    Part,
    Put,
    State,
    explained,
    shown,
)

AT_ONCE = 4
EXAMPLES = int(os.environ.get("CLARY_RACES", "5"))
KEY = st.sampled_from(KEYS)
_BUCKETS = count()
_CONTENTS = count()


def fresh():
    """What nobody has written before."""
    return f"content {next(_CONTENTS)}"


@st.composite
def operations(draw, state):
    """A call that may go together with others; conditions are of what is there now."""
    kinds = ["put", "put", "new", "match", "copy", "delete", "get", "list"]
    if state.upload:
        kinds += ["part", "part", "abort"] + ["complete"] * 4 * bool(state.parts)
    kind, key = draw(st.sampled_from(kinds)), draw(KEY)
    there = state.current(key)
    made = {
        "put": lambda: Put(key, fresh()),
        "new": lambda: Put(key, fresh(), "*"),
        "match": lambda: Put(key, fresh(), there.etag if there else '"none"'),
        "copy": lambda: Copy(draw(KEY.filter(lambda source: source != key)), key),
        "delete": lambda: Delete(key),
        "get": lambda: Get(key),
        "list": List,
        "part": lambda: Part(state.upload, draw(st.sampled_from([1, 2])), fresh()),
        "complete": lambda: Complete(state.upload, *draw(st.sampled_from(state.parts))),
        "abort": lambda: Abort(state.upload),
    }
    return made[kind]()


class Races(RuleBasedStateMachine):
    clients = ()
    threads = None

    @initialize()
    def make_bucket(self):
        self.bucket = f"races-{next(_BUCKETS)}"
        self.clients[0].create_bucket(Bucket=self.bucket)
        self.state = State()

    @rule(status=st.sampled_from(["Enabled", "Suspended"]))
    def set_versioning(self, status):
        self.clients[0].put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": status})
        self.state = State(status, self.state.keys, self.state.upload, self.state.parts)

    @rule()
    @precondition(lambda self: not self.state.upload)
    def begin_upload(self):
        upload = self.clients[0].create_multipart_upload(Bucket=self.bucket, Key=UPLOAD_KEY)["UploadId"]
        part = Part(upload, 1, fresh())
        part.call(self.clients[0], self.bucket)
        self.state = State(self.state.versioning, self.state.keys, upload, ((1, part.content),))

    @rule(data=st.data(), many=st.integers(2, AT_ONCE))
    def all_at_once(self, data, many):
        chosen = [data.draw(operations(self.state)) for _ in range(many)]
        together = Barrier(many)
        asked = [self.threads.submit(self._told, together, *pair) for pair in zip(self.clients, chosen, strict=False)]
        told = [each.result() for each in asked]
        seen = self._seen()
        after = explained(self.state, list(zip(chosen, told, strict=True)), seen)
        assert after is not None, f"no order explains {list(zip(chosen, told, strict=True))} after {self.state}: {seen}"
        self.state = after

    def _told(self, together, s3, operation):
        together.wait(60)
        try:
            return operation.call(s3, self.bucket)
        except ClientError as error:
            return error.response["Error"]["Code"]

    def _seen(self):
        s3 = self.clients[0]
        uploads = s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        upload = uploads[0]["UploadId"] if uploads else ""
        parts = ()
        if upload:
            listed = s3.list_parts(Bucket=self.bucket, Key=UPLOAD_KEY, UploadId=upload).get("Parts", [])
            parts = tuple((each["PartNumber"], each["ETag"]) for each in listed)
        listed = s3.list_object_versions(Bucket=self.bucket)
        return (*(self._of(key, listed) for key in KEYS), upload, parts)

    @staticmethod
    def _of(key, listed):
        versions = [each for each in listed.get("Versions", []) if each["Key"] == key]
        markers = [each for each in listed.get("DeleteMarkers", []) if each["Key"] == key]
        assert sum(each["IsLatest"] for each in versions + markers) == bool(versions + markers)
        return (
            tuple((each["ETag"], each["VersionId"] == "null") for each in versions),
            tuple(each["VersionId"] == "null" for each in markers),
            any(each["IsLatest"] for each in versions),
        )


def test_the_model_forgets_what_is_overwritten_without_versions_and_keeps_it_with_them():
    state = State().with_newest("a", "one").with_newest("a", "two")
    assert [each.content for each in state.of("a")] == ["two"]
    kept = State("Enabled", state.keys).with_newest("a", "three").with_newest("a", None)
    assert [(each.content, each.null) for each in kept.of("a")] == [(None, False), ("three", False), ("two", True)]
    assert Get("a").apply(kept)[1] == "NoSuchKey"


def test_an_order_that_nobody_can_have_seen_is_none():
    after = Put("a", "one").apply(State())[0]
    assert explained(State(), [(Put("a", "one"), "done"), (Get("a"), "NoSuchKey")], shown(after)) == after
    assert explained(State(), [(Put("a", "one"), "done"), (Get("a"), "two")], shown(after)) is None
    assert explained(State(), [(Put("a", "one"), "done"), (Get("a"), "one")], shown(State())) is None


def test_whoever_asks_at_the_same_time_there_is_an_order_that_explains_all_answers(s3):
    clients = [s3.client() for _ in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        machine = type("RacesHere", (Races,), {"clients": clients, "threads": threads})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
