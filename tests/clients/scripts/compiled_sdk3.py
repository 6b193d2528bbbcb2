"""SDK 3's resources: a model is compiled, one job is stopped, and the compiled model is tried beside the first by an
inference experiment.

One thing is not the SDK's: its `InferenceExperiment.stop` reads members that no experiment has, and fails.
"""

import os
import tarfile
import tempfile
import time

import boto3
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import CompilationJob, Endpoint, EndpointConfig, InferenceExperiment, Model
from sagemaker.core.shapes import (
    ContainerDefinition,
    InferenceExperimentSchedule,
    InputConfig,
    ModelInfrastructureConfig,
    ModelVariantConfig,
    OutputConfig,
    ProductionVariant,
    RealTimeInferenceConfig,
    ShadowModeConfig,
    ShadowModelVariantConfig,
    StoppingCondition,
)

MODEL = """
import time
from sklearn.linear_model import LogisticRegression

def model_fn(folder):
    time.sleep(%d)
    return LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"])
"""
SECONDS = 120

folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
session, role, sagemaker = Session(), get_execution_role(), boto3.client("sagemaker")
image = image_uris.retrieve("sklearn", "us-east-1", version="1.2-1", instance_type="ml.m5.large")


def pack(name, seconds):
    with open("inference.py", "w") as script:
        script.write(MODEL % seconds)
    with tarfile.open(f"{name}.tar.gz", "w:gz") as archive:
        archive.add("inference.py", "code/inference.py")
    return session.upload_data(f"{name}.tar.gz", key_prefix="compiled-sdk3")


def until(wanted, resource, member):
    """The SDK's own waiting looks every second at most."""
    end = time.monotonic() + SECONDS
    while (status := getattr(resource.refresh(), member)) != wanted:
        assert status not in ("FAILED", "Failed", "Cancelled") and time.monotonic() < end, (status, resource)
        time.sleep(0.2)


def compile_(name, seconds):
    return CompilationJob.create(
        compilation_job_name=f"{name}-sdk3",
        role_arn=role,
        input_config=InputConfig(s3_uri=pack(name, seconds), framework="SKLEARN", framework_version="1.2"),
        output_config=OutputConfig(
            s3_output_location=f"s3://{session.default_bucket()}/compiled-sdk3", target_device="ml_c5"
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=900),
    )


quick, slow = compile_("quick", 0), compile_("slow", 600)
until("COMPLETED", quick, "compilation_job_status")
print("artifact:", quick.model_artifacts.s3_model_artifacts.rpartition("/")[2])
slow.stop()
until("STOPPED", slow, "compilation_job_status")
print(
    "completed:",
    [job.compilation_job_name for job in CompilationJob.get_all(status_equals="COMPLETED", name_contains="-sdk3")],
)
slow.delete()
print("left:", [job.compilation_job_name for job in CompilationJob.get_all(name_contains="-sdk3")])

program = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
containers = {
    "before": ContainerDefinition(image=image, model_data_url=quick.input_config.s3_uri, environment=program),
    "after": ContainerDefinition(image=quick.inference_image, model_data_url=quick.model_artifacts.s3_model_artifacts),
}
for name, container in containers.items():
    Model.create(model_name=f"{name}-compiled-sdk3", primary_container=container, execution_role_arn=role)
variant = ProductionVariant(
    variant_name="before",
    model_name="before-compiled-sdk3",
    initial_instance_count=1,
    instance_type="ml.m5.large",
)
EndpointConfig.create(endpoint_config_name="compiled-sdk3", production_variants=[variant])
endpoint = Endpoint.create(endpoint_name="compiled-sdk3", endpoint_config_name="compiled-sdk3")
until("InService", endpoint, "endpoint_status")


def tried(name):
    real_time = RealTimeInferenceConfig(instance_type="ml.m5.large", instance_count=1)
    kind = ModelInfrastructureConfig(infrastructure_type="RealTimeInference", real_time_inference_config=real_time)
    return ModelVariantConfig(variant_name=name, model_name=f"{name}-compiled-sdk3", infrastructure_config=kind)


shadow = ShadowModelVariantConfig(shadow_model_variant_name="after", sampling_percentage=50)
later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
experiment = InferenceExperiment.create(
    name="tried-sdk3",
    type="ShadowMode",
    role_arn=role,
    endpoint_name="compiled-sdk3",
    schedule=InferenceExperimentSchedule(start_time=later),
    model_variants=[tried("before"), tried("after")],
    shadow_mode_config=ShadowModeConfig(source_model_variant_name="before", shadow_model_variants=[shadow]),
)
until("Created", experiment, "status")
experiment.update(description="is it the same?")
until("Created", experiment, "status")
print("described:", experiment.description)
experiment.start()
until("Running", experiment, "status")
print("running:", [each.name for each in InferenceExperiment.get_all(status_equals="Running", name_contains="-sdk3")])
print("shadow:", [each.variant_name for each in endpoint.refresh().shadow_production_variants])
sagemaker.stop_inference_experiment(Name="tried-sdk3", ModelVariantActions={"before": "Remove", "after": "Promote"})
until("Completed", experiment, "status")
until("InService", endpoint, "endpoint_status")
answer = endpoint.invoke(body="0.1\n2.9\n", content_type="text/csv")
print("answer:", answer.invoked_production_variant, answer.body.read().decode())
experiment.delete()
print("experiments:", [each.name for each in InferenceExperiment.get_all(name_contains="-sdk3")])
endpoint.delete()
