"""The AWS CLI, command by command in one process: what an endpoint can be, and how it changes while it serves."""

import contextlib
import json
import os
import tarfile
import tempfile
import time

from commands import aws

SAYS = """
def model_fn(model_dir):
    return %r

def input_fn(data, content_type):
    return data

def predict_fn(data, model):
    return model

def output_fn(prediction, accept):
    return prediction, "text/plain"
"""
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
CODE = "Environment={SAGEMAKER_PROGRAM=inference.py,SAGEMAKER_SUBMIT_DIRECTORY=/opt/ml/model/code}"
BUCKET = "lines-cli"
SECONDS = 120


def pack(name):
    with open("inference.py", "w") as script:
        script.write(SAYS % name)
    with tarfile.open(f"{name}.tar.gz", "w:gz") as archive:
        archive.add("inference.py", "code/inference.py")
    aws("s3", "cp", f"{name}.tar.gz", f"s3://{BUCKET}/models/{name}.tar.gz")


def create_model(name, container):
    named = ("--model-name", f"{name}-cli", "--execution-role-arn", ROLE)
    aws("sagemaker", "create-model", *named, "--primary-container", container)


def configure(name, *variants, **more):
    """`more`: further options, by their names with underscores."""
    options = [part for option, value in more.items() for part in ("--" + option.replace("_", "-"), value)]
    named = ("--endpoint-config-name", f"{name}-cli")
    aws("sagemaker", "create-endpoint-config", *named, "--production-variants", *variants, *options)


def create(name, *variants, **more):
    configure(name, *variants, **more)
    named = ("--endpoint-name", f"{name}-cli", "--endpoint-config-name", f"{name}-cli")
    aws("sagemaker", "create-endpoint", *named)


def described(name):
    return aws("sagemaker", "describe-endpoint", "--endpoint-name", f"{name}-cli")


def wait(name):
    """The command's own waiting looks every second."""
    end = time.monotonic() + SECONDS
    while (status := described(name)["EndpointStatus"]) != "InService":
        assert status != "Failed" and time.monotonic() < end, described(name)
        time.sleep(0.2)


def ask(name, *more):
    """Which variant answered, and what."""
    asked = ("--endpoint-name", f"{name}-cli", "--body", "x", *more)
    answer = aws("sagemaker-runtime", "invoke-endpoint", *asked, "answer")
    with open("answer") as file:
        return answer["InvokedProductionVariant"], file.read()


def variant(name, model, count=1, weight=1):
    shape = f"InstanceType=ml.m5.large,InitialInstanceCount={count},InitialVariantWeight={weight}"
    return f"VariantName={name},ModelName={model}-cli,{shape}"


folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
ROLE = aws("iam", "get-role", "--role-name", "ClaryExecutionRole")["Role"]["Arn"]
aws("s3", "mb", f"s3://{BUCKET}")
for model in ("one", "two"):
    pack(model)
    create_model(model, f"Image={IMAGE},ModelDataUrl=s3://{BUCKET}/models/{model}.tar.gz,{CODE}")
create_model("many", f"Image={IMAGE},ModelDataUrl=s3://{BUCKET}/models/,Mode=MultiModel,{CODE}")

key = aws("kms", "create-key")["KeyMetadata"]["Arn"]
capture = f"KmsKeyId={key},EnableCapture=true,InitialSamplingPercentage=100,DestinationS3Uri=s3://{BUCKET}/captured"
capture += ",CaptureOptions=[{CaptureMode=Input},{CaptureMode=Output}]"
create("live", variant("a", "one"), variant("b", "two", weight=0), data_capture_config=capture)
create("many", variant("all", "many"))
create("serverless", "VariantName=all,ModelName=one-cli,ServerlessConfig={MemorySizeInMB=1024,MaxConcurrency=2}")
later = f"OutputConfig={{S3OutputPath=s3://{BUCKET}/answers,S3FailurePath=s3://{BUCKET}/failures}}"
create("later", variant("all", "one") + ",AcceleratorType=ml.eia2.medium", async_inference_config=later)
hosting = "VariantName=all,InstanceType=ml.m5.large,InitialInstanceCount=1"
create("host", hosting, execution_role_arn=ROLE)
for endpoint in ("live", "many", "serverless", "later", "host"):
    wait(endpoint)

assert ask("live") == ("a", "one")
assert ask("live", "--target-variant", "b") == ("b", "two")
wanted = ["VariantName=a,DesiredWeight=0,DesiredInstanceCount=2", "VariantName=b,DesiredWeight=1"]
moved = ("--endpoint-name", "live-cli", "--desired-weights-and-capacities", *wanted)
aws("sagemaker", "update-endpoint-weights-and-capacities", *moved)
wait("live")
assert ask("live") == ("b", "two")
print("weights:", [each["CurrentWeight"] for each in described("live")["ProductionVariants"]])

assert [ask("many", "--target-model", f"{model}.tar.gz")[1] for model in ("one", "two")] == ["one", "two"]
print("many models")
assert ask("serverless") == ("all", "one")
print("serverless:", described("serverless")["ProductionVariants"][0]["CurrentServerlessConfig"]["MaxConcurrency"])

aws("s3", "cp", "inference.py", f"s3://{BUCKET}/question")
asked = ("--endpoint-name", "later-cli", "--input-location", f"s3://{BUCKET}/question")
answer = aws("sagemaker-runtime", "invoke-endpoint-async", *asked)["OutputLocation"]
aws("s3api", "wait", "object-exists", "--bucket", BUCKET, "--key", answer.split("/", 3)[3])
print("asynchronous:", aws("s3", "cp", answer, "-"))
told = aws("logs", "filter-log-events", "--log-group-name", "/aws/sagemaker/Endpoints/later-cli")["events"]
print("accelerator:", any("ml.eia2.medium" in each["message"] for each in told))

scaled = ("--service-namespace", "sagemaker", "--resource-id", "endpoint/later-cli/variant/all")
scaled += ("--scalable-dimension", "sagemaker:variant:DesiredInstanceCount")
aws("application-autoscaling", "register-scalable-target", *scaled, "--min-capacity", "0", "--max-capacity", "2")
backlog = {"MetricName": "ApproximateBacklogSizePerInstance", "Namespace": "AWS/SageMaker", "Statistic": "Average"}
backlog["Dimensions"] = [{"Name": "EndpointName", "Value": "later-cli"}]
tracking = ("--policy-name", "backlog", "--policy-type", "TargetTrackingScaling")
tracking += ("--target-tracking-scaling-policy-configuration",)
tracking += (json.dumps({"TargetValue": 5, "CustomizedMetricSpecification": backlog}),)
put = aws("application-autoscaling", "put-scaling-policy", *scaled, *tracking)
step = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
}
stepping = ("--policy-name", "first", "--policy-type", "StepScaling")
stepping += ("--step-scaling-policy-configuration", json.dumps(step))
first = aws("application-autoscaling", "put-scaling-policy", *scaled, *stepping)["PolicyARN"]
aws(
    *("cloudwatch", "put-metric-alarm", "--alarm-name", "waiting-cli", "--namespace", "AWS/SageMaker"),
    *("--metric-name", "HasBacklogWithoutCapacity", "--dimensions", "Name=EndpointName,Value=later-cli"),
    *("--statistic", "Average", "--period", "60", "--evaluation-periods", "1", "--threshold", "1"),
    *("--comparison-operator", "GreaterThanOrEqualToThreshold", "--alarm-actions", first),
)
night = ("application-autoscaling", "put-scheduled-action", *scaled, "--scheduled-action-name", "night")
night += ("--scalable-target-action", "MinCapacity=0,MaxCapacity=0")
for ahead in (1, 5, 25):  # of a busy machine the next second is over before the command is carried out
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + ahead))
    with contextlib.suppress(AssertionError):
        aws(*night, "--schedule", f"at({at})")
        break
end = time.monotonic() + SECONDS
while described("later")["ProductionVariants"][0]["CurrentInstanceCount"] > 0:
    assert time.monotonic() < end, "it is not scaled to nothing"
    time.sleep(0.2)
aws("application-autoscaling", "register-scalable-target", *scaled, "--min-capacity", "0", "--max-capacity", "2")
wait("later")
reason = ("--alarm-name", "waiting-cli", "--state-value", "ALARM", "--state-reason", "somebody waits")
aws("cloudwatch", "set-alarm-state", *reason)
while described("later")["ProductionVariants"][0]["CurrentInstanceCount"] < 1:
    assert time.monotonic() < end, "it does not come back from nothing"
    time.sleep(0.2)
activities = aws("application-autoscaling", "describe-scaling-activities", *scaled)["ScalingActivities"]
print("scaled:", len(put["Alarms"]), "alarms,", len(activities) >= 2)

component = ("--inference-component-name", "part-cli")
needs = "ComputeResourceRequirements={NumberOfCpuCoresRequired=0.5,MinMemoryRequiredInMb=512}"
aws(
    *("sagemaker", "create-inference-component", *component, "--endpoint-name", "host-cli", "--variant-name", "all"),
    *("--specification", f"ModelName=two-cli,{needs}", "--runtime-config", "CopyCount=1"),
)
while aws("sagemaker", "describe-inference-component", *component)["InferenceComponentStatus"] == "Creating":
    time.sleep(0.2)
print("component:", ask("host", *component)[1])
aws("sagemaker", "delete-inference-component", *component)

configure(
    "shadowed", variant("a", "one", 2), shadow_production_variants=variant("b", "two"), data_capture_config=capture
)
at_once = "TrafficRoutingConfiguration={Type=ALL_AT_ONCE,WaitIntervalInSeconds=0},TerminationWaitInSeconds=1"
at_once = f"BlueGreenUpdatePolicy={{{at_once}}}"
named = ("--endpoint-name", "live-cli", "--endpoint-config-name", "shadowed-cli")
aws("sagemaker", "update-endpoint", *named, "--deployment-config", at_once)
wait("live")
assert ask("live") == ("a", "one")
print("shadow:", [each["VariantName"] for each in described("live")["ShadowProductionVariants"]])
configure("plain", variant("a", "two", 2), data_capture_config=capture)
aws("sagemaker", "update-endpoint", "--endpoint-name", "live-cli", "--endpoint-config-name", "plain-cli")
wait("live")
configure("rolled", variant("a", "one", 2), data_capture_config=capture)
rolling = "RollingUpdatePolicy={MaximumBatchSize={Type=INSTANCE_COUNT,Value=1},WaitIntervalInSeconds=0}"
alarms = "AutoRollbackConfiguration={Alarms=[{AlarmName=waiting-cli}]}"
aws("cloudwatch", "set-alarm-state", "--alarm-name", "waiting-cli", "--state-value", "OK", "--state-reason", "answered")
named = ("--endpoint-name", "live-cli", "--endpoint-config-name", "rolled-cli")
aws("sagemaker", "update-endpoint", *named, "--deployment-config", f"{rolling},{alarms}")
wait("live")
assert ask("live") == ("a", "one")
print("rolled:", described("live")["EndpointConfigName"])

counted = ("cloudwatch", "get-metric-statistics", "--namespace", "AWS/SageMaker", "--metric-name", "Invocations")
counted += ("--dimensions", "Name=EndpointName,Value=live-cli", "Name=VariantName,Value=b", "--statistics", "Sum")
counted += ("--period", "3600", "--start-time", str(time.time() - 1800), "--end-time", str(time.time() + 1800))
end = time.monotonic() + SECONDS
while (total := sum(each["Sum"] for each in aws(*counted)["Datapoints"])) < 3:
    assert time.monotonic() < end, ("what it has answered, as the shadow too, is not counted", total)
    time.sleep(0.5)
print("counted:", total)

listed = ("s3api", "list-objects-v2", "--bucket", BUCKET, "--prefix", "captured/live-cli/")
end = time.monotonic() + SECONDS
while not (kept := aws(*listed) or {}).get("Contents"):
    assert time.monotonic() < end, "nothing is captured"
    time.sleep(0.5)
head = aws("s3api", "head-object", "--bucket", BUCKET, "--key", kept["Contents"][0]["Key"])
print("captured under its key:", head["SSEKMSKeyId"] == key)
for endpoint in ("live", "many", "serverless", "later", "host"):
    aws("sagemaker", "delete-endpoint", "--endpoint-name", f"{endpoint}-cli")
