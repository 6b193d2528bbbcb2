"""The authority that containers and users' programs trust for AWS's names and this machine's own, and what stands
beside it in a folder of its own:

    authority/DIGEST-SINCE-UNTIL/
        certificate.pem  for all of AWS's names (`aws_names`), localhost and the loopback addresses
        key.pem          its key; both are read by the edge and the processes beside containers only
        names            which of AWS's names those are
        authority.pem    who signed it; that key was never written
        bundle.pem       what containers are shown: the authorities that this host trusts, and this one

A container is answered by the certificate that it was started with: a new one takes nothing from those that run.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import botocore

from clary.compute import aws_names, pem
from clary.compute.launch import BUNDLE, CERTIFICATE, KEY, NAMES
from clary.compute.ways_out import SYSTEM_TRUST, TRUST_VARIABLES
from clary.durable import sync_folder
from clary.later import later

if TYPE_CHECKING:
    from clary.identity import certificates
else:
    certificates = later("clary.identity.certificates")  # there is one already, but for a data folder's first time

_ISSUER = "Clary, for AWS's names on this machine"
_LEFT = timedelta(days=5 * 365).total_seconds()
"""How long a certificate lasts at least when a container is started with it: endpoints live long."""

_AUTHORITY = "authority.pem"
_LOCAL = "localhost"
_LOOPBACK = ("127.0.0.1", "::1")


class Authority:
    """Of the Clary whose data lie beside `folder`. Made when it is first asked for; threads may ask at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: tuple[object, ...] = ()

    def current(self) -> Path:
        """The folder of the certificate for containers that start now, its bundle up to date. Raises OSError."""
        with self._lock:
            place = self.place()
            self._refresh(place)
            return place

    def place(self) -> Path:
        """The same, its bundle as it is: that is for containers, and what they trust is what control's host does.
        Processes may ask at once. Raises OSError."""
        with _alone(self._folder):
            return _standing(self._folder, time.time()) or _make(self._folder, time.time())

    def trusted(self) -> bytes:
        """What this process's host trusts and this authority: for the user's programs. Raises OSError."""
        place = self.place()
        return pem.joined(*(path.read_bytes() for path in self._trusted_here()), (place / _AUTHORITY).read_bytes())

    def _refresh(self, place: Path) -> None:
        """What the host trusts changes: a running container keeps what it was shown, the next one gets the new."""
        trusted = self._trusted_here()
        seen = (place, *map(_as_it_is, trusted))
        if seen == self._seen:
            return
        wanted = pem.joined(*(path.read_bytes() for path in trusted), (place / _AUTHORITY).read_bytes())
        path = bundle(place)
        if not path.exists() or path.read_bytes() != wanted:
            fresh = path.with_suffix(".new")
            _write(fresh, wanted, 0o644)
            fresh.rename(path)
        self._seen = seen

    def _trusted_here(self) -> list[Path]:
        """The files of authorities that programs of this host use: the system's, and those that variables
        name, as companies set them; botocore's own where there is neither. What `clary env` has named is no other's."""
        named = [os.environ.get(name, "") for name in TRUST_VARIABLES]
        system = [path for path in SYSTEM_TRUST if os.access(path, os.R_OK)][:1]
        found = [Path(path) for path in (*system, *named) if path and os.access(path, os.R_OK)]
        others = [path for path in found if path.is_file() and path != for_users(self._folder)]
        return list(dict.fromkeys(others)) or [Path(botocore.__file__).parent / "cacert.pem"]


def _as_it_is(path: Path) -> tuple[object, ...]:
    """What tells a file's content from another: within one tick of the kernel all writes have one time."""
    has = path.stat()
    return path, has.st_ino, has.st_size, has.st_mtime_ns


def for_users(folder: Path) -> Path:
    """Where `clary env` has the user's programs find what `trusted` gives; `folder` is the authority's."""
    return folder.parent / "client" / "authorities.pem"


def bundle(place: Path) -> Path:
    """What containers are shown."""
    return place / BUNDLE


def _standing(folder: Path, now: float) -> Path | None:
    """The one that lasts longest, if it is for today's names and has begun by this clock."""
    lasting = []
    for place in folder.glob(f"{_digest()}-*-*"):
        since, until = map(int, place.name.split("-")[1:])
        if since <= now and until - now > _LEFT:
            lasting.append((until, place))
    return max(lasting)[1] if lasting else None


@cache
def _digest() -> str:
    return hashlib.sha256("\n".join((*aws_names.names(), _LOCAL, *_LOOPBACK)).encode()).hexdigest()[:16]


def _make(folder: Path, now: float) -> Path:
    """Whole, or not there."""
    made = certificates.certificates(_ISSUER, [*aws_names.names(), _LOCAL], [*aws_names.domains(), _LOCAL], _LOOPBACK)
    place = folder / f"{_digest()}-{int(now)}-{int(now + certificates.VALID.total_seconds())}"
    fresh = folder / f"new-{secrets.token_hex(8)}"
    fresh.mkdir(mode=0o700)
    try:
        _write(fresh / KEY, made.key, 0o600)
        _write(fresh / CERTIFICATE, made.certificate, 0o600)
        _write(fresh / _AUTHORITY, made.authority, 0o600)
        _write(fresh / NAMES, _lines(aws_names.names()), 0o600)
        sync_folder(fresh)
        fresh.rename(place)
        sync_folder(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return place


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two processes that find nothing do not make two."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode()


def _write(path: Path, data: bytes, mode: int) -> None:
    """With that mode from the first byte on, and safe from a power failure."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), mode)
