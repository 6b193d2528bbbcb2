"""SDK calls return when the server is done: not after the SDK's sleeps (fit 45 s, deploy 30 s)."""

import time

import boto3
import sagemaker
from boston import estimator, train_input, upload

session = sagemaker.Session()
uri = upload(session)
trained = estimator(session)
trained.fit(train_input(uri))

began = time.perf_counter()
trained.fit(train_input(uri))
fit = time.perf_counter() - began
began = time.perf_counter()
predictor = trained.deploy(1, "ml.m5.large")
deploy = time.perf_counter() - began
print(f"fit {fit:.2f} s, deploy {deploy:.2f} s")
predictor.delete_endpoint()

waiters = boto3.client("sagemaker")
began = time.perf_counter()
waiters.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=trained.latest_training_job.name)
assert waiters.get_waiter("training_job_completed_or_stopped").config.delay == 1
