"""A job's channels: what they must be, and their data
(https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from clary.algorithms.base import examples
from clary.algorithms.base.examples import Examples
from clary.algorithms.base.schema import ValidationError
from clary.formats import content_types, recordio
from clary.toolkit.errors import UserError

Channel = Mapping[str, Any]

TRAIN, VALIDATION, TEST = "train", "validation", "test"
_KINDS = (content_types.RECORDIO, content_types.CSV)
_LABELLED = "1"
_INVALID = "Unable to initialize the algorithm. Failed to validate input data configuration."


class Rules(NamedTuple):
    """Which channels a job has, and the `label_size`s that its CSV may say, of which the first is the default."""

    optional: Sequence[str] = ()
    required: Sequence[str] = (TRAIN,)
    label_sizes: Sequence[str] = (_LABELLED,)
    distributions: Mapping[str, str] = {}
    """Channel → the only `S3DataDistributionType` that it may have."""


UNLABELLED = Rules(optional=(TEST,), label_sizes=("1", "0"))
"""Of algorithms that learn without labels. As on AWS, CSV has one all the same unless it says `label_size=0`."""


def check(rules: Rules, channels: Mapping[str, Channel]) -> None:
    """Raises ValidationError where a required channel is missing, another is unknown, or its content type is."""
    for name in rules.required:
        if name not in channels:
            raise ValidationError(_INVALID, f"'{name}' is a required property")
    for name, channel in channels.items():
        if name not in (*rules.required, *rules.optional):
            raise ValidationError(_INVALID, f"Additional properties are not allowed ('{name}' was unexpected)")
        given = channel.get("ContentType") or content_types.RECORDIO
        kind, parameters = content_types.parse(given)
        if kind not in _KINDS or parameters.get("label_size", rules.label_sizes[0]) not in rules.label_sizes:
            raise ValidationError(_INVALID, f"'{given}' is not one of {list(_KINDS)}")
        wanted, spread = rules.distributions.get(name), channel.get("S3DistributionType")
        if wanted and spread != wanted:
            raise ValidationError(_INVALID, f"'{spread}' is not one of ['{wanted}']")


def read(rules: Rules, name: str, channel: Channel, folder: Path) -> Examples:
    """All of a channel's data; `folder` holds the channels' folders or, in Pipe mode, their pipes. Raises UserError."""
    kind, parameters = content_types.parse(channel.get("ContentType") or content_types.RECORDIO)
    labelled = parameters.get("label_size", rules.label_sizes[0]) == _LABELLED
    piped = channel.get("TrainingInputMode") == "Pipe"
    contents = _piped(folder / f"{name}_0", channel) if piped else _filed(folder / name)
    try:
        return examples.joined([_parsed(data, kind, labelled) for data in contents if data])
    except ValueError as error:
        raise UserError(
            f"Unable to read data channel '{name}'. Requested content-type is '{kind}'. "
            "Please verify the data matches the requested content-type. (caused by MXNetError)\n\n"
            f"Caused by: {error}"
        ) from error


def _parsed(data: bytes, kind: str, labelled: bool) -> Examples:
    return examples.from_csv(data, labelled=labelled) if kind == content_types.CSV else examples.from_recordio(data)


def _filed(folder: Path) -> Iterator[bytes]:
    """Every file's content, in the order of their names."""
    for root, folders, names in os.walk(str(folder)):
        folders.sort()
        for name in sorted(names):
            yield (Path(root) / name).read_bytes()


def _piped(pipe: Path, channel: Channel) -> Iterator[bytes]:
    """The first pass over the channel: it is kept as numbers, so that no other pass is asked for."""
    data = pipe.read_bytes()
    kind = content_types.parse(channel.get("ContentType") or content_types.RECORDIO)[0]
    if channel.get("RecordWrapperType") == "RecordIO" and kind == content_types.CSV:
        yield from recordio.read_frames(data)
    else:
        yield data
