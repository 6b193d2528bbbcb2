"""What `clary images setup` writes, without writing it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from clary.clients.names_setup import with_names, without_names
from clary.identity.certificates import certificates

NAMES = ["000000000000.dkr.ecr.us-east-1.amazonaws.com", "000000000000.dkr.ecr.eu-west-1.amazonaws.com"]
OTHERS = "127.0.0.1 localhost\n::1 localhost # of somebody else"


def test_lines_in_hosts_come_and_go() -> None:
    ours = with_names(OTHERS, NAMES)
    assert f"127.45.99.1 {NAMES[0]} # clary images setup\n" in ours
    assert with_names(ours, NAMES) == ours
    assert without_names(ours) == OTHERS + "\n"
    assert NAMES[1] not in with_names(ours, NAMES[:1])


def _handshake(folder: Path, name: str, made_for: list[str]) -> str:
    """The name that a client has verified."""
    made = certificates("an authority", made_for, made_for)
    for file, data in (("certificate", made.certificate), ("key", made.key), ("authority", made.authority)):
        (folder / file).write_bytes(data)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "certificate", folder / "key")
    client = ssl.create_default_context(cafile=str(folder / "authority"))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=name)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (asking, answering):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return str(asking.getpeercert()["subjectAltName"][0][1])  # type: ignore[index]


@pytest.mark.parametrize("name", NAMES, ids=["first", "second"])
def test_clients_that_trust_the_authority_trust_every_name(tmp_path: Path, name: str) -> None:
    assert _handshake(tmp_path, name, NAMES) == NAMES[0]


def test_another_name_is_not_trusted(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(tmp_path, "s3.us-east-1.amazonaws.com", NAMES)
