"""What every process must know of buckets to decide who may reach them, published after each change of it."""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from clary.identity.resources import Document, Published, resources_path
from clary.objects.model import Bucket
from clary.objects.reader import ObjectReader
from clary.publish import Publisher
from clary.services.s3.ownership import acls_count
from clary.services.s3.public_access import effective
from clary.services.s3.public_policy import is_public
from clary.settings import Settings

POLICY = "Policy"
"""The setting that holds a bucket's policy, as it was put."""

SERVICE = "s3"


def publish(objects: ObjectReader, settings: Settings) -> None:
    """Publish buckets as they are, unless nothing has changed since the last time."""
    _publication(settings.run_dir).publish(objects, settings)


def counts(bucket: Bucket, settings: Settings) -> bool:
    """Whether anything of the bucket is published."""
    return _published(bucket) != {"account": settings.account_id}


def document(objects: ObjectReader, account: str) -> Document:
    """Buckets that have a policy, whose ACLs count, or that another account owns."""
    described = {f"arn:aws:s3:::{bucket.name}": _published(bucket) for bucket in objects.all_buckets()}
    return {"resources": {arn: said for arn, said in described.items() if said != {"account": account}}}


def _published(bucket: Bucket) -> Published:
    said: Published = {"account": bucket.account}
    if POLICY in bucket.settings:
        said["policy"] = bucket.settings[POLICY]["Document"]
        if effective(bucket)["RestrictPublicBuckets"] and is_public(json.loads(said["policy"])):
            said["closed"] = True
    if acls_count(bucket):
        said["grants"] = True
    return said


class _Publication:
    """The last document and its publisher: one of two writers at once waits, and then reads what both have written."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._publisher = Publisher(resources_path(run_dir, SERVICE))
        self._last: Document | None = None
        self._turn = threading.Lock()

    def publish(self, objects: ObjectReader, settings: Settings) -> None:
        with self._turn:
            fresh = document(objects, settings.account_id)
            if fresh != self._last:
                self._publisher.publish(cast("dict[str, Any]", fresh))
                self._last = fresh


_publication = lru_cache(maxsize=8)(_Publication)
