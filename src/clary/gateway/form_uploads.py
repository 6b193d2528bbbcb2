"""Uploads by a browser's form: `POST /BUCKET`, as somebody who may put objects has signed it
(https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html)."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote, urlencode, urlsplit

from clary.calls import Call, Door, Principal
from clary.errors import AccessDenied, AWSError
from clary.gateway import refusals
from clary.gateway.browsers import by_a_foreign_name, from_another_page
from clary.gateway.cors import Cors
from clary.gateway.form_signature import signer
from clary.gateway.incoming import ClientGone, Incoming
from clary.gateway.keyring import Authorizer, BodyStore, Keyring, default_principal
from clary.gateway.streamed import chunks
from clary.gateway.transport import transport
from clary.objects.intake import MAX_BODY_BYTES
from clary.services.s3.access import access
from clary.services.s3.errors import invalid_argument, malformed_xml
from clary.services.s3.post_policy import SizeRange, check, check_size
from clary.services.s3.tag_rules import from_set
from clary.settings import Settings
from clary.wire import models, xml_values
from clary.wire.directory import bucket_of_host
from clary.wire.forms import FieldsTooLarge, Form, MalformedForm, boundary_of, read_form
from clary.wire.http import HttpRequest, HttpResponse
from clary.wire.protocols import PROTOCOLS
from clary.wire.rest_xml import RestXml, host_id
from clary.wire.values import Mismatch, Params

_MOST_BEFORE = 20 * 1024
"""Bytes of fields before the file."""

_OF_BODIES = ("x-amz-checksum-", "x-amz-server-side-encryption-customer-")
_NOT_HEADERS = frozenset({"content-length", "content-md5", "host", "x-amz-tagging", "x-amz-acl", "expect"})
"""Names that mean nothing in a form."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_WITH_LINES = frozenset({"key", "policy", "tagging"})
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_log = logging.getLogger(__name__)


class FormUploads:
    """A `gateway.asgi.Site`."""

    def __init__(
        self,
        keyring: Keyring,
        authorizer: Authorizer,
        control: Door,
        bodies: BodyStore,
        cors: Cors,
        settings: Settings,
    ) -> None:
        self._keyring = keyring
        self._authorizer = authorizer
        self._control = control
        self._bodies = bodies
        self._cors = cors
        self._settings = settings

    def takes(self, request: HttpRequest) -> bool:
        """A form, sent to a bucket."""
        kind = request.headers.get("content-type", "")
        form = request.method == "POST" and kind.lower().startswith("multipart/form-data") and not request.raw_query
        return form and bool(_bucket(request)) and "authorization" not in request.headers

    async def answer(self, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        """What the form wants to be told, or an error in S3's words. Raises ClientGone."""
        request_id = secrets.token_hex(16)
        try:
            response = await self._upload(request, incoming)
        except AWSError as error:
            response = _fault(error, request_id)
        except ClientGone:
            raise
        except Exception as error:  # the traceback is for the log, never for the client
            _log.exception("the upload to %s failed", request.raw_path)
            response = _fault(refusals.failure(error), request_id)
        if "origin" in request.headers:
            response.headers |= self._cors.headers(_bucket(request), request)
        response.headers |= {"x-amz-request-id": request_id, "x-amz-id-2": host_id(request_id)}
        return response

    async def _upload(self, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        """Raises AWSError."""
        self._admit(request)
        form = await _form(request, incoming)
        fields = _fields(form)
        principal = self._principal(fields)
        allowed = _allowed(fields, _bucket(request))
        call = self._call(request, fields, principal)
        self._authorizer.authorise(call, access(call))
        call.params["Body"] = await self._take_in(request, form, allowed, call)
        output = await self._control(call)
        return _done(self._settings.endpoint_url, call.params, fields, output["ETag"])

    def _admit(self, request: HttpRequest) -> None:
        """Nobody whom a web page sends, where no signature would tell."""
        foreign = from_another_page(request) or by_a_foreign_name(request, self._settings.host)
        if self._settings.auth == "off" and foreign:
            raise AccessDenied("Pages of other sites may not ask a Clary that verifies no signatures (--auth off).")

    def _principal(self, fields: dict[str, str]) -> Principal:
        """Who has signed the policy; nobody where there is none. Raises AWSError."""
        if self._settings.auth == "off":
            return default_principal(self._settings)
        return signer(self._keyring, fields)

    def _call(self, request: HttpRequest, fields: dict[str, str], principal: Principal) -> Call:
        """PutObject with what the form says, but for the body."""
        labels = {"Bucket": _bucket(request), "Key": fields["key"]}
        model = models.operation("s3", "PutObject")
        params = RestXml().parse(HttpRequest("PUT", "/", headers=_headers(fields)), model, labels)
        keys = {**transport(request, None), "s3:authType": "POST"}
        region = self._settings.region
        return Call(principal, "s3", "PutObject", params, region, source_ip=request.source_ip, transport=keys)

    async def _take_in(self, request: HttpRequest, form: Form, allowed: SizeRange, call: Call) -> Params:
        """The file, kept. Raises EntityTooLarge, EntityTooSmall, BadDigest, MalformedPOSTRequest."""
        announced = request.headers.get("content-length", "")
        size = int(announced) - form.read - form.closing if announced.isdecimal() and len(announced) < 19 else -1
        if size > 0:
            check_size(size, allowed)
        about = {name: text for name, text in _headers(form.fields).items() if name.startswith(_OF_BODIES)}
        plain = HttpRequest("PUT", request.raw_path, headers=about)
        return await self._bodies.receive(_measured(form.file, allowed), plain, call)


def _bucket(request: HttpRequest) -> str:
    """The bucket that the host or the path names; empty where neither does."""
    path = request.path.strip("/")
    host = bucket_of_host(request.headers.get("host", ""))
    if host:
        return "" if path else host
    return "" if "/" in path or path.startswith("_clary") else path


async def _form(request: HttpRequest, incoming: Incoming) -> Form:
    try:
        boundary = boundary_of(request.headers.get("content-type", ""))
        return await read_form(chunks(incoming), boundary, _MOST_BEFORE)
    except MalformedForm:
        raise _malformed() from None
    except FieldsTooLarge:
        text = "Your POST request fields preceding the upload file were too large."
        members = {"MaxPostPreDataLengthBytes": str(_MOST_BEFORE)}
        raise AWSError("MaxPostPreDataLengthExceeded", text, members=members) from None


def _fields(form: Form) -> dict[str, str]:
    """By name in lower case, the file's name put into the key: a policy is about what comes of that. Raises
    InvalidArgument."""
    fields = {name.lower(): value for name, value in form.fields.items()}
    if "key" not in fields:
        text = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the "
        raise invalid_argument(f"{text}fields.", "key", "")
    if not form.has_file:
        raise invalid_argument("POST requires exactly one file upload per request.", "file", "0")
    if not fields["key"]:
        raise invalid_argument("User key must have a length greater than 0.", "key", "")
    if form.filename:
        fields["key"] = fields["key"].replace("${filename}", _last(form.filename))
    return fields


def _allowed(fields: dict[str, str], bucket: str) -> SizeRange:
    """How large the file may be. Raises InvalidPolicyDocument, AccessDenied."""
    policy = fields.get("policy")
    allowed = check(policy, fields, bucket, time.time()) if policy is not None else None
    return allowed or SizeRange(0, MAX_BODY_BYTES)


async def _measured(file: AsyncIterator[bytes], allowed: SizeRange) -> AsyncIterator[bytes]:
    """The file's bytes; an exception out of them means that nothing is kept."""
    size = 0
    try:
        async for piece in file:
            size += len(piece)
            if size > allowed.most:
                check_size(size, allowed)
            yield piece
    except MalformedForm:
        raise _malformed() from None
    check_size(size, allowed)


def _malformed() -> AWSError:
    text = "The body of your POST request is not well-formed multipart/form-data."
    return AWSError("MalformedPOSTRequest", text)


def _last(filename: str) -> str:
    """Some browsers send the whole path."""
    return filename.replace("\\", "/").rpartition("/")[2]


def _headers(fields: dict[str, str]) -> dict[str, str]:
    """The fields as a PUT's headers. Raises MalformedXML for tags that are no document."""
    headers = {name.lower(): value for name, value in fields.items() if name.lower() not in _NOT_HEADERS}
    for name, value in headers.items():
        if name not in _WITH_LINES and (_CONTROL.search(value) or not _NAME.fullmatch(name)):
            raise invalid_argument("A field of the form is no header.", name, "")
    if "acl" in headers:
        headers["x-amz-acl"] = headers["acl"]
    if "tagging" in headers:
        shape = models.load("s3").shape_for("Tagging")
        try:
            tags = xml_values.read(shape, xml_values.parse(headers["tagging"].encode()))
        except Mismatch:
            raise malformed_xml() from None
        headers["x-amz-tagging"] = urlencode(from_set(tags))
    return headers


def _done(endpoint: str, params: Params, fields: dict[str, str], etag: str) -> HttpResponse:
    bucket, key = params["Bucket"], params["Key"]
    redirect = fields.get("success_action_redirect") or fields.get("redirect") or ""
    if _is_address(redirect):
        told = urlencode({"bucket": bucket, "key": key, "etag": etag}, errors="surrogatepass")
        return HttpResponse(303, {"location": f"{redirect}{'&' if '?' in redirect else '?'}{told}", "etag": etag})
    location = f"{endpoint}/{bucket}/{quote(key, safe='', errors='surrogatepass')}"
    response = HttpResponse(204, {"location": location, "etag": etag})
    status = fields.get("success_action_status")
    if status == "200":
        return replace(response, status=200)
    if status == "201":
        shown = {"Location": location, "Bucket": bucket, "Key": key, "ETag": etag}
        return replace(response, status=201, body=_document(shown),
                       headers={**response.headers, "content-type": "application/xml"})  # fmt: skip
    return response


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and text.isprintable() and text.isascii()


def _document(members: dict[str, str]) -> bytes:
    inner = "".join(xml_values.text_element(name, value) for name, value in members.items())
    return xml_values.document(xml_values.element("PostResponse", inner))


def _fault(error: AWSError, request_id: str) -> HttpResponse:
    worded = refusals.worded(error, "rest-xml", "s3")
    return PROTOCOLS["rest-xml"].fault(worded, models.load("s3"), request_id)
