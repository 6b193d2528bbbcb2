"""SDK 3's way to a serverless endpoint: ModelBuilder. Its own EndpointConfig.create sends a member by another name than
AWS's, which botocore refuses."""

import os
import tarfile
import tempfile

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.inference_config import ServerlessInferenceConfig
from sagemaker.serve.model_builder import ModelBuilder

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
answer = endpoint.invoke(body="[[1, 2]]", content_type="application/json", accept="application/json")
print("answer:", answer.body.read().decode())
endpoint.delete()
