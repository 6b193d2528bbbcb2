"""Further processes for predictions, of a started Clary under load: they come when the edge is busy, answer as it does,
and are missed by nobody when they die."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.running import RunningClary, wait_until
from tests.system.endpoints import deploy, model, variant
from tests.system.jobs import JOB_SECONDS, Jobs

pytestmark = [pytest.mark.system]

CLIENTS = 6
HEALTH = b"GET /_clary/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with RunningClary(tmp_path_factory.mktemp("clary"), "--lanes", "1") as running:
        yield Jobs(running)


class Client:
    """One kept-alive connection; a signature is good for many requests."""

    def __init__(self, jobs: Jobs, endpoint: str) -> None:
        self._clary = jobs.clary
        path = f"/endpoints/{endpoint}/invocations"
        asked = AWSRequest("POST", f"{self._clary.endpoint_url}{path}", data=b"x")
        SigV4Auth(Credentials(*self._clary.key), "sagemaker", "us-east-1").add_auth(asked)
        headers = {"Host": f"127.0.0.1:{self._clary.port}", "Content-Length": "1", **asked.headers}
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self._request = "\r\n".join(lines).encode() + b"\r\n\r\nx"
        self.connect()

    def connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._clary.port), JOB_SECONDS)
        self._answers = self._socket.makefile("rb")

    def send(self, request: bytes = b"") -> None:
        self._socket.sendall(request or self._request)

    def answer(self) -> tuple[int, bytes]:
        status, length = int(self._answers.readline().split()[1]), 0
        while line := self._answers.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return status, self._answers.read(length)

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


def lane(jobs: Jobs) -> int:
    """Its process; 0 where there is none."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            said = (folder / "cmdline").read_bytes()
            if b"clary.app.lane" in said and str(jobs.clary.data_dir).encode() in said:
                return int(folder.name)
    return 0


def connections(process: int) -> int:
    """TCP connections of a process that are open."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = {f"socket:[{row[9]}]" for row in rows if row[3] == "01"}
    return sum(opened(each) in established for each in Path(f"/proc/{process}/fd").iterdir())


def opened(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # it is closed meanwhile
        return ""


def round_of(clients: list[Client], endpoint: str) -> None:
    """Everybody asks at once, and everybody is answered."""
    for client in clients:
        client.send()
    for client in clients:
        assert client.answer() == (200, f'"{endpoint}"'.encode())


def helped(jobs: Jobs, clients: list[Client], endpoint: str, but: int = 0) -> int:
    """Ask until a lane other than `but` has its part of the clients; the process."""

    def shared() -> Any:
        for _ in range(50):
            round_of(clients, endpoint)
        found = lane(jobs)
        return found if found not in (0, but) and connections(found) >= len(clients) // 2 - 1 else None

    found: int = wait_until(shared, JOB_SECONDS, "a lane has its part of the connections")
    return found


def test_lanes_come_under_load_and_die_unnoticed_but_for_what_they_had_in_hand(jobs: Jobs) -> None:
    endpoint = deploy(jobs, "laned", variant("v", model(jobs, "laned")))
    clients = [Client(jobs, endpoint) for _ in range(CLIENTS)]
    first = helped(jobs, clients, endpoint)

    for client in clients:  # not for a lane: those connections go back to the edge
        client.send(HEALTH)
        assert client.answer()[0] == 200
    wait_until(lambda: connections(first) == 0, JOB_SECONDS, "all have gone back")
    round_of(clients, endpoint)

    for client in clients:
        client.close()
        client.connect()
    assert helped(jobs, clients, endpoint) == first
    os.kill(first, signal.SIGKILL)
    lost = 0
    for client in clients:
        try:
            client.send()
            client.answer()
        except (OSError, IndexError):
            lost += 1
            client.close()
            client.connect()
    assert 0 < lost <= CLIENTS // 2 + 1
    helped(jobs, clients, endpoint, but=first)

    os.kill(jobs.clary.process("edge"), signal.SIGKILL)
    wait_until(lambda: not lane(jobs), JOB_SECONDS, "an edge that dies leaves no lane")
    for client in clients:
        client.close()
        client.connect()
    round_of(clients, endpoint)
    for client in clients:
        client.close()


def test_what_lanes_have_answered_is_counted(jobs: Jobs) -> None:
    endpoint = deploy(jobs, "counted", variant("v", model(jobs, "counted")))
    clients = [Client(jobs, endpoint) for _ in range(CLIENTS)]
    helped(jobs, clients, endpoint)
    before = counted(jobs, endpoint)
    for _ in range(20):
        round_of(clients, endpoint)
    wait_until(lambda: counted(jobs, endpoint) >= before + 20 * CLIENTS, JOB_SECONDS, "all are counted")
    jobs.sagemaker.delete_endpoint(EndpointName=endpoint)
    wait_until(lambda: refused(clients), JOB_SECONDS, "lanes know that the endpoint is gone")
    for client in clients:
        client.close()


def refused(clients: list[Client]) -> bool:
    for client in clients:
        client.send()
    return {client.answer()[0] for client in clients} == {400}


def counted(jobs: Jobs, endpoint: str) -> float:
    found = jobs.clary.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": "all",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/SageMaker",
                        "MetricName": "Invocations",
                        "Dimensions": [
                            {"Name": "EndpointName", "Value": endpoint},
                            {"Name": "VariantName", "Value": "v"},
                        ],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
        ],
        StartTime="2020-01-01T00:00:00Z",
        EndTime="2100-01-01T00:00:00Z",
    )
    return float(sum(found["MetricDataResults"][0]["Values"]))
