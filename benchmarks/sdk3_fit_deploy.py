"""Seconds of SDK 3's `ModelTrainer.train()` and `ModelBuilder.deploy()`, run in a client's environment; prints one JSON
line."""

import json
import time

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train.configs import Compute, InputData, OutputDataConfig
from sagemaker.train.model_trainer import ModelTrainer

session, role = Session(), get_execution_role()
image = image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1")
trainer = ModelTrainer(
    training_image=image,
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters={"objective": "reg:squarederror", "num_round": "50"},
    output_data_config=OutputDataConfig(s3_output_path="s3://bench/sdk"),
    base_job_name="bench",
    sagemaker_session=session,
    role=role,
)
began = time.perf_counter()
trainer.train(
    input_data_config=[InputData(channel_name="train", data_source="s3://bench/boston/", content_type="text/csv")]
)
fit = time.perf_counter() - began

builder = ModelBuilder(
    s3_model_data_url=trainer._latest_training_job.model_artifacts.s3_model_artifacts,
    image_uri=image,
    role_arn=role,
    instance_type="ml.m5.large",
    sagemaker_session=session,
)
builder.build()
began = time.perf_counter()
endpoint = builder.deploy(initial_instance_count=1, instance_type="ml.m5.large")
deploy = time.perf_counter() - began
endpoint.delete()
print("\n" + json.dumps({"fit": fit, "deploy": deploy}))
