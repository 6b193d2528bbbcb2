"""Which hosts the certificate of a data folder is for, and what stands beside it."""

from __future__ import annotations

import json
import os
import ssl
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clary.compute import authority, aws_names, ways_out
from clary.compute.authority import Authority
from clary.compute.launch import CERTIFICATE, KEY, NAMES, TRUST
from clary.identity.certificates import certificates
from clary.launcher.aws_front import covers

OURS = (
    "sts.amazonaws.com",
    "sts.us-east-1.amazonaws.com",
    "s3.amazonaws.com",
    "s3-eu-west-1.amazonaws.com",
    "s3.eu-central-2.amazonaws.com",
    "bucket.s3.amazonaws.com",
    "bucket.s3.us-east-1.amazonaws.com",
    "bucket.s3-us-west-2.amazonaws.com",
    "000000000000.s3-control.us-east-1.amazonaws.com",
    "stream-logs.us-east-1.amazonaws.com",
    "s3.dualstack.us-east-1.amazonaws.com",
    "bucket.s3.dualstack.us-east-1.amazonaws.com",
    "api.sagemaker.us-east-1.amazonaws.com",
    "runtime.sagemaker.ap-south-1.amazonaws.com",
    "api.ecr.us-east-1.amazonaws.com",
    "000000000000.dkr.ecr.us-east-1.amazonaws.com",
    "a1b2c3.execute-api.us-east-1.amazonaws.com",
    "abc.lambda-url.us-east-1.on.aws",
    "logs.us-east-1.api.aws",
    "s3.cn-north-1.amazonaws.com.cn",
    "bucket.s3.us-gov-west-1.amazonaws.com",
    "STS.US-EAST-1.AmazonAWS.com",
    "sts.amazonaws.com.",
)

OTHERS = (
    "amazonaws.com",
    "example.org",
    "aws.amazon.com",
    "s3.amazonaws.com.evil.example",
    "evilamazonaws.com",
    "my.bucket.s3.us-east-1.amazonaws.com",
    "on.aws",
    "docs.on.aws",
    "127.0.0.1",
    "",
)


@pytest.fixture(scope="module")
def names() -> frozenset[str]:
    return frozenset(aws_names.names())


@pytest.mark.parametrize("host", OURS)
def test_a_host_that_is_answered(names: frozenset[str], host: str) -> None:
    assert covers(names, host)


@pytest.mark.parametrize("host", OTHERS)
def test_a_host_that_is_not(names: frozenset[str], host: str) -> None:
    """A bucket with dots in its name has no valid certificate on AWS either."""
    assert not covers(names, host)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Authority(tmp_path_factory.mktemp("data") / "authority").current()


def test_it_is_made_once_and_is_its_owners(made: Path, names: frozenset[str]) -> None:
    assert Authority(made.parent).current() == made
    assert list(made.parent.iterdir()) == [made]
    assert [_mode(path) for path in (made.parent, made, made / KEY, made / CERTIFICATE)] == [
        0o700,
        0o700,
        0o600,
        0o600,
    ]
    assert frozenset((made / NAMES).read_text().split()) == names


def test_the_bundle_is_what_the_host_trusts_and_one_more(made: Path) -> None:
    bundle = authority.bundle(made)
    assert _mode(bundle) == 0o644
    trusting = ssl.create_default_context(cafile=str(bundle))
    assert len(trusting.get_ca_certs()) > 20
    assert bundle.read_bytes().count(b"PRIVATE KEY") == 0


def _handshake(made: Path, host: str) -> str | None:
    """The version that both agree on; raises where the client does not believe it."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made / CERTIFICATE, made / KEY)
    client = ssl.create_default_context(cafile=str(authority.bundle(made)))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=host)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (asking, answering):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return asking.version()


@pytest.mark.parametrize(
    "host",
    [
        *("sts.us-east-1.amazonaws.com", "bucket.s3.amazonaws.com", "x.lambda-url.eu-west-1.on.aws"),
        *("localhost", "127.0.0.1", "::1"),
    ],
)
def test_a_strict_client_believes_it(made: Path, host: str) -> None:
    assert _handshake(made, host) == "TLSv1.3"


@pytest.mark.parametrize("host", ["example.org", "127.0.0.2", "x.localhost"])
def test_it_is_for_no_other_host(made: Path, host: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(made, host)


def test_processes_that_find_none_at_once_make_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        places = list(pool.map(lambda _: Authority(tmp_path / "authority").place(), range(4)))
    assert len({*places, *(tmp_path / "authority").iterdir()}) == 1


def test_what_users_trust_is_not_taken_for_the_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Authority(tmp_path / "authority")
    path = authority.for_users(tmp_path / "authority")
    path.parent.mkdir()
    path.write_bytes(ours.trusted() + certificates("gone", ["git.example"], ["git.example"]).authority)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    assert ours.trusted() == authority.bundle(ours.current()).read_bytes() != path.read_bytes()


def test_one_that_ends_soon_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Authority(tmp_path).current()
    since = int(place.name.split("-")[1])
    monkeypatch.setattr(authority.time, "time", lambda: since + 6 * 365 * 86_400.0)
    later = Authority(tmp_path).current()
    assert later != place
    assert (place / KEY).exists()


def test_one_of_a_clock_that_was_ahead_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = Authority(tmp_path).current()
    since = int(ahead.name.split("-")[1])
    monkeypatch.setattr(authority.time, "time", lambda: since - 86_400.0)
    assert Authority(tmp_path).current() != ahead


def test_authorities_that_the_host_comes_to_trust_are_shown_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a company, that a variable names, beside the system's."""
    first, second = (certificates(name, ["git.example"], ["git.example"]).authority for name in ("one", "two"))
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(first)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "not there"))
    ours = Authority(tmp_path / "authority")
    before = authority.bundle(ours.current()).read_bytes()
    assert (before.count(first), before.count(second)) == (1, 0)
    written = trusted.stat()
    trusted.write_bytes(first + b"\n# the company's next one\n" + second + first)
    os.utime(trusted, ns=(written.st_atime_ns, written.st_mtime_ns))  # within one tick of the kernel
    after = authority.bundle(ours.current()).read_bytes()
    assert (after.count(first), after.count(second)) == (1, 1)
    assert len(after) == len(before) + len(second)


def test_containers_of_an_engine_are_told_of_tls_only() -> None:
    told = ways_out.of_engine({"PATH": "/bin"}, ["169.254.170.2", "algo-1"])
    assert told["HTTPS_PROXY"] == told["https_proxy"] == "http://127.0.0.1:3128"
    assert "HTTP_PROXY" not in told
    assert told["no_proxy"] == told["NO_PROXY"] == "localhost,127.0.0.1,::1,0.0.0.0,169.254.170.2,algo-1"
    assert told["SSL_CERT_FILE"] == told["AWS_CA_BUNDLE"] == TRUST


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("value", ["http://proxy.example:3128", ""], ids=["set", "empty"])
def test_a_proxy_of_the_images_or_the_requests_own_is_left_alone(name: str, value: str) -> None:
    assert ways_out.of_engine({name: value}, []) == {}


def test_what_image_or_request_trust_stays() -> None:
    told = ways_out.of_engine({"SSL_CERT_FILE": "/own.pem", "NO_PROXY": "db.example"}, ["algo-1"])
    assert "SSL_CERT_FILE" not in told
    assert told["REQUESTS_CA_BUNDLE"] == TRUST
    assert told["no_proxy"].split(",")[0] == "db.example"


def test_records_of_partitions_are_those_of_botocore() -> None:
    """Every name is below a domain for which the authority may sign."""
    domains = aws_names.domains()
    assert all(name.endswith(tuple(f".{domain}" for domain in domains)) for name in aws_names.names())
    assert json.dumps(aws_names.names()) == json.dumps(sorted(set(aws_names.names())))
