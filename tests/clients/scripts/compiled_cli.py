"""The AWS CLI: a model is compiled, a job is stopped, and the compiled model is tried beside the first by an inference
experiment."""

import json
import os
import tarfile
import tempfile
import time

from commands import aws

MODEL = """
import time
from sklearn.linear_model import LogisticRegression

def model_fn(folder):
    time.sleep(%d)
    return LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"])
"""
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
CODE = "Environment={SAGEMAKER_PROGRAM=inference.py,SAGEMAKER_SUBMIT_DIRECTORY=/opt/ml/model/code}"
BUCKET = "compiled-cli"
SECONDS = 120


def until(wanted, look, member):
    """What is described, when it has come to that status."""
    end = time.monotonic() + SECONDS
    while (found := look())[member] != wanted:
        assert found[member] not in ("FAILED", "Failed", "Cancelled"), found
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return found


def pack(name, seconds):
    with open("inference.py", "w") as script:
        script.write(MODEL % seconds)
    with tarfile.open(f"{name}.tar.gz", "w:gz") as archive:
        archive.add("inference.py", "code/inference.py")
    aws("s3", "cp", f"{name}.tar.gz", f"s3://{BUCKET}/{name}.tar.gz")


def compile_(name):
    aws(
        *("sagemaker", "create-compilation-job", "--compilation-job-name", f"{name}-cli", "--role-arn", ROLE),
        *("--input-config", f"S3Uri=s3://{BUCKET}/{name}.tar.gz,Framework=SKLEARN,FrameworkVersion=1.2"),
        *("--output-config", f"S3OutputLocation=s3://{BUCKET}/compiled,TargetDevice=ml_c5"),
        *("--stopping-condition", "MaxRuntimeInSeconds=900"),
    )


def compilation(name):
    return aws("sagemaker", "describe-compilation-job", "--compilation-job-name", f"{name}-cli")


folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
ROLE = aws("iam", "get-role", "--role-name", "ClaryExecutionRole")["Role"]["Arn"]
aws("s3", "mb", f"s3://{BUCKET}")
for name, seconds in (("quick", 0), ("slow", 600)):
    pack(name, seconds)
    compile_(name)
done = until("COMPLETED", lambda: compilation("quick"), "CompilationJobStatus")
print("artifact:", done["ModelArtifacts"]["S3ModelArtifacts"])
aws("sagemaker", "stop-compilation-job", "--compilation-job-name", "slow-cli")
until("STOPPED", lambda: compilation("slow"), "CompilationJobStatus")


def listed(*more):
    found = aws("sagemaker", "list-compilation-jobs", "--name-contains=-cli", *more)
    return [each["CompilationJobName"] for each in found["CompilationJobSummaries"]]


print("completed:", listed("--status-equals", "COMPLETED"))
aws("sagemaker", "delete-compilation-job", "--compilation-job-name", "slow-cli")
print("left:", listed())

for name, container in (
    ("before", f"Image={IMAGE},ModelDataUrl=s3://{BUCKET}/quick.tar.gz,{CODE}"),
    ("after", f"Image={done['InferenceImage']},ModelDataUrl={done['ModelArtifacts']['S3ModelArtifacts']}"),
):
    named = ("--model-name", f"{name}-compiled-cli", "--execution-role-arn", ROLE)
    aws("sagemaker", "create-model", *named, "--primary-container", container)
variant = "VariantName=before,ModelName=before-compiled-cli,InstanceType=ml.m5.large,InitialInstanceCount=1"
named = ("--endpoint-config-name", "compiled-cli")
aws("sagemaker", "create-endpoint-config", *named, "--production-variants", variant)
aws("sagemaker", "create-endpoint", "--endpoint-name", "compiled-cli", *named)


def endpoint():
    return aws("sagemaker", "describe-endpoint", "--endpoint-name", "compiled-cli")


until("InService", endpoint, "EndpointStatus")

NAMED = ("--name", "tried-cli")


def experiment():
    return aws("sagemaker", "describe-inference-experiment", *NAMED)


def infrastructure(name):
    real_time = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    kind = {"InfrastructureType": "RealTimeInference", "RealTimeInferenceConfig": real_time}
    return {"VariantName": name, "ModelName": f"{name}-compiled-cli", "InfrastructureConfig": kind}


shadow = [{"ShadowModelVariantName": "after", "SamplingPercentage": 50}]
later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
aws(
    *("sagemaker", "create-inference-experiment", *NAMED, "--type", "ShadowMode", "--role-arn", ROLE),
    *("--endpoint-name", "compiled-cli", "--schedule", f"StartTime={later}"),
    *("--model-variants", json.dumps([infrastructure("before"), infrastructure("after")])),
    "--shadow-mode-config",
    json.dumps({"SourceModelVariantName": "before", "ShadowModelVariants": shadow}),
)
until("Created", experiment, "Status")
aws("sagemaker", "update-inference-experiment", *NAMED, "--description", "is it the same?")
until("Created", experiment, "Status")
print("described:", experiment()["Description"])
aws("sagemaker", "start-inference-experiment", *NAMED)
until("Running", experiment, "Status")
found = aws("sagemaker", "list-inference-experiments", "--status-equals", "Running", "--name-contains", "tried-cli")
print("running:", [each["Name"] for each in found["InferenceExperiments"]])
print("shadow:", [each["VariantName"] for each in endpoint()["ShadowProductionVariants"]])
aws("sagemaker", "stop-inference-experiment", *NAMED, "--model-variant-actions", "before=Remove,after=Promote")
until("Completed", experiment, "Status")
until("InService", endpoint, "EndpointStatus")
with open("row.csv", "w") as row:
    row.write("0.1\n2.9\n")
asked = ("--endpoint-name", "compiled-cli", "--content-type", "text/csv", "--body", "file://row.csv")
answer = aws("sagemaker-runtime", "invoke-endpoint", *asked, "answer")
with open("answer") as file:
    print("answer:", answer["InvokedProductionVariant"], json.loads(file.read()))
aws("sagemaker", "delete-inference-experiment", *NAMED)
print("experiments:", aws("sagemaker", "list-inference-experiments", *("--name-contains", "tried-cli")))
aws("sagemaker", "delete-endpoint", "--endpoint-name", "compiled-cli")
