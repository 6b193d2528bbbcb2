"""Bodies of objects where they arrive: encrypted while they are taken in, where the request or its bucket says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from clary.calls import Call, Door
from clary.objects.envelopes import DataKey, ask_through
from clary.objects.intake import Intake
from clary.objects.reader import ObjectReader
from clary.services.s3.data_keys import for_body
from clary.wire.http import HttpRequest


class Bodies:
    """A `gateway.keyring.BodyStore`. KMS is asked through control, before anything of the body is read."""

    def __init__(self, objects: ObjectReader, intake: Intake, control: Door) -> None:
        self._objects = objects
        self._intake = intake
        self._control = control

    async def receive(self, chunks: AsyncIterator[bytes], request: HttpRequest, call: Call) -> dict[str, Any]:
        """As `Intake.receive`. Raises also what KMS does, and what says that the call asks for no encryption that there
        is."""
        return await self._intake.receive(chunks, request, await self._key(call), whole=_whole(call))

    async def keep(self, body: bytes, request: HttpRequest, call: Call) -> dict[str, Any]:
        """As `Intake.keep`. Raises as `receive` does."""
        return await self._intake.keep(body, request, await self._key(call), whole=_whole(call))

    async def _key(self, call: Call) -> DataKey | None:
        question = for_body(self._objects, call) if call.service == "s3" else None
        return await ask_through(question, self._control) if question else None


def _whole(call: Call) -> bool:
    """Whether the body is to be all of an object, and no part."""
    return call.service == "s3" and call.operation == "PutObject"
