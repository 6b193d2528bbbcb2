"""Images of a container engine: training jobs and endpoints by boto3, and what goes wrong with them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from clary.compute import record
from clary.compute.docker_api import Engine
from tests import engine as engines
from tests.running import RunningClary, wait_until
from tests.system import own_models
from tests.system.jobs import BUCKET, ENDED, JOB_SECONDS, Jobs, packed

pytestmark = pytest.mark.xdist_group("engine-images")

TRAIN = """\
#!/usr/bin/env python3
import json, os, pathlib, sys, urllib.request
ml = pathlib.Path("/opt/ml")
wanted = json.loads((ml / "input/config/hyperparameters.json").read_text())
print("called", sys.argv)
print("code of its own:", (ml / "code/own.txt").read_text())
print("rows:", len((ml / "input/data/train/rows.csv").read_text().split()))
(ml / "input/data/train/rows.csv").write_text("changed")
request = urllib.request.Request(
    os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
    headers={"Authorization": os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]},
)
keys = json.load(urllib.request.urlopen(request, timeout=60))
print("role:", keys["RoleArn"].rpartition("/")[2] if "RoleArn" in keys else "of", len(keys["AccessKeyId"]) > 10)
os.umask(0o077)
if wanted.get("fail"):
    (ml / "output/failure").write_text("the data is " + wanted["fail"])
    sys.exit(3)
if wanted.get("lines"):
    import time
    for number in range(int(wanted["lines"])):
        print("line", number, flush=True)
        time.sleep(0.02)
(ml / "model/folder").mkdir()
(ml / "model/folder/model.json").write_text("{}")
"""

SERVE = """\
#!/usr/bin/env python3
import http.server, os, signal, socket, sys, time
fault = os.environ.get("FAULT", "")
asked = 0

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, code, body):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if fault == "mute":
            time.sleep(3600)
        self.answer(200, b"")

    def do_POST(self):
        global asked
        asked += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if fault == "hundredth" and asked == 100:
            os._exit(9)
        if body == b"garbage":
            self.wfile.write(b"no HTTP at all\\r\\n\\r\\n")
            self.close_connection = True
        elif body == b"nothing":
            self.close_connection = True
        elif body == b"cut off":
            self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nhalf")
            self.close_connection = True
        elif body == b"error":
            self.answer(500, b"the model is ill")
        elif body == b"api":
            try:
                socket.create_connection(("169.254.170.2", 4599), 1)
                self.answer(200, b"reached")
            except OSError:
                self.answer(200, str("AWS_ENDPOINT_URL" in os.environ).encode())
        else:
            self.answer(200, body.upper() + str(os.listdir("/opt/ml/model")).encode())

    def log_message(self, *_):
        pass

if fault == "ends":
    sys.exit("there is no model")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("serving", sys.argv[1:], flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", 9090 if fault == "elsewhere" else 8080), Handler).serve_forever()
"""


TOGETHER = """\
#!/usr/bin/env python3
import json, pathlib, socket
config = json.loads(pathlib.Path("/opt/ml/input/config/resourceconfig.json").read_text())
mine, hosts = config["current_host"], config["hosts"]
[theirs] = set(hosts) - {mine}
assert config["network_interface_name"] in [name for _, name in socket.if_nameindex()]
with socket.create_server(("0.0.0.0", 3456)) as server:
    while True:
        try:
            asked = socket.create_connection((theirs, 3456), 1)
            break
        except OSError:
            pass
    asked.sendall(str(hosts.index(mine) + 40).encode())
    asked.shutdown(socket.SHUT_WR)
    given = server.accept()[0].recv(100).decode()
print(mine, "has heard", given, flush=True)
"""


PIPED = """\
#!/bin/sh
cd /opt/ml/input/data && echo rows: $(wc -l < train_0) and $(wc -l < train_1)
"""


@pytest.fixture(scope="module")
def engine(container_engine: Engine) -> Engine:
    return container_engine


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    """As users build them: `train` and `serve` in its PATH, and code of its own where Clary has a folder too."""
    programs = {
        "/usr/bin/train": TRAIN,
        "/usr/bin/serve": SERVE,
        "/usr/bin/together": TOGETHER,
        "/usr/bin/piped": PIPED,
    }
    files = {**programs, "/opt/ml/code/own.txt": "kept"}
    return engines.image(engine, f"clary-test-algorithm-{os.getpid()}", files)


@pytest.fixture(scope="module")
def jobs(beside_engine: RunningClary) -> Jobs:
    made = Jobs(beside_engine)
    made.s3.put_object(Bucket=BUCKET, Key="data/rows.csv", Body=b"1\n2\n3\n")
    made.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=_model())
    return made


def _model() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("weights"))
    return made.getvalue()


SHORTEST_STARTUP = 60
"""What AWS allows a container at least to pass its health check, in seconds."""

SILENT = ("elsewhere", "mute")
"""Faults with which a container never does."""

CHANNEL = {
    "ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/"}},
}


def _train(jobs: Jobs, name: str, image: str, algorithm: dict[str, Any] | None = None, **hyperparameters: str) -> str:
    return jobs.start(
        name,
        "",
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File", **(algorithm or {})},
        HyperParameters=hyperparameters,
        InputDataConfig=[CHANNEL],
    )


def _lines(jobs: Jobs, name: str) -> list[str]:
    return jobs.said(name).splitlines()


@pytest.fixture(scope="module")
def silent(jobs: Jobs, image: str) -> list[str]:
    """Endpoints whose minute passes while other tests run."""
    return [_deploy(jobs, fault, image, fault) for fault in SILENT]


@pytest.mark.usefixtures("silent")
def test_a_training_job_of_a_real_image(jobs: Jobs, image: str) -> None:
    name = _train(jobs, "trained", image)
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    said = _lines(jobs, name)
    assert "called ['/usr/bin/train']" in said
    assert "code of its own: kept" in said
    assert "rows: 3" in said
    assert any(line.startswith("role: ") and line.endswith("True") for line in said)
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    packed = io.BytesIO(jobs.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    with tarfile.open(fileobj=packed) as archive:
        assert "folder/model.json" in [name.removeprefix("./") for name in archive.getnames()]
    assert jobs.s3.get_object(Bucket=BUCKET, Key="data/rows.csv")["Body"].read() == b"1\n2\n3\n"


def test_entry_point_and_arguments_of_the_request(jobs: Jobs, image: str) -> None:
    own = {"ContainerEntrypoint": ["sh", "-c"], "ContainerArguments": ["echo $0 runs; id -u", "this"]}
    name = _train(jobs, "entered", image, own)
    assert jobs.ended(name)["TrainingJobStatus"] == "Completed"
    assert {"this runs", "0"} <= set(_lines(jobs, name))


def test_two_instances_of_a_real_image_exchange_a_number(jobs: Jobs, image: str) -> None:
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File", "ContainerEntrypoint": ["together"]}
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    jobs.start("together", "", AlgorithmSpecification=algorithm, ResourceConfig=resources, HyperParameters={})
    job = jobs.ended("together")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert {"algo-1 has heard 41", "algo-2 has heard 40"} <= set(_lines(jobs, "together"))


def test_a_real_image_without_python_reads_pipes(jobs: Jobs, image: str) -> None:
    own = {"TrainingInputMode": "Pipe", "ContainerEntrypoint": ["piped"]}
    name = _train(jobs, "piped", image, own)
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "rows: 3 and 3" in _lines(jobs, name)


def test_data_that_cannot_be_streamed_are_the_reason(jobs: Jobs, image: str) -> None:
    own = {"TrainingImage": image, "TrainingInputMode": "Pipe", "ContainerEntrypoint": ["piped"]}
    channel = {**CHANNEL, "CompressionType": "Gzip"}  # which the rows are not
    jobs.start("torn", "", AlgorithmSpecification=own, HyperParameters={}, InputDataConfig=[channel])
    job = jobs.ended("torn")
    assert job["TrainingJobStatus"] == "Failed"
    uri = f"s3://{BUCKET}/data/rows.csv"
    assert f"Data download failed: channel train: {uri} cannot be decompressed" in job["FailureReason"]
    assert "rows" not in jobs.said("torn")  # nothing was taken for the whole


def test_the_failure_file_says_why(jobs: Jobs, image: str) -> None:
    job = jobs.ended(_train(jobs, "failed", image, fail="stale"))
    assert job["TrainingJobStatus"] == "Failed"
    assert "the data is stale" in job["FailureReason"]
    assert "AlgorithmError" in job["FailureReason"]


def test_a_job_outlives_control_and_its_keeper(jobs: Jobs, image: str) -> None:
    """Whatever of Clary is killed, the engine goes on, and every line is there once."""
    name = _train(jobs, "survivor", image, lines="200")
    wait_until(lambda: "line 20" in _lines(jobs, name), JOB_SECONDS, "it prints")
    _kill_keepers(jobs.clary)
    jobs.clary.kill("control", "launcher")
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    printed = [line for line in _lines(jobs, name) if line.startswith("line ")]
    assert printed == [f"line {number}" for number in range(200)]


def _kill_keepers(clary: RunningClary) -> None:
    for folder in (clary.data_dir / "run" / "containers").iterdir():
        handle = record.read(str(folder), record.HANDLE)
        if handle and record.is_locked(str(folder)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(handle["pid"], signal.SIGKILL)


def test_a_job_outlives_its_engine(jobs: Jobs, engine: Engine, image: str) -> None:
    folder = Path(engine.path).parent
    if not engines.is_own(engine):
        pytest.skip("only an engine of the tests' own is killed")
    name = _train(jobs, "restarted", image, lines="150")
    wait_until(lambda: "line 20" in _lines(jobs, name), JOB_SECONDS, "it prints")
    engines.stop_service(folder)
    engines.start_service(folder)
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    printed = [line for line in _lines(jobs, name) if line.startswith("line ")]
    assert printed == [f"line {number}" for number in range(150)]


def _deploy(jobs: Jobs, name: str, image: str, fault: str = "", **model: Any) -> str:
    container = {"Image": image, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz", "Environment": {"FAULT": fault}}
    jobs.sagemaker.create_model(ModelName=name, ExecutionRoleArn=jobs.role, PrimaryContainer=container, **model)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.t2.medium",
        "ContainerStartupHealthCheckTimeoutInSeconds": SHORTEST_STARTUP if fault in SILENT else 480,
    }
    jobs.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return name


def _settled(jobs: Jobs, name: str) -> str:
    wait_until(lambda: jobs.endpoint_status(name) != "Creating", JOB_SECONDS, "the endpoint settles")
    return jobs.endpoint_status(name)


def test_an_endpoint_of_a_real_image(jobs: Jobs, image: str) -> None:
    name = _deploy(jobs, "real", image)
    assert _settled(jobs, name) == "InService"
    assert jobs.ask(name, "abc") == "ABC['weights']"
    jobs.sagemaker.delete_endpoint(EndpointName=name)


def test_an_isolated_endpoint_answers_and_reaches_nobody(jobs: Jobs, image: str) -> None:
    name = _deploy(jobs, "isolated", image, EnableNetworkIsolation=True)
    assert _settled(jobs, name) == "InService"
    assert jobs.ask(name, "api") == "False"
    jobs.sagemaker.delete_endpoint(EndpointName=name)


def test_a_container_that_ends_at_once_says_why(jobs: Jobs, image: str) -> None:
    name = _deploy(jobs, "ending", image, "ends")
    assert _settled(jobs, name) == "Failed"
    assert "there is no model" in jobs.sagemaker.describe_endpoint(EndpointName=name)["FailureReason"]
    jobs.sagemaker.delete_endpoint(EndpointName=name)


@pytest.fixture(scope="module")
def faulty(jobs: Jobs, image: str) -> str:
    """An endpoint whose container answers as the body asks for, and dies at the hundredth request."""
    name = _deploy(jobs, "faulty", image, "hundredth")
    assert _settled(jobs, name) == "InService"
    return name


@pytest.mark.parametrize("body", ["garbage", "nothing", "cut off", "error"])
def test_what_is_no_prediction_is_the_models_error(jobs: Jobs, faulty: str, body: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        jobs.ask(faulty, body)
    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert jobs.ask(faulty, "abc") == "ABC['weights']"


def test_a_container_that_dies_at_the_hundredth_request_is_replaced(jobs: Jobs, engine: Engine, faulty: str) -> None:
    """Who has asked it is answered by the one that takes its place, if the engine is no slower than they may wait."""
    before = set(engines.containers(engine, jobs.clary.data_dir))

    def answered() -> bool:
        try:
            return jobs.ask(faulty, "abc") == "ABC['weights']"
        except botocore.exceptions.ClientError:
            return False

    assert sum(answered() for _ in range(100)) >= 99
    wait_until(answered, JOB_SECONDS, "another container answers")
    assert set(engines.containers(engine, jobs.clary.data_dir)) - before
    jobs.sagemaker.delete_endpoint(EndpointName=faulty)


def test_a_batch_transform_of_a_real_image(jobs: Jobs, image: str) -> None:
    container = {"Image": image, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    jobs.sagemaker.create_model(ModelName="batch", ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    jobs.s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"x\ny\n")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}}
    jobs.sagemaker.create_transform_job(
        TransformJobName="batch",
        ModelName="batch",
        TransformInput={"DataSource": source, "ContentType": "text/csv"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )

    def status() -> str:
        return str(jobs.sagemaker.describe_transform_job(TransformJobName="batch")["TransformJobStatus"])

    wait_until(lambda: status() in ENDED, JOB_SECONDS, "the transform ends")
    assert status() == "Completed"
    assert jobs.s3.get_object(Bucket=BUCKET, Key="out/a.csv.out")["Body"].read().startswith(b"X\nY\n")


def test_the_program_of_the_guide(jobs: Jobs, engine: Engine) -> None:
    page = (Path(__file__).parents[2] / "docs" / "containers.md").read_text()
    [program] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    engines.image(engine, "my-algorithm", {"/usr/bin/train": "#!/bin/sh\necho trained\n"})
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=jobs.clary.environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Completed", done.stderr


def test_without_an_engine_the_request_says_so_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing")
    with RunningClary(tmp_path / "data") as clary:
        jobs = Jobs(clary)
        with pytest.raises(botocore.exceptions.ClientError, match=r"No container engine answers at .*nothing"):
            _train(jobs, "never", "localhost/mine:1")


def test_a_container_with_room_for_two_serves_three(engine: Engine, jobs: Jobs) -> None:
    image = engines.image(engine, f"clary-test-models-{os.getpid()}", {"/usr/bin/serve": own_models.SERVE})
    for name in ("a", "b", "c"):
        jobs.s3.put_object(Bucket=BUCKET, Key=f"many/{name}.tar.gz", Body=packed({"text": name}))
    container = {"Image": image, "Mode": "MultiModel", "ModelDataUrl": f"s3://{BUCKET}/many/"}
    endpoint = jobs.deploy_container("many-own", container)

    def says(name: str, body: bytes = b"x") -> list[object]:
        asked = {"EndpointName": endpoint, "TargetModel": f"{name}.tar.gz", "Body": body}
        answer: list[object] = json.loads(jobs.runtime.invoke_endpoint(**asked)["Body"].read())
        return answer

    assert [says(name) for name in ("a", "b", "a", "c")] == [
        ["a", "a.tar.gz", ["a"], False],
        ["b", "b.tar.gz", ["a", "b"], False],
        ["a", "a.tar.gz", ["a", "b"], False],
        ["c", "c.tar.gz", ["a", "c"], False],
    ]
    assert says("b")[2] == ["b", "c"], "it was loaded again"
    with pytest.raises(botocore.exceptions.ClientError, match="the model") as raised:
        says("b", b"own 404")
    assert raised.value.response["OriginalStatusCode"] == 404


def test_containers_that_do_not_pass_ping_are_not_in_service(jobs: Jobs, silent: list[str]) -> None:
    for name in silent:
        assert _settled(jobs, name) == "Failed"
        reason = jobs.sagemaker.describe_endpoint(EndpointName=name)["FailureReason"]
        assert "did not pass the ping health check" in reason
        assert "serving" in reason
        jobs.sagemaker.delete_endpoint(EndpointName=name)


def test_nothing_is_left_of_what_has_ended(jobs: Jobs, engine: Engine) -> None:
    """No container and no folder, whatever has gone wrong in the tests before."""
    for endpoint in jobs.sagemaker.list_endpoints()["Endpoints"]:
        jobs.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])
    folder = jobs.clary.data_dir / "run" / "containers"
    wait_until(lambda: not list(folder.iterdir()), JOB_SECONDS, "their folders are removed")
    assert engines.containers(engine, jobs.clary.data_dir) == []
