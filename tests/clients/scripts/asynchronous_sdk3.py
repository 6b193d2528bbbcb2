"""SDK 3's way to an asynchronous endpoint: resources of sagemaker.core, and the answer from where they say it is."""

import os
import tarfile
import tempfile
import time

import boto3
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import (
    AsyncInferenceClientConfig,
    AsyncInferenceConfig,
    AsyncInferenceOutputConfig,
    ContainerDefinition,
    ProductionVariant,
)

ECHO = """
def model_fn(model_dir):
    return model_dir

def predict_fn(data, model):
    return data
"""

folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
session, role, s3 = Session(), get_execution_role(), boto3.client("s3")
bucket = session.default_bucket()
os.makedirs("code")
with open("code/own.py", "w") as script:
    script.write(ECHO)
with tarfile.open("model.tar.gz", "w:gz") as archive:
    archive.add("code")
data = session.upload_data("model.tar.gz", key_prefix="later-sdk3")
image = image_uris.retrieve("sklearn", "us-east-1", version="1.2-1", instance_type="ml.m5.large")
environment = {"SAGEMAKER_PROGRAM": "own.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
container = ContainerDefinition(image=image, model_data_url=data, environment=environment)
Model.create(model_name="later-sdk3", primary_container=container, execution_role_arn=role)
variant = ProductionVariant(
    variant_name="all", model_name="later-sdk3", initial_instance_count=1, instance_type="ml.m5.large"
)
output = AsyncInferenceOutputConfig(s3_output_path=f"s3://{bucket}/answers-sdk3")
client = AsyncInferenceClientConfig(max_concurrent_invocations_per_instance=1)
EndpointConfig.create(
    endpoint_config_name="later-sdk3",
    production_variants=[variant],
    async_inference_config=AsyncInferenceConfig(output_config=output, client_config=client),
)
endpoint = Endpoint.create(endpoint_name="later-sdk3", endpoint_config_name="later-sdk3")
endpoint.wait_for_status("InService", poll=1)
assert endpoint.async_inference_config.output_config.s3_output_path == f"s3://{bucket}/answers-sdk3"

s3.put_object(Bucket=bucket, Key="question-sdk3", Body=b"[[1, 2]]")
asked = endpoint.invoke_async(
    input_location=f"s3://{bucket}/question-sdk3", content_type="application/json", accept="application/json"
)
key = asked.output_location[len(f"s3://{bucket}/") :]
for _ in range(600):
    found = s3.list_objects_v2(Bucket=bucket, Prefix=key)
    if found["KeyCount"]:
        break
    time.sleep(0.1)
print("answer:", s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
endpoint.delete()
