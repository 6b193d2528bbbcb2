"""The API by TLS, as programs after `clary env` reach it."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environments import python_of
from tests.running import RunningClary

pytestmark = [pytest.mark.system]

PROGRAM = """
import hashlib, os, boto3
assert os.environ["AWS_ENDPOINT_URL"].startswith("https://127.0.0.1:")
print(boto3.client("sts").get_caller_identity()["Account"])
s3 = boto3.client("s3")
s3.create_bucket(Bucket="by-tls")
body = os.urandom(3 * 2**20)
s3.put_object(Bucket="by-tls", Key="k", Body=body)  # in chunks with a trailer: botocore's way where there is TLS
answer = s3.get_object(Bucket="by-tls", Key="k", ChecksumMode="ENABLED")
assert answer["Body"].read() == body
print(sorted(name for name in answer if name.startswith("Checksum")))
named = boto3.client("ec2", endpoint_url="https://ec2.us-east-1.amazonaws.com")
print(len(named.describe_vpcs()["Vpcs"]))
"""


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    with RunningClary(tmp_path_factory.mktemp("clary"), "--tls-port", "0") as running:
        yield running


def said(clary: RunningClary, *command: str | Path) -> str:
    done = subprocess.run(command, env=clary.environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_boto3_signs_and_streams_by_tls(secured: RunningClary) -> None:
    lines = said(secured, sys.executable, "-c", PROGRAM).splitlines()
    assert lines == ["000000000000", "['ChecksumCRC32', 'ChecksumType']", "1"]


def test_the_command_line_and_curl_believe_the_certificate(secured: RunningClary) -> None:
    aws = python_of("cli").parent / "aws"
    account = said(secured, aws, "sts", "get-caller-identity", "--query", "Account", "--output", "text")
    assert account.strip() == "000000000000"
    url = secured.variables["AWS_ENDPOINT_URL"]
    by_name = url.replace("127.0.0.1", "localhost")
    for each in (url, by_name):
        assert said(secured, shutil.which("curl") or "curl", "-sS", f"{each}/_clary/health")


def test_who_trusts_only_the_public_web_does_not_believe_it(secured: RunningClary) -> None:
    port = int(secured.variables["AWS_ENDPOINT_URL"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")


def test_the_file_of_authorities_holds_the_public_ones_too(secured: RunningClary) -> None:
    variables = secured.variables
    files = {
        variables[name] for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
    }
    assert len(files) == 1
    held = ssl.create_default_context(cafile=files.pop()).get_ca_certs()
    assert len(held) > 20


def test_a_killed_edge_speaks_tls_again_with_the_same_certificate(secured: RunningClary) -> None:
    before = secured.variables
    secured.kill("edge")
    assert said(secured, sys.executable, "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])")
    assert secured.variables["AWS_ENDPOINT_URL"] == before["AWS_ENDPOINT_URL"]
    assert len(list((secured.data_dir / "authority").iterdir())) == 1


def test_without_the_option_nothing_is_said_of_authorities(shared: RunningClary) -> None:
    variables = shared.variables
    assert variables["AWS_ENDPOINT_URL"] == shared.endpoint_url
    assert "SSL_CERT_FILE" not in variables
