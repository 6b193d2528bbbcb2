"""Somebody without any rights, who knows the names of everything that others have made: nothing is done for him."""

from __future__ import annotations

from random import Random

from botocore.credentials import Credentials

from clary.services.catalogue import REGISTRY
from clary.wire import models, protocols
from tests.fuzz.attacker import Attacker
from tests.fuzz.guessing import Guesser, Known
from tests.fuzz.operations import SERVICES, Asked, Operations
from tests.running import RunningClary

NEEDS_NO_RIGHTS = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")})
"""By AWS's documentation."""

SERVICES_OF_ONE_ROUND = 6


class Strangers:
    """A user without policies, beside the account's own."""

    def __init__(self, clary: RunningClary, chance: Random) -> None:
        self._clary = clary
        self._chance = chance

    def round(self) -> None:
        """The owner makes things, whose names the stranger is then told; none of them is shared with anybody."""
        self._clary.reset()  # what other rounds have shared
        owner, stranger, known = Operations(self._clary, self._chance, shared=False), self._stranger(), Known()
        who = owner.ask(stranger, Asked("sts", "GetCallerIdentity", {}), "query")
        assert b"user/stranger</Arn>" in who.body, who
        for service in self._chance.sample(SERVICES, SERVICES_OF_ONE_ROUND):
            names = sorted(REGISTRY.services[service].operations)
            for name in self._chance.sample(names, len(names)):
                owner.call(service, name, known)
            for name in self._chance.sample(names, len(names)):
                self._refused(owner, stranger, service, name, known)

    def _stranger(self) -> Attacker:
        iam = self._clary.client("iam")
        iam.create_user(UserName="stranger")
        key = iam.create_access_key(UserName="stranger")["AccessKey"]
        stranger = Attacker(self._clary, self._chance)
        stranger.credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
        return stranger

    def _refused(self, owner: Operations, stranger: Attacker, service: str, name: str, known: Known) -> None:
        operation = models.operation(service, name)
        params = Guesser(self._chance, 0.0, known).value(operation.input_shape) if operation.input_shape else {}
        asked = Asked(service, name, params)
        answer = owner.ask(stranger, asked, self._chance.choice(protocols.names_of(models.load(service))))
        allowed = (service, name) in NEEDS_NO_RIGHTS or b"<Error><Key>" in answer.body  # DeleteObjects: of each key
        assert answer.status >= 300 or allowed, f"without any right: {answer} to {asked}"
        assert b"<Deleted>" not in answer.body, f"without any right: {answer} to {asked}"
        assert answer.status < 500 or answer.status == 501, f"{answer} to {asked}"
