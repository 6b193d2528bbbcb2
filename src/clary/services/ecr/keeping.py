"""What happens to repositories in time: lifecycle policies are applied, layers that no image needs go, uploads that
were given up are dropped, and what broke off in between is swept up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from clary.services.ecr.layer_store import LayerStore
from clary.services.ecr.lifecycle import expired, read
from clary.services.ecr.lifecycle_policies import POLICY, candidates
from clary.services.ecr.names import (
    BUCKET,
    IMAGE,
    LAYER,
    REPOSITORY,
    UPLOAD,
    digest_of,
    layer_object,
)
from clary.services.ecr.standing import Standing
from clary.services.resources import now
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.objects import ObjectStore
    from clary.store import Store
    from clary.store.transaction import Transaction


@dataclass(frozen=True)
class Patience:
    """How long what nobody needs is kept, and how often that is looked at."""

    layers: timedelta = timedelta(hours=1)
    """A push sends layers first, or asks whether they are there, and the manifest that needs them last."""

    artifacts: timedelta = timedelta(hours=1)
    """A signature may be pushed before the image that it is of."""

    uploads: timedelta = timedelta(hours=24)
    """An upload that was broken off may be taken up again so long."""

    strays: timedelta = timedelta(hours=1)
    """An object whose row has not been written by then never gets one."""

    round_seconds: float = 30.0
    """Between one look and the next, where nobody wakes it."""

    sweep: timedelta = timedelta(minutes=10)
    """Between one look at all layers and uploads and the next: it reads every image."""


_log = logging.getLogger(__name__)


class Keeper:
    """Looks after all repositories, in a thread of its own. A round may break off anywhere: the next one reads anew."""

    def __init__(self, store: Store, objects: ObjectStore, patience: Patience | None = None) -> None:
        self._store = store
        self._objects = objects
        self._layers = LayerStore(objects)
        self._patience = patience or Patience()
        self._woken = threading.Event()
        self._closing = False
        self._swept: datetime | None = None
        self._thread = threading.Thread(target=self._work, name="ecr-keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """A policy has changed: do not wait for the next round."""
        self._woken.set()

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._closing = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._closing:
            self._woken.wait(self._patience.round_seconds)
            self._woken.clear()
            if not self._closing:
                self._guarded()

    def _guarded(self) -> None:
        try:
            self.round(now())
        except Exception:  # the last line of defence: the next round may do better
            _log.exception("the round over the repositories broke off")

    def round(self, moment: datetime) -> None:
        """Do all that is due at `moment`."""
        if self._objects.get_bucket(BUCKET) is None:
            return
        for repository in self._store.read.rows(REPOSITORY):
            if POLICY in repository.state:
                self._apply(repository, moment)
        if self._swept is None or moment - self._swept >= self._patience.sweep:
            self._clean(moment)
            self._swept = moment

    def _clean(self, moment: datetime) -> None:
        for repository in self._store.read.rows(REPOSITORY):
            self._let_layers_go(repository.key, moment)
        self._drop_uploads(moment)
        self._sweep(moment)

    def _apply(self, repository: Row, moment: datetime) -> None:
        if not (_is_due(repository, moment) or self._would_go(repository, moment)):
            return
        gone = _AT_ONCE
        while gone == _AT_ONCE and not self._closing:
            gone = self._store.write(lambda transaction: self._expire(transaction, repository.key, moment))
            _log.info("the lifecycle policy of %s let %d images go", repository.key.name, gone)

    def _would_go(self, repository: Row, moment: datetime) -> bool:
        rules, standing = read(repository.state[POLICY]["text"]), Standing.of(self._store.read, repository.key)
        return bool(expired(rules, candidates(standing), moment) or standing.orphans(moment - self._patience.artifacts))

    def _expire(self, transaction: Transaction, repository: Key, moment: datetime) -> int:
        """One transaction reads the images and removes the oldest that go: a push comes before it or after. Artifacts
        follow the image that they say something about. How many."""
        row = transaction.get(repository)
        if row is None or POLICY not in row.state:
            return 0
        standing = Standing.of(transaction, repository)
        going = [image.digest for image, _ in expired(read(row.state[POLICY]["text"]), candidates(standing), moment)]
        going = list(dict.fromkeys([*going, *standing.orphans(moment - self._patience.artifacts)]))[:_AT_ONCE]
        for digest in going:
            standing.remove_image(transaction, repository, digest)
        policy = {**row.state[POLICY], "evaluated": moment.timestamp()}
        transaction.save(replace(row, state={**row.state, POLICY: policy}))
        return len(going)

    def _let_layers_go(self, repository: Key, moment: datetime) -> None:
        due = moment - self._patience.layers

        def change(transaction: Transaction) -> list[Row]:
            needed = _needed(transaction.children(IMAGE, repository))
            layers = transaction.children(LAYER, repository)
            going = [row for row in layers if row.modified < due and digest_of(row.key) not in needed]
            for row in going:
                transaction.delete(row.key)
            return going

        layers = self._store.read.children(LAYER, repository)
        needed = _needed(self._store.read.children(IMAGE, repository))
        if any(row.modified < due and digest_of(row.key) not in needed for row in layers):
            for row in self._store.write(change):
                self._layers.remove(repository, digest_of(row.key), row.spec["file"])

    def _drop_uploads(self, moment: datetime) -> None:
        due = moment - self._patience.uploads
        for row in self._store.read.rows(UPLOAD):
            if row.modified < due and self._store.write(_deletion(row)):
                self._layers.remove_parts(row.key.name)

    def _sweep(self, moment: datetime) -> None:
        """Objects that no row names: control died between the one and the other."""
        due = moment - self._patience.strays
        old = [info.key for info in self._layers.all() if info.modified < due]
        named = self._named() if old else set()
        strays = [key for key in old if key not in named]
        if strays:
            self._layers.remove_objects(strays)

    def _named(self) -> set[str]:
        layers = self._store.read.rows(LAYER)
        parts = [part for row in self._store.read.rows(UPLOAD) for part in row.spec["parts"]]
        return {_object_of(row) for row in layers} | set(parts)


_EVALUATED_SECONDS = 86_400.0

_AT_ONCE = 200
"""Images that go in one transaction: other writes wait for it."""


def _is_due(repository: Row, moment: datetime) -> bool:
    """Whether a day has passed: that a policy was looked at is worth writing down so often."""
    last: float = repository.state[POLICY].get("evaluated", 0.0)
    return moment.timestamp() - last > _EVALUATED_SECONDS


def _needed(images: Iterable[Row]) -> set[str]:
    return {layer for image in images for layer in image.spec["layers"]}


def _object_of(row: Row) -> str:
    repository = Key(REPOSITORY, row.key.account, row.key.region, row.parent)
    return layer_object(repository, digest_of(row.key))


def _deletion(row: Row) -> Callable[[Transaction], bool]:
    return lambda transaction: transaction.delete(row.key)
