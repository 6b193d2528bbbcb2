"""Static websites as a site beside the AWS API: `http://BUCKET.s3-website-REGION.amazonaws.com/…`, or
`http://BUCKET.s3-website.localhost:PORT/…`. Everybody who asks is nobody
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html)."""

from __future__ import annotations

import html
import re
import secrets
from http import HTTPStatus

from clary.calls import Access, Call, Principal
from clary.errors import AccessDenied, AWSError
from clary.gateway.browsers import by_a_foreign_name, from_another_page
from clary.gateway.cors import Cors
from clary.gateway.exchange import EdgeContexts
from clary.gateway.incoming import Incoming
from clary.gateway.keyring import Authorizer
from clary.gateway.transport import transport
from clary.objects.model import Bucket
from clary.objects.reader import ObjectReader
from clary.services.s3.errors import not_configured
from clary.services.s3.objects import get_object
from clary.services.s3.website_rules import SETTING, Redirect, Site, routed, to_everything
from clary.settings import Settings
from clary.wire import models
from clary.wire.http import HttpRequest, HttpResponse
from clary.wire.protocols import PROTOCOLS
from clary.wire.rest_xml import host_id
from clary.wire.values import Params

_HOST = re.compile(r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.s3-website[.-][a-z0-9.-]+(:\d+)?", re.IGNORECASE)
_NOBODY = Principal(kind="anonymous", account="", arn="", identity="", user_id="")
_PASSED_ON = ("range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Websites:
    """A `gateway.asgi.Site`."""

    def __init__(
        self, objects: ObjectReader, authorizer: Authorizer, context: EdgeContexts, settings: Settings
    ) -> None:
        self._objects = objects
        self._authorizer = authorizer
        self._context = context
        self._settings = settings
        self._cors = Cors(objects)

    def takes(self, request: HttpRequest) -> bool:
        """By its host; preflights are answered for all buckets alike."""
        host = request.headers.get("host", "")
        return request.method != "OPTIONS" and ".s3-website" in host.lower() and _HOST.fullmatch(host) is not None

    async def answer(self, request: HttpRequest, _incoming: Incoming) -> HttpResponse:
        """A page, a redirect, or an error's page."""
        request_id = secrets.token_hex(16)
        found = _HOST.fullmatch(request.headers["host"])
        bucket = found[1].lower() if found else ""
        try:
            response = self._answered(request, bucket)
        except AWSError as error:
            response = _page(error, request_id)
        if "origin" in request.headers:
            response.headers |= self._cors.headers(bucket, request)
        response.headers |= {"x-amz-request-id": request_id, "x-amz-id-2": host_id(request_id)}
        return response

    def _answered(self, request: HttpRequest, name: str) -> HttpResponse:
        """Raises AWSError for what has no page of its own."""
        self._admit(request)
        if request.method not in ("GET", "HEAD"):
            members = {"Method": request.method, "ResourceType": "OBJECT"}
            text = "The specified method is not allowed against this resource."
            raise AWSError("MethodNotAllowed", text, status=405, members=members)
        bucket = self._objects.bucket(name)
        site: Site | None = bucket.settings.get(SETTING)
        if site is None:
            text = "The specified bucket does not have a website configuration"
            raise not_configured("NoSuchWebsiteConfiguration", text, name)
        return _Visit(self, request, bucket, site).response()

    def _admit(self, request: HttpRequest) -> None:
        """Nobody whom another site's page sends, where everybody may read everything."""
        foreign = from_another_page(request) or by_a_foreign_name(request, self._settings.host)
        if self._settings.auth == "off" and foreign:
            raise AccessDenied("Pages of other sites may not ask a Clary that verifies no signatures (--auth off).")

    def read(self, request: HttpRequest, bucket: Bucket, key: str) -> HttpResponse:
        """The object, as nobody may read it. Raises AWSError."""
        kept = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        plain = HttpRequest(request.method, "/", headers=kept)
        model = models.operation("s3", "GetObject")
        params = PROTOCOLS["rest-xml"].parse(plain, model, {"Bucket": bucket.name, "Key": key})
        call = self._allowed(request, bucket, params)
        output = get_object(self._context(call), params)
        return PROTOCOLS["rest-xml"].serialise(output, model, "")

    def has(self, request: HttpRequest, bucket: Bucket, key: str) -> bool:
        """Whether there is such an object that nobody may read: of others nothing is told."""
        try:
            self._allowed(request, bucket, {"Bucket": bucket.name, "Key": key})
        except AccessDenied:
            return False
        return self._objects.head(bucket.name, key) is not None

    def _allowed(self, request: HttpRequest, bucket: Bucket, params: Params) -> Call:
        """Nobody's GetObject. Raises AccessDenied."""
        keys = transport(request, None)
        call = Call(_NOBODY, "s3", "GetObject", params, bucket.region, source_ip=request.source_ip, transport=keys)
        self._authorizer.authorise(call, [Access("s3:GetObject", f"arn:aws:s3:::{bucket.name}/{params['Key']}")])
        return call


class _Visit:
    """One request to one website."""

    def __init__(self, websites: Websites, request: HttpRequest, bucket: Bucket, site: Site) -> None:
        self._websites = websites
        self._request = request
        self._bucket = bucket
        self._site = site
        self._scheme = "https" if request.secure else "http"
        self._path = request.path.removeprefix("/")

    def response(self) -> HttpResponse:
        """Raises AWSError where there is no page for it."""
        host = self._request.headers["host"]
        led = to_everything(self._site, self._scheme, self._path) or routed(self._site, self._scheme, host, self._path)
        if led is not None:
            return _to(led)
        try:
            return self._page()
        except AWSError as error:
            led = routed(self._site, self._scheme, host, self._path, error.status)
            return _to(led) if led is not None else self._error(error)

    def _page(self) -> HttpResponse:
        suffix = self._site["IndexDocument"]["Suffix"]
        folder = not self._path or self._path.endswith("/")
        try:
            response = self._websites.read(self._request, self._bucket, self._path + suffix if folder else self._path)
        except AWSError as error:
            inside = f"{self._path}/{suffix}"
            if error.status in (403, 404) and not folder and self._websites.has(self._request, self._bucket, inside):
                return _to(Redirect(302, f"/{self._request.raw_path.removeprefix('/')}/"))
            raise
        location = response.headers.pop("x-amz-website-redirect-location", None)
        if location and not _CONTROL.search(location):
            return _to(Redirect(301, location))
        return response

    def _error(self, error: AWSError) -> HttpResponse:
        """The site's own page for errors, with the error's status. Raises AWSError."""
        key = (self._site.get("ErrorDocument") or {}).get("Key")
        if error.status == HTTPStatus.NOT_MODIFIED:
            return HttpResponse(304, dict(error.headers))
        if not key or not 400 <= error.status < 500:
            raise error
        plain = HttpRequest(self._request.method, "/", source_ip=self._request.source_ip)
        try:
            response = self._websites.read(plain, self._bucket, key)
        except AWSError as second:
            raise _Twice(error, second, key) from second
        response.status = error.status
        return response


class _Twice(AWSError):
    """An error, and another one on the way to the site's own page for errors."""

    def __init__(self, first: AWSError, second: AWSError, key: str) -> None:
        super().__init__(first.code, first.message, status=first.status, members=first.members)
        self.second = second
        self.key = key


def _to(redirect: Redirect) -> HttpResponse:
    return HttpResponse(redirect.status, {"location": redirect.location})


def _page(error: AWSError, request_id: str) -> HttpResponse:
    """S3's own page for an error."""
    code = "AccessDenied" if error.code == "AccessDeniedException" else error.code
    title = f"{error.status} {HTTPStatus(error.status).phrase}"
    members = {"Code": code, "Message": error.message, **error.members}
    lines = _listed({**members, "RequestId": request_id, "HostId": host_id(request_id)})
    more = ""
    if isinstance(error, _Twice):
        second = {"Code": error.second.code, "Message": error.second.message, "Key": error.key}
        more = f"<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n{_listed(second)}"
    text = (
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n{lines}{more}<hr/>\n</body>\n</html>\n"
    )
    headers = {"content-type": "text/html; charset=utf-8", "x-amz-error-code": code}
    return HttpResponse(error.status, headers, text.encode("utf-8", "replace"))


def _listed(members: dict[str, str]) -> str:
    items = "".join(f"<li>{name}: {html.escape(str(value))}</li>\n" for name, value in members.items())
    return f"<ul>\n{items}</ul>\n"
