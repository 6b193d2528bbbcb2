"""Clary's own paths beside AWS's: `/_clary/health`, `/_clary/status`, `/_clary/entrances/…`, `/_clary/reset`,
`/_clary/credentials/…`."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from clary import __version__
from clary.edge.door import ControlDoor
from clary.errors import AWSError
from clary.identity.sealing import BadToken, Sealer
from clary.settings import Settings
from clary.wire.http import HttpRequest, HttpResponse

HEALTH = "/_clary/health"
STATUS = "/_clary/status"
ENTRANCES = "/_clary/entrances"
RESET = "/_clary/reset"
CREDENTIALS = "/_clary/credentials"

CREDENTIALS_SECONDS = 6 * 3600.0
"""How long credentials last that were fetched here; SDKs fetch again a quarter of an hour before."""

Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


class Internal:
    """The handlers of these paths."""

    def __init__(self, settings: Settings, door: ControlDoor, sealer: Sealer) -> None:
        self._settings = settings
        self._door = door
        self._sealer = sealer

    def handlers(self) -> Mapping[str, Handler]:
        """By path; those below a path have it as their prefix."""
        return {
            HEALTH: self.health,
            STATUS: _outside(self.status),
            ENTRANCES: _outside(self.entrances),
            RESET: _outside(self.reset),
            CREDENTIALS: self.credentials,
        }

    async def health(self, _request: HttpRequest) -> HttpResponse:
        """200 where all operations are answered; 503, with what is, where control is away."""
        return await self._asked("health")

    async def status(self, _request: HttpRequest) -> HttpResponse:
        """Health, and what is going on."""
        return await self._asked("status")

    async def _asked(self, question: str) -> HttpResponse:
        known = {"version": __version__, "account": self._settings.account_id, "region": self._settings.region}
        try:
            said = await self._door.ask(question, {})
        except AWSError as error:
            return _json(503, {"status": "degraded", "control": error.message, **known})
        return _json(200, {"status": "ready", **known, **said})

    async def entrances(self, request: HttpRequest) -> HttpResponse:
        """Containers of the job or endpoint that the path names, `…/REGION/NAME`. Who knows them may still not enter:
        that takes the rights of the user whose Clary it is."""
        region, _, name = request.path.removeprefix(ENTRANCES).strip("/").partition("/")
        try:
            return _json(200, await self._door.ask("entrances", {"region": region, "name": name}))
        except AWSError as error:
            return _json(error.status, {"message": error.message})

    async def reset(self, request: HttpRequest) -> HttpResponse:
        """Empty everything. Refused unless Clary was started for that, and to anything but a POST."""
        if request.method != "POST":
            return _json(405, {"message": "Reset is a POST."})
        if not self._settings.allow_reset:
            return _json(403, {"message": "This Clary keeps its data: start it with `clary up --allow-reset`."})
        try:
            return _json(200, await self._door.ask("reset", {}))
        except AWSError as error:
            return _json(error.status, {"message": error.message})

    async def credentials(self, request: HttpRequest) -> HttpResponse:
        """New temporary credentials of the session that the path names and the authorization token seals. The token is
        no credential itself: the secret that goes with its access key is never told
        (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html)."""
        session_id = request.path.removeprefix(CREDENTIALS).strip("/")
        try:
            session = self._sealer.open(request.headers.get("authorization", ""), session_id)
        except BadToken:
            return _json(403, {"code": "AccessDenied", "message": "The authorization token is not valid."})
        if session.expires <= time.time():
            return _json(403, {"code": "ExpiredToken", "message": "The authorization token has expired."})
        issued = self._sealer.issue(session.principal(), CREDENTIALS_SECONDS, policies=session.policies)
        return _json(200, {"Code": "Success", **issued.container()})


def _outside(handler: Handler) -> Handler:
    """Not for what runs in containers: it knows nobody beside itself, and ends nothing."""

    async def answer(request: HttpRequest) -> HttpResponse:
        if request.inside:
            return _json(403, {"message": "Containers may not ask for this."})
        return await handler(request)

    return answer


def _json(status: int, document: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(document, default=str).encode())
