"""InputDataConfig: each channel's data in /opt/ml/input/data, and inputdataconfig.json
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clary.workload.bundle import make_folder
from clary.workload.download import Ended, download_manifest, download_prefix
from clary.workload.errors import WorkloadError
from clary.workload.s3uri import split
from clary.workload.storage import RoleStorage

Channel = Mapping[str, Any]


def input_data_config(spec: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What inputdataconfig.json says of each channel."""
    return {channel["ChannelName"]: _described(channel, spec) for channel in spec.get("InputDataConfig") or ()}


def download_channels(storage: RoleStorage, spec: Mapping[str, Any], region: str, data: Path, ended: Ended) -> None:
    """Each channel's objects as writable copies below `data`. Raises WorkloadError, NotAllowed, Cancelled."""
    for channel in spec.get("InputDataConfig") or ():
        folder = data / channel["ChannelName"]
        make_folder(folder)
        _download(storage, channel, _Where(spec["RoleArn"], region, _mode(channel, spec)), folder, ended)


class _Where:
    """What the texts of errors name beside the channel."""

    def __init__(self, role: str, region: str, mode: str) -> None:
        self.role = role
        self.region = region
        self.mode = mode


def _mode(channel: Channel, spec: Mapping[str, Any]) -> str:
    fallback = spec["AlgorithmSpecification"].get("TrainingInputMode", "File")
    return str(channel.get("InputMode") or fallback)


def _described(channel: Channel, spec: Mapping[str, Any]) -> dict[str, str]:
    source = channel["DataSource"].get("S3DataSource", {})
    described = {
        "TrainingInputMode": _mode(channel, spec),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if channel.get("ContentType"):
        described["ContentType"] = channel["ContentType"]
    return described


def _download(storage: RoleStorage, channel: Channel, where: _Where, folder: Path, ended: Ended) -> None:
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise _not_offered(channel, "a file system as its data source")
    if where.mode == "Pipe":
        raise _not_offered(channel, "the input mode Pipe")
    kind, uri = source["S3DataType"], source["S3Uri"]
    if kind == "ManifestFile":
        download_manifest(storage, uri, folder, ended)
    elif kind == "S3Prefix":
        _download_prefix(storage, uri, where, folder, ended)
    else:
        raise _not_offered(channel, f"the data type {kind}")


def _download_prefix(storage: RoleStorage, uri: str, where: _Where, folder: Path, ended: Ended) -> None:
    bucket, _ = split(uri)
    if not storage.has_bucket(bucket) or not download_prefix(storage, uri, folder, ended):
        raise WorkloadError(
            f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source. '
            f"Please ensure that the bucket exists in the selected region ({where.region}), that objects exist under "
            f'that S3 prefix, and that the role "{where.role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )


def _not_offered(channel: Channel, what: str) -> WorkloadError:
    return WorkloadError(f"ClientError: Channel {channel['ChannelName']} asks for {what}, which Clary does not offer.")
