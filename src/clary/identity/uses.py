"""When keys and roles were last used, as one process has seen it."""

from __future__ import annotations

import time
from typing import TypedDict

from clary.calls import Call

_KEPT = 4096
"""Of keys and roles at once, until they are reported."""


class Use(TypedDict):
    """The last one of a key or a role."""

    account: str
    name: str
    """The key's id, the role's ARN."""
    at: float
    """Epoch seconds."""
    service: str
    region: str


class Uses:
    """The newest use of each."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[float, Call]] = {}

    def note(self, call: Call) -> None:
        """That this was asked."""
        who = call.principal
        name = who.identity if who.kind == "assumed-role" else who.access_key_id
        if name and (name in self._newest or len(self._newest) < _KEPT):
            self._newest[name] = time.time(), call

    def taken(self) -> list[Use]:
        """All of them, which count no more here."""
        newest, self._newest = self._newest, {}
        return [
            {"account": call.principal.account, "name": name, "at": at, "service": call.service, "region": call.region}
            for name, (at, call) in newest.items()
        ]
