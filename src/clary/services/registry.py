"""What Clary offers: every operation of every service, where it runs and what it does."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from clary.calls import Access, Call
from clary.errors import AWSError

Effect = Literal["executes", "keeps state", "refused"]
"""`executes`: what AWS would do happens. `keeps state`: it is remembered and given back, nothing else happens.
`refused`: an error that says why; lists of what can therefore not be there are empty."""

Place = Literal["control", "edge"]
"""`control`: the only writer, and whatever needs it. `edge`: reads and the path of a prediction, next to the socket."""

Handler = Callable[..., Any]
"""At `control`: `(context: Context, params) -> output`; at `edge`: `(context: EdgeContext, params) -> output`, may be
async."""

Named = Callable[[Call], Sequence[str]]
"""ARNs, from a call's parameters alone."""

AccessRule = Callable[[Call], Sequence[Access]]
"""The rights that a call needs, from its parameters alone."""


@dataclass(frozen=True)
class Operation:
    """One operation of one service."""

    service: str
    name: str
    handler: Handler
    effect: Effect
    place: Place
    on: Named | None = None
    """The ARNs that it acts on, where the service's access rule asks."""
    looks: bool = False
    """It only looks up single rows (its context is a `Looking`): where they say all, the edge need not ask control."""


class Service:
    """The operations of one AWS service that are offered; `model` is the name of botocore's service model.

    `module` is imported when they are first asked for, and offers them; without one they are offered by whoever has
    made the service.
    """

    def __init__(self, model: str, access: AccessRule, module: str = "") -> None:
        self.model = model
        self.access = access
        self._module = module
        self._operations: dict[str, Operation] = {}

    def operation(
        self,
        name: str,
        *,
        effect: Effect = "executes",
        place: Place = "control",
        on: Named | None = None,
        looks: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Offer operation `name`; the decorated function carries it out. The rest as `Operation` has it."""

        def offer(handler: Handler) -> Handler:
            if name in self._operations:
                raise ValueError(f"{self.model}.{name} is offered twice")
            self._operations[name] = Operation(self.model, name, handler, effect, place, on, looks)
            return handler

        return offer

    def refuse(self, refusal: AWSError, *names: str, on: Named | None = None) -> None:
        """Answer the operations of these names with the same error: what they ask for does not happen here."""

        def refused(_context: object, _params: object) -> None:
            raise AWSError(refusal.code, refusal.message, status=refusal.status)

        for name in names:
            self.operation(name, effect="refused", on=on)(refused)

    @property
    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        if module := self._module:
            importlib.import_module(module)  # another thread waits here until all are there
            self._module = ""
        return self._operations


class Registry:
    """All services together."""

    def __init__(self, services: Sequence[Service]) -> None:
        self.services: Mapping[str, Service] = {service.model: service for service in services}

    def find(self, service: str, operation: str) -> Operation | None:
        """The operation, or None where it is not offered."""
        offered = self.services.get(service)
        return offered.operations.get(operation) if offered else None
