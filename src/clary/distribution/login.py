"""Who asks: `AWS` and the password of GetAuthorizationToken, as HTTP's Basic authentication (RFC 7617)."""

from __future__ import annotations

import base64
import binascii

from clary.calls import Principal
from clary.distribution.refusals import Refused, unauthorized, wrong_password
from clary.errors import AWSError
from clary.gateway.browsers import by_a_foreign_name, from_another_page
from clary.gateway.keyring import Keyring, default_principal
from clary.services.ecr.tokens import USER, BadPassword, opened
from clary.settings import Settings
from clary.wire.http import HttpRequest


class Login:
    """Finds out who asks."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self._settings = settings
        self._keyring = keyring

    def principal(self, request: HttpRequest) -> Principal:
        """Raises Refused. Where signatures are not checked, passwords are not either."""
        if self._settings.auth == "off":
            self._check_page(request)
            return default_principal(self._settings)
        word = request.query_map.get("token") or _password(request)
        if not word:
            raise unauthorized(request.headers.get("host", ""))
        try:
            return self._keyring.find(*opened(word)).principal
        except (BadPassword, AWSError):
            raise wrong_password() from None

    def _check_page(self, request: HttpRequest) -> None:
        if from_another_page(request) or by_a_foreign_name(request, self._settings.host):
            text = "Pages of other sites may not ask a Clary that verifies no signatures (--auth off)."
            raise Refused(403, "DENIED", text)


def _password(request: HttpRequest) -> str:
    """Empty where there is none. Raises Refused for another user than `AWS`."""
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        user, _, word = base64.b64decode(sent, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise wrong_password() from None
    if user != USER:
        raise wrong_password()
    return word
