"""SDK 3's way to a serverless endpoint: the resources of sagemaker.core."""

import os
import tarfile
import tempfile

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant, ProductionVariantServerlessConfig

ECHO = """
def model_fn(model_dir):
    return model_dir

def predict_fn(data, model):
    return data
"""

folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
session, role = Session(), get_execution_role()
os.makedirs("code")
with open("code/own.py", "w") as script:
    script.write(ECHO)
with tarfile.open("model.tar.gz", "w:gz") as archive:
    archive.add("code")
data = session.upload_data("model.tar.gz", key_prefix="serverless-sdk3")
image = image_uris.retrieve("sklearn", "us-east-1", version="1.2-1", instance_type="ml.m5.large")
environment = {"SAGEMAKER_PROGRAM": "own.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
container = ContainerDefinition(image=image, model_data_url=data, environment=environment)
Model.create(model_name="serverless-sdk3", primary_container=container, execution_role_arn=role)
config = ProductionVariantServerlessConfig(memory_size_in_mb=1024, max_concurrency=2)
variant = ProductionVariant(variant_name="all", model_name="serverless-sdk3", serverless_config=config)
EndpointConfig.create(endpoint_config_name="serverless-sdk3", production_variants=[variant])
endpoint = Endpoint.create(endpoint_name="serverless-sdk3", endpoint_config_name="serverless-sdk3")
endpoint.wait_for_status("InService", poll=1)
[shown] = endpoint.production_variants
limits = shown.current_serverless_config
print(f"concurrency: {limits.max_concurrency} of {limits.memory_size_in_mb} MB")
answer = endpoint.invoke(body="[[1, 2]]", content_type="application/json", accept="application/json")
print("answer:", answer.body.read().decode())
endpoint.delete()
