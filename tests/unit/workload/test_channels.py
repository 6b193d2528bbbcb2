"""What each host finds of each channel: the very files of the store, named safely, shared out exactly once."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary.compute.base import Feed
from clary.workload.channels import feed, input_data_config, lay_out, mounts
from clary.workload.download import never
from clary.workload.errors import Cancelled, WorkloadError
from tests.unit.workload.conftest import channel, files

SHARDED = {"S3DataDistributionType": "ShardedByS3Key"}


@pytest.fixture
def laid(storage, hosts):
    """What each host's channel `train` holds."""

    def run(*channels, count=1, ended=never, **spec):
        places = hosts(*channels, count=count, **spec)
        lay_out(storage, places, ended)
        return [files(bundle.channel("train")) for _, bundle in places]

    return run


def refusal(laid, *channels, **spec):
    with pytest.raises(WorkloadError) as raised:
        laid(*channels, **spec)
    return raised.value.reason


def manifest(put, entries, key="manifest"):
    put({key: json.dumps(entries).encode()})
    return channel(uri=f"s3://b/{key}", kind="ManifestFile")


def test_a_prefix_is_shown_by_links_to_the_stores_files(storage, objects, put, hosts):
    infos = put({"data/a.csv": b"1", "data/deep/er/b.csv": b"2", "data/": b"", "other": b"3"})
    ((placing, bundle),) = hosts(channel())
    lay_out(storage, [(placing, bundle)], never)
    folder = bundle.channel("train")
    assert files(folder) == {"a.csv": b"1", "deep/er/b.csv": b"2"}
    assert (folder / "a.csv").stat().st_ino == objects.segments(infos["data/a.csv"])[0][0].stat().st_ino


def test_a_name_that_no_file_can_have_is_said(laid, put):
    put({"data/" + "ä" * 130: b"1"})
    assert "cannot be a path" in refusal(laid, channel())


def test_a_manifest_nested_without_end_is_none(laid, put):
    put({"deep": b"[" * 200_000})
    assert "Invalid manifest file" in refusal(laid, channel(uri="s3://b/deep", kind="ManifestFile"))


def test_a_deleted_object_stays_readable_for_the_job(storage, objects, put, hosts):
    put({"data/a.csv": b"1"})
    ((placing, bundle),) = hosts(channel())
    lay_out(storage, [(placing, bundle)], never)
    objects.delete("b", ["data/a.csv"])
    objects.collector.collect(now=4e9)
    assert files(bundle.channel("train")) == {"a.csv": b"1"}


def test_file_is_copy_on_write_and_fast_file_read_only(put, hosts):
    ((placing, bundle),) = hosts(channel("a"), channel("b", InputMode="FastFile"), channel("c", InputMode="Pipe"))
    shown = {mount.target: (mount.writable, mount.copy_on_write) for mount in mounts(placing, bundle)}
    inside = "/opt/ml/input/data/"
    assert shown == {inside + "a": (True, True), inside + "b": (False, False)}
    assert feed(placing, bundle) == Feed(str(bundle.pipes), str(bundle.data))


def test_nothing_is_fed_without_pipes(hosts):
    ((placing, bundle),) = hosts(channel())
    assert feed(placing, bundle) is None


def test_a_manifest_names_its_objects_by_prefix_and_rest(laid, put):
    put({"some/prefix/x/1.csv": b"1", "some/prefix-2": b"2", "some/other": b"3"})
    assert laid(manifest(put, [{"prefix": "s3://b/some/prefix/"}, "x/1.csv"])) == [{"x/1.csv": b"1"}]


def test_a_manifests_prefix_need_not_end_with_a_slash(laid, put):
    put({"some/part-1": b"1"})
    assert laid(manifest(put, [{"prefix": "s3://b/some/par"}, "t-1"])) == [{"t-1": b"1"}]


def test_what_a_manifest_names_twice_is_one_file(laid, put):
    put({"x/1.csv": b"1"})
    assert laid(manifest(put, [{"prefix": "s3://b/x/"}, "1.csv", "1.csv"])) == [{"1.csv": b"1"}]


@pytest.mark.parametrize(
    "entries",
    [{}, [], "text", ["a.csv"], [{"prefix": 1}, "a"], [{"prefix": "s3://b/"}, 7], [{"prefix": "s3://b/"}, ["a"]]],
)
def test_what_is_no_manifest(laid, put, entries):
    assert "Invalid manifest file s3://b/manifest" in refusal(laid, manifest(put, entries))


def test_an_object_that_a_manifest_names_and_that_is_not_there(laid, put):
    # "S3 key: … matched no files on s3" stands in users' reports of training jobs.
    reason = refusal(laid, manifest(put, [{"prefix": "s3://b/x/"}, "none.csv"]))
    assert reason == "ClientError: Data download failed:S3 key: s3://b/x/none.csv matched no files on s3"
    reason = refusal(laid, channel(uri="s3://nobody/manifest", kind="ManifestFile"))
    assert "S3 key: s3://nobody/manifest matched no files" in reason


@pytest.mark.parametrize("uri", ["s3://b/none/", "s3://nobody/data/"])
def test_no_objects_or_no_bucket(laid, put, uri):
    reason = refusal(laid, channel(uri=uri))
    assert f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}"' in reason


def test_a_folder_without_files_is_an_empty_channel(laid, put):
    put({"data/": b""})
    assert laid(channel()) == [{}]


@pytest.mark.parametrize(("action", "said"), [("s3:ListBucket", "list objects under"), ("s3:GetObject", "download")])
def test_a_role_without_rights(laid, put, forbidden, action, said):
    put({"data/a": b"1"})
    forbidden.add(action)
    reason = refusal(laid, channel())
    assert reason.startswith("ClientError: Data download failed:")
    assert said in reason
    assert "AccessDenied" in reason


@pytest.mark.parametrize("keys", [["data/a", "data/a/b"], ["data/a//b", "data/a/b"]])
def test_keys_that_cannot_lie_side_by_side(laid, put, keys):
    put(dict.fromkeys(keys, b"x"))
    assert "is both a file and a folder, or comes twice" in refusal(laid, channel())


def test_fast_file_knows_no_part_of_a_name(laid, put):
    put({"data/part-1": b"1", "data/part-2": b"2", "exact": b"3"})
    assert laid(channel(uri="s3://b/data/par")) == [{"part-1": b"1", "part-2": b"2"}]
    assert laid(channel(uri="s3://b/exact", InputMode="FastFile")) == [{"exact": b"3"}]
    assert laid(channel(uri="s3://b/data", InputMode="FastFile")) == [{"part-1": b"1", "part-2": b"2"}]
    # As users' reports quote it.
    reason = refusal(laid, channel(uri="s3://b/data/par", InputMode="FastFile"))
    assert "For FastFile mode, partial S3 prefix is not supported." in reason


def test_every_host_sees_all_unless_it_is_sharded(laid, put):
    put({f"data/{number}": b"x" for number in range(5)})
    assert [sorted(found) for found in laid(channel(), count=2)] == [list("01234")] * 2
    assert [sorted(found) for found in laid(channel(source=SHARDED), count=2)] == [["0", "2", "4"], ["1", "3"]]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(count=st.integers(1, 5), keys=st.sets(st.text("abc/", min_size=1, max_size=4).map(str.strip), max_size=12))
def test_each_object_of_a_sharded_channel_is_one_hosts(objects, storage, hosts, count, keys):
    names = {f"k{number}-{key.replace('/', '_')}" for number, key in enumerate(keys)} | {"one"}
    objects.delete("b", [info.key for info in objects.list("b")])
    for name in names:
        objects.put_bytes("b", f"data/{name}", b"x")
    places = hosts(channel(source=SHARDED), count=count)
    lay_out(storage, places, never)
    shares = [set(files(bundle.channel("train"))) for _, bundle in places]
    assert set().union(*shares) == names
    assert sum(map(len, shares)) == len(names)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_channels_for_some_instance_groups_only(storage, put, hosts):
    put({"data/1": b"1", "data/2": b"2"})
    groups = [
        {"InstanceGroupName": name, "InstanceType": "ml.m5.large", "InstanceCount": count}
        for name, count in (("few", 1), ("many", 2))
    ]
    only = channel(source={**SHARDED, "InstanceGroupNames": ["many"]})
    places = hosts(only, ResourceConfig={"InstanceGroups": groups})
    lay_out(storage, places, never)
    assert [list(input_data_config(placing)) for placing, _ in places] == [[], ["train"], ["train"]]
    assert not places[0][1].channel("train").exists()
    assert [files(bundle.channel("train")) for _, bundle in places[1:]] == [{"1": b"1"}, {"2": b"2"}]


def test_input_data_config_is_aws(hosts):
    asked = channel("a", ContentType="text/csv", source=SHARDED)
    ((placing, _),) = hosts(asked, channel("b", InputMode="Pipe", RecordWrapperType="RecordIO"))
    assert input_data_config(placing) == {
        "a": {
            "ContentType": "text/csv",
            "TrainingInputMode": "File",
            "S3DistributionType": "ShardedByS3Key",
            "RecordWrapperType": "None",
        },
        "b": {
            "TrainingInputMode": "Pipe",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "RecordIO",
        },
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ChannelName": "c", "DataSource": {"FileSystemDataSource": {}}}, "copy the files to S3"),
        (channel(kind="Converse"), "S3Prefix, ManifestFile"),
        (channel(source={"HubAccessConfig": {"HubContentArn": "x"}}), "HubAccessConfig"),
        (channel(source={"ModelAccessConfig": {"AcceptEula": True}}), "ModelAccessConfig"),
        (channel(kind="AugmentedManifestFile"), "AugmentedManifestFile can only be used with Pipe"),
        (channel(CompressionType="Gzip"), "CompressionType is used only in Pipe input mode"),
        (channel(".."), "cannot be a path"),
    ],
)
def test_what_a_channel_cannot_be(laid, asked, said):
    assert said in refusal(laid, asked)


def test_a_job_that_is_stopped_downloads_no_more(laid, put):
    put({"data/1": b"1"})
    with pytest.raises(Cancelled):
        laid(channel(), ended=lambda: True)


def test_old_addresses_by_https_are_understood(laid, put):
    put({"data/1": b"1"})
    assert laid(channel(uri="https://s3-us-west-2.amazonaws.com/b/data/")) == [{"1": b"1"}]


def test_a_full_disk_is_the_reason(laid, put, monkeypatch):
    put({"data/1": b"1"})

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    assert refusal(laid, channel()).startswith("ClientError: Data download failed: No space left")
