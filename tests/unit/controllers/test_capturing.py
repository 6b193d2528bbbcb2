"""What edges have captured becomes objects of the endpoint's role, or waits, bounded, and says so."""

from __future__ import annotations

import errno

import pytest

from clary.calls import Principal
from clary.controllers import capturing
from clary.controllers.capturing import CaptureController
from clary.controllers.logs import Logs
from clary.errors import AccessDenied, AWSError
from clary.objects import ObjectStore
from clary.serving.recorder import Recorder
from clary.settings import Settings
from clary.telemetry.logfile import LogReader
from clary.telemetry.paths import stream_file
from clary.workload.storage import Storage
from tests.kms import ARN, OneKey
from tests.unit.serving.capturing import exchange, place


class World:
    def __init__(self, data_dir):
        self.settings = Settings(data_dir=data_dir)
        self.objects = ObjectStore(data_dir / "objects")
        self.kms = OneKey()
        self.forbidden = False
        self.roles = set()
        self.begin()

    def begin(self):
        """A control that has just been started."""
        storage = Storage(
            self.objects, self.rights, lambda role: Principal("assumed-role", "1", role, role, "R"), self.kms
        )
        self.controller = CaptureController(self.settings, storage, Logs(lambda _: {}))
        (self.key,) = self.controller.resume()

    def rights(self, role, _region):
        def allow(access):
            self.roles.add((role, access.action))
            if self.forbidden:
                raise AccessDenied("not authorized to perform: s3:PutObject")

        return allow

    def capture(self, *places):
        recorder = Recorder(self.settings.capture_dir / "spool")
        for number, where in enumerate(places):
            recorder.note(where, exchange(number))
        recorder.close()

    def reconcile(self):
        """With whatever pauses there are over."""
        for trouble in self.controller._troubles.values():
            trouble.again = 0.0
        return self.controller.reconcile(self.key)

    def said(self, variant="v"):
        path = stream_file(
            self.settings.logs_dir, place().account, place().region, place().log_group, f"{variant}/data-capture"
        )
        return [event.message for event in LogReader(path).forward()] if path.exists() else []

    @property
    def keys(self):
        return [info.key for info in self.objects.list("captured", "")]

    @property
    def left(self):
        return [path for path in self.settings.capture_dir.rglob("*") if path.is_file()]


def raising(error):
    def fails(*_):
        raise error

    return fails


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.objects.close()


@pytest.fixture
def bucket(world):
    world.objects.create_bucket("captured", account="000000000000", region="us-east-1")


@pytest.mark.usefixtures("bucket")
def test_objects_are_written_with_the_role_of_the_endpoint_and_nothing_is_left(world):
    world.capture(place("a"), place("b"), place("a"))
    world.reconcile()
    assert [key.split("/")[:3] for key in world.keys] == [["below", "e", "a"], ["below", "e", "b"]]
    assert world.roles == {(place().capture.role, "s3:PutObject")}
    assert world.left == []
    world.reconcile()
    assert len(world.keys) == 2


@pytest.mark.usefixtures("bucket")
def test_an_object_is_encrypted_under_the_key_that_is_named(world):
    world.capture(place(KmsKeyId="alias/mine"))
    world.reconcile()
    (key,) = world.keys
    info = world.objects.head("captured", key)
    assert info.attributes.headers == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": ARN}
    assert info.attributes.sealed and world.kms.calls[0].params["KeyId"] == "alias/mine"


@pytest.mark.usefixtures("bucket")
def test_what_kms_refuses_to_encrypt_waits(world):
    world.kms.refuses = AWSError("DisabledException", f"{ARN} is disabled.")
    world.capture(place(KmsKeyId="alias/mine"))
    world.reconcile()
    assert world.keys == [] and f"KMS.DisabledException: {ARN} is disabled." in world.said()[0]
    world.kms.refuses = None
    world.reconcile()
    assert len(world.keys) == 1


def test_objects_wait_for_their_bucket_and_the_log_says_so(world):
    world.capture(place())
    world.reconcile()
    world.capture(place())
    world.reconcile()
    first, second = world.said()
    assert first.startswith("Data capture: s3://captured/below/e/v/")
    assert "The specified bucket does not exist" in first
    assert second.endswith("It is tried again; 2 objects wait.")
    world.begin()
    world.objects.create_bucket("captured", account="000000000000", region="us-east-1")
    world.reconcile()
    assert (len(world.keys), world.left) == (2, [])


@pytest.mark.usefixtures("bucket")
def test_objects_wait_for_their_right_and_others_do_not_wait_with_them(world):
    world.forbidden = True
    world.capture(place())
    world.reconcile()
    assert "AccessDenied: not authorized to perform: s3:PutObject" in world.said()[0]
    world.forbidden = False
    world.capture(place(endpoint="other"))
    world.controller.reconcile(world.key)
    assert [key.split("/")[1] for key in world.keys] == ["other"]
    world.reconcile()
    assert [key.split("/")[1] for key in world.keys] == ["e", "other"]
    assert world.said()[-1] == "Data capture: objects are written again."


def test_what_waits_is_bounded_and_the_oldest_is_given_up(world, monkeypatch):
    for _ in range(3):
        world.capture(place())
    world.reconcile()
    sizes = [path.stat().st_size for path in world.left if path.suffix == ".jsonl"]
    monkeypatch.setattr(capturing, "WAITING_BYTES", 2 * max(sizes))
    world.reconcile()
    assert len([path for path in world.left if path.suffix == ".jsonl"]) == 2
    assert any("was given up" in text for text in world.said())


def test_a_full_disk_does_not_keep_what_waits_from_the_store(world, monkeypatch):
    world.capture(place())
    world.reconcile()
    world.objects.create_bucket("captured", account="000000000000", region="us-east-1")
    world.capture(place())
    monkeypatch.setattr(capturing, "sort", raising(OSError(errno.ENOSPC, "full")))
    world.reconcile()
    assert len(world.keys) == 1
    monkeypatch.undo()
    world.reconcile()
    assert (len(world.keys), world.left) == (2, [])


@pytest.mark.usefixtures("bucket")
def test_a_long_backlog_is_taken_in_parts(world, monkeypatch):
    monkeypatch.setattr(capturing, "_AT_ONCE", 2)
    for _ in range(3):
        world.capture(place())
    assert world.reconcile() == 0.0
    assert world.reconcile() == capturing.LOOK_SECONDS
    assert (len(world.keys), world.left) == (3, [])


def test_a_reset_forgets_what_was_captured(world):
    world.capture(place())
    world.reconcile()
    world.capture(place())
    world.controller.reset()
    world.reconcile()
    assert world.left == []
