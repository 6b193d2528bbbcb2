"""What further containers in line cost: `python -m benchmarks.several_containers`.

Endpoints of one and of three containers that answer at once, asked one request after another over one connection, in
turns with a container's own socket. Each further container should cost its own answer and little more.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.figures import Figure, ended
from clary.compute.dial import SandboxDial
from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

TARGET_MS = 0.2
_REQUESTS = 300
_ROUNDS = 5
_SEVERAL = 3
_ROW = b"5.1,3.5,1.4,0.2"

ANSWERS = """\
def model_fn(model_dir):
    return None

def input_fn(data, content_type):
    return data

def predict_fn(data, model):
    return data

def output_fn(data, accept):
    return data, "text/csv"
"""


def _deploy(jobs: Jobs, name: str, count: int) -> str:
    container = {
        "Image": SKLEARN,
        "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    jobs.sagemaker.create_model(ModelName=name, ExecutionRoleArn=jobs.role, Containers=[container] * count)
    variant = {"VariantName": "v", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    jobs.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_until(lambda: jobs.endpoint_status(name) == "InService", JOB_SECONDS, f"{name} is in service")
    return name


def _signed(clary: RunningClary, endpoint: str, number: int) -> bytes:
    """One request, as a client would send it; no two are equal."""
    key = json.loads((clary.data_dir / "credentials.json").read_text())
    url = f"{clary.endpoint_url}/endpoints/{endpoint}/invocations"
    request = AWSRequest("POST", url, data=_ROW, headers={"Content-Type": "text/csv", "X-Number": str(number)})
    SigV4Auth(Credentials(key["access_key_id"], key["secret_access_key"]), "sagemaker", "us-east-1").add_auth(request)
    head = {**request.headers, "Host": urlsplit(url).netloc, "Content-Length": len(_ROW)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST {urlsplit(url).path} HTTP/1.1\r\n{lines}\r\n".encode() + _ROW


def _directly() -> bytes:
    head = f"Host: model\r\nContent-Type: text/csv\r\nContent-Length: {len(_ROW)}\r\n"
    return f"POST /invocations HTTP/1.1\r\n{head}\r\n".encode() + _ROW


def _milliseconds(connection: socket.socket, requests: Sequence[bytes]) -> float:
    """The median time of an answer."""
    taken = []
    with connection:
        connection.setblocking(True)
        for request in requests:
            begun = time.perf_counter()
            connection.sendall(request)
            answer = b""
            while not answer.endswith(_ROW):
                data = connection.recv(65_536)
                if not data:
                    raise ConnectionResetError(answer)
                answer += data
            taken.append(time.perf_counter() - begun)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise ValueError(answer)
    return median(taken) * 1000


def measure(clary: RunningClary) -> Figure:
    """What each further container adds to a prediction, beyond its own answer."""
    jobs = Jobs(clary)
    jobs.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=packed({"model": "", "code/inference.py": ANSWERS}))
    one, several = _deploy(jobs, "one", 1), _deploy(jobs, "several", _SEVERAL)
    folder = clary.data_dir / "run" / "containers"
    container = next(handle.parent.name for handle in folder.glob("*/handle.json"))
    added = []
    for turn in range(_ROUNDS + 1):
        taken = {
            name: _milliseconds(
                socket.create_connection(("127.0.0.1", clary.port)),
                [_signed(clary, name, turn * _REQUESTS + number) for number in range(_REQUESTS)],
            )
            for name in (one, several)
        }
        own = _milliseconds(SandboxDial(folder)(container), [_directly()] * _REQUESTS)
        print(f"one {taken[one]:.3f} ms, {_SEVERAL} in line {taken[several]:.3f} ms, a container's own {own:.3f} ms")
        added.append((taken[several] - taken[one]) / (_SEVERAL - 1) - own)
    return Figure("each further container in line, beyond its own answer", added[1:], TARGET_MS, "ms")


def main() -> int:
    """1 where the target is missed."""
    with (
        tempfile.TemporaryDirectory(prefix="clary-bench-") as folder,
        RunningClary(Path(folder) / "data") as clary,
    ):
        figure = measure(clary)
    print(figure.line())
    return ended([figure])


if __name__ == "__main__":
    sys.exit(main())
