"""Batch transform on a started Clary: what is answered, what fails by name, what a crash leaves."""

import gzip
import json
import os
import signal
from pathlib import Path

import pytest

from tests.running import wait_until
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

pytestmark = pytest.mark.system

# Doubles the sum of each row; a row that holds `bad` is the client's fault, `ugly` the model's.
INFERENCE = """
import os, time

def model_fn(folder):
    print("batch", os.environ["SAGEMAKER_BATCH"], os.environ.get("SAGEMAKER_BATCH_STRATEGY"), flush=True)
    return 2

def input_fn(body, content_type):
    if "slow" in body:
        time.sleep(8)
    if "ugly" in body:
        raise RuntimeError("an ugly row")
    return [[float(cell) for cell in line.split(",")] for line in body.strip().split("\\n")]

def predict_fn(rows, model):
    return [sum(row) * model for row in rows]

def output_fn(predictions, accept):
    return "".join("%g\\n" % each for each in predictions), "text/csv"
"""


class Transforms(Jobs):
    """Transform jobs of one model."""

    def model(self):
        self.s3.put_object(
            Bucket=BUCKET, Key="model.tar.gz", Body=packed({"model": "", "code/inference.py": INFERENCE})
        )
        variables = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        self.sagemaker.create_model(
            ModelName="double",
            ExecutionRoleArn=self.role,
            PrimaryContainer={
                "Image": SKLEARN,
                "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
                "Environment": variables,
            },
        )

    def put(self, name, files, **how):
        for key, body in files.items():
            self.s3.put_object(Bucket=BUCKET, Key=f"{name}/in/{key}", Body=body, **how)

    def begin(self, name, *, kind="S3Prefix", uri=None, count=1, **more):
        source = {"S3DataType": kind, "S3Uri": uri or f"s3://{BUCKET}/{name}/in/"}
        given = {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"}
        self.sagemaker.create_transform_job(
            **{
                "TransformJobName": name,
                "ModelName": "double",
                "TransformInput": given | more.pop("TransformInput", {}),
                "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/{name}/out", "Accept": "text/csv"},
                "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": count},
                **more,
            }
        )

    def look(self, name):
        return self.sagemaker.describe_transform_job(TransformJobName=name)

    def over(self, name):
        def there():
            job = self.look(name)
            return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None

        return wait_until(there, JOB_SECONDS, f"{name} has ended")

    def outputs(self, name):
        prefix = f"{name}/out/"
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {
            entry["Key"].removeprefix(prefix): self.s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            for entry in found
        }

    def data_log(self, name):
        logs = self.clary.client("logs")
        found = logs.filter_log_events(logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix=f"{name}/")
        return [event["message"] for event in found["events"] if event["logStreamName"].endswith("/data-log")]


@pytest.fixture(scope="module")
def jobs(shared):
    made = Transforms(shared)
    made.encrypt()
    made.model()
    return made


def test_files_and_folders_keep_their_names(jobs):
    jobs.put("plain", {"a.csv": "1,2\n3,4\n", "deep/b.csv": "5,6"}, ServerSideEncryption="AES256")
    jobs.begin("plain")
    job = jobs.over("plain")
    assert job["TransformJobStatus"] == "Completed", job
    assert jobs.outputs("plain") == {"a.csv.out": b"6\n14\n", "deep/b.csv.out": b"22\n"}
    assert job["TransformEndTime"] >= job["TransformStartTime"] >= job["CreationTime"]
    assert "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in jobs.data_log("plain")[0]


def test_rows_are_filtered_joined_and_assembled(jobs):
    jobs.put("joined", {"a.csv": "id1,1,2\nid2,3,4\n"})
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    jobs.begin("joined", DataProcessing=processing, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4)
    assert jobs.over("joined")["TransformJobStatus"] == "Completed"
    assert jobs.outputs("joined") == {"a.csv.out": b"id1,6\nid2,14\n"}


def test_compressed_input_a_manifest_and_two_instances(jobs):
    jobs.put("manifest", {"a.csv.gz": gzip.compress(b"1,2\n"), "b.csv.gz": gzip.compress(b"3,4\n" * 1000)})
    entries = [{"prefix": f"s3://{BUCKET}/manifest/in/"}, "a.csv.gz", "b.csv.gz"]
    jobs.s3.put_object(Bucket=BUCKET, Key="manifest/list.json", Body=json.dumps(entries))
    uri = f"s3://{BUCKET}/manifest/list.json"
    jobs.begin("manifest", kind="ManifestFile", uri=uri, count=2, TransformInput={"CompressionType": "Gzip"})
    assert jobs.over("manifest")["TransformJobStatus"] == "Completed"
    assert jobs.outputs("manifest") == {"a.csv.gz.out": b"6\n", "b.csv.gz.out": b"14\n" * 1000}


def test_what_was_read_and_written_is_captured(jobs):
    jobs.put("captured", {"a.csv": "1,2\n"})
    config = {"DestinationS3Uri": f"s3://{BUCKET}/captured/seen", "GenerateInferenceId": True}
    jobs.begin("captured", DataCaptureConfig=config)
    assert jobs.over("captured")["TransformJobStatus"] == "Completed"
    answer = jobs.outputs("captured")["a.csv.out"].decode().strip().split(",")
    assert (answer[0], len(answer[1]), answer[2][-1]) == ("6", 36, "Z")
    found = jobs.s3.list_objects_v2(Bucket=BUCKET, Prefix="captured/seen/")["Contents"]
    manifests = [json.loads(jobs.s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()) for entry in found]
    assert manifests == [
        [{"prefix": f"s3://{BUCKET}/captured/in/"}, "a.csv"],
        [{"prefix": f"s3://{BUCKET}/captured/out/"}, "a.csv.out"],
    ]
    assert jobs.encrypted("captured/") == {"aws:kms"}


def test_a_bad_file_fails_by_name_and_the_others_are_done(jobs):
    jobs.put("mixed", {"bad.csv": "1,2\nthree,4\n", "good.csv": "1,2\n", "ugly.csv": "ugly\n"})
    jobs.begin("mixed", ModelClientConfig={"InvocationsMaxRetries": 0})
    job = jobs.over("mixed")
    assert job["TransformJobStatus"] == "Failed"
    assert "See job logs for more information" in job["FailureReason"]
    assert jobs.outputs("mixed") == {"good.csv.out": b"6\n"}
    log = "\n".join(jobs.data_log("mixed"))
    assert f"{BUCKET}/mixed/in/ugly.csv: Bad HTTP status received from algorithm: 500" in log
    assert f"{BUCKET}/mixed/in/bad.csv: " in log
    assert "an ugly row" in log


def test_a_row_larger_than_the_payload(jobs):
    jobs.put("large", {"a.csv": "1," + "2" * 1_100_000})
    jobs.begin("large", MaxPayloadInMB=1)
    assert "ClientError" in jobs.over("large")["FailureReason"]
    assert "Too much data for max payload size" in jobs.data_log("large")[-1]


def test_a_filter_that_is_no_path(jobs):
    jobs.put("path", {"a.csv": "1,2\n"})
    jobs.begin("path", DataProcessing={"InputFilter": "$..a"})
    assert "'$..a' is no JSONPath" in jobs.over("path")["FailureReason"]


def test_outputs_below_the_input_are_no_input(jobs):
    jobs.put("within", {"a.csv": "1,2\n"})
    jobs.begin("within", uri=f"s3://{BUCKET}/within/")
    assert jobs.over("within")["TransformJobStatus"] == "Completed"
    assert jobs.outputs("within") == {"in/a.csv.out": b"6\n"}


def test_refusals(jobs):
    with pytest.raises(jobs.sagemaker.exceptions.ClientError, match="cannot exceed 100 MB"):
        jobs.begin("greedy", MaxConcurrentTransforms=20, MaxPayloadInMB=6)
    jobs.begin("nothing", uri=f"s3://{BUCKET}/nothing/here")
    assert "No S3 objects found under S3 URL" in jobs.over("nothing")["FailureReason"]
    errors = jobs.sagemaker.exceptions
    with pytest.raises(errors.ResourceInUse, match="already exists"):
        jobs.begin("nothing")
    with pytest.raises(errors.ClientError, match="Could not find model"):
        jobs.begin("no-model", ModelName="no-such-model")
    with pytest.raises(errors.ClientError, match="Requested resource not found"):
        jobs.look("no-such-job")
    with pytest.raises(errors.ClientError, match="in status Failed"):
        jobs.sagemaker.stop_transform_job(TransformJobName="nothing")


def test_a_stopped_job_stops_and_leaves_no_half_file(jobs):
    jobs.put("stopped", {"a.csv": "slow\n"})
    jobs.begin("stopped")
    wait_until(lambda: jobs.look("stopped").get("TransformStartTime"), JOB_SECONDS, "it transforms")
    wait_until(lambda: jobs.data_log("stopped"), JOB_SECONDS, "the engine runs")
    jobs.sagemaker.stop_transform_job(TransformJobName="stopped")
    assert jobs.over("stopped")["TransformJobStatus"] == "Stopped"
    assert jobs.outputs("stopped") == {}
    listed = jobs.sagemaker.list_transform_jobs(StatusEquals="Stopped")["TransformJobSummaries"]
    assert [entry["TransformJobName"] for entry in listed] == ["stopped"]


def engines(data_dir):
    """Process ids of this Clary's engines."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "clary.workload.transform" in words and any(str(data_dir) in word for word in words):
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize("killed", [("control",), ("supervisor", "control", "launcher", "edge")])
def test_killed_in_the_middle_it_goes_on_and_does_nothing_twice(clary, killed):
    jobs = Transforms(clary)
    jobs.model()
    jobs.put("crash", {"a.csv": "1,2\n", "b.csv": "slow\n"})
    jobs.begin("crash", ModelClientConfig={"InvocationsMaxRetries": 0, "InvocationsTimeoutInSeconds": 3})
    wait_until(lambda: "a.csv.out" in jobs.outputs("crash"), JOB_SECONDS, "the first file is done")
    first = jobs.s3.head_object(Bucket=BUCKET, Key="crash/out/a.csv.out")["LastModified"]
    clary.kill(*killed)
    if "supervisor" in killed:
        clary.up()
    job = wait_until(lambda: _ended(jobs, "crash"), JOB_SECONDS, "it has ended")
    assert job["TransformJobStatus"] == "Failed"
    assert jobs.outputs("crash") == {"a.csv.out": b"6\n"}
    assert jobs.s3.head_object(Bucket=BUCKET, Key="crash/out/a.csv.out")["LastModified"] == first
    assert engines(clary.data_dir) == []


def _ended(jobs, name):
    try:
        job = jobs.look(name)
    except Exception:  # while control is away
        return None
    return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None


def test_a_killed_engine_is_begun_anew(jobs, shared):
    jobs.put("engine", {"a.csv": "1,2\n", "b.csv": "slow\n"})
    jobs.begin("engine", ModelClientConfig={"InvocationsMaxRetries": 0, "InvocationsTimeoutInSeconds": 3})
    [engine] = wait_until(lambda: engines(shared.data_dir), JOB_SECONDS, "the engine runs")
    os.kill(engine, signal.SIGKILL)
    assert jobs.over("engine")["TransformJobStatus"] == "Failed"
    assert jobs.outputs("engine") == {"a.csv.out": b"6\n"}
