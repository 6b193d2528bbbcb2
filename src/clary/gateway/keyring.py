"""What the gateway needs to know about identities and bodies, without knowing who keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from clary.calls import Access, Call, Principal
from clary.identity import defaults
from clary.settings import Settings
from clary.wire.http import HttpRequest


@dataclass(frozen=True)
class Credential:
    """The secret that signs, and who it speaks for."""

    secret_key: str
    principal: Principal


class Keyring(Protocol):
    """Keys by their id. Asked on every request: answers from memory."""

    def find(self, access_key_id: str, session_token: str | None) -> Credential:
        """Raises AWSError: InvalidClientTokenId (unknown key or token), ExpiredToken."""
        ...


class Authorizer(Protocol):
    """Decides by the principal's policies. Asked on every request: decides without a database."""

    def authorise(self, call: Call, needed: Sequence[Access]) -> None:
        """Raises AccessDenied, in AWS's words, where one of the needed rights is not allowed."""
        ...


class BodyStore(Protocol):
    """Takes in a streamed request body; what it returns stands in the parameters as that member."""

    async def receive(self, chunks: AsyncIterator[bytes], request: HttpRequest, call: Call) -> dict[str, Any]:
        """Read `chunks` to the end: the body of `call`, which is allowed. An exception that comes out of `chunks`
        (broken signature, wrong length, silence) means that nothing was received: whatever was kept goes, and the
        exception travels on.

        `request.trailers` (`x-amz-checksum-crc32`, …) are known once `chunks` has ended.
        """
        ...


def default_principal(settings: Settings) -> Principal:
    """The identity of every request where signatures are not checked: the default role, assumed."""
    account, role = settings.account_id, defaults.role_arn(settings.account_id)
    return Principal(
        kind="assumed-role",
        account=account,
        arn=defaults.session_arn(account, role, defaults.SESSION_NAME),
        identity=role,
        user_id=f"{defaults.ROLE_ID}:{defaults.SESSION_NAME}",
    )
