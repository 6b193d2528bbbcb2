"""SDK 3's way to containers in line: a ModelBuilder of models; and by name: a Model of containers."""

import os
import tarfile
import tempfile

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import (
    CaptureOption,
    ContainerDefinition,
    DataCaptureConfig,
    InferenceExecutionConfig,
    ProductionVariant,
)
from sagemaker.serve.model_builder import ModelBuilder

OWN = """
import os

def model_fn(folder):
    return os.environ["WORD"]

def input_fn(body, content_type):
    return body.split()

def predict_fn(rows, word):
    return [row + "," + word for row in rows]

def output_fn(rows, accept):
    return "".join(row + "\\n" for row in rows), "text/csv"
"""

folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
session, role = Session(), get_execution_role()
os.makedirs("code")
with open("code/own.py", "w") as script:
    script.write(OWN)
with tarfile.open("model.tar.gz", "w:gz") as archive:
    archive.add("code")
data = session.upload_data("model.tar.gz", key_prefix="line")
image = image_uris.retrieve("sklearn", "us-east-1", version="1.2-1", instance_type="ml.m5.large")


def container(word, **more):
    environment = {
        "WORD": word,
        "SAGEMAKER_PROGRAM": "own.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
    }
    return ContainerDefinition(image=image, model_data_url=data, environment=environment, **more)


models = [
    Model.create(model_name=f"{word}-sdk3", primary_container=container(word), execution_role_arn=role)
    for word in ("first", "second")
]
builder = ModelBuilder(model=models, role_arn=role, sagemaker_session=session)
builder.build(model_name="line-sdk3")
endpoint = builder.deploy(endpoint_name="line-sdk3", initial_instance_count=1, instance_type="ml.m5.large")
print("in line:", endpoint.invoke(body="1,2", content_type="text/csv").body.read().decode().strip())

Model.create(
    model_name="named-sdk3",
    containers=[container(word, container_hostname=word) for word in ("left", "right")],
    inference_execution_config=InferenceExecutionConfig(mode="Direct"),
    execution_role_arn=role,
)
variant = ProductionVariant(
    variant_name="all", model_name="named-sdk3", instance_type="ml.m5.large", initial_instance_count=1
)
captured = DataCaptureConfig(
    initial_sampling_percentage=100,
    destination_s3_uri=f"s3://{session.default_bucket()}/captured",
    capture_options=[CaptureOption(capture_mode="InputAndOutput")],
)
EndpointConfig.create(endpoint_config_name="named-sdk3", production_variants=[variant], data_capture_config=captured)
named = Endpoint.create(endpoint_name="named-sdk3", endpoint_config_name="named-sdk3")
named.wait_for_status("InService", poll=1)
answer = named.invoke(body="1,2", content_type="text/csv", target_container_hostname="right")
print("by name:", answer.body.read().decode().strip())
named.refresh()
assert named.data_capture_config.capture_status == "Started", named.data_capture_config
for each in (endpoint, named):
    each.delete()
