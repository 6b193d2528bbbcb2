"""The files in which `docker login` and `podman login` keep what they were told (containers-auth.json(5),
https://docs.docker.com/reference/cli/docker/login/).

Nothing of what such a file holds is in a message.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clary.compute.references import DOCKER_HUB, canonical

HUB_SERVER = "https://index.docker.io/v1/"
"""What Docker calls Docker Hub, in its file and to programs."""

_MOST_BYTES = 4 * 2**20
_API = re.compile(r"(v[12]/)?")


class UnusableLogin(Exception):
    """A file or program that has no login to give, and why; the message reads after its name."""


@dataclass(frozen=True)
class Login:
    """Who somebody is to a registry: name and password, or a token that stands for both."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def header(self, host: str) -> str:
        """`X-Registry-Auth` (https://docs.docker.com/reference/api/engine/, Authentication)."""
        told = {"identitytoken": self.token} if self.token else {"username": self.username, "password": self.password}
        document = {**told, "serveraddress": server(host)}
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()

    def removed_from(self, text: str) -> str:
        """A registry may answer with what it was sent."""
        basic = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        for secret in (basic, self.password, self.token):
            text = text.replace(secret, "***") if secret else text
        return text


def server(host: str) -> str:
    """A registry as Docker calls it."""
    return HUB_SERVER if host == DOCKER_HUB else host


@dataclass(frozen=True)
class LoginFile:
    """One of them. All methods raise UnusableLogin."""

    entries: Mapping[str, Any] = field(repr=False)
    helpers: Mapping[str, Any]
    store: str

    @classmethod
    def read(cls, path: Path) -> LoginFile | None:
        """None where there is no such file."""
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise UnusableLogin("it is no file")
            with path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UnusableLogin(f"it cannot be read ({error.strerror})") from None
        return cls.parse(data)

    @classmethod
    def parse(cls, data: bytes) -> LoginFile:
        """Its contents, taken apart."""
        try:
            document = json.loads(data) if len(data) <= _MOST_BYTES else None
        except (ValueError, RecursionError):
            raise UnusableLogin("it is not JSON") from None
        if not isinstance(document, dict):
            raise UnusableLogin("it has not the form of such a file")
        entries, helpers, store = (document.get(name) for name in ("auths", "credHelpers", "credsStore"))
        if not (
            isinstance(entries, dict | None) and isinstance(helpers, dict | None) and isinstance(store, str | None)
        ):
            raise UnusableLogin("it has not the form of such a file")
        return cls(entries or {}, helpers or {}, store or "")

    def helper(self, host: str) -> tuple[str, str] | None:
        """The program that knows the logins of that registry alone (empty: the file knows them, and no program does),
        and what it calls the registry."""
        for key in (host, server(host)):
            if key in self.helpers:
                name = self.helpers[key]
                if not isinstance(name, str):
                    raise UnusableLogin("`credHelpers` does not name a program")
                return name, key
        return None

    def login(self, places: Sequence[str]) -> Login | None:
        """The login for the first of these places that has one."""
        known = self._by_place()
        for place in places:
            found = _login(known[place], place) if place in known else None
            if found is not None:
                return found
        return None

    def _by_place(self) -> dict[str, Any]:
        """A key that is a place's very name wins over others that mean it."""
        order = sorted(self.entries.items(), key=lambda entry: _place(entry[0]) == entry[0])
        return {_place(key): entry for key, entry in order}


def _place(key: str) -> str:
    """`HOST` or `HOST/NAMESPACE`, from a key as it is written today, or as the address of a registry's API: then its
    path is none of a namespace."""
    scheme, address, rest = key.rpartition("://")
    host, slash, path = rest.partition("/")
    if address and scheme not in ("http", "https"):
        return key
    return canonical(host) if address or _API.fullmatch(path) else f"{canonical(host)}{slash}{path}"


def _login(entry: object, place: str) -> Login | None:
    """None where it says nothing, as where a program keeps the rest."""
    unusable = UnusableLogin(f"its login for {place} cannot be understood")
    entry = {} if entry is None else entry
    if not isinstance(entry, dict):
        raise unusable
    told = {name: entry.get(name) or "" for name in ("auth", "username", "password", "identitytoken")}
    if not all(isinstance(value, str) for value in told.values()):
        raise unusable
    if told["identitytoken"]:
        return Login(token=told["identitytoken"])
    if told["auth"]:
        told["username"], told["password"] = _decoded(told["auth"], unusable)
    return Login(told["username"], told["password"]) if told["username"] else None


def _decoded(auth: str, unusable: UnusableLogin) -> tuple[str, str]:
    try:
        text = base64.b64decode(auth, validate=True).decode()
    except (binascii.Error, ValueError):
        raise unusable from None
    username, colon, password = text.partition(":")
    if not username or not colon:
        raise unusable
    return username, password.strip("\0")
