"""Pipe mode as a program sees it: the real feeder over what was laid out, read as AWS's readers read it."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from clary.toolkit import pipes as feeder
from clary.workload.channels import lay_out
from clary.workload.download import never
from clary.workload.errors import WorkloadError
from tests.running import wait_until
from tests.unit.workload.conftest import channel

SHARDED = {"S3DataDistributionType": "ShardedByS3Key"}
SHUFFLED = {"ShuffleConfig": {"Seed": 7}}


class Fed:
    """One host's pipes, fed by a process of its own."""

    def __init__(self, bundle, failure):
        self.data, self.failure = bundle.data, failure
        command = [sys.executable, "-m", feeder.__name__, str(bundle.pipes), str(bundle.data), str(failure)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def open(self, epoch=0, name="train"):
        path = self.data / f"{name}_{epoch}"
        wait_until(path.exists, 60, f"{path.name} is there")
        return path.open("rb")

    def read(self, epoch=0, name="train"):
        with self.open(epoch, name) as pipe:
            return pipe.read()

    def end(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def feed(storage, hosts, tmp_path):
    """The feeders of each host of a job."""
    running = []

    def start(*channels, count=1):
        asked = [{"InputMode": "Pipe", **each} for each in channels]
        places = hosts(*asked, count=count)
        lay_out(storage, places, never)
        running.extend(Fed(bundle, tmp_path / f"failure-{placing.host.name}") for placing, bundle in places)
        return running

    yield start
    for fed in running:
        fed.end()


def recordio(data):
    """Records of a stream, by the format's own definition: magic, length, content padded to four bytes."""
    records, at = [], 0
    while at < len(data):
        magic, length = struct.unpack_from("<II", data, at)
        assert magic == 0xCED7230A
        records.append(data[at + 8 : at + 8 + length])
        at += 8 + (length + 3) // 4 * 4
    assert at == len(data)
    return records


def augmented(put, lines, attributes, **more):
    put({"lines.manifest": "\n".join(map(json.dumps, lines)).encode()})
    source = {"AttributeNames": attributes, **more.pop("source", {})}
    return channel(uri="s3://b/lines.manifest", kind="AugmentedManifestFile", source=source, **more)


def test_an_epoch_is_all_objects_in_order_and_the_next_one_again(feed, put):
    put({"data/b": b"second\n", "data/a": b"first\n", "data/c/d": b"third\n"})
    (fed,) = feed(channel())
    for epoch in range(3):
        assert fed.read(epoch) == b"first\nsecond\nthird\n"


def test_the_first_pipe_is_there_before_the_feeder(storage, hosts, put):
    put({"data/a": b"1"})
    ((placing, bundle),) = hosts(channel(InputMode="Pipe"))
    lay_out(storage, [(placing, bundle)], never)
    assert (bundle.data / "train_0").is_fifo()


def test_records_are_wrapped_each_object_by_itself(feed, put):
    contents = [b"", b"1", b"four", b"five!", struct.pack("<I", 0xCED7230A) * 3]
    put({f"data/{number}": content for number, content in enumerate(contents)})
    (fed,) = feed(channel(RecordWrapperType="RecordIO"))
    assert recordio(fed.read()) == contents


@pytest.mark.parametrize("wrapper", ["None", "RecordIO"])
def test_gzip_is_unpacked(feed, put, wrapper):
    put({"data/a.gz": gzip.compress(b"first\n") + gzip.compress(b"more\n"), "data/b.gz": gzip.compress(b"second\n")})
    (fed,) = feed(channel(CompressionType="Gzip", RecordWrapperType=wrapper))
    read = fed.read()
    assert (recordio(read) if wrapper == "RecordIO" else read.splitlines(True)) == (
        [b"first\nmore\n", b"second\n"] if wrapper == "RecordIO" else [b"first\n", b"more\n", b"second\n"]
    )


def test_a_manifest_is_streamed_in_its_order(feed, put):
    put({"x/1": b"1", "x/2": b"2", "x/3": b"3", "m": json.dumps([{"prefix": "s3://b/x/"}, "3", "1", "1"]).encode()})
    (fed,) = feed(channel(uri="s3://b/m", kind="ManifestFile"))
    assert fed.read() == b"311"


def test_an_augmented_manifest_streams_attributes_in_the_order_asked_for(feed, put):
    put({"img/1.jpg": b"JPEG1", "img/2.jpg": b"JPEG2"})
    lines = [{"label": number, "image-ref": f"s3://b/img/{number}.jpg", "other": {"x": 1}} for number in (1, 2)]
    (fed,) = feed(augmented(put, lines, ["image-ref", "label", "other"], RecordWrapperType="RecordIO"))
    assert recordio(fed.read()) == [b"JPEG1", b"1", b'{"x": 1}', b"JPEG2", b"2", b'{"x": 1}']


def test_texts_are_as_they_are(feed, put):
    put({"m": '{"text": "Grüße\u2028", "n": 1.5, "none": null}\n\n{"text": "", "n": 2, "none": ""}'.encode()})
    source = {"AttributeNames": ["text", "n", "none"]}
    (fed,) = feed(channel(uri="s3://b/m", kind="AugmentedManifestFile", source=source))
    assert fed.read() == "Grüße\u20281.5null2".encode()


def test_a_manifest_without_lines_is_none(storage, hosts, put, monkeypatch):
    monkeypatch.setattr("clary.workload.pipes._LONGEST_LINE", 100)
    put({"m": bytes(200)})
    source = {"AttributeNames": ["a"]}
    places = hosts(channel(uri="s3://b/m", kind="AugmentedManifestFile", source=source, InputMode="Pipe"))
    with pytest.raises(WorkloadError, match="its lines do not end"):
        lay_out(storage, places, never)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"other": 1}, "line 1 of the augmented manifest s3://b/lines.manifest has no attribute 'a-ref'"),
        ([1], "is no JSON object"),
        ({"a-ref": "s3://b/none"}, "S3 key: s3://b/none matched no files on s3"),
        ({"a-ref": "nonsense"}, "Invalid S3 URI"),
    ],
)
def test_lines_of_an_augmented_manifest_that_say_nothing(storage, hosts, put, line, said):
    places = hosts(augmented(put, [line], ["a-ref"], InputMode="Pipe"))
    with pytest.raises(WorkloadError) as raised:
        lay_out(storage, places, never)
    assert said in raised.value.reason


def test_a_line_nested_without_end_is_said(storage, hosts, put):
    put({"m": b"[" * 200_000})
    source = {"AttributeNames": ["a"]}
    places = hosts(channel(uri="s3://b/m", kind="AugmentedManifestFile", source=source, InputMode="Pipe"))
    with pytest.raises(WorkloadError, match="is no JSON object"):
        lay_out(storage, places, never)


def test_each_epoch_is_shuffled_anew_by_the_seed(feed, put):
    put({f"data/{number:02}": b"%02d\n" % number for number in range(20)})
    (fed,) = feed(channel(**SHUFFLED))
    epochs = [fed.read(epoch).split() for epoch in range(3)]
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert all(sorted(epoch) == sorted(epochs[0]) for epoch in epochs)
    assert len(epochs[0]) == 20


def test_the_same_seed_is_the_same_order(feed, put):
    put({f"data/{number:02}": b"%02d\n" % number for number in range(20)})
    one, other = feed(channel(**SHUFFLED), count=2)
    assert [one.read(epoch) for epoch in (0, 1)] == [other.read(epoch) for epoch in (0, 1)]


def test_shards_stay_the_same_unless_shuffled(feed, put):
    put({f"data/{number}": b"%d" % number for number in range(5)})
    one, other = feed(channel(source=SHARDED), count=2)
    assert [(one.read(epoch), other.read(epoch)) for epoch in (0, 1)] == [(b"024", b"13")] * 2


def test_shuffled_shards_are_dealt_across_hosts_each_epoch(feed, put):
    put({f"data/{number:02}": b"%02d " % number for number in range(20)})
    one, other = feed(channel(source=SHARDED, **SHUFFLED), count=2)
    epochs = [(one.read(epoch).split(), other.read(epoch).split()) for epoch in range(2)]
    for mine, others in epochs:
        assert len(mine) == len(others) == 10
        assert len({*mine, *others}) == 20
    assert set(epochs[0][0]) != set(epochs[1][0])


def test_lines_of_an_augmented_manifest_are_shared_out_too(feed, put):
    shown = augmented(put, [{"n": number} for number in range(5)], ["n"], source=SHARDED)
    one, other = feed(shown, count=2)
    assert (one.read(), other.read()) == (b"024", b"13")


def test_a_reader_that_has_enough_goes_on_with_the_next_epoch(feed, put):
    put({"data/big": bytes(8 * 2**20), "data/last": b"end"})
    (fed,) = feed(channel())
    with fed.open(0) as pipe:
        assert pipe.read(10) == bytes(10)
    assert fed.read(1).endswith(b"end")


def test_channels_do_not_wait_for_one_another(feed, put):
    put({"data/a": bytes(8 * 2**20), "more/b": b"other"})
    (fed,) = feed(channel("train"), channel("never", "s3://b/data/"), channel("validation", "s3://b/more/"))
    with fed.open(0, "train") as slow:
        slow.read(1)
        assert fed.read(0, "validation") == b"other"
        assert fed.read(1, "validation") == b"other"
        assert len(slow.read()) == 8 * 2**20 - 1


def test_a_feeder_that_is_ended_leaves_at_once(feed, put):
    put({"data/a": bytes(8 * 2**20)})
    (fed,) = feed(channel("train"), channel("never"))
    with fed.open(0) as pipe:
        pipe.read(1)
        fed.process.send_signal(signal.SIGTERM)
        assert fed.process.wait(timeout=60) == -signal.SIGTERM


def test_data_that_is_damaged_is_never_taken_for_its_end(feed, put):
    whole = gzip.compress(os.urandom(3 * 2**20))
    put({"data/a.gz": whole[: len(whole) // 2]})
    (fed,) = feed(channel(CompressionType="Gzip"))
    path = fed.data / "train_0"
    reader = subprocess.Popen([sys.executable, "-c", f"open({str(path)!r}, 'rb').read(); print('read')"], stdout=-1)
    output, _ = reader.communicate(timeout=60)
    assert (reader.returncode, output) == (-signal.SIGKILL, b"")
    reason = fed.failure.read_text()
    assert reason.startswith(
        "ClientError: Data download failed: channel train: s3://b/data/a.gz cannot be decompressed"
    )
    assert fed.process.wait(timeout=60) == 0


def test_what_has_taken_the_place_of_a_pipe_is_not_opened(feed, put, tmp_path):
    """The folder is the program's: a link in it must not lead the feeder elsewhere."""
    put({"data/a": b"12345"})
    (fed,) = feed(channel())
    (tmp_path / "precious").write_text("kept")
    wait_until((fed.data / "train_1").exists, 60, "the next is there")
    (fed.data / "train_1").unlink()
    (fed.data / "train_1").symlink_to(tmp_path / "precious")
    assert fed.read(0) == b"12345"
    wait_until(fed.failure.exists, 60, "it gives up")
    wait_until(fed.failure.read_text, 60, "it says why")
    assert fed.failure.read_text().endswith("channel train: train_1 is no pipe any more")
    assert (tmp_path / "precious").read_text() == "kept"


def test_who_is_opening_a_pipe_of_damaged_data_is_ended_as_soon_as_it_has_it(tmp_path):
    """Between counting as a reader and having a descriptor: like one that is on its way from another process."""
    pipe = tmp_path / "train_0"
    os.mkfifo(pipe)
    ours, theirs = socket.socketpair()
    program = "import socket, sys; socket.recv_fds(socket.socket(fileno=int(sys.argv[1])), 1, 1); sys.stdin.read()"
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    socket.send_fds(ours, [b"x"], [reader])
    with pipe.open("wb", buffering=0) as sink:
        os.close(reader)
        ending = threading.Thread(target=feeder.end_readers, args=[sink])
        ending.start()
        ending.join(0.2)
        assert ending.is_alive()
        command = [sys.executable, "-c", program, str(theirs.fileno())]
        with subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.PIPE) as process:
            assert process.wait(60) == -signal.SIGKILL
        ending.join(60)
        assert not ending.is_alive()
    ours.close()
    theirs.close()


def test_an_object_that_is_too_large_for_a_record_is_refused(storage, objects, hosts, put, monkeypatch):
    put({"data/a": b"12345"})
    monkeypatch.setattr("clary.workload.pipes._LARGEST_RECORD", 4)
    places = hosts(channel(InputMode="Pipe", RecordWrapperType="RecordIO"))
    with pytest.raises(WorkloadError, match="too large for a RecordIO record"):
        lay_out(storage, places, never)


def test_it_is_fast(feed, objects, tmp_path):
    """A sanity check far below what it does: 500 MB/s, reader and feeder on shared cores. What other programs do there
    meanwhile does not count."""
    path = tmp_path / "big"
    path.write_bytes(bytes(256 * 2**20))
    objects.put_file("b", "data/big", path)
    (fed,) = feed(channel())
    with fed.open() as pipe:
        start, size = time.process_time() + _seconds_on_cores(fed.process.pid), 0
        while piece := os.read(pipe.fileno(), 2**20):
            size += len(piece)
        rate = size / (time.process_time() + _seconds_on_cores(fed.process.pid) - start)
    assert size == 256 * 2**20
    assert rate > 250e6, f"{rate / 1e6:.0f} MB/s"
    print(f"{rate / 1e6:.0f} MB/s")


def _seconds_on_cores(pid: int) -> float:
    """Of a process that runs, with all its threads."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
