"""What happens to buckets in time: lifecycle rules are carried out.

Whatever a rule lets go, it does at a midnight UTC. So each bucket is looked through once a day, and whenever its rules
have changed or control has started; a look may break off anywhere, and the next one sees the same.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.objects.errors import NoSuchUpload
from clary.objects.model import Bucket, ObjectInfo, Upload
from clary.objects.store import Deletion
from clary.services.s3.lifecycle import LIFECYCLE, Due, Rule, abortion, due, rules_of

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.objects import ObjectStore

_ROUND_SECONDS = 60.0
_AT_ONCE = 200
"""Versions that go in one commit: other writes wait for it."""

_log = logging.getLogger(__name__)


class Changed(AWSError):
    """Between the look and the deletion it became another object."""

    def __init__(self) -> None:
        super().__init__("OperationAborted", "The object has changed.", status=409)


class Lifecycles:
    """Carries out the rules of all buckets, in a thread of its own. `clock` gives the time, UTC."""

    def __init__(self, objects: ObjectStore, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._objects, self._clock = objects, clock
        self._done: dict[str, tuple[object, date]] = {}
        """By bucket: the rules and the day that it was last looked through for."""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="s3-lifecycles", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._closing.wait(_ROUND_SECONDS):
            try:
                self.round()
            except Exception:  # the last line of defence: the next round may do better
                _log.exception("the round over the buckets' lifecycles broke off")

    def round(self) -> None:
        """Do all that is due and was not looked for yet."""
        now = self._clock()
        for bucket in self._objects.all_buckets():
            wanted = (bucket.settings.get(LIFECYCLE), now.date())
            if wanted[0] is not None and self._done.get(bucket.name) != wanted:
                self._carry_out(bucket, now)
                if not self._closing.is_set():
                    self._done[bucket.name] = wanted

    def _carry_out(self, bucket: Bucket, now: datetime) -> None:
        """Until nothing more is due: when the last version has gone, the delete marker before it may go, too."""
        rules = rules_of(bucket)
        objects, uploads = 0, self._drop_uploads(bucket, rules, now)
        while gone := self._let_go(bucket, rules, now):
            objects += gone
        if objects or uploads:
            _log.info("lifecycle rules of %s: %d objects and versions, %d uploads went", bucket.name, objects, uploads)

    def _let_go(self, bucket: Bucket, rules: Sequence[Rule], now: datetime) -> int:
        """One look through the bucket; how many went."""
        going = due(rules, self._objects.versions(bucket.name, _prefix(rules)), now) if rules else iter(())
        gone = 0
        while (batch := list(islice(going, _AT_ONCE))) and not self._closing.is_set():
            outcomes = self._objects.delete_many(bucket.name, [_deletion(one) for one in batch])
            gone += sum(not isinstance(outcome, AWSError) for outcome in outcomes)
        return gone

    def _drop_uploads(self, bucket: Bucket, rules: Sequence[Rule], now: datetime) -> int:
        dropped = 0
        for upload in list(self._uploads_due(bucket, rules, now)):
            try:
                self._objects.uploads.abort(bucket.name, upload.key, upload.id)
                dropped += 1
            except NoSuchUpload:  # completed, or aborted by its owner
                continue
        return dropped

    def _uploads_due(self, bucket: Bucket, rules: Sequence[Rule], now: datetime) -> Iterator[Upload]:
        for upload in self._objects.uploads.list(bucket.name, _prefix(rules)) if rules else ():
            found = abortion(rules, upload)
            if found is not None and found[0] <= now:
                yield upload


def _prefix(rules: Sequence[Rule]) -> str:
    """What all keys begin with that a rule may be about."""
    first, last = (pick(rule.filter.prefix for rule in rules) for pick in (min, max))
    same = (one == other for one, other in zip(first, last, strict=False))
    return first[: len(list(takewhile(bool, same)))]


def _deletion(one: Due) -> Deletion:
    """What is current goes only as it was seen: somebody may have written or tagged it meanwhile."""
    seen = one.version
    if one.for_good:
        return Deletion(seen.key, seen.version)

    def unchanged(info: ObjectInfo | None) -> None:
        if info != seen:
            raise Changed

    return Deletion(seen.key, guard=unchanged)
