"""Channels in Pipe mode: what the feeder inside (`clary.toolkit.pipes`) is given to read
(https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest-stream.html).

    pipes/CHANNEL/plan.json   how it is streamed
    pipes/CHANNEL/records     a line each: a list of `["text", TEXT]` and `["file", NAME, ADDRESS]`
    pipes/CHANNEL/N           the objects' files, by links
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.objects.model import ObjectInfo
from clary.workload.bundle import FILE_MODE, Bundle, make_folder
from clary.workload.download import Item, find_data
from clary.workload.errors import WorkloadError
from clary.workload.storage import RoleStorage

Record = Sequence[str | ObjectInfo]
"""What is streamed as one: texts and objects in order. Where records are wrapped, each of them is."""

_PLAN = "plan.json"
_RECORDS = "records"
_LONGEST_LINE = 16 * 2**20
_REFERENCE = "-ref"
_LARGEST_RECORD = 2**29 - 1
"""RecordIO has 29 bits for a record's length."""


@dataclass(frozen=True)
class Share:
    """Every `hosts`-th record of each epoch's order, from the `host`-th: dealt inside, since each epoch has its own."""

    host: int = 0
    hosts: int = 1


class Pipe:
    """What one host's feeder is given for one channel; its first pipe is there before any program is."""

    def __init__(self, storage: RoleStorage, channel: Mapping[str, Any], bundle: Bundle, share: Share) -> None:
        name = channel["ChannelName"]
        self._storage = storage
        self._folder = bundle.pipe(name)
        self._wrapped = channel.get("RecordWrapperType", "None") == "RecordIO"
        self._plan = {
            "name": name,
            "wrapped": self._wrapped,
            "gzip": channel.get("CompressionType") == "Gzip",
            "seed": channel["ShuffleConfig"]["Seed"] if "ShuffleConfig" in channel else None,
            "host": share.host,
            "hosts": share.hosts,
        }
        make_folder(self._folder)
        self._records = (self._folder / _RECORDS).open("w", encoding="utf-8")
        self._count = 0
        first = bundle.data / f"{name}_0"
        os.mkfifo(first)
        first.chmod(FILE_MODE)

    def add(self, record: Record) -> None:
        """The next record. Raises WorkloadError, NotAllowed, OSError."""
        self._records.write(json.dumps([self._part(part) for part in record]) + "\n")

    def close(self) -> None:
        """All records are there."""
        self._records.close()
        (self._folder / _PLAN).write_text(json.dumps(self._plan))

    def _part(self, part: str | ObjectInfo) -> list[str]:
        if isinstance(part, str):
            return ["text", part]
        uri = f"s3://{part.bucket}/{part.key}"
        if self._wrapped and part.size > _LARGEST_RECORD:
            raise WorkloadError(f"ClientError: Data download failed: {uri} is too large for a RecordIO record.")
        target = self._folder / str(self._count)
        self._storage.link_to(part, target)
        self._count += 1
        return ["file", target.name, uri]


def record_of_object(item: Item) -> Record:
    """An object is a record."""
    return [item.info]


def records_of_augmented_manifest(storage: RoleStorage, uri: str, attributes: Sequence[str]) -> Iterator[Record]:
    """A line is a record: of each attribute, in the order asked for, its value, or the object that a `…-ref` names.

    Raises WorkloadError, NotAllowed.
    """
    for number, line in enumerate(_lines(storage, uri), 1):
        if line.strip():
            values = _values(line, attributes, f"line {number} of the augmented manifest {uri}")
            yield [_content(storage, name, value) for name, value in zip(attributes, values, strict=True)]


def _lines(storage: RoleStorage, uri: str) -> Iterator[bytes]:
    """One after another: a manifest may be larger than what is to be held in memory."""
    rest = b""
    for piece in storage.read(find_data(storage, uri)):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
        if len(rest) > _LONGEST_LINE:
            raise WorkloadError(
                f"ClientError: Data download failed:{uri} is no augmented manifest: its lines do not end."
            )
    yield rest


def _values(line: bytes, attributes: Sequence[str], where: str) -> list[Any]:
    """No public source shows AWS's words for what is wrong with a line."""
    try:
        record = json.loads(line)
        return [record[name] for name in attributes]
    except (ValueError, TypeError, RecursionError):
        raise WorkloadError(f"ClientError: Data download failed:{where} is no JSON object.") from None
    except KeyError as error:
        raise WorkloadError(f"ClientError: Data download failed:{where} has no attribute {error}.") from None


def _content(storage: RoleStorage, name: str, value: Any) -> str | ObjectInfo:  # noqa: ANN401 - any JSON
    if name.endswith(_REFERENCE):
        return find_data(storage, str(value))
    return value if isinstance(value, str) else json.dumps(value)
