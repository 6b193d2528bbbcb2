"""Wrong requests, failing scripts and failing models, as a client reads them."""

import os
import tempfile
import time

import boto3
import sagemaker
from boston import estimator, train_input, upload
from botocore.exceptions import ClientError
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.sklearn import SKLearn

session = sagemaker.Session()
client, runtime = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
role = sagemaker.get_execution_role()


def refused(call, code, *texts):
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        for text in texts:
            assert text in error.response["Error"]["Message"], error
    else:
        raise AssertionError(f"{code} expected")


refused(
    lambda: client.describe_training_job(TrainingJobName="nobody"),
    "ValidationException",
    "Requested resource not found.",
)
refused(lambda: client.describe_endpoint(EndpointName="nobody"), "ValidationException", "Could not find endpoint")
refused(lambda: client.describe_model(ModelName="nobody"), "ValidationException", "Could not find model")
refused(
    lambda: client.delete_endpoint_config(EndpointConfigName="nobody"),
    "ValidationException",
    "Could not find endpoint configuration",
)
refused(
    lambda: runtime.invoke_endpoint(EndpointName="nobody", Body=b"1"),
    "ValidationError",
    "Endpoint nobody of account",
    "not found",
)
refused(
    lambda: client.create_model(ModelName="bad_name", ExecutionRoleArn=role, PrimaryContainer={"Image": "x"}),
    "ValidationException",
    "1 validation error detected: Value 'bad_name' at 'modelName' failed to satisfy constraint: "
    "Member must satisfy regular expression pattern",
)
container = {"Image": sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1")}
client.create_model(ModelName="twice", ExecutionRoleArn=role, PrimaryContainer=container)
refused(
    lambda: client.create_model(ModelName="twice", ExecutionRoleArn=role, PrimaryContainer=container),
    "ValidationException",
    "Cannot create already existing model",
)


def script_job(text):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "train.py"), "w") as file:
            file.write(text)
        job = SKLearn("train.py", source_dir=folder, framework_version="1.2-1", role=role, instance_type="ml.m5.large",
                      instance_count=1, sagemaker_session=session)  # fmt: skip
        try:
            job.fit(logs=False)
        except UnexpectedStatusException as error:
            return job.latest_training_job.describe(), str(error)
        return job.latest_training_job.describe(), ""


described, error = script_job("raise ValueError('the cat has eaten the data')")
assert described["TrainingJobStatus"] == "Failed", described
assert "ValueError: the cat has eaten the data" in described["FailureReason"], described["FailureReason"]
assert described["FailureReason"].startswith("AlgorithmError"), described["FailureReason"]
assert "the cat has eaten the data" in error

described, _ = script_job("import sys; sys.exit(3)")
assert described["TrainingJobStatus"] == "Failed" and "xit" in described["FailureReason"], described["FailureReason"]

described, _ = script_job("open('/opt/ml/output/failure', 'w').write('my own reason'); raise SystemExit(1)")
assert "my own reason" in described["FailureReason"], described["FailureReason"]

uri = upload(session)
wrong = estimator(session, max_depth="deep")
try:
    wrong.fit(train_input(uri), logs=False)
except UnexpectedStatusException:
    reason = wrong.latest_training_job.describe()["FailureReason"]
    assert reason.startswith("ClientError") and "max_depth" in reason, reason
else:
    raise AssertionError("a hyperparameter that is no number must fail")

missing = estimator(session)
try:
    missing.fit(train_input(f"s3://{session.default_bucket()}/nothing/here"), logs=False)
except (UnexpectedStatusException, ClientError) as error:
    assert "S3" in str(error), error
else:
    raise AssertionError("no data must fail")

good = estimator(session)
good.fit(train_input(uri), logs=False)
name = f"failures-{int(time.time())}"
predictor = good.deploy(1, "ml.m5.large", endpoint_name=name)
refused(lambda: runtime.invoke_endpoint(EndpointName=name, Body=b"a,b", ContentType="text/csv"), "ModelError", "from")
refused(
    lambda: runtime.invoke_endpoint(EndpointName=name, Body=b"1,2", ContentType="text/strange"),
    "ModelError",
    "Received client error (415) from",
)
refused(
    lambda: runtime.invoke_endpoint(EndpointName=name, Body=b"1", ContentType="text/csv", TargetVariant="nobody"),
    "ValidationError",
)
predictor.delete_endpoint()


def gone():
    """Deleting goes on after the answer, as on AWS: an invocation in the next moment may still be answered."""
    try:
        runtime.invoke_endpoint(EndpointName=name, Body=b"1", ContentType="text/csv")
    except ClientError as error:
        return error.response["Error"]["Code"] == "ValidationError"
    return False


deadline = time.monotonic() + 60
while not gone():
    assert time.monotonic() < deadline, "the endpoint still answers a minute after it was deleted"
    time.sleep(0.05)

stopping = SKLearn(
    "sleep.py",
    source_dir=os.path.join(os.path.dirname(os.path.abspath(__file__)), "sleeper"),
    framework_version="1.2-1",
    role=role,
    instance_type="ml.m5.large",
    instance_count=1,
    sagemaker_session=session,
)
stopping.fit(wait=False)
job = stopping.latest_training_job.name
while client.describe_training_job(TrainingJobName=job)["SecondaryStatus"] != "Training":
    time.sleep(0.1)
client.stop_training_job(TrainingJobName=job)
client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job)
described = client.describe_training_job(TrainingJobName=job)
assert described["TrainingJobStatus"] == "Stopped", described
assert [t["Status"] for t in described["SecondaryStatusTransitions"]][-1] == "Stopped", described
