"""InputDataConfig: what each channel shows each host, and inputdataconfig.json
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html).

A channel's objects are named anew below the bundle, as links to the object store's own files: nothing is copied. File
mode shows them writable (copy on write), FastFile read-only, Pipe to the feeder only, which runs beside the program
(`clary.toolkit.pipes`). What is there can be told from the spec alone, after a restart too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from clary.compute.base import Feed, Mount
from clary.workload.bundle import Bundle, make_folder
from clary.workload.download import DATA_DOWNLOAD, Ended, Item, items_of_manifest, items_of_prefix, link, place
from clary.workload.errors import Cancelled, WorkloadError, room_for
from clary.workload.hosts import Host
from clary.workload.pipes import Pipe, Record, Share, record_of_object, records_of_augmented_manifest
from clary.workload.s3uri import split
from clary.workload.storage import RoleStorage

Channel = Mapping[str, Any]

_T = TypeVar("_T")

_INSIDE = "/opt/ml/input/data"
_FOREIGN = frozenset({"HubAccessConfig", "ModelAccessConfig"})
_PARTIAL = (
    "For FastFile mode, partial S3 prefix is not supported. S3 prefix has to end with a full file or folder. Add a "
    "trailing '/' to the S3 prefix if it ends with a folder name that is also a prefix for other folders."
)
_TYPES = ("S3Prefix", "ManifestFile", "AugmentedManifestFile")


@dataclass(frozen=True)
class Placing:
    """For whom channels are laid out."""

    spec: Mapping[str, Any]
    region: str
    host: Host
    hosts: Sequence[Host]

    def channels(self) -> list[Channel]:
        """Those that this host sees: a channel may be for some instance groups only."""
        return [each for each in self.spec.get("InputDataConfig") or () if self.host in self.sharers(each)]

    def sharers(self, channel: Channel) -> list[Host]:
        """The hosts that see a channel."""
        groups = _source(channel).get("InstanceGroupNames")
        return [host for host in self.hosts if not groups or host.group in groups]


def mode(channel: Channel, spec: Mapping[str, Any]) -> str:
    """`File`, `FastFile` or `Pipe`: the channel's own, else the algorithm's."""
    return str(channel.get("InputMode") or spec["AlgorithmSpecification"].get("TrainingInputMode", "File"))


def input_data_config(placing: Placing) -> dict[str, dict[str, str]]:
    """What inputdataconfig.json says of each channel."""
    return {channel["ChannelName"]: _described(channel, placing.spec) for channel in placing.channels()}


def _described(channel: Channel, spec: Mapping[str, Any]) -> dict[str, str]:
    described = {
        "TrainingInputMode": mode(channel, spec),
        "S3DistributionType": _source(channel).get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if channel.get("ContentType"):
        described["ContentType"] = channel["ContentType"]
    return described


def _source(channel: Channel) -> Mapping[str, Any]:
    found: Mapping[str, Any] = channel["DataSource"].get("S3DataSource") or {}
    return found


def mounts(placing: Placing, bundle: Bundle) -> Iterator[Mount]:
    """Each channel's folder; pipes are where the folders are."""
    for channel in placing.channels():
        name, how = channel["ChannelName"], mode(channel, placing.spec)
        if how != "Pipe":
            writable = how == "File"
            yield Mount(str(bundle.channel(name)), f"{_INSIDE}/{name}", writable, copy_on_write=writable)


def feed(placing: Placing, bundle: Bundle) -> Feed | None:
    """What the feeder is given, where some channel is a pipe."""
    piped = any(mode(channel, placing.spec) == "Pipe" for channel in placing.channels())
    return Feed(str(bundle.pipes), str(bundle.data)) if piped else None


def lay_out(storage: RoleStorage, places: Sequence[tuple[Placing, Bundle]], ended: Ended) -> None:
    """Name each channel's objects below the bundles of the hosts that see it. Each channel is listed once, so that
    of a sharded one each object is seen by one host, whatever is uploaded meanwhile.

    Raises WorkloadError, NotAllowed, Cancelled.
    """
    placing, _ = places[0]
    for channel in placing.spec.get("InputDataConfig") or ():
        _check(channel, placing)
        bundles = [bundle for placing, bundle in places if placing.host in placing.sharers(channel)]
        with room_for(DATA_DOWNLOAD):
            _lay_out(storage, channel, placing, bundles, ended)


def _lay_out(storage: RoleStorage, channel: Channel, placing: Placing, bundles: Sequence[Bundle], ended: Ended) -> None:
    name, sharded = channel["ChannelName"], _source(channel).get("S3DataDistributionType") == "ShardedByS3Key"
    if mode(channel, placing.spec) != "Pipe":
        folders = [_Folder(storage, bundle.channel(name)) for bundle in bundles]
        _deal(_items(storage, channel, placing), [folder.add for folder in folders], sharded, ended)
        return
    shuffled = "ShuffleConfig" in channel  # each epoch deals anew, inside
    pipes = []
    for number, bundle in enumerate(bundles):
        share = Share(number, len(bundles)) if sharded and shuffled else Share()
        pipes.append(Pipe(storage, channel, bundle, share))
    _deal(_records(storage, channel, placing), [pipe.add for pipe in pipes], sharded and not shuffled, ended)
    for pipe in pipes:
        pipe.close()


def _deal(found: Iterator[_T], takers: Sequence[Callable[[_T], None]], sharded: bool, ended: Ended) -> None:
    """Each thing to everybody, or to one after another in turn: each gets 1/n of them, as ShardedByS3Key says."""
    for number, each in enumerate(found):
        if ended():
            raise Cancelled
        for take in [takers[number % len(takers)]] if sharded else takers:
            take(each)


class _Folder:
    """The files of a channel, for one host."""

    def __init__(self, storage: RoleStorage, folder: Path) -> None:
        self._storage, self._folder = storage, folder
        make_folder(folder)

    def add(self, item: Item) -> None:
        link(self._storage, item, self._folder)


def _records(storage: RoleStorage, channel: Channel, placing: Placing) -> Iterator[Record]:
    source = _source(channel)
    if source["S3DataType"] == "AugmentedManifestFile":
        return records_of_augmented_manifest(storage, source["S3Uri"], source.get("AttributeNames") or ())
    return (record_of_object(item) for item in _items(storage, channel, placing))


def _items(storage: RoleStorage, channel: Channel, placing: Placing) -> Iterator[Item]:
    """In the order of keys, or the manifest's. What that names twice is streamed twice, and is one file."""
    uri, how = _source(channel)["S3Uri"], mode(channel, placing.spec)
    if _source(channel)["S3DataType"] == "ManifestFile":
        named = items_of_manifest(storage, uri)
        found = named if how == "Pipe" else iter({item.name: item for item in named}.values())
    else:
        found = _matching(storage, uri, placing, whole=how == "FastFile")
    return (item for item in found if not item.is_folder)


def _matching(storage: RoleStorage, uri: str, placing: Placing, whole: bool) -> Iterator[Item]:
    """All objects whose keys begin so; `whole`: with a name as a whole, else AWS's error."""
    item, (bucket, prefix) = None, split(uri)
    for item in items_of_prefix(storage, uri):
        if whole and not _is_below(item.info.key, prefix):
            raise WorkloadError(f"ClientError: {DATA_DOWNLOAD} failed:Failed to download data. {_PARTIAL}")
        yield item
    if item is None:
        raise WorkloadError(
            f'ClientError: {DATA_DOWNLOAD} failed:No S3 objects found under S3 URL "{uri}" given in input data source. '
            f"Please ensure that the bucket exists in the selected region ({placing.region}), that objects exist under "
            f'that S3 prefix, and that the role "{placing.spec["RoleArn"]}" has "s3:ListBucket" permissions on bucket '
            f'"{bucket}".'
        )


def _is_below(key: str, prefix: str) -> bool:
    return key == prefix or not prefix or key.startswith(prefix.rstrip("/") + "/")


def _check(channel: Channel, placing: Placing) -> None:
    """Raises WorkloadError for what this channel cannot be."""
    name, source = channel["ChannelName"], _source(channel)
    place(Path("/"), name)  # `..` is a name that the API allows
    if not source:
        raise _refused(name, "has its data on a file system", "copy the files to S3 and name them by S3DataSource")
    if source["S3DataType"] not in _TYPES:
        raise _refused(name, f"has the data type {source['S3DataType']}", f"use one of {', '.join(_TYPES)}")
    for foreign in sorted(_FOREIGN & source.keys()):
        raise _refused(name, f"asks for a model hub ({foreign})", "copy what it needs to S3 and leave that out")
    how = mode(channel, placing.spec)
    if source["S3DataType"] == "AugmentedManifestFile" and how != "Pipe":
        raise _refused(name, f"has the input mode {how}", "AugmentedManifestFile can only be used with Pipe")
    if channel.get("CompressionType", "None") != "None" and how != "Pipe":
        raise _refused(name, f"has the input mode {how}", "CompressionType is used only in Pipe input mode")


def _refused(name: str, has: str, instead: str) -> WorkloadError:
    """Clary's own words: what AWS refuses of this it refuses with the request."""
    return WorkloadError(f"ClientError: Channel {name} {has}, which Clary does not offer: {instead}.")
