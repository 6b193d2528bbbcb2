"""Pages of other sites that ask for what is in buckets: what answers say to browsers, and the preflights before
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from clary.errors import AWSError
from clary.gateway.browsers import by_a_foreign_name, from_another_page
from clary.gateway.incoming import Incoming
from clary.objects.reader import ObjectReader
from clary.services.s3.cors_rules import METHODS, SETTING, Rule, allowing
from clary.settings import Settings
from clary.wire.directory import bucket_of_host
from clary.wire.http import HttpRequest, HttpResponse
from clary.wire.rest_xml import RestXml

_ASKED_METHOD = "access-control-request-method"


class Cors:
    """Reads the buckets' configurations."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def headers(self, bucket: str, request: HttpRequest) -> dict[str, str]:
        """What an answer says besides, to a request that a page has made; nothing where no rule allows it."""
        rules = self.rules(bucket) if bucket else None
        origin = request.headers["origin"]
        method = request.headers.get(_ASKED_METHOD, request.method)
        return (allowing(rules, origin, method) if rules else None) or {}

    def rules(self, bucket: str) -> Sequence[Rule] | None:
        """The bucket's; empty where it has none, None where there is no such bucket."""
        found = self._objects.get_bucket(bucket)
        if found is None:
            return None
        rules: Sequence[Rule] = found.settings.get(SETTING, {}).get("CORSRules", ())
        return rules


class Preflights:
    """A `gateway.asgi.Site` for OPTIONS, which no operation has."""

    def __init__(self, cors: Cors, settings: Settings) -> None:
        self._cors = cors
        self._settings = settings

    def takes(self, request: HttpRequest) -> bool:
        """By its method."""
        return request.method == "OPTIONS" and not request.raw_path.startswith("/_clary/")

    async def answer(self, request: HttpRequest, _incoming: Incoming) -> HttpResponse:
        """200 with what is allowed, or an error in S3's words."""
        try:
            return HttpResponse(200, self._allowed(request))
        except AWSError as error:
            return RestXml().fault(error, None, secrets.token_hex(16))

    def _allowed(self, request: HttpRequest) -> dict[str, str]:
        """Raises BadRequest, AccessForbidden."""
        host = bucket_of_host(request.headers.get("host", ""))
        first, _, rest = request.path.removeprefix("/").partition("/")
        bucket, key = (host, request.path.removeprefix("/")) if host else (first, rest)
        origin, method = request.headers.get("origin"), request.headers.get(_ASKED_METHOD)
        if not origin:
            raise AWSError("BadRequest", "Insufficient information. Origin request header needed.")
        rules = self._cors.rules(bucket)
        if not rules:
            what = "Bucket not found" if rules is None else "CORS is not enabled for this bucket."
            raise _forbidden(what, method, "BUCKET")
        if method not in METHODS:
            raise AWSError("BadRequest", f"Invalid Access-Control-Request-Method: {method or 'null'}")
        asked = request.headers.get("access-control-request-headers", "")
        headers = [each.strip() for each in asked.split(",") if each.strip()]
        allowed = None if self._refuses(request) else allowing(rules, origin, method, headers)
        if allowed is None:
            raise _forbidden(_NOT_ALLOWED, method, "OBJECT" if key else "BUCKET")
        return allowed

    def _refuses(self, request: HttpRequest) -> bool:
        """Where no signature would tell who asks, no page of another site may."""
        foreign = from_another_page(request) or by_a_foreign_name(request, self._settings.host)
        return self._settings.auth == "off" and foreign


_NOT_ALLOWED = (
    "This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
    "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)


def _forbidden(what: str, method: str | None, kind: str) -> AWSError:
    members = {"Method": method or "OPTIONS", "ResourceType": kind}
    return AWSError("AccessForbidden", f"CORSResponse: {what}", status=403, members=members)
