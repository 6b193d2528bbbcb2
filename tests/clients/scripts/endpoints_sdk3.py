"""SDK 3's ways to endpoints that are not there all the time.

An asynchronous one by the resources of sagemaker.core, whose answer is read from where they say it is. A serverless one
by ModelBuilder: the SDK's own EndpointConfig.create sends a member by another name than AWS's, which botocore refuses.
"""

import os
import tarfile
import tempfile
import time

import boto3
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.inference_config import ServerlessInferenceConfig
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import (
    AsyncInferenceClientConfig,
    AsyncInferenceConfig,
    AsyncInferenceOutputConfig,
    ContainerDefinition,
    ProductionVariant,
)
from sagemaker.serve.model_builder import ModelBuilder

ECHO = """
def model_fn(model_dir):
    return model_dir

def predict_fn(data, model):
    return data
"""
JSON = {"content_type": "application/json", "accept": "application/json"}

folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
session, role, s3 = Session(), get_execution_role(), boto3.client("s3")
bucket = session.default_bucket()
os.makedirs("code")
with open("code/own.py", "w") as script:
    script.write(ECHO)
with tarfile.open("model.tar.gz", "w:gz") as archive:
    archive.add("code")
data = session.upload_data("model.tar.gz", key_prefix="endpoints-sdk3")
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
asked = endpoint.invoke_async(input_location=f"s3://{bucket}/question-sdk3", **JSON)
key = asked.output_location[len(f"s3://{bucket}/") :]
for _ in range(600):
    if s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
        break
    time.sleep(0.1)
print("asynchronous:", s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
endpoint.delete()

builder = ModelBuilder(
    s3_model_data_url=data,
    image_uri=image,
    env_vars=environment,
    role_arn=role,
    instance_type="ml.m5.large",
    sagemaker_session=session,
)
builder.build(model_name="serverless-sdk3")
config = ServerlessInferenceConfig(memory_size_in_mb=1024, max_concurrency=2)
endpoint = builder.deploy(endpoint_name="serverless-sdk3", inference_config=config)
endpoint.refresh()
[shown] = endpoint.production_variants
limits = shown.current_serverless_config
print(f"concurrency: {limits.max_concurrency} of {limits.memory_size_in_mb} MB")
print("serverless:", endpoint.invoke(body="[[1, 2]]", **JSON).body.read().decode())
endpoint.delete()
