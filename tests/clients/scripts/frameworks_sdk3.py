"""Framework images by version in SDK 3: ModelTrainer runs a script on each, an endpoint answers with own code."""

import json
import os
import tarfile
import tempfile

import boto3
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.train.configs import Compute, SourceCode
from sagemaker.train.model_trainer import ModelTrainer

session, role, s3 = Session(), get_execution_role(), boto3.client("s3")

VERSION = """
import json, os, sys
import {module}
with open(os.path.join(os.environ["SM_MODEL_DIR"], "version.json"), "w") as file:
    json.dump({{"{module}": {module}.__version__, "python": "%d.%d" % sys.version_info[:2]}}, file)
"""
SUM = """
import os
import tensorflow as tf

class Sum(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="rows")])
    def __call__(self, rows):
        return {"sums": tf.reduce_sum(rows, axis=1)}

model = Sum()
tf.saved_model.save(model, os.path.join(os.environ["SM_MODEL_DIR"], "1"), signatures=model.__call__)
"""
OWN = """
import json
import transformers

def model_fn(model_dir):
    return transformers.__version__

def predict_fn(data, model):
    return {"version": model, "words": len(data["inputs"].split())}
"""


def image(framework, scope, version, **more):
    return image_uris.retrieve(
        framework, "us-east-1", version=version, instance_type=more.pop("on", "ml.m5.large"), image_scope=scope, **more
    )


def trained(image_uri, text):
    """Where the model.tar.gz lies that the script has left."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "train.py"), "w") as file:
            file.write(text)
        trainer = ModelTrainer(
            training_image=image_uri,
            source_code=SourceCode(source_dir=folder, entry_script="train.py"),
            compute=Compute(instance_type="ml.m5.large", instance_count=1),
            base_job_name="framework",
            sagemaker_session=session,
        )
        trainer.train(logs=False)
    return trainer._latest_training_job.model_artifacts.s3_model_artifacts


def version(artifacts):
    bucket, _, key = artifacts[len("s3://") :].partition("/")
    with tempfile.NamedTemporaryFile() as file:
        s3.download_fileobj(bucket, key, file)
        file.flush()
        with tarfile.open(file.name) as tar:
            return json.load(tar.extractfile("version.json"))


def answer(name, image_uri, artifacts, body, **env):
    container = ContainerDefinition(image=image_uri, model_data_url=artifacts, environment=env)
    model = Model.create(model_name=name, primary_container=container, execution_role_arn=role)
    variant = ProductionVariant(
        variant_name="all",
        model_name=name,
        initial_instance_count=1,
        instance_type="ml.m5.large",
        initial_variant_weight=1,
    )
    config = EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])
    endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=name)
    endpoint.wait_for_status("InService")
    found = endpoint.invoke(body=json.dumps(body), content_type="application/json", accept="application/json")
    for resource in (endpoint, config, model):
        resource.delete()
    return json.loads(found.body.read())


def own_code(text):
    with tempfile.TemporaryDirectory() as folder:
        archive, script = os.path.join(folder, "model.tar.gz"), os.path.join(folder, "inference.py")
        with open(script, "w") as file:
            file.write(text)
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(script, "code/inference.py")
        return session.upload_data(archive, session.default_bucket(), "frameworks/own")


for framework, tag in (("sklearn", "1.2-1"), ("xgboost", "1.7-1")):
    uri = image(framework, None, tag)
    found = version(trained(uri, VERSION.format(module=framework)))
    print("ran on", uri, found[framework], found["python"])
hugging_face = {"base_framework_version": "pytorch2.3.0", "py_version": "py311"}
training = image("huggingface", "training", "4.48.0", on="ml.g4dn.xlarge", **hugging_face)
found = version(trained(training, VERSION.format(module="transformers")))
assert found == {"transformers": "4.48.0", "python": "3.11"}, found

artifacts = trained(image("tensorflow", "training", "2.19.0", py_version="py312"), SUM)
served = answer("tensorflow", image("tensorflow", "inference", "2.19.0"), artifacts, {"instances": [[1, 2], [3, 4]]})
assert served == {"predictions": [3.0, 7.0]}, served
served = answer(
    "hugging-face", image("huggingface", "inference", "4.48.0", **hugging_face), own_code(OWN), {"inputs": "a film"}
)
assert served == {"version": "4.48.0", "words": 2}, served
print("all frameworks")
