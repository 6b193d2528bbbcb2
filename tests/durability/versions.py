"""S3: versions of objects and delete markers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from tests.durability.witness import Doubtful, Hand, Idle, answered
from tests.running import RunningClary

MARKER = "a delete marker"
MOST = 6
"""Versions of a key, before one is deleted."""


class Key:
    """What is known of a key: its versions, the newest last."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.versions: dict[str, str] = {}
        """By id: the MD5 of the content, or MARKER."""
        self.perhaps: list[str] = []
        """Contents of versions that may have been made."""
        self.perhaps_gone: set[str] = set()

    @property
    def lost(self) -> bool:
        return bool(self.perhaps or self.perhaps_gone)

    def are(self, found: dict[str, str]) -> None:
        """Those are its versions. AssertionError where they cannot be."""
        missing = set(self.versions) - set(found) - self.perhaps_gone
        assert not missing, f"{self.name} has lost {missing}"
        for version, content in found.items():
            if version in self.versions:
                assert self.versions[version] == content, f"{self.name} {version} is {content}"
            else:
                assert content in self.perhaps, f"{self.name} has a version {version} that nobody has made"
                self.perhaps.remove(content)
        before = [version for version in self.versions if version in found]
        self.versions = {version: found[version] for version in [*before, *(set(found) - set(before))]}
        self.perhaps, self.perhaps_gone = [], set()


class Versions(Hand):
    """A bucket that keeps versions."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._s3 = clary.client("s3")
        self._bucket = f"versions-{number}"
        self._s3.create_bucket(Bucket=self._bucket)
        kept = {"Status": "Enabled"}
        self._s3.put_bucket_versioning(Bucket=self._bucket, VersioningConfiguration=kept)
        self._keys = [Key(f"v{each}") for each in range(3)]

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._put, self._put, self._put, self._delete, self._delete_version)

    def check(self) -> None:
        for key in self._keys:
            listed = self._listed(key)
            key.are({each["VersionId"]: self._content(each) for each in listed})
            self._are_in_order(key, listed)
            self._is_newest(key)

    def _sure(self) -> Key:
        return self.any_of([key for key in self._keys if not key.lost])

    def _put(self) -> None:
        key = self._sure()
        body = self.chance.randbytes(self.chance.choice((0, 20, 50_000)))
        content = hashlib.md5(body).hexdigest()
        try:
            made = answered(self._s3.put_object, Bucket=self._bucket, Key=key.name, Body=body)
        except Doubtful:
            key.perhaps.append(content)
            raise
        key.versions[made["VersionId"]] = content

    def _delete(self) -> None:
        key = self._sure()
        try:
            made = answered(self._s3.delete_object, Bucket=self._bucket, Key=key.name)
        except Doubtful:
            key.perhaps.append(MARKER)
            raise
        key.versions[made["VersionId"]] = MARKER

    def _delete_version(self) -> None:
        key = self._sure()
        if len(key.versions) < MOST:
            raise Idle
        version = self.chance.choice(list(key.versions))
        try:
            answered(self._s3.delete_object, Bucket=self._bucket, Key=key.name, VersionId=version)
        except Doubtful:
            key.perhaps_gone.add(version)
            raise
        del key.versions[version]

    def _listed(self, key: Key) -> list[dict[str, Any]]:
        """Versions, then markers, each the newest first."""
        listed = self._s3.list_object_versions(Bucket=self._bucket, Prefix=key.name)
        assert not listed["IsTruncated"]
        return [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]

    def _are_in_order(self, key: Key, listed: list[dict[str, Any]]) -> None:
        for kind in (True, False):
            order = [each["VersionId"] for each in listed if ("ETag" in each) is kind]
            assert order == [each for each in reversed(key.versions) if (key.versions[each] != MARKER) is kind]
        latest = [each["VersionId"] for each in listed if each["IsLatest"]]
        assert latest == list(key.versions)[-1:], (key.name, latest)

    def _content(self, entry: dict[str, Any]) -> str:
        if "ETag" not in entry:
            return MARKER
        where = {"Bucket": self._bucket, "Key": entry["Key"], "VersionId": entry["VersionId"]}
        content = hashlib.md5(self._s3.get_object(**where)["Body"].read()).hexdigest()
        assert entry["ETag"] == f'"{content}"', entry
        return content

    def _is_newest(self, key: Key) -> None:
        newest = next(reversed(key.versions.values()), MARKER)
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=key.name)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            assert newest == MARKER, key.name
        else:
            assert hashlib.md5(found).hexdigest() == newest, key.name
