"""Issue by issue, what a user waits for: starting Clary, a job's overhead, fit, deploy, one prediction.

Server figures are measured at the API with boto3, polling Describe every 10 ms; user figures at the SDK's call. Every
environment is built and every warm parent started by one round that does not count.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from tests.environments import python_of
from tests.running import RunningClary

ROOT = Path(__file__).parent.parent
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
BUCKET = "bench"
INSTANCE = "ml.m5.large"
POLL = 0.01
SDKS = {
    1: ("fit()", "deploy()"),
    2: ("fit()", "deploy()"),
    3: ("ModelTrainer.train()", "ModelBuilder.deploy()"),
}
"""Generation of the SDK → what trains in it, and what deploys."""

SCRIPT = """\
import json, os, time
began = time.time()
import sklearn.linear_model
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"), "w") as file:
    json.dump([sum(i * i for i in range(300000))], file)
print("script-seconds=%.6f" % (time.time() - began))
"""

ECHO = """\
def model_fn(model_dir):
    return 1

def predict_fn(data, model):
    return data
"""


def measure(rounds: int) -> Iterator[Figure]:
    """Every figure, one after the other, each against its target."""
    yield Figure("`clary up` → ready", [_start_seconds() for _ in range(rounds)], 2.0)
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder, RunningClary(Path(folder)) as clary:
        api = Api(clary)
        api.prepare()
        api.script_job()
        yield Figure(
            "CreateTrainingJob → Completed beyond the script (script mode, warm)",
            [api.script_job() for _ in range(rounds)],
            0.15,
        )
        model_data = api.xgboost_job()[1]
        yield Figure(
            "CreateTrainingJob → Completed, built-in xgboost, Boston housing, 50 rounds",
            [api.xgboost_job()[0] for _ in range(rounds)],
            1.0,
        )
        api.deploy(XGBOOST, model_data)
        yield Figure("CreateEndpoint → InService", [api.deploy(XGBOOST, model_data)[0] for _ in range(rounds)], 1.0)
        yield _invocations(api)
        for sdk in SDKS:
            yield from _sdk_figures(clary, sdk, rounds)


def _start_seconds() -> float:
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder:
        began = time.perf_counter()
        with RunningClary(Path(folder)):
            return time.perf_counter() - began


def _sdk_figures(clary: RunningClary, sdk: int, rounds: int) -> Iterator[Figure]:
    seconds = [_sdk_round(clary, sdk) for _ in range(rounds + 1)][1:]
    for call, title in (("fit", SDKS[sdk][0]), ("deploy", SDKS[sdk][1])):
        yield Figure(f"SDK v{sdk} `{title}`, built-in xgboost", [each[call] for each in seconds], 1.5)


def _sdk_round(clary: RunningClary, sdk: int) -> dict[str, float]:
    done = subprocess.run(
        [python_of(f"sdk{sdk}"), ROOT / "benchmarks" / f"sdk{sdk}_fit_deploy.py"],
        env=clary.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def _invocations(api: Api) -> Figure:
    """One client, one row, a kept-alive connection: all but boto3's own cost is Clary's, for the model does nothing."""
    endpoint = api.deploy(SKLEARN, api.echo_model())[1]
    row = "0.00632,18,2.31,0,0.538,6.575,65.2,4.09,1,296,15.3,396.9,4.98"
    seconds = []
    for _ in range(1200):
        began = time.perf_counter()
        api.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=row)["Body"].read()
        seconds.append(time.perf_counter() - began)
    return Figure(
        "InvokeEndpoint through boto3, a model that answers at once, one client",
        [value * 1000 for value in seconds[200:]],
        3.0,
        "ms",
    )


class Api:
    """The API calls of one round, as boto3 makes them."""

    def __init__(self, clary: RunningClary) -> None:
        self.sagemaker = clary.client("sagemaker")
        self.runtime = clary.client("sagemaker-runtime")
        self.s3 = clary.client("s3")
        self.logs = clary.client("logs")
        self.role = clary.role_arn
        self._count = 0
        self._deployed = ""

    def prepare(self) -> None:
        self.s3.create_bucket(Bucket=BUCKET)
        lines = (ROOT / "examples" / "boston_housing" / "boston_housing.csv").read_text().replace('"', "").splitlines()
        rows = [line.rsplit(",", 1) for line in lines[1:]]
        self.s3.put_object(Bucket=BUCKET, Key="boston/train.csv", Body="\n".join(f"{y},{x}" for x, y in rows))
        self.s3.put_object(Bucket=BUCKET, Key="code/sourcedir.tar.gz", Body=_tar({"script.py": SCRIPT}))

    def name(self) -> str:
        self._count += 1
        return f"bench-{self._count}"

    def script_job(self) -> float:
        """Seconds of a script-mode job without the script's own."""
        hyperparameters = {
            "sagemaker_program": json.dumps("script.py"),
            "sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/code/sourcedir.tar.gz"),
            "sagemaker_region": json.dumps("us-east-1"),
        }
        definition = [{"Name": "script-seconds", "Regex": "script-seconds=([0-9.]+)"}]
        seconds, job = self._train(SKLEARN, hyperparameters, [], definition)
        own = next(m["Value"] for m in job["FinalMetricDataList"] if m["MetricName"] == "script-seconds")
        return seconds - float(own)

    def xgboost_job(self) -> tuple[float, str]:
        """Seconds of the whole job, and its model."""
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/boston/"}
        channels = [{"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}]
        hyperparameters = {"objective": "reg:squarederror", "num_round": "50", "max_depth": "5"}
        seconds, job = self._train(XGBOOST, hyperparameters, channels, [])
        return seconds, job["ModelArtifacts"]["S3ModelArtifacts"]

    def _train(
        self, image: str, hyperparameters: dict[str, str], channels: list[Any], metrics: list[Any]
    ) -> tuple[float, Any]:
        name = self.name()
        algorithm: dict[str, Any] = {"TrainingImage": image, "TrainingInputMode": "File"}
        if metrics:
            algorithm["MetricDefinitions"] = metrics
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": algorithm,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
            "ResourceConfig": {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "HyperParameters": hyperparameters,
        }
        if channels:
            request["InputDataConfig"] = channels
        began = time.perf_counter()
        self.sagemaker.create_training_job(**request)
        while True:
            job = self.sagemaker.describe_training_job(TrainingJobName=name)
            if job["TrainingJobStatus"] != "InProgress":
                break
            time.sleep(POLL)
        seconds = time.perf_counter() - began
        if job["TrainingJobStatus"] != "Completed":
            raise RuntimeError(f"{name}: {job.get('FailureReason')}")
        return seconds, job

    def echo_model(self) -> str:
        """A script-mode model that gives back what it is asked."""
        body = _tar({"model.json": "[]", "code/script.py": ECHO})
        self.s3.put_object(Bucket=BUCKET, Key="echo/model.tar.gz", Body=body)
        return f"s3://{BUCKET}/echo/model.tar.gz"

    def deploy(self, image: str, model_data: str) -> tuple[float, str]:
        """Seconds from CreateEndpoint to InService, and the endpoint's name; the endpoint before it is deleted."""
        name = self.name()
        environment = {"SAGEMAKER_PROGRAM": "script.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        container = {"Image": image, "ModelDataUrl": model_data, "Environment": environment if image == SKLEARN else {}}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer=container)
        variant = {"VariantName": "all", "ModelName": name, "InstanceType": INSTANCE, "InitialInstanceCount": 1}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        began = time.perf_counter()
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        while (endpoint := self.sagemaker.describe_endpoint(EndpointName=name))["EndpointStatus"] == "Creating":
            time.sleep(POLL)
        seconds = time.perf_counter() - began
        if endpoint["EndpointStatus"] != "InService":
            raise RuntimeError(f"{name}: {endpoint.get('FailureReason')}")
        self._retire(name)
        return seconds, name

    def _retire(self, name: str) -> None:
        """One endpoint at a time: the one before is deleted."""
        if self._deployed:
            self.sagemaker.delete_endpoint(EndpointName=self._deployed)
        self._deployed = name


def _tar(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()
