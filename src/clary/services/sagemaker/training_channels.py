"""InputDataConfig of a training job, checked beyond the model and filled in as AWS fills it in
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Channel.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.errors import ValidationError
from clary.services.context import Context
from clary.services.sagemaker.errors import no_objects
from clary.services.sagemaker.references import has_objects
from clary.services.sagemaker.roles import may_list

_UNCOMPRESSED = "None"
_TYPES = ("S3Prefix", "ManifestFile", "AugmentedManifestFile")
_ONE_OF_TYPES = f"{', '.join(_TYPES[:-1])} or {_TYPES[-1]}"

Params = dict[str, Any]


def fill_channels(context: Context, params: Params) -> list[Params]:
    """All channels. Raises ValidationError."""
    channels = params.get("InputDataConfig") or []
    _check_names(channels)
    _check_groups(channels, params["ResourceConfig"])
    fallback = params["AlgorithmSpecification"]["TrainingInputMode"]
    return [_channel(context, params["RoleArn"], channel, fallback) for channel in channels]


def _channel(context: Context, role: str, asked: Params, fallback: str) -> Params:
    source = asked["DataSource"].get("S3DataSource")
    if source is None or source["S3DataType"] not in _TYPES:
        raise ValidationError(
            f"The data source of channel {asked['ChannelName']} is not offered by Clary. Put the data into a bucket "
            f"and name it by an S3DataSource with S3DataType {_ONE_OF_TYPES}."
        )
    _check_mode(asked, source, asked.get("InputMode") or fallback)
    if source["S3DataType"] == "S3Prefix" and not _has_data(context, role, source["S3Uri"]):
        raise no_objects(source["S3Uri"], context.region, role)
    filled = {"S3DataDistributionType": "FullyReplicated", **source}
    return {
        "CompressionType": _UNCOMPRESSED,
        "RecordWrapperType": "None",
        **asked,
        "DataSource": {**asked["DataSource"], "S3DataSource": filled},
    }


def _check_mode(asked: Params, source: Params, mode: str) -> None:
    """What only one input mode knows, by the API's documentation; the texts are ours."""
    name = asked["ChannelName"]
    if asked.get("CompressionType", _UNCOMPRESSED) != _UNCOMPRESSED and mode != "Pipe":
        raise ValidationError(
            f"Channel {name}: CompressionType is used only in Pipe input mode. In {mode} mode, leave this field unset "
            "or set it to None."
        )
    augmented = source["S3DataType"] == "AugmentedManifestFile"
    if augmented and mode != "Pipe":
        raise ValidationError(f"Channel {name}: AugmentedManifestFile can only be used with the input mode Pipe.")
    if augmented and not source.get("AttributeNames"):
        raise ValidationError(f"Channel {name}: AugmentedManifestFile needs AttributeNames.")


def _has_data(context: Context, role: str, uri: str) -> bool:
    """Whether the role finds any object there."""
    return may_list(context, role, uri) and has_objects(context, uri)


def _check_names(channels: Sequence[Mapping[str, Any]]) -> None:
    names = [channel["ChannelName"] for channel in channels]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(f"Channel names must be unique: {', '.join(twice)}.")


def _check_groups(channels: Sequence[Mapping[str, Any]], resources: Mapping[str, Any]) -> None:
    """Either every channel says for which instance groups it is, or none does."""
    chosen = {channel["ChannelName"]: _groups(channel) for channel in channels}
    having, without = [n for n, g in chosen.items() if g], [n for n, g in chosen.items() if not g]
    if having and without:
        raise ValidationError(
            f"Some channels have assigned instance groups: [{', '.join(having)}] while others not: "
            f"[{', '.join(without)}]"
        )
    known = {group["InstanceGroupName"] for group in resources.get("InstanceGroups") or ()}
    unknown = sorted({name for names in chosen.values() for name in names} - known)
    if unknown:
        raise ValidationError(f"Instance groups that ResourceConfig does not have: [{', '.join(unknown)}]")


def _groups(channel: Mapping[str, Any]) -> Sequence[str]:
    found: Sequence[str] = (channel["DataSource"].get("S3DataSource") or {}).get("InstanceGroupNames") or ()
    return found
