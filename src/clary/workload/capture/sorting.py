"""Files of the spool taken apart: one object for each variant and hour, written down until it is in the store.

    1763712902318-….jsonl     its content
    1763712902318-….json      where it belongs; written last, so that an object without it was not finished

A file of the spool goes away when all its objects are there; names follow from it, so that doing it again after a crash
makes the same ones.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from clary.serving.spool import Dropped, Place, Record, Torn, read
from clary.workload.capture import records
from clary.workload.s3uri import join

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Waiting:
    """An object that is not in the store yet."""

    path: Path
    """Its content."""
    account: str
    region: str
    endpoint: str
    variant: str
    log_group: str
    role: str
    kms_key: str
    uri: str

    @property
    def owner(self) -> tuple[str, str, str]:
        """The endpoint whose it is."""
        return self.account, self.region, self.endpoint

    @property
    def note(self) -> Path:
        """Where it says where it belongs."""
        return self.path.with_suffix(".json")

    def remove(self) -> None:
        """It is in the store, or given up."""
        self.note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


@dataclass
class _Group:
    """The records of one object."""

    place: Place
    first: float
    lines: list[bytes] = field(default_factory=list)


def sort(segment: Path, folder: Path, since: float = 0.0) -> Counter[Place]:
    """Write the objects of one file of the spool to `folder`, and remove it; how many requests of which places had not
    been captured. Records before `since` (epoch seconds) are nobody's any more. Raises OSError."""
    groups: dict[tuple[int, str], _Group] = {}
    dropped: Counter[Place] = Counter()
    for found in _read(segment):
        if isinstance(found, Dropped):
            dropped[found.place] += found.requests
        elif found.seconds >= since:
            key = (id(found.place), records.hour(found.seconds))  # kept by their groups, and each there only once
            if key not in groups:
                groups[key] = _Group(found.place, found.seconds)
            groups[key].lines.append(records.line(found))
    for number, group in enumerate(groups.values()):
        _write(group, str(uuid.uuid5(uuid.UUID(segment.stem), str(number))), folder)
    segment.unlink()
    return dropped


def waiting(folder: Path) -> list[Waiting]:
    """What is not in the store yet, oldest first."""
    found = [_load(note) for note in sorted(folder.glob("*.json"))]
    return [each for each in found if each]


def _read(segment: Path) -> Iterable[Record | Dropped]:
    """All that can be read: what the machine itself has torn when it died is left out."""
    try:
        yield from read(segment)
    except Torn:
        _log.exception("%s is not whole: what follows is left out", segment)


def _write(group: _Group, id_: str, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place, capture = group.place, group.place.capture
    path = folder / f"{int(group.first * 1000):013}-{id_}.jsonl"
    waiting_ = Waiting(
        path,
        place.account,
        place.region,
        place.endpoint,
        place.variant,
        place.log_group,
        capture.role,
        capture.kms_key,
        join(capture.destination, records.name(place, group.first, id_)),
    )
    with path.open("wb") as file:
        file.writelines(group.lines)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({**asdict(waiting_), "path": path.name}))
    fresh.replace(waiting_.note)


def _load(note: Path) -> Waiting | None:
    """None, and it is gone, where the machine died before all of it was on the disk."""
    try:
        raw = json.loads(note.read_text())
        known = Waiting(**{**raw, "path": note.with_suffix(".jsonl")})
    except (ValueError, TypeError):
        known = None
    if known is None or not known.path.exists():
        _log.warning("%s is not whole, and given up", note)
        note.unlink(missing_ok=True)
        return None
    return known
