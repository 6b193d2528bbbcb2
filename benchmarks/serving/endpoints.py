"""Clary's side: a started Clary, three endpoints, and a user who may ask these and no other."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.serving import messages
from benchmarks.serving.models import NAMES, Models
from benchmarks.serving.servers import WrongAnswer, ask
from tests.running import RunningClary, wait_until

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.4-2-cpu-py3"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:3.0-5"
BUCKET, REGION, VARIANT = "bench-serving", "us-east-1", "all"
BUILD_SECONDS = 900
"""The first endpoint of an image builds its environment."""
ENOUGH_REQUESTS = 200
COMPILE_SECONDS = 120
COUNT_SECONDS = 30
"""Edges report every five seconds what they have counted."""

SCRIPT = """\
import os

import joblib


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


def predict_fn(data, model):
    return model.predict_proba(data.reshape(-1, model.n_features_in_))
"""
"""As a user of script mode writes it."""


class Clary:
    """One of the servers: `make wheel`'s in an environment of its own, as each peer has one; or the source."""

    setting = ""

    def __init__(self, title: str, program: Path) -> None:
        """`program`: the environment's `clary`."""
        self.title = title
        self._program = program

    @contextmanager
    def started(self, models: Models, folder: Path) -> Iterator[Endpoints]:
        """Signatures are verified, policies enforced, metrics counted. Raises WrongAnswer, AssertionError where not."""
        with RunningClary(folder / "data", program=self._program) as clary:
            api = Api(clary, models)
            for name in NAMES:
                api.deploy(name, name)
            for name in NAMES:
                api.in_service(name, BUILD_SECONDS)
            endpoints = Endpoints(clary.port, api.user_of(NAMES))
            _refuses_others(endpoints, api, models)
            _settle(endpoints, api, models)
            endpoints.asked.clear()
            yield endpoints
            for name in endpoints.asked:
                wait_until(lambda name=name: api.invocations(name), COUNT_SECONDS, f"invocations of {name} are counted")


class Endpoints:
    """They are asked as the SDKs ask, with a signature for each request."""

    def __init__(self, port: int, key: Credentials) -> None:
        self.port = port
        self.asked: set[str] = set()
        self._signer = SigV4Auth(key, "sagemaker", REGION)

    def request(self, model: str, row: str) -> bytes:
        self.asked.add(model)
        path = f"/endpoints/{model}/invocations"
        accept = "text/csv" if model == "xgboost" else "application/json"
        headers = {"Content-Type": "text/csv", "Accept": accept}
        signed = AWSRequest("POST", f"http://127.0.0.1:{self.port}{path}", headers=headers, data=row)
        self._signer.add_auth(signed)
        return messages.post(self.port, path, row.encode(), dict(signed.headers.items()))

    def risk(self, model: str, body: bytes) -> float:
        return float(body) if model == "xgboost" else float(json.loads(body)[0][1])


def _refuses_others(endpoints: Endpoints, api: Api, models: Models) -> None:
    """An endpoint that the user's policy does not name, and a request that was changed after it was signed."""
    row = models.rows[0]
    stranger = ask(endpoints, "stranger", row)
    changed = endpoints.request("logistic", row).replace(row.encode(), row.encode()[:-1] + b"9")
    forged = messages.answer(endpoints.port, changed)
    if (stranger.status, forged[0]) != (403, 403):
        raise WrongAnswer(f"policies or signatures do not count: {stranger}, {forged}")


def _settle(endpoints: Endpoints, api: Api, models: Models) -> None:
    """A replica is asked until it has compiled its model, which it does once, beside its work (docs/endpoints.md)."""
    for name in set(NAMES) - {"xgboost"}:
        for row in models.rows[:ENOUGH_REQUESTS]:
            ask(endpoints, name, row)
        wait_until(
            lambda name=name: api.log_says(name, "The model is "), COMPILE_SECONDS, f"{name} is compiled, or not"
        )


class Api:
    """What an administrator calls."""

    def __init__(self, clary: RunningClary, models: Models) -> None:
        self.sagemaker, self._iam, s3 = (clary.client(name) for name in ("sagemaker", "iam", "s3"))
        self._cloudwatch, self._logs = clary.client("cloudwatch"), clary.client("logs")
        self._role = clary.role_arn
        s3.create_bucket(Bucket=BUCKET)
        for name in NAMES:
            s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=_packed(models.folder, name))
            self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=self._role, PrimaryContainer=_container(name))
            variant = {"VariantName": VARIANT, "ModelName": name, "InitialInstanceCount": 1}
            self.sagemaker.create_endpoint_config(
                EndpointConfigName=name, ProductionVariants=[{**variant, "InstanceType": "ml.m5.large"}]
            )

    def deploy(self, endpoint: str, model: str) -> None:
        """Create it; it is not there yet."""
        self.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=model)

    def in_service(self, endpoint: str, seconds: float) -> None:
        """Wait for it. Raises RuntimeError where it fails."""

        def settled() -> Any:
            said = self.sagemaker.describe_endpoint(EndpointName=endpoint)
            return said if said["EndpointStatus"] != "Creating" else None

        said = wait_until(settled, seconds, f"{endpoint} is InService")
        if said["EndpointStatus"] != "InService":
            raise RuntimeError(f"{endpoint}: {said.get('FailureReason')}")

    def invocations(self, endpoint: str) -> float:
        """As CloudWatch has counted them in the last hour."""
        names = {"EndpointName": endpoint, "VariantName": VARIANT}
        said = self._cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="Invocations",
            Dimensions=[{"Name": name, "Value": value} for name, value in names.items()],
            StartTime=time.time() - 3600,
            EndTime=time.time() + 60,
            Period=60,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in said["Datapoints"])

    def log_says(self, endpoint: str, text: str) -> bool:
        """Whether a line of its log holds the text."""
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        return bool(self._logs.filter_log_events(logGroupName=group, filterPattern=f'"{text}"')["events"])

    def user_of(self, endpoints: tuple[str, ...]) -> Credentials:
        """A new user's key, who may invoke these endpoints."""
        arn = f"arn:aws:sagemaker:{REGION}:*:endpoint/"
        allowed = {
            "Effect": "Allow",
            "Action": "sagemaker:InvokeEndpoint",
            "Resource": [arn + name for name in endpoints],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._iam.create_user(UserName="caller")
        self._iam.put_user_policy(UserName="caller", PolicyName="invoke", PolicyDocument=policy)
        key = self._iam.create_access_key(UserName="caller")["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def _container(name: str) -> Mapping[str, Any]:
    data = f"s3://{BUCKET}/{name}/model.tar.gz"
    if name == "xgboost":
        return {"Image": XGBOOST, "ModelDataUrl": data}
    environment = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "CLARY_BATCH": "on",  # its predict_fn looks at each row by itself, as those of the peers that batch
    }
    return {"Image": SKLEARN, "ModelDataUrl": data, "Environment": environment}


def _packed(folder: Path, name: str) -> bytes:
    """The model's own file, under the name that its image looks for."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        if name == "xgboost":
            archive.add(folder / "xgboost.ubj", "xgboost-model")
        else:
            archive.add(folder / f"{name}.joblib", "model.joblib")
            script = tarfile.TarInfo("code/inference.py")
            script.size = len(SCRIPT)
            archive.addfile(script, io.BytesIO(SCRIPT.encode()))
    return made.getvalue()
