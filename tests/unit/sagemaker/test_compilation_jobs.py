"""Compilation jobs as clients see them: what Create refuses and chooses, what Describe and List show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clary.store.rows import Key
from tests.unit.conftest import NEO, ROLE, SKLEARN

OUT = {"S3OutputLocation": "s3://data/out/", "TargetDevice": "ml_c5"}


def request(name="job", **changes):
    config = {"S3Uri": "s3://data/model.tar.gz", "Framework": "XGBOOST", **changes.pop("InputConfig", {})}
    return {
        "CompilationJobName": name,
        "RoleArn": ROLE,
        "InputConfig": config,
        "OutputConfig": OUT,
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
        **changes,
    }


@pytest.fixture
def sagemaker(inner):
    return inner.service("sagemaker")


def change(inner, name="job", **changes):
    row = inner.store.read.get(Key("compilation-job", "000000000000", "us-east-1", name))
    state = {**row.state, **changes.pop("state", {})}
    inner.store.write(lambda transaction: transaction.save(replace(row, state=state, **changes)))


def test_a_fresh_job_has_all_members_that_the_api_promises(sagemaker):
    made = sagemaker.call("CreateCompilationJob", **request())
    assert made["CompilationJobArn"].endswith(":compilation-job/job")
    shown = sagemaker.call("DescribeCompilationJob", CompilationJobName="job")
    assert (shown["CompilationJobStatus"], shown["FailureReason"]) == ("STARTING", "")
    assert shown["ModelArtifacts"] == {"S3ModelArtifacts": "s3://data/out/model-ml_c5.tar.gz"}
    assert (shown["InputConfig"]["Framework"], shown["InferenceImage"]) == ("XGBOOST", NEO)
    assert "ModelDigests" not in shown


def test_what_the_end_leaves_is_shown(inner, sagemaker):
    sagemaker.call("CreateCompilationJob", **request())
    change(inner, status="COMPLETED", state={"digest": "b1", "start": 1.0, "end": 2.0})
    shown = sagemaker.call("DescribeCompilationJob", CompilationJobName="job")
    assert (shown["CompilationJobStatus"], shown["ModelDigests"]) == ("COMPLETED", {"ArtifactDigest": "b1"})
    assert (shown["CompilationEndTime"] - shown["CompilationStartTime"]).total_seconds() == 1


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ({"Os": "LINUX", "Arch": "X86_64"}, "model-LINUX_X86_64.tar.gz"),
        ({"Os": "LINUX", "Arch": "ARM64", "Accelerator": "NVIDIA"}, "model-LINUX_ARM64_NVIDIA.tar.gz"),
    ],
)
def test_an_artifact_for_a_platform_has_no_image(sagemaker, platform, name):
    output = {"S3OutputLocation": "s3://data/out", "TargetPlatform": platform}
    sagemaker.call("CreateCompilationJob", **request(OutputConfig=output))
    shown = sagemaker.call("DescribeCompilationJob", CompilationJobName="job")
    assert shown["ModelArtifacts"] == {"S3ModelArtifacts": f"s3://data/out/{name}"}
    assert "InferenceImage" not in shown
    [summary] = sagemaker.call("ListCompilationJobs")["CompilationJobSummaries"]
    assert summary["CompilationTargetPlatformArch"] == platform["Arch"]


@pytest.mark.parametrize(("form", "image"), [("onnx", "xgboost-neo"), ("pmml", "sagemaker-neo-onnx"), ("pfa", "")])
def test_what_a_model_is_written_as_says_what_serves_it(sagemaker, form, image):
    options = f'{{"format": "{form}"}}'
    sagemaker.call("CreateCompilationJob", **request(OutputConfig={**OUT, "CompilerOptions": options}))
    shown = sagemaker.call("DescribeCompilationJob", CompilationJobName="job")
    assert shown.get("InferenceImage", "").rpartition(":")[0].rpartition("/")[2] == image


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"InputConfig": {"Framework": "MXNET"}}, "Export the model with the last MXNet, 1.9.1"),
        ({"InputConfig": {"Framework": "DARKNET"}}, "Convert the .cfg and .weights to ONNX"),
        (
            {"InputConfig": {"Framework": "KERAS"}, "OutputConfig": {**OUT, "CompilerOptions": '{"format": "pmml"}'}},
            "a model of KERAS is not written as PMML",
        ),
        ({"InputConfig": {"Framework": "PYTORCH", "DataInputConfig": "3"}}, "or a list such as [[1, 3, 224, 224]]"),
        ({"InputConfig": {"S3Uri": "s3://data/model.zip"}}, "single gzip compressed tar archive"),
        ({"InputConfig": {"DataInputConfig": "[1, 2"}}, "must be a JSON dictionary"),
        ({"InputConfig": {"DataInputConfig": "[[1, 2]]"}}, "must be a JSON dictionary"),
        ({"OutputConfig": {**OUT, "TargetDevice": "ml_inf1"}}, "needs AWS Neuron's compiler"),
        ({"OutputConfig": {"S3OutputLocation": "s3://data/out"}}, "either TargetDevice or TargetPlatform"),
        (
            {"OutputConfig": {**OUT, "TargetPlatform": {"Os": "LINUX", "Arch": "X86_64"}}},
            "either TargetDevice or TargetPlatform",
        ),
        (
            {"OutputConfig": {**OUT, "CompilerOptions": '{"format": "text"}'}},
            "the format text is not one of onnx, pmml",
        ),
        (
            {"InputConfig": {"Framework": "ONNX"}, "OutputConfig": {**OUT, "CompilerOptions": '{"format": "pmml"}'}},
            "a model of ONNX is not written as PMML",
        ),
        ({"OutputConfig": {**OUT, "S3OutputLocation": "https://example.com/x"}}, "not a valid S3 URI"),
        ({"ModelPackageVersionArn": "arn:aws:sagemaker:us-east-1:000000000000:model-package/m/1"}, "is not offered"),
        ({"InputConfig": {"Framework": "SKLEARN", "FrameworkVersion": "9.9"}}, "scikit-learn has 0.20.0"),
        ({"InputConfig": {"Framework": "SKLEARN", "FrameworkVersion": "1.0"}}, "holds no compiler"),
    ],
)
def test_what_cannot_be_compiled_is_refused_and_leaves_nothing(inner, sagemaker, changes, text):
    code, message = sagemaker.refusal("CreateCompilationJob", **request(**changes))
    assert (code, text in message) == ("ValidationException", True), message
    assert sagemaker.call("ListCompilationJobs")["CompilationJobSummaries"] == []
    assert inner.woken == []


def test_the_version_of_a_pickle_is_the_requests_or_its_training_jobs(inner, sagemaker):
    trained = "s3://data/jobs/trained/output/model.tar.gz"
    asked = {"S3Uri": trained, "Framework": "SKLEARN"}
    sagemaker.call("CreateCompilationJob", **request("said", InputConfig={**asked, "FrameworkVersion": "1.2"}))
    assert image(inner, "said") == SKLEARN.format("1.2-1")
    sagemaker.call("CreateCompilationJob", **request("newest", InputConfig=asked))
    assert image(inner, "newest") == SKLEARN.format("1.4-2")
    made = inner.store.read.get(Key("compilation-job", "000000000000", "us-east-1", "said"))
    key = replace(made.key, kind="training-job", name="trained")
    spec = {"AlgorithmSpecification": {"TrainingImage": SKLEARN.format("1.2-1")}}
    row = replace(made, key=key, arn="arn:t", spec=spec, state={"model_artifacts": trained}, status="Completed")
    inner.store.write(lambda transaction: transaction.insert(row))
    sagemaker.call("CreateCompilationJob", **request("trained", InputConfig=asked))
    assert image(inner, "trained") == SKLEARN.format("1.2-1")


@pytest.mark.parametrize(
    ("framework", "shapes", "compiler"),
    [
        ("PYTORCH", "[[1, 3, 224, 224]]", "pytorch-inference:2.10.0-cpu"),
        ("PYTORCH", '{"input0": [1, 3, 224, 224]}', "pytorch-inference:2.10.0-cpu"),
        ("TENSORFLOW", '{"input": [1, 8]}', "tensorflow-inference:2.19.0-cpu"),
        ("KERAS", '{"input_1": [1, 3, 8, 8]}', "tensorflow-inference:2.19.0-cpu"),
        ("TFLITE", '{"input": [1, 8]}', "tensorflow-inference:2.19.0-cpu"),
    ],
)
def test_a_network_is_read_by_its_frameworks_newest_image_and_served_without_it(
    inner, sagemaker, framework, shapes, compiler
):
    sagemaker.call("CreateCompilationJob", **request(InputConfig={"Framework": framework, "DataInputConfig": shapes}))
    assert image(inner, "job").rpartition("/")[2] == compiler
    shown = sagemaker.call("DescribeCompilationJob", CompilationJobName="job")
    assert shown["InferenceImage"].rpartition("/")[2] == "sagemaker-neo-onnx:1.5.0-cpu-py3"


def image(inner, name):
    return inner.store.read.get(Key("compilation-job", "000000000000", "us-east-1", name)).state["image"]


def test_names_are_taken_once_and_missing_ones_are_said(sagemaker):
    sagemaker.call("CreateCompilationJob", **request())
    assert sagemaker.refusal("CreateCompilationJob", **request())[0] == "ResourceInUse"
    for operation in ("DescribeCompilationJob", "StopCompilationJob", "DeleteCompilationJob"):
        assert sagemaker.refusal(operation, CompilationJobName="none")[0] == "ResourceNotFound"


def test_a_job_that_is_to_stop_is_stopping_and_may_be_deleted_when_it_has(inner, sagemaker):
    sagemaker.call("CreateCompilationJob", **request())
    sagemaker.call("StopCompilationJob", CompilationJobName="job")
    [summary] = sagemaker.call("ListCompilationJobs", StatusEquals="STOPPING")["CompilationJobSummaries"]
    assert summary["CompilationJobStatus"] == "STOPPING"
    assert sagemaker.call("ListCompilationJobs", StatusEquals="STARTING")["CompilationJobSummaries"] == []
    assert "in status STOPPING" in sagemaker.refusal("DeleteCompilationJob", CompilationJobName="job")[1]
    change(inner, status="STOPPED")
    assert "in status STOPPED" in sagemaker.refusal("StopCompilationJob", CompilationJobName="job")[1]
    sagemaker.call("DeleteCompilationJob", CompilationJobName="job")
    assert sagemaker.call("ListCompilationJobs")["CompilationJobSummaries"] == []


def test_lists_begin_with_the_oldest(sagemaker):
    for name in ("b", "a", "c"):
        sagemaker.call("CreateCompilationJob", **request(name))
    found = sagemaker.call("ListCompilationJobs")["CompilationJobSummaries"]
    assert [each["CompilationJobName"] for each in found] == ["b", "a", "c"]
    by_name = sagemaker.call("ListCompilationJobs", SortBy="Name", SortOrder="Descending", MaxResults=2)
    assert [each["CompilationJobName"] for each in by_name["CompilationJobSummaries"]] == ["c", "b"]
