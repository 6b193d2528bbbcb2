"""What policies can ask of a request: SageMaker's condition keys, and the resources that a right is asked for."""

from __future__ import annotations

import pytest

from clary.calls import Call, Principal
from clary.services.sagemaker.service import access

WHO = Principal("user", "000000000000", "arn:aws:iam::000000000000:user/u", "arn:aws:iam::000000000000:user/u", "AIDA")
ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def needed(operation, **params):
    return access(Call(WHO, "sagemaker", operation, params, "us-east-1"))


def test_a_transform_jobs_model_is_a_condition_and_no_resource():
    [right] = needed("CreateTransformJob", TransformJobName="t", ModelName="m")
    assert (right.resource, right.context) == (f"{ARN}:transform-job/t", {"sagemaker:ModelArn": [f"{ARN}:model/m"]})


def test_a_configurations_models_are_a_condition():
    [right] = needed("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[{"ModelName": "m"}, {}])
    assert (right.resource, right.context["sagemaker:ModelArn"]) == (f"{ARN}:endpoint-config/c", [f"{ARN}:model/m"])


def test_a_shadows_model_and_instances_are_conditions_as_its_production_variants():
    live, shade = {"ModelName": "m", "InstanceType": "ml.m5.large"}, {"ModelName": "s", "InstanceType": "ml.p3.2xlarge"}
    asked = {"ProductionVariants": [live], "ShadowProductionVariants": [shade]}
    [right] = needed("CreateEndpointConfig", EndpointConfigName="c", **asked)
    assert right.context["sagemaker:ModelArn"] == [f"{ARN}:model/m", f"{ARN}:model/s"]
    assert right.context["sagemaker:InstanceTypes"] == ["ml.m5.large", "ml.p3.2xlarge"]


@pytest.mark.parametrize("operation", ["Create", "Describe", "Start", "Stop", "Update", "Delete"])
def test_an_experiment_is_the_resource_and_not_its_endpoint(operation):
    endpoint = {"EndpointName": "e"} if operation == "Create" else {}
    [right] = needed(f"{operation}InferenceExperiment", Name="x", **endpoint)
    assert right.resource == f"{ARN}:inference-experiment/x"


def test_a_model_itself_is_the_resource():
    [right] = needed("DeleteModel", ModelName="m")
    assert (right.resource, right.context) == (f"{ARN}:model/m", {})


@pytest.mark.parametrize(
    ("operation", "params", "context"),
    [
        (
            "CreateTrainingJob",
            {
                "EnableInterContainerTrafficEncryption": False,
                "EnableNetworkIsolation": True,
                "RemoteDebugConfig": {"EnableRemoteDebug": True},
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
                "OutputDataConfig": {"KmsKeyId": "out"},
                "ResourceConfig": {"VolumeKmsKeyId": "volume", "KeepAlivePeriodInSeconds": 0},
                "VpcConfig": {"Subnets": ["s"], "SecurityGroupIds": ["g"]},
            },
            {
                "InterContainerTrafficEncryption": "false",
                "NetworkIsolation": "true",
                "EnableRemoteDebug": "true",
                "MaxRuntimeInSeconds": "60",
                "OutputKmsKey": "out",
                "VolumeKmsKey": "volume",
                "KeepAlivePeriod": "0",
                "VpcSubnets": ["s"],
                "VpcSecurityGroupIds": ["g"],
            },
        ),
        (
            "CreateTransformJob",
            {"TransformOutput": {"KmsKeyId": "out"}, "TransformResources": {"VolumeKmsKeyId": "volume"}},
            {"OutputKmsKey": "out", "VolumeKmsKey": "volume"},
        ),
        ("CreateEndpointConfig", {"KmsKeyId": "volume"}, {"VolumeKmsKey": "volume"}),
        ("CreateTrainingJob", {"OutputDataConfig": {"KmsKeyId": ""}}, {}),
    ],
)
def test_what_a_request_says_can_be_asked_by_policies(operation, params, context):
    assert needed(operation, **params)[0].context == {f"sagemaker:{key}": value for key, value in context.items()}


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DeleteTags", {"ResourceArn": f"{ARN}:model/KEPT"}),
        ("DescribeHub", {"HubName": f"{ARN}:model/KEPT"}),
        ("UpdatePipelineVersion", {"PipelineArn": f"{ARN}:model/KEPT"}),
    ],
)
def test_rights_are_on_the_arn_as_it_is_however_it_is_written(operation, params):
    """Resources are found by ARNs in any case: a denial must find them as well."""
    assert [right.resource for right in needed(operation, **params)] == [f"{ARN}:model/kept"]
