"""`clary export`: a model as one file that other programs read: ONNX, PMML or PFA.

The model is compiled by a compilation job, in a sandbox: nothing of it is loaded here.
"""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.console import Console

from clary.app.client import client
from clary.cli import options
from clary.errors import ClaryError
from clary.identity.defaults import role_arn
from clary.images.addresses import Address
from clary.images.neo import FORMS, ONNX
from clary.names import random_hex
from clary.settings import Settings

_FRAMEWORKS: Mapping[str, str] = {
    "pytorch-inference": "PYTORCH",
    "pytorch-training": "PYTORCH",
    "sagemaker-neo-onnx": "ONNX",
    "sagemaker-scikit-learn": "SKLEARN",
    "sagemaker-xgboost": "XGBOOST",
    "tensorflow-inference": "TENSORFLOW",
    "tensorflow-training": "TENSORFLOW",
    "xgboost": "XGBOOST",
    "xgboost-neo": "ONNX",
}
"""By the repository of the image that serves a model, or has trained it."""
_SECONDS = 1800
_PAUSE = 0.2
_UNDER_WAY = ("STARTING", "INPROGRESS", "STOPPING")
_LOG_GROUP = "/aws/sagemaker/CompilationJobs"
_PROVED = "The model of"


@dataclass(frozen=True)
class Source:
    """What is exported."""

    uri: str
    framework: str
    version: str = ""
    role: str = ""
    """Who reads it; empty: the default role."""


def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL_OR_S3_URI", help="A model's name, or where a model.tar.gz lies in S3.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="What is written.")],
    form: Annotated[str, typer.Option("--to", "--format", metavar="|".join(FORMS), help="What is written.")] = ONNX,
    framework: Annotated[
        str | None,
        typer.Option(
            metavar="xgboost|sklearn|pytorch|tensorflow|keras|tflite|onnx",
            help="What has made the archive; known for models and training jobs.",
        ),
    ] = None,
    version: Annotated[
        str | None, typer.Option("--framework-version", metavar="VERSION", help="Of scikit-learn, such as 1.2.")
    ] = None,
    data_dir: options.DataDir = None,
) -> None:
    """Export a model as ONNX; one of scikit-learn or XGBoost also as PMML or PFA.

    It is compared with the model before the file is written; the last line says how often, and how near they are.

    Examples:

        clary export my-model -o my-model.onnx

        clary export s3://my-bucket/jobs/my-job/output/model.tar.gz -o my-model.onnx

        clary export my-model --to pmml -o my-model.pmml

        clary export s3://my-bucket/model.tar.gz --framework sklearn --framework-version 1.2 -o my-model.onnx
    """
    if form not in FORMS:
        raise ClaryError(f"--to is one of {', '.join(FORMS)}; {form!r} is not offered.")
    settings = options.required(data_dir).settings
    source = _source(client(settings, "sagemaker"), model, framework, version)
    content, proof = _Export(settings, form).run(source)
    fresh = output.with_name(output.name + ".part")
    fresh.write_bytes(content)
    fresh.replace(output)
    print(f"{output}: {len(content)} bytes of {form.upper()}, of {model}")
    if proof:
        print(f"  {proof}")


def _source(api: Any, model: str, framework: str | None, version: str | None) -> Source:  # noqa: ANN401 — botocore's
    """Raises ClaryError."""
    if model.startswith("s3://"):
        uri, image, role = model, _trained_by(api, model), ""
    else:
        uri, image, role = _of_model(api, model)
    if framework:
        return Source(uri, framework.upper(), version or "", role)
    address = Address.parse(image)
    known = _FRAMEWORKS.get(address.repository) if address else None
    if address is None or known is None:
        what = f"{image} is no image whose models are compiled." if image else "What made this archive is not known."
        raise ClaryError(what, "Say it: `--framework xgboost`, or `--framework sklearn --framework-version 1.2`.")
    found = address.tag.partition("-")[0] if known == "SKLEARN" else ""
    return Source(uri, known, version or found, role)


def _of_model(api: Any, name: str) -> tuple[str, str, str]:  # noqa: ANN401 — a botocore client
    """Where a model's archive lies, its image, its role. Raises ClaryError."""
    try:
        described = api.describe_model(ModelName=name)
    except ClientError as error:
        raise ClaryError(
            error.response["Error"]["Message"], "Name a model, or the address of an archive: s3://BUCKET/KEY."
        ) from None
    containers = [described["PrimaryContainer"]] if "PrimaryContainer" in described else described["Containers"]
    if len(containers) != 1 or not containers[0].get("ModelDataUrl"):
        raise ClaryError(f"{name} is not one container with one archive (ModelDataUrl).")
    return containers[0]["ModelDataUrl"], containers[0].get("Image", ""), described.get("ExecutionRoleArn", "")


def _trained_by(api: Any, uri: str) -> str:  # noqa: ANN401 — a botocore client
    """The image of the training job whose artifact this is; empty where there is none: `…/JOB/output/model.tar.gz`."""
    parts = uri.split("/")
    try:
        job = api.describe_training_job(TrainingJobName=parts[-3]) if len(parts) > len(("s3:", "", "bucket")) else {}
    except ClientError:
        return ""
    written = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return str(job["AlgorithmSpecification"].get("TrainingImage", "")) if written == uri else ""


class _Export:
    """One compilation job, made for this, and taken away again."""

    def __init__(self, settings: Settings, form: str) -> None:
        self._form = form
        self._settings = settings
        self._api = client(settings, "sagemaker")
        self._s3 = client(settings, "s3")
        self._name = f"clary-export-{random_hex()[:12]}"
        self._console = Console(stderr=True)

    def run(self, source: Source) -> tuple[bytes, str]:
        """The model's file, and how near it is. Raises ClaryError; then the job stays, and its log can be read."""
        bucket = self._bucket()
        self._create(source, f"s3://{bucket}/clary-export/{self._name}/")
        with self._shown(source) as show:
            job = self._ended(show)
        if job["CompilationJobStatus"] != "COMPLETED":
            reason = job["FailureReason"] or f"The job {self._name} is {job['CompilationJobStatus']}."
            raise ClaryError(reason, f"See `clary logs {self._name}`.")
        key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
        content = _unpacked(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read(), f"model.{self._form}")
        proof = self._proof()
        self._s3.delete_object(Bucket=bucket, Key=key)
        self._api.delete_compilation_job(CompilationJobName=self._name)
        return content, proof

    def _bucket(self) -> str:
        """The default bucket of the SDKs; made where it is not there."""
        settings = self._settings
        name = f"sagemaker-{settings.region}-{settings.account_id}"
        try:
            self._s3.head_bucket(Bucket=name)
        except ClientError:
            place = {"LocationConstraint": settings.region}
            self._s3.create_bucket(
                Bucket=name, **({} if settings.region == "us-east-1" else {"CreateBucketConfiguration": place})
            )
        return name

    def _create(self, source: Source, location: str) -> None:
        given = {"S3Uri": source.uri, "Framework": source.framework}
        try:
            self._api.create_compilation_job(
                CompilationJobName=self._name,
                RoleArn=source.role or role_arn(self._settings.account_id),
                InputConfig=given | ({"FrameworkVersion": source.version} if source.version else {}),
                OutputConfig={
                    "S3OutputLocation": location,
                    "TargetPlatform": {"Os": "LINUX", "Arch": "X86_64"},
                    "CompilerOptions": json.dumps({"format": self._form}),
                },
                StoppingCondition={"MaxRuntimeInSeconds": _SECONDS},
            )
        except ClientError as error:
            raise ClaryError(error.response["Error"]["Message"]) from None

    @contextmanager
    def _shown(self, source: Source) -> Iterator[Any]:
        """What goes on, on a terminal; Ctrl-C stops the job too."""
        with self._console.status(f"Compiling {source.uri}") as status:
            try:
                yield status
            except KeyboardInterrupt:
                self._api.stop_compilation_job(CompilationJobName=self._name)
                raise

    def _ended(self, show: Any) -> Mapping[str, Any]:  # noqa: ANN401 — rich's Status
        while True:
            job: Mapping[str, Any] = self._api.describe_compilation_job(CompilationJobName=self._name)
            if job["CompilationJobStatus"] not in _UNDER_WAY:
                return job
            show.update(f"Compiling {job['InputConfig']['S3Uri']}: {job['CompilationJobStatus'].lower()}")
            time.sleep(_PAUSE)

    def _proof(self) -> str:
        """What the job's log says of it."""
        page = client(self._settings, "logs").get_log_events(logGroupName=_LOG_GROUP, logStreamName=self._name)
        said = [event["message"] for event in page["events"] if _PROVED in event["message"]]
        return _PROVED + said[-1].partition(_PROVED)[2] if said else ""


def _unpacked(archive: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        file = members.extractfile(name)
        if file is None:
            raise ClaryError(f"The artifact holds no {name}.")
        return file.read()
