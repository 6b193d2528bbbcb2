"""APIs as a site beside the AWS API: their requests are for whoever the API's owner lets in."""

from __future__ import annotations

import time

from clary.apis.answering import Apis
from clary.apis.authorizers import INVOKE
from clary.apis.aws_calls import MOST_BYTES
from clary.apis.gateway_responses import GatewayError
from clary.apis.rest import Identify
from clary.calls import Access, Call, Principal
from clary.errors import AccessDenied, AWSError
from clary.gateway import payload, sigv4
from clary.gateway.browsers import by_a_foreign_name, from_another_page
from clary.gateway.incoming import Incoming
from clary.gateway.keyring import Authorizer, Keyring, default_principal
from clary.settings import Settings
from clary.wire.http import HttpRequest, HttpResponse

_SERVICE = "execute-api"
_TYPES = {
    "ExpiredToken": "EXPIRED_TOKEN",
    "InvalidClientTokenId": "INVALID_SIGNATURE",
    "SignatureDoesNotMatch": "INVALID_SIGNATURE",
}


class ApiSite:
    """A `gateway.asgi.Site`."""

    def __init__(self, apis: Apis, keyring: Keyring, authorizer: Authorizer, settings: Settings) -> None:
        self._apis = apis
        self._keyring = keyring
        self._authorizer = authorizer
        self._settings = settings

    def takes(self, request: HttpRequest) -> bool:
        """By its path or its host."""
        return self._apis.takes(request)

    async def answer(self, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        """Raises ClientGone."""
        try:
            request.body = await incoming.read(MOST_BYTES)
        except AWSError as error:
            text = b'{"message":"Request Too Long"}' if error.status == 413 else b'{"message":"Request Timed Out"}'
            headers = {"content-type": "application/json", "x-amzn-errortype": "RequestTooLargeException"}
            return HttpResponse(error.status, headers, text)
        return await self._apis.answer(request, self._identify(request))

    def _identify(self, request: HttpRequest) -> Identify:
        def identify(arn: str) -> Principal:
            try:
                principal = self._caller(request)
                call = Call(principal, _SERVICE, "Invoke", {}, self._settings.region, source_ip=request.source_ip)
                self._authorizer.authorise(call, [Access(INVOKE, arn)])
            except AccessDenied as denied:
                raise GatewayError("ACCESS_DENIED", denied.message) from denied
            except AWSError as error:
                kind = _TYPES.get(error.code, "INVALID_SIGNATURE")
                raise GatewayError(kind, error.message, status=403) from error
            return principal

        return identify

    def _caller(self, request: HttpRequest) -> Principal:
        """Who has signed. Raises GatewayError, AWSError."""
        if self._settings.auth == "off":
            if from_another_page(request) or by_a_foreign_name(request, self._settings.host):
                raise AccessDenied("Pages of other sites are nobody to a Clary that verifies no signatures.")
            return default_principal(self._settings)
        signature = sigv4.read(request)
        if signature is None:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        if signature.service != _SERVICE:
            text = f"Credential should be scoped to correct service: '{_SERVICE}'. "
            raise AWSError("SignatureDoesNotMatch", text, status=403)
        credential = self._keyring.find(signature.access_key_id, signature.token)
        sigv4.check_time(signature, time.time(), self._settings.limits.clock_skew_seconds)
        payload.check_hash(request)
        hashed = payload.hash_for_signature(request, presigned=signature.presigned, s3=False)
        sigv4.verify(signature, request, credential.secret_key, hashed)
        return credential.principal
