"""What `clary images setup` changes on a machine, so that `ACCOUNT.dkr.ecr.REGION.amazonaws.com` is Clary's registry
for Docker, Podman, Buildah and Skopeo.

Sources: https://docs.docker.com/engine/security/certificates/, containers-certs.d(5), hosts(5), and for the port
ip_unprivileged_port_start in https://docs.kernel.org/networking/ip-sysctl.html.

Each file that is made begins with a line that says whose it is, and each line in a shared file ends with it: what is to
be taken back is found on the machine itself.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clary.identity.certificates import Certificates, certificates

ADDRESS = "127.45.99.1"
"""Of the loopback, and nobody else's: port 443 of 127.0.0.1 may be a web server's."""
PORT = 443

_MARK = "# clary images setup"
_ISSUER = "Clary's registry on this machine"
_HOSTS = Path("/etc/hosts")
_CERTIFICATES = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))
_CERTIFICATE = "clary.crt"
_LOWEST_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_KERNEL = Path("/etc/sysctl.d/60-clary.conf")
_WAS = re.compile(r"# before: (\d+)")


@dataclass(frozen=True)
class NamesSetup:
    """Of the Clary on `folder` (its `tls` folder), which belongs to the user that runs it."""

    folder: Path
    names: Sequence[str]

    def changes(self) -> list[str]:
        """What `apply` does, line by line."""
        found = [f"{self.folder}: a certificate for {', '.join(self.names)}, its key, and {ADDRESS}:{PORT}"]
        found += [f"{path}: the authority of that certificate, which is for these names only" for path in self._files()]
        found += [f"{_HOSTS}: {ADDRESS} {name}" for name in self.names]
        if self._port_is_kept_from_its_user():
            found.append(f"{_KERNEL}: every user may listen on ports from {PORT} on (now: from {_lowest_port()} on)")
        return found

    def apply(self) -> None:
        """As root. Raises OSError."""
        made = certificates(_ISSUER, self.names, self.names)
        with _as_owner_of(self.folder.parent):
            _write_own(self.folder, made)
        for path in self._files():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{_MARK}\n{made.authority.decode()}")
        _HOSTS.write_text(with_names(_HOSTS.read_text(), self.names))
        if self._port_is_kept_from_its_user():
            _KERNEL.parent.mkdir(parents=True, exist_ok=True)
            _KERNEL.write_text(f"{_MARK}\n# before: {_lowest_port()}\nnet.ipv4.ip_unprivileged_port_start = {PORT}\n")
            _LOWEST_PORT.write_text(str(PORT))

    def _files(self) -> Iterator[Path]:
        for folder in _CERTIFICATES:
            yield from (folder / name / _CERTIFICATE for name in self.names)

    def _port_is_kept_from_its_user(self) -> bool:
        return self.folder.parent.stat().st_uid != 0 and _lowest_port() > PORT


def undo(folder: Path) -> list[str]:
    """Take everything back, as root; what was done. Raises OSError."""
    done = []
    for path in _marked_certificates():
        path.unlink()
        with contextlib.suppress(OSError):  # others have files there
            os.removedirs(path.parent)
        done.append(f"{path} is gone")
    text = _HOSTS.read_text()
    if _MARK in text:
        _HOSTS.write_text(without_names(text))
        done.append(f"{_HOSTS} is as it was")
    if _KERNEL.exists() and _KERNEL.read_text().startswith(_MARK):
        before = _WAS.search(_KERNEL.read_text())
        _KERNEL.unlink()
        if before:
            _LOWEST_PORT.write_text(before[1])
        done.append(f"{_KERNEL} is gone")
    with _as_owner_of(folder.parent):
        for path in sorted(folder.glob("*")):
            path.unlink()
        if folder.exists():
            folder.rmdir()
            done.append(f"{folder} is gone")
    return done


def with_names(hosts: str, names: Sequence[str]) -> str:
    """A hosts file with lines for these names, and without any that were ours before."""
    kept = without_names(hosts)
    end = "" if not kept or kept.endswith("\n") else "\n"
    return kept + end + "".join(f"{ADDRESS} {name} {_MARK}\n" for name in names)


def without_names(hosts: str) -> str:
    """A hosts file without the lines that are ours."""
    return "".join(line for line in hosts.splitlines(keepends=True) if not line.rstrip().endswith(_MARK))


def _marked_certificates() -> list[Path]:
    paths = (path for folder in _CERTIFICATES for path in sorted(folder.glob(f"*/{_CERTIFICATE}")))
    return [path for path in paths if path.read_text().startswith(_MARK)]


def _lowest_port() -> int:
    return int(_LOWEST_PORT.read_text())


def _write_own(folder: Path, made: Certificates) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    address = f"{ADDRESS}:{PORT}\n".encode()
    for name, data in (("certificate.pem", made.certificate), ("key.pem", made.key), ("address", address)):
        fresh = folder / f"{name}.new"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(data)
        fresh.replace(folder / name)


@contextlib.contextmanager
def _as_owner_of(folder: Path) -> Iterator[None]:
    """Files below another user's folder are made, and removed, with that user's rights."""
    owner = folder.stat()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
