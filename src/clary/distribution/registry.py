"""The registry: a site of the gateway's. From a request to who asks, what for, and the answer."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from clary.distribution import blobs, manifests
from clary.distribution.asking import Asker, ControlDoor
from clary.distribution.login import Login
from clary.distribution.refusals import VERSION, Refused, no_space, no_such_path, response, unsupported, worded
from clary.distribution.routes import Place, is_for_registry, place_of, registry_of_host
from clary.distribution.uploads import Pushing
from clary.errors import AWSError
from clary.full_disk import NO_SPACE
from clary.gateway.incoming import Incoming
from clary.gateway.keyring import Authorizer
from clary.gateway.streamed import chunks
from clary.objects import ObjectReader
from clary.settings import Settings
from clary.wire.http import HttpRequest, HttpResponse


@dataclass(frozen=True)
class Registry:
    """All repositories of all regions, by the host's name or, at any other name, of the settings' region."""

    settings: Settings
    login: Login
    authorizer: Authorizer
    door: ControlDoor
    objects: ObjectReader
    pushing: Pushing

    def takes(self, request: HttpRequest) -> bool:
        """Whether the request is for a registry."""
        return is_for_registry(request)

    async def answer(self, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        """Raises ClientGone."""
        try:
            return await self._answer(self._asker(request), request, incoming)
        except AWSError as error:
            return response(worded(error))
        except Refused as refused:
            return response(refused)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            return await _full(incoming)

    def _asker(self, request: HttpRequest) -> Asker:
        principal = self.login.principal(request)
        of_host = registry_of_host(request.headers.get("host", ""))
        account, region = of_host or (self.settings.account_id, self.settings.region)
        return Asker(principal, account, region, request.source_ip, self.authorizer, self.door)

    async def _answer(self, asker: Asker, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        place = place_of(request.path)
        if place is None:
            raise no_such_path()
        if place.kind == "uploads":
            return await self.pushing.begin(asker, place, request, incoming)
        if place.kind == "upload":
            return await self.pushing.go_on(asker, place, request, incoming)
        if place.kind == "blob":
            return await blobs.answer(asker, self.objects, place, request)
        if place.kind == "manifest":
            return await manifests.answer(asker, place, request, incoming)
        if request.method not in ("GET", "HEAD"):
            raise unsupported(request.method)
        return await _listed(asker, place, request)


async def _full(incoming: Incoming) -> HttpResponse:
    """Clients that still send do not hear an answer: what they send is read to its end first."""
    with contextlib.suppress(AWSError):
        async for _ in chunks(incoming):
            continue
    return response(no_space())


async def _listed(asker: Asker, place: Place, request: HttpRequest) -> HttpResponse:
    if place.kind == "tags":
        return await manifests.tags(asker, place, request)
    if place.kind == "catalog":
        return await manifests.catalog(asker, request)
    if place.kind == "referrers":
        return await manifests.referrers(asker, place, request)
    return HttpResponse(200, {"content-type": "application/json", **VERSION}, b"{}")
