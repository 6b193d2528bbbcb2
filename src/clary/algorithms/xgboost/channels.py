"""Channels of a training job: which there may be, and the format that their content type means."""

from __future__ import annotations

import functools
from typing import Any, Mapping, Optional

from clary.formats import content_types
from clary.toolkit.errors import UserError

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"

_KINDS = {
    CSV: CSV,
    content_types.CSV: CSV,
    LIBSVM: LIBSVM,
    content_types.LIBSVM: LIBSVM,
    content_types.X_LIBSVM: LIBSVM,
    PARQUET: PARQUET,
    content_types.PARQUET: PARQUET,
    RECORDIO: RECORDIO,
    content_types.RECORDIO: RECORDIO,
}
_VALID = (
    "csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, application/x-parquet, "
    "application/x-recordio-protobuf"
)
_CHANNELS = {"train": True, "validation": False, "code": False}
PIPE = "Pipe"


@functools.lru_cache(maxsize=512)
def kind_of(content_type: Optional[str]) -> str:
    """`csv`, `libsvm`, `parquet` or `recordio-protobuf`; LIBSVM where none is said. Raises UserError."""
    if content_type is None:
        return LIBSVM
    name, parameters = content_types.parse(content_type)
    if name not in _KINDS:
        raise UserError(f"{content_type} is not an accepted ContentType: {_VALID}.")
    if _KINDS[name] == CSV and parameters.get("label_size", "1") != "1":
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return _KINDS[name]


def check_channels(channels: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises UserError where `train` is missing, a channel is unknown, or cannot be read as it is configured."""
    for name, needed in _CHANNELS.items():
        if needed and name not in channels:
            raise UserError(f"Missing required channel: {name}")
    for name, channel in channels.items():
        if name not in _CHANNELS:
            raise UserError(f"Extraneous channel found: {name}")
        if name != "code" and kind_of(channel.get("ContentType")) == LIBSVM and is_pipe(channel):
            raise UserError("Pipe mode not supported for LibSVM.")


def is_pipe(channel: Mapping[str, Any]) -> bool:
    """Whether the channel's data come through a pipe instead of files."""
    return bool(channel.get("TrainingInputMode") == PIPE)
