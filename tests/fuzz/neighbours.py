"""Another account that may do everything in its own: whatever names of this account's it is told, it learns nothing of
what this one has, and changes nothing of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from random import Random
from typing import Any

from botocore.credentials import Credentials

from clary.calls import account_root
from clary.identity.sealing import Sealer
from clary.services.catalogue import REGISTRY
from clary.wire import models, protocols
from tests.fuzz.attacker import Attacker
from tests.fuzz.guessing import Guesser, Known
from tests.fuzz.operations import SERVICES, Asked, Operations
from tests.running import RunningClary

OURS, THEIRS = "000000000000", "222222222222"
SERVICES_OF_ONE_ROUND = 6
SESSION_SECONDS = 3600

MOVES = ("train", "transform", "process", "tuning", "endpoint", "hook", "notebook", "compilation", "monitoring")
"""Kinds of rows that change by themselves, as the logs of their containers do: not held against the neighbour."""

MARK = "for-our-eyes-only"
CONFIDED = ("Description", "description", "Value", "SecretString", "message", "MessageBody", "Message", "Comment")
"""Members in which the owner says it."""


class Neighbours:
    """The root of a second account, which has policies of nobody of this one."""

    def __init__(self, clary: RunningClary, chance: Random) -> None:
        self._clary = clary
        self._chance = chance

    def round(self) -> None:
        """The owner makes things, whose names the neighbour is then told; none of them is shared with anybody."""
        self._clary.reset()
        owner, neighbour, known = Operations(self._clary, self._chance, shared=False), self._neighbour(), Known()
        for service in self._chance.sample(SERVICES, SERVICES_OF_ONE_ROUND):
            names = sorted(REGISTRY.services[service].operations)
            for member in CONFIDED:
                known.learn(f"{MARK} {member}", member)
            for name in self._chance.sample(names, len(names)):
                owner.call(service, name, known)
            before, told = self._ours(), known.without(MARK)
            for name in self._chance.sample(names, len(names)):
                self._asks(owner, neighbour, Asked(service, name, self._params(service, name, told)))
            assert self._ours() == before, f"the neighbour has changed {self._ours() ^ before}"

    def _neighbour(self) -> Attacker:
        issued = Sealer.of(self._clary.data_dir).issue(account_root(THEIRS), SESSION_SECONDS).sts()
        neighbour = Attacker(self._clary, self._chance)
        keys = issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"]
        neighbour.credentials = Credentials(*keys)
        return neighbour

    def _params(self, service: str, name: str, known: Known) -> Any:
        shape = models.operation(service, name).input_shape
        return Guesser(self._chance, 0.0, known, shared=False).value(shape) if shape else {}

    def _asks(self, owner: Operations, neighbour: Attacker, asked: Asked) -> None:
        protocol = self._chance.choice(protocols.names_of(models.load(asked.service)))
        answer = owner.ask(neighbour, asked, protocol)
        assert answer.status < 500 or answer.status == 501, f"{answer} to {asked}"
        assert MARK.encode() not in answer.body, f"told what another account has said: {answer} to {asked}"

    def _ours(self) -> frozenset[tuple[str, ...]]:
        """All that this account has, and that does not change by itself."""
        return frozenset(self._rows())

    def _rows(self) -> Iterator[tuple[str, ...]]:
        folder = self._clary.data_dir
        queries = {
            "clary.db": "SELECT kind, region, name, spec FROM resource WHERE account = :ours UNION ALL"
            " SELECT 'tag', arn, key, value FROM tag WHERE arn LIKE '%:' || :ours || ':%'",
            "objects/objects.db": "SELECT 'bucket', '', name, settings FROM bucket WHERE account = :ours UNION ALL"
            " SELECT 'object', bucket, key, object.attributes || etag FROM object"
            " JOIN bucket ON bucket.name = object.bucket WHERE account = :ours",
        }
        for name, query in queries.items():
            connection = sqlite3.connect(f"{(folder / name).as_uri()}?mode=ro", uri=True)
            try:
                rows = connection.execute(query, {"ours": OURS}).fetchall()
            finally:
                connection.close()
            yield from (tuple(map(str, row)) for row in rows if not _moves(str(row[0]), str(row[2])))


def _moves(kind: str, name: str) -> bool:
    return kind.startswith(MOVES) or name.startswith("/aws/")
