"""SDK 3's resources: variants and their weights, data capture, shadows, updates in steps, many models, inference
components, and autoscaling by boto3.

Two things are not the SDK's: it leaves out whatever is 0, and fails on any stream of AWS's.
"""

import json
import os
import tarfile
import tempfile
import time

import boto3
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import Endpoint, EndpointConfig, InferenceComponent, Model
from sagemaker.core.shapes import (
    BlueGreenUpdatePolicy,
    CapacitySize,
    CaptureOption,
    ContainerDefinition,
    DataCaptureConfig,
    DeploymentConfig,
    DesiredWeightAndCapacity,
    InferenceComponentComputeResourceRequirements,
    InferenceComponentRuntimeConfig,
    InferenceComponentSpecification,
    ProductionVariant,
    TrafficRoutingConfig,
)

SAYS = """
def model_fn(model_dir):
    return %r

def input_fn(data, content_type):
    return data

def predict_fn(data, model):
    return model

def output_fn(prediction, accept):
    return prediction, "text/plain"
"""
SECONDS = 120

folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
session, role, s3 = Session(), get_execution_role(), boto3.client("s3")
bucket = session.default_bucket()
image = image_uris.retrieve("sklearn", "us-east-1", version="1.2-1", instance_type="ml.m5.large")
environment = {"SAGEMAKER_PROGRAM": "says.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}


def create_model(name, **more):
    container = ContainerDefinition(image=image, environment=environment, **more)
    Model.create(model_name=f"{name}-lines3", primary_container=container, execution_role_arn=role)


for name in ("one", "two"):
    with open("says.py", "w") as script:
        script.write(SAYS % name)
    with tarfile.open(f"{name}.tar.gz", "w:gz") as archive:
        archive.add("says.py", "code/says.py")
    create_model(name, model_data_url=session.upload_data(f"{name}.tar.gz", key_prefix="lines3"))
create_model("many", model_data_url=f"s3://{bucket}/lines3/", mode="MultiModel")


def variant(name, model, weight=1.0, count=1):
    shape = {"initial_instance_count": count, "instance_type": "ml.m5.large", "initial_variant_weight": weight}
    return ProductionVariant(variant_name=name, model_name=f"{model}-lines3", **shape)


def configure(name, *variants, **more):
    EndpointConfig.create(endpoint_config_name=f"{name}-lines3", production_variants=list(variants), **more)


def create(name, *variants, **more):
    configure(name, *variants, **more)
    endpoint = Endpoint.create(endpoint_name=f"{name}-lines3", endpoint_config_name=f"{name}-lines3")
    wait(endpoint)
    return endpoint


def shifting(**routing):
    policy = BlueGreenUpdatePolicy(traffic_routing_configuration=TrafficRoutingConfig(**routing))
    return DeploymentConfig(blue_green_update_policy=policy)


def wait(resource):
    """The SDK's own waiting looks every second at most."""
    name = "endpoint_status" if isinstance(resource, Endpoint) else "inference_component_status"
    end = time.monotonic() + SECONDS
    while (status := getattr(resource.refresh(), name)) != "InService":
        assert status != "Failed" and time.monotonic() < end, resource.failure_reason
        time.sleep(0.2)


def ask(endpoint, **more):
    answer = endpoint.invoke(body="x", **more)
    return answer.invoked_production_variant, answer.body.read().decode()


capture = DataCaptureConfig(
    initial_sampling_percentage=100,
    destination_s3_uri=f"s3://{bucket}/captured",
    capture_options=[CaptureOption(capture_mode="Input"), CaptureOption(capture_mode="Output")],
)
live = create("live", variant("a", "one"), variant("b", "two"), data_capture_config=capture)
assert ask(live, target_variant="a") == ("a", "one")
assert ask(live, target_variant="b") == ("b", "two")
live.update_weights_and_capacities(
    [
        DesiredWeightAndCapacity(variant_name="a", desired_weight=1.0, desired_instance_count=2),
        DesiredWeightAndCapacity(variant_name="b", desired_weight=3.0),
    ]
)
wait(live)
print("weights:", [(each.current_weight, each.current_instance_count) for each in live.production_variants])

scaling = boto3.client("application-autoscaling")
scaled = {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/live-lines3/variant/b"}
scaled["ScalableDimension"] = "sagemaker:variant:DesiredInstanceCount"
scaling.register_scalable_target(MinCapacity=2, MaxCapacity=3, **scaled)
end = time.monotonic() + SECONDS
while live.refresh().production_variants[1].current_instance_count != 2:
    assert time.monotonic() < end, "its new bounds are not enforced"
    time.sleep(0.2)
wait(live)
print("scaled:", scaling.describe_scaling_activities(**scaled)["ScalingActivities"][0]["Cause"])

configure(
    "shadowed", variant("a", "two"), shadow_production_variants=[variant("b", "one")], data_capture_config=capture
)
live.endpoint_config_name = "shadowed-lines3"
half = CapacitySize(type="CAPACITY_PERCENT", value=50)
live.update(deployment_config=shifting(type="LINEAR", wait_interval_in_seconds=1, linear_step_size=half))
wait(live)
assert ask(live) == ("a", "two")
print("shadow:", [each.variant_name for each in live.shadow_production_variants])
configure("next", variant("a", "one"), shadow_production_variants=[variant("b", "two")], data_capture_config=capture)
live.endpoint_config_name = "next-lines3"
live.update(deployment_config=shifting(type="CANARY", wait_interval_in_seconds=1, canary_size=half))
wait(live)
print("canary:", live.endpoint_config_name, ask(live))

many = create("many", variant("all", "many"))
print("many models:", [ask(many, target_model=f"{name}.tar.gz")[1] for name in ("one", "two")])
many.delete()

host = ProductionVariant(variant_name="all", instance_type="ml.m5.large", initial_instance_count=1)
host = create("host", host, execution_role_arn=role)
needs = InferenceComponentComputeResourceRequirements(number_of_cpu_cores_required=0.5, min_memory_required_in_mb=512)
part = InferenceComponent.create(
    inference_component_name="part-lines3",
    endpoint_name="host-lines3",
    variant_name="all",
    specification=InferenceComponentSpecification(model_name="two-lines3", compute_resource_requirements=needs),
    runtime_config=InferenceComponentRuntimeConfig(copy_count=1),
)
wait(part)
print("component:", ask(host, inference_component_name="part-lines3")[1])
part.delete()
host.delete()


def captured(name):
    """What this variant has answered, as far as it is captured."""
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"captured/live-lines3/{name}/").get("Contents", [])
    files = [s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in found]
    return [json.loads(line)["captureData"] for file in files for line in file.splitlines()]


end = time.monotonic() + SECONDS
while len(captured("a")) < 3 or len(captured("b")) < 3:
    assert time.monotonic() < end, "not all is captured"
    time.sleep(0.2)
print("captured:", sorted(captured("b")[0]))
live.delete()
