"""Files of streams that were deleted. Which they are is noted in the transaction that deletes the streams' rows; they
go after it, and then the note. Where control is killed in between, they go when it starts again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from clary.names import random_hex
from clary.services.logs.rows import STREAM, stream_name
from clary.services.resources import now
from clary.store.rows import Key, Row
from clary.telemetry.insertion import end
from clary.telemetry.paths import group_folder, stream_file

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Store
    from clary.store.transaction import Transaction

REMAINS = "log-remains"
"""The kind of the notes: the group is the `parent`, its deleted streams are the spec's."""

_log = logging.getLogger(__name__)


def note(transaction: Transaction, group: Key, streams: Sequence[Row]) -> Row:
    """That files of these streams, all of the group, are to go."""
    key, made = Key(REMAINS, group.account, group.region, random_hex()), now()
    spec = {"streams": [stream_name(stream) for stream in streams]}
    return transaction.insert(Row(key, f"{REMAINS}:{key.name}", "", made, made, spec, parent=group.name))


def remove(store: Store, logs_dir: Path, noted: Row) -> None:
    """All that is noted, but for streams that are there again by now; then the note. Raises OSError."""
    account, region, group = noted.key.account, noted.key.region, noted.parent
    for name in noted.spec["streams"]:
        stream = Key(STREAM, account, region, f"{group}:{name}")
        end(stream_file(logs_dir, account, region, group, name), lambda key=stream: store.read.get(key) is not None)  # type: ignore[misc]
    with suppress(OSError):  # there is a new group of that name, or other streams, with files
        group_folder(logs_dir, account, region, group).rmdir()
    store.write(lambda transaction: transaction.delete(noted.key))


def remove_all(store: Store, logs_dir: Path) -> None:
    """What control has left that was killed; what cannot go now is tried at the next start."""
    for noted in store.read.rows(REMAINS):
        try:
            remove(store, logs_dir, noted)
        except OSError:
            _log.exception("%s: what deleted streams have said could not be removed", noted.parent)
