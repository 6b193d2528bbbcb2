"""The logins that this user has at registries, as `docker`, `podman` and `skopeo` keep them.

Read when an image is pulled, and never kept: a login counts from the moment it is made.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from clary.compute import login_programs
from clary.compute.login_files import Login, LoginFile, UnusableLogin, server
from clary.compute.references import Reference

_CONTAINERS = "containers/auth.json"


@dataclass(frozen=True)
class Found:
    """What was found for one image."""

    host: str = ""
    """Its registry's."""
    login: Login | None = None
    file: str = ""
    """Where the login comes from."""
    complaints: tuple[str, ...] = ()
    """Which files could not be used, and why: nothing of what they hold."""

    @property
    def remedy(self) -> str:
        """What to do where the registry does not give the image."""
        if self.login is not None:
            said = [f"{self.host} has refused the login in {self.file}."]
        else:
            said = [f"There is no login for {self.host}.", *self.complaints]
        command = f"`docker login {self.host}` or `podman login {self.host}`"
        return " ".join([*said, f"Log in by {command} as the user who runs Clary."])


class Logins:
    """Those of the user whose environment `environ` is."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def find(self, name: str) -> Found:
        """The login for the image of that name: that of the first file that has one."""
        reference = Reference.parse(name)
        if reference is None:
            return Found()
        complaints = []
        for path in self._files():
            try:
                login = self._login(path, reference)
            except UnusableLogin as unusable:
                complaints.append(f"{path} is not used: {unusable}.")
                continue
            if login is not None:
                return Found(reference.host, login, str(path), tuple(complaints))
        return Found(reference.host, complaints=tuple(complaints))

    def _login(self, path: Path, reference: Reference) -> Login | None:
        """A program for this registry alone, the file itself, a program for all registries. Raises UnusableLogin."""
        file = LoginFile.read(path)
        if file is None:
            return None
        helper = file.helper(reference.host)
        if helper and helper[0]:
            return login_programs.ask(*helper, self._environ)
        login = file.login(reference.places)
        if login or helper or not file.store:
            return login
        return login_programs.ask(file.store, server(reference.host), self._environ)

    def _files(self) -> Iterator[Path]:
        """containers-auth.json(5); then Docker's."""
        home = _home(self._environ)
        yield _first(self._environ)
        yield Path(self._environ.get("XDG_CONFIG_HOME") or home / ".config") / _CONTAINERS
        yield Path(self._environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def _first(environ: Mapping[str, str]) -> Path:
    """Where `podman login` writes."""
    if named := environ.get("REGISTRY_AUTH_FILE"):
        return Path(named)
    runtime = environ.get("XDG_RUNTIME_DIR")
    if not runtime and os.getuid() == 0:
        return Path("/run/containers/0/auth.json")
    return Path(runtime or f"/run/user/{os.getuid()}") / _CONTAINERS


def _home(environ: Mapping[str, str]) -> Path:
    if home := environ.get("HOME"):
        return Path(home)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # a user without a name
        return Path("/")
