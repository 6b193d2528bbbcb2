"""Policies of resources, published by whoever keeps them: after that every process decides by them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from clary.identity.resources import Document, Published, resources_path
from clary.publish import Publisher
from clary.settings import Settings

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.view import Reader

POLICY = "Policy"
"""The attribute."""

Gather = Callable[[], Mapping[str, Published]]
"""Reads what there is to be published, by ARN."""


def publish(settings: Settings, service: str, gather: Gather) -> None:
    """Publish a service's resources as they are, unless nothing has changed since the last time. `service` is one of
    `identity.resources.SERVICES`."""
    _publication(settings.run_dir, service).publish(gather)


def policies(reader: Reader, kind: str) -> dict[str, Published]:
    """Of rows that have one among their attributes, as queues and topics do."""
    rows = ((row, row.spec["Attributes"].get(POLICY)) for row in reader.rows(kind))
    return {row.arn: {"account": row.key.account, "policy": policy} for row, policy in rows if policy}


class _Publication:
    """The last document and its publisher: one of two writers at once waits, and then reads what both have written."""

    def __init__(self, run_dir: Path, service: str) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._publisher = Publisher(resources_path(run_dir, service))
        self._last: Document | None = None
        self._turn = threading.Lock()

    def publish(self, gather: Gather) -> None:
        with self._turn:
            fresh: Document = {"resources": dict(gather())}
            if fresh != self._last:
                self._last = None  # what cannot be published now is not what was published last
                self._publisher.publish(cast("dict[str, object]", fresh))
                self._last = fresh


_publication = lru_cache(maxsize=64)(_Publication)
