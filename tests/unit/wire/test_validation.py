"""AWS's sentences for broken constraints, recorded from its answers."""

import pytest

from clary.errors import ValidationError
from clary.wire import models
from clary.wire.patterns import compiled
from clary.wire.validation import validate

SERVICES = ("sagemaker", "sagemaker-runtime", "s3", "sts", "iam", "logs")

GOOD = {
    "TrainingJobName": "job-1",
    "AlgorithmSpecification": {"TrainingImage": "0.dkr.ecr.us-east-1.amazonaws.com/i:1", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::000000000000:role/ClaryExecutionRole",
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "HyperParameters": {"eta": "0.2"},
    "Tags": [{"Key": "team", "Value": "Zürich @1"}],
}


def message(service, operation, params):
    with pytest.raises(ValidationError) as raised:
        validate(models.operation(service, operation).input_shape, params)
    return raised.value.message


def broken(**changes):
    return message("sagemaker", "CreateTrainingJob", {**GOOD, **changes})


def test_a_good_request_passes():
    validate(models.operation("sagemaker", "CreateTrainingJob").input_shape, GOOD)


def test_a_missing_member_is_null():
    assert broken(RoleArn=None) == (
        "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
    )


def test_several_breaches_stand_in_one_message():
    text = broken(RoleArn=None, TrainingJobName="a_b")
    assert text.startswith("2 validation errors detected: Value ") and "; Value " in text


def test_lengths_and_patterns():
    text = broken(TrainingJobName="x" * 64)
    assert text.endswith(
        "at 'trainingJobName' failed to satisfy constraint: Member must have length less than or equal to 63"
    )
    text = broken(TrainingJobName="-a")
    assert (
        "Value '-a' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression pattern: "
        in text
    )


def test_enums_are_listed():
    text = broken(ResourceConfig={"InstanceType": "ml.none", "VolumeSizeInGB": 5})
    start = (
        "1 validation error detected: Value 'ml.none' at 'resourceConfig.instanceType' failed to satisfy constraint: "
    )
    assert text.startswith(f"{start}Member must satisfy enum value set: [ml.m4.xlarge, ")


def test_numbers_have_values():
    text = broken(StoppingCondition={"MaxRuntimeInSeconds": 0})
    assert text.endswith(
        "Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint:"
        " Member must have value greater than or equal to 1"
    )


def test_what_is_no_number_is_in_no_range():
    variant = {"VariantName": "v", "ModelName": "m", "InitialVariantWeight": float("nan")}
    text = message("sagemaker", "CreateEndpointConfig", {"EndpointConfigName": "e", "ProductionVariants": [variant]})
    assert text.endswith("Member must have value greater than or equal to 0")


def test_members_of_lists_are_numbered_from_one():
    text = broken(Tags=[{"Key": "ok", "Value": ""}, {"Key": "", "Value": ""}])
    assert "Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater" in text
    assert "Value null at 'tags.1.member'" in broken(Tags=[None])


def test_maps_tell_the_constraints_of_keys_and_values():
    text = broken(HyperParameters={"k" * 300: "v"})
    assert (
        "at 'hyperParameters' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length"
        in text
    )
    text = broken(HyperParameters={"k": "v" * 3000})
    assert "Map value must satisfy constraint: [Member must have length less than or equal to 2500" in text
    assert "Value null at 'hyperParameters.k.member'" in broken(HyperParameters={"k": None})


def test_simple_members_of_lists_are_told_together():
    text = broken(VpcConfig={"SecurityGroupIds": ["sg-1", "x" * 40], "Subnets": ["s"]})
    assert text.startswith(
        "1 validation error detected: Value '[sg-1, "
        + "x" * 40
        + "]' at 'vpcConfig.securityGroupIds' failed to satisfy"
        " constraint: Member must satisfy constraint: [Member must have length less than or equal to 32"
    )


def test_values_of_any_size_give_short_messages():
    assert len(broken(TrainingJobName="x" * 1_000_000)) < 2000
    assert len(broken(Tags=[{"Key": "", "Value": ""}] * 1000)) < 5000


def test_payloads_are_bound_by_the_settings_alone():
    shape = models.operation("sagemaker-runtime", "InvokeEndpoint").input_shape
    validate(shape, {"EndpointName": "e", "Body": b"x" * 10_000_000})


def patterns():
    seen = set()

    def walk(shape, names):
        if shape.name in names:
            return
        names.add(shape.name)
        if "pattern" in shape.metadata:
            seen.add(shape.metadata["pattern"])
        below = getattr(shape, "members", {}).values() if shape.type_name == "structure" else ()
        below = (shape.member,) if shape.type_name == "list" else below
        for inner in (shape.key, shape.value) if shape.type_name == "map" else below:
            walk(inner, names)

    for service in SERVICES:
        names = set()
        for operation in models.load(service).operation_names:
            if shape := models.operation(service, operation).input_shape:
                walk(shape, names)
    return sorted(seen)


def test_every_pattern_of_every_offered_service_can_be_checked():
    found = patterns()
    assert len(found) > 200
    assert [pattern for pattern in found if compiled(pattern) is None] == []


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "Zürich 東京 1_.:/=+-@ 𝒜", "a#b"),
        (r"[\w-_]*", "a-b_c", "a b"),
        (r"\A\S[\p{Print}]*\z", "a b~", " a"),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a\t\U0001f600", "\x01"),
        (r"arn:[\p{Alnum}\-]+:x", "arn:aws-1:x", "arn:aws_1:x"),
        (r"[a-z]+", "abc", "abc\n"),
    ],
)
def test_java_patterns_mean_the_same_here(pattern, good, bad):
    assert compiled(pattern).fullmatch(good)
    assert not compiled(pattern).fullmatch(bad)


def test_what_is_secret_is_not_shown():
    shape = models.operation("secretsmanager", "CreateSecret").input_shape
    with pytest.raises(ValidationError) as raised:
        validate(shape, {"Name": "n" * 513, "SecretString": "hunter2" * 10_000})
    assert "hunter2" not in str(raised.value)
    assert "Value at 'secretString' failed to satisfy constraint: Member must have length less" in str(raised.value)
    assert "Value 'nnn" in str(raised.value)
