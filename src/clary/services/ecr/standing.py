"""How the images of a repository stand to one another: who bears which tags, who is listed by whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from clary.services.ecr.names import IMAGE, TAG, digest_of, image_key, manifest_key, tag_key, tag_of
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction
    from clary.store.view import Reader


@dataclass(frozen=True)
class Standing:
    """Read once for all that is asked within a transaction; what is removed through it, it knows."""

    images: Sequence[Row]
    tags: dict[str, list[str]]
    """By digest."""
    listed_by: dict[str, list[str]]
    """The digests of indexes, by what they list."""

    @classmethod
    def of(cls, view: Reader | Transaction, repository: Key) -> Standing:
        """All of a repository."""
        images = view.children(IMAGE, repository)
        tags: dict[str, list[str]] = defaultdict(list)
        for row in view.children(TAG, repository):
            tags[row.spec["digest"]].append(tag_of(row.key))
        listed_by: dict[str, list[str]] = defaultdict(list)
        for row in images:
            for child in row.spec["manifests"]:
                listed_by[child].append(digest_of(row.key))
        return cls(images, tags, listed_by)

    def orphans(self, before: datetime) -> list[str]:
        """Artifacts (signatures, bills of materials) that were pushed before that, and whose subject is not there
        (https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html)."""
        there = {digest_of(row.key) for row in self.images}
        alone = (row for row in self.images if row.spec["subject"] and row.spec["subject"] not in there)
        return [digest_of(row.key) for row in alone if row.created < before]

    def remove_tag(self, transaction: Transaction, repository: Key, digest: str, tag: str) -> None:
        """Delete one tag of an image."""
        transaction.delete(tag_key(repository, tag))
        self.tags[digest].remove(tag)

    def remove_image(self, transaction: Transaction, repository: Key, digest: str) -> list[str]:
        """Delete an image; its tags, which go with it."""
        tags = self.tags.pop(digest, [])
        for key in (
            image_key(repository, digest),
            manifest_key(repository, digest),
            *(tag_key(repository, tag) for tag in tags),
        ):
            transaction.delete(key)
        for lists in self.listed_by.values():
            if digest in lists:
                lists.remove(digest)
        return tags
