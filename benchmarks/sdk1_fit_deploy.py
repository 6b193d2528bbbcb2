"""Seconds of SDK 1's `fit()` and `deploy()`, run in a client's environment; prints one JSON line."""

import json
import time

import boto3
import sagemaker
from sagemaker.amazon.amazon_estimator import get_image_uri

session = sagemaker.Session()
estimator = sagemaker.estimator.Estimator(
    get_image_uri(session.boto_region_name, "xgboost", "1.0-1"),
    sagemaker.get_execution_role(),
    train_instance_count=1,
    train_instance_type="ml.m5.large",
    output_path="s3://bench/sdk",
    hyperparameters={"objective": "reg:squarederror", "num_round": "50"},
    sagemaker_session=session,
)
began = time.perf_counter()
estimator.fit({"train": sagemaker.s3_input("s3://bench/boston/", content_type="text/csv")})
fit = time.perf_counter() - began

began = time.perf_counter()
predictor = estimator.deploy(1, "ml.m5.large")
deploy = time.perf_counter() - began
boto3.client("sagemaker").delete_endpoint(EndpointName=predictor.endpoint)
print("\n" + json.dumps({"fit": fit, "deploy": deploy}))
