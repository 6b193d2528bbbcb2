"""What AWS services may do that call by their own names: invoke the functions whose policies let them in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from clary.calls import Access, Call, account_root
from clary.errors import AccessDenied
from clary.gateway.keyring import Authorizer
from clary.identity import principals

Permits = Callable[[Call, str], bool]
"""Whether the policy of the function that a call invokes lets a service do so; the call's `parent` is the source."""


def is_service(call: Call) -> bool:
    """Whether no identity of an account calls, but a service by its own name."""
    return principals.is_service(call.principal)


def acting(call: Call) -> Call:
    """The call as it is carried out: what a service was let into, it does as the account."""
    return replace(call, principal=account_root(call.principal.account)) if is_service(call) else call


class ServiceRights:
    """An `Authorizer` that knows services besides identities."""

    def __init__(self, authorizer: Authorizer, permits: Permits, *, everyone: bool) -> None:
        self._authorizer = authorizer
        self._permits = permits
        self._everyone = everyone
        """Nobody's rights are checked: `--auth off`."""

    def authorise(self, call: Call, needed: Sequence[Access]) -> None:
        """Raises AccessDenied."""
        if not is_service(call):
            self._authorizer.authorise(call, needed)
        elif (call.service, call.operation) != ("lambda", "Invoke") or not self._lets_in(call):
            name = call.principal.identity
            raise AccessDenied(f"User: {name} is not authorized to perform: {call.service}:{call.operation}")

    def _lets_in(self, call: Call) -> bool:
        return self._everyone or self._permits(call, call.principal.identity)
