"""The program and the commands of docs/tls.md, and who believes the certificate."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.clients.conftest import ROOT
from tests.environments import python_of
from tests.running import CLARY, RunningClary, free_port

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

PAGE = (ROOT / "docs" / "tls.md").read_text()
[PROGRAM] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
UP, ENV, *ASKING, RUN = [line[2:] for line in re.findall(r"^\$ .*", PAGE, re.MULTILINE)]
SHOWN_PORT = "4600"


@dataclass(frozen=True)
class Secured:
    """A Clary with TLS, and a shell after `clary env`."""

    clary: RunningClary
    port: int
    environment: dict[str, str]

    def said(self, *command: str | Path) -> str:
        """What a command prints there."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    port = free_port()
    up = UP.replace(SHOWN_PORT, str(port)).removeprefix("clary up --detach ").split()
    with RunningClary(tmp_path_factory.mktemp("clary"), *up) as running:
        yield Secured(running, port, running.environment)


def test_boto3_signs_and_streams_by_tls(secured: Secured) -> None:
    assert secured.said(sys.executable, "-c", PROGRAM).splitlines() == ["https", "True True"]


def test_the_command_line_and_curl_believe_the_certificate(secured: Secured) -> None:
    asked = "\n".join(ASKING).replace(SHOWN_PORT, str(secured.port)).replace("aws ", f"{python_of('cli').parent}/aws ")
    assert ENV == 'eval "$(clary env)"'
    *health, account = secured.said("sh", "-ec", asked.replace("\n", "; echo; ")).split()
    assert '"status"' in " ".join(health)
    assert account == "000000000000"


def test_who_trusts_only_the_public_web_does_not_believe_it(secured: Secured) -> None:
    with socket.create_connection(("127.0.0.1", secured.port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")


def test_the_file_of_authorities_holds_the_public_ones_too(secured: Secured) -> None:
    named = re.findall(r"^\| `([A-Z_]+)`", PAGE, re.MULTILINE)
    [path] = {secured.environment[name] for name in named}
    assert len(ssl.create_default_context(cafile=path).get_ca_certs()) > 20


def test_a_killed_edge_speaks_tls_again_with_the_same_certificate(secured: Secured) -> None:
    secured.clary.kill("edge")
    trusting = ssl.create_default_context(cafile=secured.environment["SSL_CERT_FILE"])
    with urlopen(f"https://127.0.0.1:{secured.port}/_clary/health", context=trusting, timeout=120) as answer:
        assert answer.status == 200
    assert len(list((secured.clary.data_dir / "authority").iterdir())) == 1


def test_a_program_with_awss_own_hosts_in_it_is_answered_and_ends_as_it_ends(clary: RunningClary) -> None:
    """In a shell without `clary env`, by a Clary without `--tls-port`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    asking = RUN.partition(" -- ")[2]
    command = [CLARY, "run", "--data-dir", str(clary.data_dir), "--", "sh", "-c", f"{asking} && exit 7"]
    done = subprocess.run(command, env=plain, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (7, "")
    assert '"status"' in done.stdout


def test_a_program_that_is_not_there_is_told_in_one_line(clary: RunningClary) -> None:
    command = [CLARY, "run", "--data-dir", str(clary.data_dir), "--", "/no/such/program"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (1, "clary: /no/such/program cannot be run: No such file or directory.\n")
