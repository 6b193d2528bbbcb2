"""Programs that keep logins in a keyring, or get them somewhere
(https://github.com/docker/docker-credential-helpers#development)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping

from clary.compute.login_files import Login, UnusableLogin

_SECONDS = 30.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NONE = b"credentials not found in native keychain"
_TOKEN = "<token>"  # noqa: S105  the name that says that the secret is one


def ask(name: str, registry: str, environ: Mapping[str, str], seconds: float = _SECONDS) -> Login | None:
    """What `docker-credential-NAME` says of a registry; None where it knows none. Raises UnusableLogin.

    NAME is no path: only what is in the PATH is run, within `seconds`.
    """
    if not _NAME.fullmatch(name):
        raise UnusableLogin("it names a credential helper by what is no name of one")
    program = shutil.which(f"docker-credential-{name}", path=environ.get("PATH", os.defpath))
    if program is None:
        raise UnusableLogin(f"docker-credential-{name}, which it names, is not in the PATH")
    code, said = _run(program, registry, environ, seconds)
    if code and said.strip() == _NONE:
        return None
    if code:
        raise UnusableLogin(f"docker-credential-{name}, which it names, ended with exit code {code}")
    return _parsed(name, said)


def _run(program: str, registry: str, environ: Mapping[str, str], seconds: float) -> tuple[int, bytes]:
    """Exit code and what it printed. Raises UnusableLogin; then nothing that it started is left."""
    pipe = subprocess.PIPE
    try:
        child = subprocess.Popen(
            [program, "get"],
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise UnusableLogin(f"{program}, which it names, cannot be run ({error.strerror})") from None
    with child:
        try:
            said, _ = child.communicate(registry.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            raise UnusableLogin(f"{program}, which it names, has not answered for {seconds:g} s") from None
    return child.returncode, said


def _parsed(name: str, said: bytes) -> Login | None:
    try:
        document = json.loads(said)
    except (ValueError, RecursionError):
        document = None
    found = [document.get(member) for member in ("Username", "Secret")] if isinstance(document, dict) else [None]
    if not all(isinstance(value, str) for value in found):
        raise UnusableLogin(f"docker-credential-{name}, which it names, gave an answer that cannot be understood")
    username, secret = (str(value) for value in found)
    if username == _TOKEN:
        return Login(token=secret) if secret else None
    return Login(username, secret) if username else None
