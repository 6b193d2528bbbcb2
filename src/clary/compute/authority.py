"""The authority that containers trust for AWS's names, and what stands beside it in a folder of its own:

    authority/DIGEST-SINCE-UNTIL/
        certificate.pem  for all of AWS's names (`aws_names`), and its key
        key.pem          both read by the processes beside containers only
        names            which names those are
        authority.pem    who signed it; that key was never written
        bundle.pem       what containers are shown: the authorities that this host trusts, and this one

A container is answered by the certificate that it was started with: a new one takes nothing from those that run.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path

import botocore

from clary.compute import aws_names, pem
from clary.compute.launch import BUNDLE, CERTIFICATE, KEY, NAMES
from clary.compute.ways_out import SYSTEM_TRUST, TRUST_VARIABLES
from clary.identity.certificates import VALID, certificates

_ISSUER = "Clary, for AWS's names on this machine"
_LEFT = timedelta(days=5 * 365).total_seconds()
"""How long a certificate lasts at least when a container is started with it: endpoints live long."""

_AUTHORITY = "authority.pem"


class Authority:
    """Of the Clary whose data lie beside `folder`. Made when it is first asked for; threads may ask at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: tuple[object, ...] = ()

    def current(self) -> Path:
        """The folder of the certificate for containers that start now, its bundle up to date. Raises OSError."""
        with self._lock:
            place = _standing(self._folder, time.time()) or _make(self._folder, time.time())
            self._refresh(place)
            return place

    def _refresh(self, place: Path) -> None:
        """What the host trusts changes: a running container keeps what it was shown, the next one gets the new."""
        trusted = _trusted_here()
        seen = (place, *((path, path.stat().st_mtime_ns) for path in trusted))
        if seen == self._seen:
            return
        wanted = pem.joined(*(path.read_bytes() for path in trusted), (place / _AUTHORITY).read_bytes())
        path = bundle(place)
        if not path.exists() or path.read_bytes() != wanted:
            fresh = path.with_suffix(".new")
            _write(fresh, wanted, 0o644)
            fresh.rename(path)
        self._seen = seen


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
    return hashlib.sha256("\n".join(aws_names.names()).encode()).hexdigest()[:16]


def _make(folder: Path, now: float) -> Path:
    """Whole, or not there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = certificates(_ISSUER, aws_names.names(), aws_names.domains())
    place = folder / f"{_digest()}-{int(now)}-{int(now + VALID.total_seconds())}"
    fresh = folder / f"new-{secrets.token_hex(8)}"
    fresh.mkdir(mode=0o700)
    try:
        _write(fresh / KEY, made.key, 0o600)
        _write(fresh / CERTIFICATE, made.certificate, 0o600)
        _write(fresh / _AUTHORITY, made.authority, 0o600)
        _write(fresh / NAMES, _lines(aws_names.names()), 0o600)
        fresh.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return place


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode()


def _write(path: Path, data: bytes, mode: int) -> None:
    """With that mode from the first byte on, and safe from a power failure."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), mode)


def _trusted_here() -> list[Path]:
    """The files of authorities that programs of this host use: the system's, and those that variables
    name, as companies set them; botocore's own where there is neither."""
    named = [os.environ.get(name, "") for name in TRUST_VARIABLES]
    system = [path for path in SYSTEM_TRUST if os.access(path, os.R_OK)][:1]
    found = [Path(path) for path in (*system, *named) if path and os.access(path, os.R_OK) and Path(path).is_file()]
    return list(dict.fromkeys(found)) or [Path(botocore.__file__).parent / "cacert.pem"]
