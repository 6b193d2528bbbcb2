"""Seconds of SDK v2's `fit()` and `deploy()`, run in a client's environment; prints one JSON line."""

import json
import time

import boto3
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

session = sagemaker.Session()
role = sagemaker.get_execution_role()
estimator = Estimator(
    sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1"),
    role,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path="s3://bench/sdk",
    hyperparameters={"objective": "reg:squarederror", "num_round": "50"},
    sagemaker_session=session,
)
began = time.perf_counter()
estimator.fit({"train": TrainingInput("s3://bench/boston/", content_type="text/csv")})
fit = time.perf_counter() - began

began = time.perf_counter()
predictor = estimator.deploy(1, "ml.m5.large")
deploy = time.perf_counter() - began
boto3.client("sagemaker").delete_endpoint(EndpointName=predictor.endpoint_name)
print("\n" + json.dumps({"fit": fit, "deploy": deploy}))
