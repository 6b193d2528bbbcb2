"""SDK 3 finds image, script and defaults as SDK 2 does, and by the public hub; its ModelTrainer trains with both."""

import json

import boto3
from sagemaker.core import hyperparameters, image_uris, script_uris
from sagemaker.core.jumpstart.configs import JumpStartConfig
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

region = boto3.Session().region_name
named = {"model_id": "catboost-regression-model", "model_version": "*"}
image = image_uris.retrieve(
    framework=None, region=region, image_scope="training", instance_type="ml.m5.xlarge", **named
)
script = script_uris.retrieve(script_scope="training", **named)
chosen = hyperparameters.retrieve_default(**named)

trainer = ModelTrainer(
    training_image=image,
    base_job_name="houses-of-sdk3",
    compute=Compute(instance_type="ml.m5.xlarge", instance_count=1),
    hyperparameters={
        **chosen,
        "iterations": "100",
        "learning_rate": "0.1",
        "sagemaker_program": "transfer_learning.py",
        "sagemaker_submit_directory": script,
    },
)
data = f"s3://jumpstart-cache-prod-{region}/training-datasets/tabular_regress/"
trainer.train(input_data_config=[InputData(channel_name="training", data_source=data)], wait=True, logs=False)
job = trainer._latest_training_job
print(job.training_job_status, json.dumps(job.hyper_parameters))

by_name = ModelTrainer.from_jumpstart_config(
    jumpstart_config=JumpStartConfig(model_id="lightgbm-regression-model"),
    base_job_name="houses-by-name",
    hyperparameters={"num_boost_round": "20"},
)
by_name.train(wait=True, logs=False)
job = by_name._latest_training_job
described = boto3.client("sagemaker").describe_training_job(TrainingJobName=job.training_job_name)
print("by name", described["TrainingJobStatus"], described.get("FailureReason"))

builder = ModelBuilder(model="lightgbm-regression-model")
builder.build()
builder.deploy(endpoint_name="houses-of-sdk3")
answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName="houses-of-sdk3", ContentType="text/csv", Body="0.1,18,2.3,0,0.5,6.5,65,4,1,296,15,396,5"
)
print("answer", answer["Body"].read().decode())
