"""SDK 3's ModelTrainer with a script of the user's: its own driver, started by /bin/bash, runs it."""

import io
import os
import tarfile
import tempfile

import boto3
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.train.configs import Compute, SourceCode
from sagemaker.train.model_trainer import ModelTrainer

TRAIN = """
import argparse, json, os, sys
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
parser.add_argument("--fail", default="")
given = parser.parse_args()
if given.fail:
    raise ValueError(given.fail)
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"), "w") as file:
    json.dump({"depth": given.depth, "hosts": json.loads(os.environ["SM_HOSTS"])}, file)
print("trained with", given.depth, flush=True)
"""


def trainer(folder, **hyperparameters):
    return ModelTrainer(
        training_image=image_uris.retrieve("sklearn", "us-east-1", version="1.2-1", instance_type="ml.m5.large"),
        source_code=SourceCode(source_dir=folder, entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        base_job_name="script",
        hyperparameters=hyperparameters,
        sagemaker_session=Session(),
    )


with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "train.py"), "w") as file:
        file.write(TRAIN)
    good = trainer(folder, depth=3)
    good.train(logs=False)
    job = good._latest_training_job
    print("status:", job.training_job_status)
    bucket, _, key = job.model_artifacts.s3_model_artifacts[len("s3://") :].partition("/")
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.extractfile("model.json").read() == b'{"depth": 3, "hosts": ["algo-1"]}'

    bad = trainer(folder, fail="no such luck")
    try:
        bad.train(logs=False)
    except FailedStatusError:
        pass
    else:
        raise AssertionError("train() returned although the script failed")
    name = bad._latest_training_job.training_job_name
    reason = boto3.client("sagemaker").describe_training_job(TrainingJobName=name)["FailureReason"]
    print("reason:", " ".join(reason.split()))
