"""`/_clary/hooks/NAME`: where git forges tell of pushes. A site beside the AWS API: whoever has a hook's secret is let
in, by whatever name Clary was reached; nobody else costs more than a hash over the body."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

from clary.edge.door import ControlDoor
from clary.errors import AWSError
from clary.gateway.incoming import Incoming
from clary.hooks import deliveries
from clary.hooks.deliveries import Delivery, Refused
from clary.hooks.published import FILE, for_secret
from clary.identity.sealed_text import TextSealer
from clary.identity.sealing import BadToken
from clary.publish import Subscriber
from clary.settings import Settings
from clary.wire.http import HttpRequest, HttpResponse

PREFIX = "/_clary/hooks/"

MOST_BYTES = 8 * 2**20
"""A push of two thousand commits has some two megabytes; GitHub itself sends no more than 25."""

_LINES = 20
_WINDOW_SECONDS = 60.0
"""Refusals leave so many lines in that time: who has no secret must not fill the disk."""

_log = logging.getLogger(__name__)


class HookSite:
    """A `gateway.asgi.Site`."""

    def __init__(self, settings: Settings, door: ControlDoor) -> None:
        run_dir: Path = settings.run_dir
        run_dir.mkdir(parents=True, exist_ok=True)
        self._hooks = Subscriber(run_dir / FILE)
        self._sealer = TextSealer.of(settings.data_dir)
        self._door = door
        self._refusals = Refusals()

    def takes(self, request: HttpRequest) -> bool:
        """By its path."""
        return request.raw_path.startswith(PREFIX)

    async def answer(self, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        """202 with the run's number; 200 where nothing is to be done. Raises ClientGone."""
        name = request.path.removeprefix(PREFIX)
        try:
            return await self._answer(name, request, incoming)
        except Refused as refused:
            self._refusals.say(name, request.source_ip, refused.message)
            return _json(refused.status, {"message": refused.message})
        except AWSError as error:
            self._refusals.say(name, request.source_ip, error.message)
            return _json(error.status, {"message": error.message})

    async def _answer(self, name: str, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        hook: dict[str, Any] | None = self._hooks.current().get(name)
        if hook is None:
            raise Refused(404, "There is no such hook.")
        if request.method != "POST":
            raise Refused(405, "A delivery is a POST.")
        body = await incoming.read(MOST_BYTES)
        delivery = deliveries.read(request.headers, body, self._secret(name, hook))
        idle = _nothing_to_do(delivery, hook["branch"])
        if idle:
            return _json(200, {"message": idle})
        params = {"id": delivery.id, "digest": delivery.digest, "commit": delivery.commit, "by": delivery.by}
        return _json(202, await self._door.ask("hook-deliver", {"name": name, **params}))

    def _secret(self, name: str, hook: dict[str, Any]) -> str:
        try:
            return self._sealer.open(hook["secret"], for_secret(name))
        except BadToken as error:
            raise Refused(503, "The hook's secret was sealed by another key: remove the hook, and add it again.") from (
                error
            )


def _nothing_to_do(delivery: Delivery, branch: str) -> str:
    """Why; empty where there is something."""
    if delivery.event == deliveries.PING:
        return f"Well met: pushes to {branch} are built."
    if delivery.event != deliveries.PUSH:
        return f"Only pushes are built, not {delivery.event or 'this'}."
    if delivery.branch != branch:
        return f"Only pushes to {branch} are built."
    return "" if delivery.commit else f"{branch} was deleted: there is nothing to build."


class Refusals:
    """Lines about what was not taken, so many a minute."""

    def __init__(self) -> None:
        self._began = 0.0
        self._lines = 0

    def say(self, hook: str, who: str, why: str) -> None:
        """A line, unless there were too many."""
        now = time.monotonic()
        if now - self._began > _WINDOW_SECONDS:
            if self._lines > _LINES:
                _log.warning("%d more deliveries were refused", self._lines - _LINES)
            self._began, self._lines = now, 0
        self._lines += 1
        if self._lines <= _LINES:
            _log.warning("a delivery to hook %.60r from %s was refused: %s", hook, who, why)


def _json(status: int, document: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(document).encode())
