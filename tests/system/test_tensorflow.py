"""TensorFlow's scripts on several hosts and in a tuning's jobs."""

import io
import json
import tarfile

import pytest

from tests.running import wait_until
from tests.system.jobs import BUCKET, JOB_SECONDS, Jobs

pytestmark = pytest.mark.system

IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training:2.19.0-cpu-py312-ubuntu22.04-sagemaker"
TWO_HOSTS = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}

MIRRORED = """
import json, os, socket
import tensorflow as tf

task = json.loads(os.environ["TF_CONFIG"])["task"]
meeting = socket.create_server(("", 7001)) if task["index"] == 0 else None
strategy = tf.distribute.MultiWorkerMirroredStrategy()

@tf.function
def total():
    return strategy.run(lambda: tf.distribute.get_replica_context().all_reduce("SUM", tf.constant(task["index"] + 1.0)))

result = float(total())
with open(os.path.join(os.environ["SM_MODEL_DIR"], "total-%d.txt" % task["index"]), "w") as file:
    file.write(f"{result} of {strategy.num_replicas_in_sync}")

# who leaves first takes along what the other has not fetched yet: both wait until both have the sum
friend = meeting.accept()[0] if meeting else socket.create_connection(("algo-1", 7001))
friend.sendall(b"x")
friend.recv(1)
"""

SERVERS = """
import json, os
import tensorflow as tf

config = json.loads(os.environ["TF_CONFIG"])
cluster, task = config["cluster"], config["task"]
server = tf.distribute.Server(cluster, job_name=task["type"], task_index=task["index"])
with tf.Graph().as_default():
    totals = []
    for place in range(2):
        with tf.device(f"/job:ps/task:{place}"):
            totals.append(tf.compat.v1.get_variable(f"total{place}", initializer=0.0))
    begin = tf.compat.v1.global_variables_initializer()
    add = tf.group(*[tf.compat.v1.assign_add(total, 1.0) for total in totals])
    ready = tf.compat.v1.report_uninitialized_variables(totals)
    with tf.compat.v1.Session(server.target) as session:
        if task["type"] == "master":
            session.run(begin)
        while len(session.run(ready)):
            pass
        session.run(add)
        while task["type"] == "master" and min(session.run(totals)) < 2:
            pass
        if task["type"] == "master":
            print("totals:", session.run(totals))
"""

SHOW_MODEL_DIR = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--model_dir")
print("model_dir is", parser.parse_known_args()[0].model_dir)
"""

HALF = """
import os
import tensorflow as tf

class Half(tf.Module):
    def __init__(self):
        super().__init__()
        self.slope = tf.Variable(0.5)

    @tf.function(input_signature=[tf.TensorSpec([None, 2], name="x")])
    def half(self, x):
        return {"y": self.slope * x}

model = Half()
tf.saved_model.save(model, os.environ["SM_MODEL_DIR"] + "/half/1", signatures={"serving_default": model.half})
"""


@pytest.fixture(scope="module")
def jobs(shared):
    return Jobs(shared)


def run(jobs, name, script, hyperparameters, resources=None):
    values = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": f"s3://{BUCKET}/{name}/source.tar.gz",
        **hyperparameters,
    }
    request = {"ResourceConfig": resources} if resources else {}
    jobs.start(
        name,
        script,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={key: json.dumps(value) for key, value in values.items()},
        **request,
    )
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), lines(jobs, name))
    return job


def lines(jobs, name):
    logs = jobs.clary.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=name)["logStreams"]
    return [
        event["message"]
        for stream in streams
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)[
            "events"
        ]
    ]


def test_a_mirrored_strategy_adds_up_over_two_hosts(jobs):
    enabled = {"sagemaker_multi_worker_mirrored_strategy_enabled": True}
    job = run(jobs, "mirrored", MIRRORED, enabled, TWO_HOSTS)
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"][len("s3://") :].partition("/")
    with tarfile.open(fileobj=io.BytesIO(jobs.s3.get_object(Bucket=bucket, Key=key)["Body"].read())) as tar:
        totals = {name: tar.extractfile(name).read() for name in tar.getnames() if name.endswith(".txt")}
    assert totals == {"total-0.txt": b"3.0 of 2", "total-1.txt": b"3.0 of 2"}
    assert any("will NOT be servable with SageMaker TensorFlow Serving" in line for line in lines(jobs, "mirrored"))


def test_parameter_servers_of_two_hosts_keep_one_state(jobs):
    run(jobs, "servers", SERVERS, {"sagemaker_parameter_server_enabled": True}, TWO_HOSTS)
    [totals] = [line for line in lines(jobs, "servers") if line.startswith("totals:")]
    assert totals.count("2.0") == 2


@pytest.mark.parametrize(
    ("name", "hyperparameters", "expected"),
    [
        ("alone", {"model_dir": "s3://mine/model"}, "s3://mine/model"),
        ("tuned", {"model_dir": "s3://mine/model", "_tuning_objective_metric": "loss"}, "s3://mine/model/tuned/model"),
        ("local", {"model_dir": "/opt/ml/model", "_tuning_objective_metric": "loss"}, "/opt/ml/model"),
    ],
    ids=["alone", "tuned", "local"],
)
def test_the_jobs_of_a_tuning_do_not_share_their_model_dir(jobs, name, hyperparameters, expected):
    run(jobs, name, SHOW_MODEL_DIR, hyperparameters)
    assert f"model_dir is {expected}" in lines(jobs, name)


def test_a_saved_model_is_compiled_and_answers_without_tensorflow(jobs):
    trained = run(jobs, "half", HALF, {})["ModelArtifacts"]["S3ModelArtifacts"]
    jobs.sagemaker.create_compilation_job(
        CompilationJobName="half",
        RoleArn=jobs.role,
        InputConfig={"S3Uri": trained, "Framework": "TENSORFLOW", "DataInputConfig": '{"x": [1, 2]}'},
        OutputConfig={"S3OutputLocation": f"s3://{BUCKET}/compiled", "TargetDevice": "ml_c5"},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )

    def ended():
        found = jobs.sagemaker.describe_compilation_job(CompilationJobName="half")
        return found if found["CompilationJobStatus"] in ("COMPLETED", "FAILED") else None

    job = wait_until(ended, JOB_SECONDS, "it is compiled")
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    container = {"Image": job["InferenceImage"], "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    jobs.deploy_container("half", container)
    assert json.loads(jobs.ask("half", "[[1, 3]]")) == [[0.5, 1.5]]
    assert json.loads(jobs.ask("half", '{"x": [[1, 3], [2, 4]]}')) == {"y": [[0.5, 1.5], [1, 2]]}
    jobs.sagemaker.delete_endpoint(EndpointName="half")
