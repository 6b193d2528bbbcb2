"""Function URLs as a site beside the AWS API: `http://ID.lambda-url.REGION.localhost:PORT/…`
(https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html)."""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import Any

from clary.calls import Access, Call, Principal
from clary.errors import AWSError
from clary.functions import http
from clary.functions.invoking import Functions, Invocation
from clary.functions.table import Function, Url
from clary.gateway import payload, sigv4
from clary.gateway.browsers import from_another_page
from clary.gateway.incoming import Incoming
from clary.gateway.keyring import Authorizer, Keyring
from clary.settings import Settings
from clary.wire.http import HttpRequest, HttpResponse

_HOST = re.compile(r"([0-9a-z]{1,64})\.lambda-url\.[a-z0-9-]+\.[a-z.]+(?::\d+)?", re.IGNORECASE)
_MOST_BYTES = 6_291_456
_ACTION = "lambda:InvokeFunctionUrl"


class FunctionUrls:
    """A `gateway.asgi.Site`."""

    def __init__(self, functions: Functions, keyring: Keyring, authorizer: Authorizer, settings: Settings) -> None:
        self._functions = functions
        self._keyring = keyring
        self._authorizer = authorizer
        self._settings = settings

    def takes(self, request: HttpRequest) -> bool:
        """By its host."""
        host = request.headers.get("host", "")
        return ".lambda-url." in host.lower() and _HOST.fullmatch(host) is not None

    async def answer(self, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        """Raises ClientGone."""
        host = _HOST.fullmatch(request.headers.get("host", ""))
        found = self._functions.by_url(host[1].lower()) if host else None
        if found is None:
            return _said(404, None)
        function, qualifier = found
        url = function.urls[qualifier]
        try:
            request.body = await incoming.read(_MOST_BYTES)
            response = await self._respond(request, function, qualifier, url)
        except AWSError as error:
            response = _said(error.status, error.message if error.status < 500 else "Internal Server Error")
        response.headers |= http.cors(request, url)
        return response

    async def _respond(self, request: HttpRequest, function: Function, qualifier: str, url: Url) -> HttpResponse:
        if url.cors and request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return HttpResponse(200, {}, b"")
        caller = self._admit(request, function, qualifier, url)
        request_id = str(uuid.uuid4())
        event = json.dumps(http.event(request, url, request_id, caller)).encode()
        outcome = await self._functions.invoke(Invocation(function, qualifier, event, request_id))
        if outcome.error:
            return _said(502, "Internal Server Error")
        try:
            return http.answer(outcome.payload)
        except http.Malformed:
            return _said(502, "Internal Server Error")

    def _admit(self, request: HttpRequest, function: Function, qualifier: str, url: Url) -> dict[str, Any] | None:
        """Who calls, where the URL wants to know. Raises AccessDenied's error."""
        if self._settings.auth == "off":
            if url.auth != "NONE" and "authorization" not in request.headers and from_another_page(request):
                raise _forbidden()
            return None
        if url.auth == "NONE":
            if not _is_public(function, qualifier):
                raise _forbidden()
            return None
        try:
            principal = self._caller(request)
            arn = f"{function.arn}:{qualifier}" if qualifier else function.arn
            call = Call(principal, "lambda", "InvokeFunctionUrl", {}, function.region, source_ip=request.source_ip)
            self._authorizer.authorise(call, [Access(_ACTION, arn, {"lambda:FunctionUrlAuthType": "AWS_IAM"})])
        except AWSError:
            raise _forbidden() from None
        return _iam(principal)

    def _caller(self, request: HttpRequest) -> Principal:
        signature = sigv4.read(request)
        if signature is None or signature.service != "lambda":
            raise _forbidden()
        credential = self._keyring.find(signature.access_key_id, signature.token)
        sigv4.check_time(signature, time.time(), self._settings.limits.clock_skew_seconds)
        payload.check_hash(request)
        hashed = payload.hash_for_signature(request, presigned=signature.presigned, s3=False)
        sigv4.verify(signature, request, credential.secret_key, hashed)
        return credential.principal


def _is_public(function: Function, qualifier: str) -> bool:
    """AuthType NONE lets in whom the policy lets in: everybody, by the statement that AWS's console adds."""
    for statement in function.policies.get(qualifier, ()):
        everybody = statement["Principal"] in ("*", {"AWS": "*"})
        condition = statement.get("Condition", {}).get("StringEquals", {})
        wanted = condition.get("lambda:FunctionUrlAuthType", "NONE")
        if everybody and statement["Action"] in (_ACTION, "lambda:*") and wanted == "NONE":
            return True
    return False


def _iam(principal: Principal) -> dict[str, Any]:
    return {
        "accessKey": principal.access_key_id,
        "accountId": principal.account,
        "callerId": principal.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": principal.arn,
        "userId": principal.user_id,
    }


def _forbidden() -> AWSError:
    return AWSError("AccessDeniedException", "Forbidden", status=403)


def _said(status: int, message: str | None) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps({"Message": message}).encode())
