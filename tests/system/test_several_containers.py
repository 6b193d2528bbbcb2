"""Several containers in one model, of a started Clary: in line, each by its name, what one that fails does, in batches
and over a crash of control."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.compute.docker_api import Engine
from tests import engine as engines
from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

pytestmark = [pytest.mark.system]

# Puts its own name behind each row that it is given.
ADDS = """\
import os, sys

def model_fn(model_dir):
    if {fault!r} == "does not load":
        sys.exit("{name} does not load")
    return {name!r}

def input_fn(data, content_type):
    if {fault!r} and {fault!r} in data:
        raise ValueError("the rows are {fault}")
    return data.split()

def predict_fn(rows, model):
    return [row + "," + model for row in rows]

def output_fn(rows, accept):
    if {fault!r} == "talks":  # not under load: who prints is refused in the moment in which its shim is killed
        print("asked for", accept, flush=True)
    return "".join(row + "\\n" for row in rows), "text/csv"
"""


SERVE = """\
#!/usr/bin/env python3
import http.server, signal, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, *headers):
        self.send_response(200)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(body.upper(), ("Content-Type", "text/csv"))

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


class Lines(Jobs):
    """Models of several containers, and what is made of them."""

    def container(self, name: str, fault: str = "") -> dict[str, Any]:
        body = packed({"model": "", "code/inference.py": ADDS.format(name=name, fault=fault)})
        self.s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=body)
        env = {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
        }
        return {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz", "Environment": env}

    def model(self, name: str, *containers: dict[str, Any], mode: str = "Serial") -> str:
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.role,
            Containers=list(containers),
            InferenceExecutionConfig={"Mode": mode},
        )
        return name

    def endpoint(self, name: str, count: int = 1) -> str:
        """Of the model of this name, in service or failed."""
        variant = {
            "VariantName": "v",
            "ModelName": name,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count,
        }
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[{**variant, "EnableSSMAccess": True}]
        )
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        wait_until(lambda: self.endpoint_status(name) != "Creating", JOB_SECONDS, f"{name} is deployed")
        return name

    def line(self, name: str, *faults: str, count: int = 1) -> str:
        """An endpoint of three containers, one after the other; `faults` are theirs."""
        wrong = [*faults, "", "", ""]
        self.model(name, *(self.container(f"{name}-{number}", wrong[number]) for number in range(3)))
        return self.endpoint(name, count)

    def says(self, name: str, body: str = "1\n2\n", **params: Any) -> str:
        answer = self.runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType="text/csv", **params)
        text: str = answer["Body"].read().decode()
        return text

    def answers(self, name: str, whole: str) -> bool:
        try:
            return self.says(name) == whole
        except ClientError:
            return False

    def processes(self, model: str) -> list[int]:
        """The processes that hold the containers with this model."""
        folders = self.clary.data_dir / "run" / "containers"
        return [pid for folder in folders.glob("*") if holds(folder, model) and (pid := process_of(folder))]

    def replaced(self, model: str, *dead: int) -> bool:
        """Whether another process than these holds a container with this model."""
        return bool(set(self.processes(model)) - set(dead))

    def process(self, model: str) -> int:
        """Of the only container with it."""
        (process,) = self.processes(model)
        return process


def process_of(container: Path) -> int | None:
    """None before it starts, and once it is being removed."""
    try:
        pid: int = json.loads((container / "handle.json").read_text())["pid"]
    except FileNotFoundError:
        return None
    return pid


def holds(container: Path, name: str) -> bool:
    """Whether a container has this model; one that is being removed has none."""
    try:
        return any(f"{name!r}" in path.read_text() for path in container.rglob("inference.py"))
    except FileNotFoundError:
        return False


def whole(name: str) -> str:
    return "".join(f"{row},{name}-0,{name}-1,{name}-2\n" for row in (1, 2))


@pytest.fixture(scope="module")
def lines(shared: RunningClary) -> Iterator[Lines]:
    yield Lines(shared)


def test_each_is_given_what_the_one_before_it_answered(lines: Lines) -> None:
    name = lines.line("three", "talks", "talks", "talks")
    assert lines.says(name, Accept="application/json") == whole(name)
    logs = lines.clary.client("logs")
    group = f"/aws/sagemaker/Endpoints/{name}"
    streams = [each["logStreamName"] for each in logs.describe_log_streams(logGroupName=group)["logStreams"]]
    assert sorted(stream.split("/")[2] for stream in streams) == ["container-1", "container-2", "container-3"]
    assert len({stream.rpartition("/")[0] for stream in streams}) == 1, "one instance"
    said = {
        stream.split("/")[2]: [
            event["message"]
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        ]
        for stream in streams
    }
    assert "asked for text/csv" in said["container-1"], "only the last is told what the client accepts"
    assert "asked for text/csv" in said["container-2"]
    assert "asked for application/json" in said["container-3"]
    entered = lines.clary.run(
        "shell", name, "--host", "v/1/container-2", "--", "cat", "/opt/ml/model/code/inference.py"
    )
    assert f"{name}-1" in entered.stdout


def test_each_is_asked_alone_by_its_hostname(lines: Lines) -> None:
    containers = [{**lines.container(f"by-name-{host}"), "ContainerHostname": host} for host in ("left", "right")]
    lines.model("by-name", *containers, mode="Direct")
    name = lines.endpoint("by-name")
    assert lines.says(name, "1", TargetContainerHostname="left") == "1,by-name-left\n"
    assert lines.says(name, "1", TargetContainerHostname="right") == "1,by-name-right\n"
    for params, said in (({}, "hostname is required"), ({"TargetContainerHostname": "other"}, "other not found")):
        with pytest.raises(ClientError, match=said) as raised:
            lines.says(name, **params)
        assert raised.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(ClientError, match="does not support models with InferenceExecutionConfig Mode Direct"):
        transform(lines, "by-name", "by-name")


def test_one_that_fails_in_the_middle_is_named_and_the_endpoint_serves_on(lines: Lines) -> None:
    name = lines.line("failing", "", "bad")
    with pytest.raises(ClientError) as raised:
        lines.says(name, "bad\n")
    error = raised.value.response
    assert (error["Error"]["Code"], error["OriginalStatusCode"]) == ("ModelError", 500)
    assert error["Error"]["Message"].startswith('Received server error (500) from container-2 with message "')
    assert lines.says(name) == whole(name)


def test_one_that_dies_in_the_middle_is_replaced_alone(lines: Lines) -> None:
    name = lines.line("dying")
    first, second, third = (lines.process(f"{name}-{number}") for number in range(3))
    os.kill(second, signal.SIGKILL)
    wait_until(lambda: lines.replaced(f"{name}-1", second), JOB_SECONDS, "it is replaced")
    wait_until(lambda: lines.answers(name, whole(name)), JOB_SECONDS, "it answers again")
    assert (lines.process(f"{name}-0"), lines.process(f"{name}-2")) == (first, third)


def test_an_update_and_a_death_under_load_fail_no_request_with_two(lines: Lines) -> None:
    name = lines.line("loaded", count=2)
    variant = {"VariantName": "w", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    lines.sagemaker.create_endpoint_config(EndpointConfigName="loaded-again", ProductionVariants=[variant])
    over, answers, failures = threading.Event(), Counter[str](), list[Exception]()

    def ask() -> None:
        runtime = lines.clary.client("sagemaker-runtime")
        while not over.is_set():
            try:
                answer = runtime.invoke_endpoint(EndpointName=name, Body=b"1\n2\n", ContentType="text/csv")
                assert answer["Body"].read().decode() == whole(name)
                answers[answer["InvokedProductionVariant"]] += 1
            except Exception as failure:
                failures.append(failure)

    with ThreadPoolExecutor(2) as clients:
        for _ in range(2):
            clients.submit(ask)
        try:
            wait_until(lambda: answers["v"] > 20 or failures, 60, "the load is on")
            before = lines.processes(f"{name}-1")
            os.kill(before[0], signal.SIGKILL)
            wait_until(lambda: lines.replaced(f"{name}-1", *before), JOB_SECONDS, "it is replaced")
            wait_until(lambda: counted(lines, name) == 2, JOB_SECONDS, "both instances answer")
            lines.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="loaded-again")
            wait_until(lambda: answers["w"] > 20 or failures, JOB_SECONDS, "the new one answers")
        finally:
            over.set()
    assert not failures, failures[0]


def counted(lines: Lines, name: str) -> int:
    (shown,) = lines.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    count: int = shown["CurrentInstanceCount"]
    return count


def test_one_that_never_answers_ping_fails_the_endpoint_by_its_name(lines: Lines) -> None:
    name = lines.line("silent", "", "does not load")
    described = lines.sagemaker.describe_endpoint(EndpointName=name)
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"].startswith(
        "The container-2 for production variant v did not pass the ping health check."
    )
    assert "silent-1 does not load" in described["FailureReason"]


def transform(lines: Lines, name: str, model: str) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in/"}}
    lines.sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=model,
        BatchStrategy="SingleRecord",
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/{name}/out", "Accept": "text/csv"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2},
        ModelClientConfig={"InvocationsMaxRetries": 0},
    )


def test_a_batch_goes_through_all_of_them(lines: Lines) -> None:
    lines.model("batch", *(lines.container(f"batch-{number}", "bad" if number == 1 else "") for number in range(3)))
    rows = [f"{number}\n" for number in range(60)]
    for key, body in (("good.csv", "".join(rows)), ("bad.csv", "1\nbad\n")):
        lines.s3.put_object(Bucket=BUCKET, Key=f"batch/in/{key}", Body=body)
    transform(lines, "batch", "batch")

    def over() -> Any:
        found = lines.sagemaker.describe_transform_job(TransformJobName="batch")
        return found if found["TransformJobStatus"] in ("Completed", "Failed") else None

    job = wait_until(over, JOB_SECONDS, "the job has ended")
    assert job["TransformJobStatus"] == "Failed"
    answers = lines.s3.get_object(Bucket=BUCKET, Key="batch/out/good.csv.out")["Body"].read().decode()
    assert answers == "".join(f"{row.strip()},batch-0,batch-1,batch-2\n" for row in rows)
    logs = lines.clary.client("logs")
    found = logs.filter_log_events(logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix="batch/")["events"]
    data_log = [event["message"] for event in found if event["logStreamName"].endswith("/data-log")]
    assert any("bad.csv: Bad HTTP status received from container-2: 500" in line for line in data_log), data_log
    streams = {event["logStreamName"] for event in found if not event["logStreamName"].endswith("/data-log")}
    assert {stream.rpartition("/")[2] for stream in streams} == {"container-1", "container-2", "container-3"}
    assert len({stream.rpartition("/")[0] for stream in streams}) == 2, "two instances"


def test_control_killed_in_the_middle_loses_nothing(lines: Lines) -> None:
    name = lines.line("surviving")
    processes = [lines.process(f"{name}-{number}") for number in range(3)]
    lines.clary.kill("control")
    os.kill(processes[1], signal.SIGKILL)
    wait_until(lambda: lines.answers(name, whole(name)), JOB_SECONDS, "it answers again")
    assert [lines.process(f"{name}-{number}") for number in (0, 2)] == [processes[0], processes[2]]
    lines.model("cut-off", *(lines.container(f"cut-off-{number}") for number in range(3)))
    variant = {"VariantName": "v", "ModelName": "cut-off", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    lines.sagemaker.create_endpoint_config(EndpointConfigName="cut-off", ProductionVariants=[variant])
    lines.sagemaker.create_endpoint(EndpointName="cut-off", EndpointConfigName="cut-off")
    lines.clary.kill("control")
    wait_until(lambda: lines.answers("cut-off", whole("cut-off")), JOB_SECONDS, "it comes up all the same")
    wait_until(lambda: lines.endpoint_status("cut-off") == "InService", JOB_SECONDS, "it is in service")
    lines.sagemaker.delete_endpoint(EndpointName="cut-off")
    wait_until(lambda: not holding(lines, "cut-off"), JOB_SECONDS, "none of its containers is left")


def holding(lines: Lines, name: str) -> list[Path]:
    folders = (lines.clary.data_dir / "run" / "containers").glob("*")
    return [folder for folder in folders if any(holds(folder, f"{name}-{number}") for number in range(3))]


@pytest.fixture
def engine(container_engine: Engine) -> Engine:
    return container_engine


@pytest.mark.xdist_group("engine")
def test_containers_of_an_engine_and_of_the_sandbox_stand_in_one_line(
    engine: Engine, beside_engine: RunningClary
) -> None:
    image = engines.image(engine, f"clary-test-upper-{os.getpid()}", {"/usr/bin/serve": SERVE})
    clary, lines = beside_engine, Lines(beside_engine)
    lines.model("mixed", lines.container("mixed-0"), {"Image": image}, lines.container("mixed-2"))
    described = lines.sagemaker.describe_endpoint(EndpointName=lines.endpoint("mixed"))
    assert described.get("FailureReason") is None
    assert lines.says("mixed", "one\ntwo\n") == "ONE,MIXED-0,mixed-2\nTWO,MIXED-0,mixed-2\n"
    (own,) = engines.containers(engine, clary.data_dir)
    engine.signal(own, "SIGKILL")
    wait_until(lambda: set(engines.containers(engine, clary.data_dir)) - {own}, JOB_SECONDS, "it is replaced")
    wait_until(lambda: counted(lines, "mixed") == 1, JOB_SECONDS, "the instance answers")
    assert lines.says("mixed", "one\n") == "ONE,MIXED-0,mixed-2\n"
