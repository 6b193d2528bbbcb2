"""Lifecycle rules: what of a bucket is to go, and when. Pure
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html).

Days are counted from when a version was written, or from when another one took its place, and end at the next midnight
UTC. Where several rules name an object, the first to come counts. What is locked stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from typing import Any

from clary.objects.locks import is_locked
from clary.objects.model import Bucket, ObjectInfo, Upload, Version, to_ms
from clary.objects.version_listing import Listed

LIFECYCLE = "Lifecycle"
"""The bucket's setting: `Rules` as they were put, dates as text, and `TransitionDefaultMinimumObjectSize`."""


_EVER = 2_000_000
"""Days: S3 takes more, the calendar does not."""


@dataclass(frozen=True)
class Filter:
    """Which objects a rule is about; sizes in bytes, both exclusive."""

    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    above: int | None = None
    below: int | None = None

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> Filter:
        """From a rule as it was put."""
        said = rule.get("Filter") or {}
        said = {**said, **said.get("And", {})}
        tags = [*said.get("Tags", []), *([said["Tag"]] if "Tag" in said else [])]
        return cls(
            prefix=said.get("Prefix", rule.get("Prefix")) or "",
            tags={tag["Key"]: tag["Value"] for tag in tags},
            above=said.get("ObjectSizeGreaterThan"),
            below=said.get("ObjectSizeLessThan"),
        )

    def by_key(self, key: str) -> bool:
        """Whether it is about what has neither tags nor a size: delete markers and uploads."""
        return not self.tags and self.above is None and self.below is None and key.startswith(self.prefix)

    def matches(self, version: Version) -> bool:
        """Whether it is about this version."""
        if not isinstance(version, ObjectInfo):
            return self.by_key(version.key)
        above = self.above is None or version.size > self.above
        below = self.below is None or version.size < self.below
        tagged = self.tags.items() <= version.attributes.tags.items()
        return above and below and tagged and version.key.startswith(self.prefix)


@dataclass(frozen=True)
class Rule:
    """One rule that is enabled. What it does not do is None, or False."""

    id: str
    filter: Filter
    days: int | None = None
    date: datetime | None = None
    markers: bool = False
    noncurrent_days: int | None = None
    newer: int = 0
    """So many noncurrent versions stay, whatever their age."""
    abort_days: int | None = None

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> Rule:
        """From a rule as it was put."""
        expiration, date = rule.get("Expiration") or {}, (rule.get("Expiration") or {}).get("Date")
        noncurrent = rule.get("NoncurrentVersionExpiration")
        return cls(
            id=rule["ID"],
            filter=Filter.of(rule),
            days=expiration.get("Days"),
            date=datetime.fromisoformat(date) if date else None,
            markers=bool(expiration.get("ExpiredObjectDeleteMarker")),
            noncurrent_days=None if noncurrent is None else noncurrent.get("NoncurrentDays", 0),
            newer=(noncurrent or {}).get("NewerNoncurrentVersions", 0),
            abort_days=(rule.get("AbortIncompleteMultipartUpload") or {}).get("DaysAfterInitiation"),
        )

    def expires(self, version: Version) -> datetime | None:
        """When it expires the current version; None: never."""
        if not self.filter.matches(version):
            return None
        return self.date if self.date is not None else midnight_after(version.modified, self.days)


@dataclass(frozen=True)
class Due:
    """A version whose time has come. `for_good`: not by a delete marker."""

    version: Version
    for_good: bool


def rules_of(bucket: Bucket) -> tuple[Rule, ...]:
    """The bucket's rules that are enabled."""
    kept = bucket.settings.get(LIFECYCLE, {}).get("Rules", [])
    return tuple(Rule.of(rule) for rule in kept if rule["Status"] == "Enabled")


def expiry(rules: Sequence[Rule], info: ObjectInfo) -> tuple[datetime, Rule] | None:
    """When the current version expires, and by which rule."""
    found = ((rule.expires(info), rule) for rule in rules)
    return min(((moment, rule) for moment, rule in found if moment), key=lambda pair: pair[0], default=None)


def abortion(rules: Sequence[Rule], upload: Upload) -> tuple[datetime, Rule] | None:
    """When an upload that is not completed is dropped, and by which rule."""
    by_key = (rule for rule in rules if rule.filter.by_key(upload.key))
    found = ((midnight_after(upload.initiated, rule.abort_days), rule) for rule in by_key)
    return min(((moment, rule) for moment, rule in found if moment), key=lambda pair: pair[0], default=None)


def due(rules: Sequence[Rule], entries: Iterable[Listed], now: datetime) -> Iterator[Due]:
    """What is to go at `now`, of versions as they are listed: key by key, of each the newest first."""
    newer: Version | None = None
    noncurrent = 0
    for entry, following in pairwise(chain(entries, [None])):
        version = entry.version  # type: ignore[union-attr]  # only what follows the last one is None
        if newer is None or newer.key != version.key:
            newer, noncurrent = None, 0
        alone = following is None or following.version.key != version.key
        if newer is None:
            going = _current(rules, version, now, alone=alone)
        else:
            going = _noncurrent(rules, version, now, newer.modified, noncurrent)
            noncurrent += 1
        if going is not None:
            yield going
        newer = version


def _current(rules: Sequence[Rule], version: Version, now: datetime, *, alone: bool) -> Due | None:
    if isinstance(version, ObjectInfo):
        found = expiry(rules, version)
        return Due(version, for_good=False) if found and found[0] <= now else None
    if alone and any(_lets_marker_go(rule, version, now) for rule in rules):
        return Due(version, for_good=True)
    return None


def _lets_marker_go(rule: Rule, marker: Version, now: datetime) -> bool:
    """A delete marker with nothing behind it, whose rule says so or whose own time has come."""
    moment = rule.expires(marker)
    return (rule.markers and rule.filter.matches(marker)) or (moment is not None and moment <= now)


def _noncurrent(rules: Sequence[Rule], version: Version, now: datetime, since: datetime, newer: int) -> Due | None:
    """`since`: when another one took its place; `newer`: so many noncurrent ones are newer."""
    if isinstance(version, ObjectInfo) and is_locked(version.attributes, to_ms(now)):
        return None
    for rule in rules:
        moment = midnight_after(since, rule.noncurrent_days)
        if moment is not None and moment <= now and newer >= rule.newer and rule.filter.matches(version):
            return Due(version, for_good=True)
    return None


def midnight_after(moment: datetime, days: int | None) -> datetime | None:
    """The midnight that ends so many days; None also where they never end."""
    if days is None or days > _EVER:
        return None
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=days + 1)
