"""What an API and a function cost beside the model: `python -m benchmarks.api_gateway [--rounds N]`.

A page's request goes to a REST API, by AWS_PROXY to a Lambda function, which asks an endpoint by boto3; the answer goes
back all the way. Against invoking the endpoint directly: the same row, a signed request, both on connections that are
kept alive, in turns. The API alone (a MOCK integration) and the API that asks the endpoint without a function stand
beside.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.figures import Figure, ended, render
from tests.running import RunningClary
from tests.system.functions import Functions
from tests.system.jobs import Jobs
from tests.system.rest_apis import Builder

TARGET = 10.0
_CALLS = 100
_TRIAL_CALLS = 20
_ROW = b"[[63, 1]]"

_FUNCTION = """\
import json
import os
import boto3

runtime = boto3.client("sagemaker-runtime")

def handler(event, context):
    answer = runtime.invoke_endpoint(
        EndpointName=os.environ["ENDPOINT_NAME"], ContentType="application/json", Body=event["body"]
    )
    return {"statusCode": 200, "body": answer["Body"].read().decode()}
"""


class Client:
    """One client, with a connection that it keeps."""

    def __init__(self, clary: RunningClary) -> None:
        self._connection = HTTPConnection("127.0.0.1", clary.port, timeout=30)
        key = json.loads((clary.data_dir / "credentials.json").read_text())
        self._signer = SigV4Auth(Credentials(key["access_key_id"], key["secret_access_key"]), "sagemaker", "us-east-1")
        self._endpoint = f"{clary.endpoint_url}/endpoints/bench/invocations"
        self._number = 0

    def ask(self, path: str, headers: dict[str, str]) -> float:
        """How long one answer takes, in ms."""
        began = time.perf_counter()
        self._connection.request("POST", path, _ROW, headers)
        response = self._connection.getresponse()
        body = response.read()
        taken = (time.perf_counter() - began) * 1000
        if response.status != 200:
            raise ValueError(f"{path}: {response.status} {body!r}")
        return taken

    def direct(self) -> float:
        """The endpoint itself; signing is not counted, and no two signatures are equal."""
        self._number += 1
        headers = {"Content-Type": "application/json", "X-Number": str(self._number)}
        request = AWSRequest("POST", self._endpoint, data=_ROW, headers=headers)
        self._signer.add_auth(request)
        return self.ask(urlsplit(self._endpoint).path, dict(request.headers))

    def page(self, path: str) -> Callable[[], float]:
        """A page's request to an API."""
        return lambda: self.ask(path, {"Content-Type": "application/json"})


def set_up(clary: RunningClary) -> str:
    """An endpoint, the function that asks it, an API in front of all; the stage's path."""
    jobs, functions = Jobs(clary), Functions(clary)
    jobs.deploy("bench")
    function = functions.create(
        "bench", _FUNCTION, Timeout=30, MemorySize=256, Environment={"Variables": {"ENDPOINT_NAME": "bench"}}
    )
    functions.client.add_permission(
        FunctionName="bench", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    api = Builder(clary.client("apigateway"), "")
    api.mock("/nothing", "POST")
    by_function = api.method("/function", "POST")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function['FunctionArn']}/invocations"
    api.client.put_integration(**by_function, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    _without_a_function(api, clary.role_arn)
    return api.deploy()


def _without_a_function(api: Builder, role: str) -> None:
    place = api.method("/endpoint", "POST")
    uri = "arn:aws:apigateway:us-east-1:runtime.sagemaker:path/endpoints/bench/invocations"
    api.client.put_integration(**place, type="AWS", integrationHttpMethod="POST", uri=uri, credentials=role)
    api.client.put_method_response(**place, statusCode="200")
    api.client.put_integration_response(**place, statusCode="200")


def over(through: Callable[[], float], direct: Callable[[], float]) -> float:
    """The difference of medians of calls in turns, in ms."""
    pairs = [(through(), direct()) for _ in range(_CALLS)]
    return statistics.median(first for first, _ in pairs) - statistics.median(second for _, second in pairs)


def measure(clary: RunningClary, rounds: int) -> list[Figure]:
    """All of it, on one Clary."""
    stage, client = set_up(clary), Client(clary)
    function, endpoint, nothing = (client.page(f"{stage}/{name}") for name in ("function", "endpoint", "nothing"))
    for _ in range(_TRIAL_CALLS):
        for call in (function, endpoint, nothing, client.direct):
            call()
    alone = [statistics.median(nothing() for _ in range(_CALLS)) for _ in range(rounds)]
    return [
        Figure(
            "API → function → endpoint over the endpoint itself",
            [over(function, client.direct) for _ in range(rounds)],
            TARGET,
            "ms",
        ),
        Figure(
            "API → endpoint over the endpoint itself",
            [over(endpoint, client.direct) for _ in range(rounds)],
            TARGET,
            "ms",
        ),
        Figure("an API that answers by itself (MOCK)", alone, TARGET, "ms"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api_gateway", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement; the median counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, RunningClary(Path(folder) / "data") as clary:
        figures = measure(clary, arguments.rounds)
    for figure in figures:
        print(figure.line(), flush=True)
    print("\n" + render(figures))
    return ended(figures)


if __name__ == "__main__":
    sys.exit(main())
