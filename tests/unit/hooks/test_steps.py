"""What follows on an image: AWS's requests, filled in."""

import pytest

from clary.errors import ValidationError
from clary.hooks import steps

ROLE = "arn:aws:iam::000000000000:role/Role"
OUTPUT = {"OutputDataConfig": {"S3OutputPath": "s3://b/models"}}


def test_the_least_that_can_be_said():
    said = {"CreateTrainingJob": OUTPUT, "CreateEndpoint": {"EndpointName": "e"}}
    found = steps.checked(said, ROLE)
    job = steps.training_job(found, "e-1-ab", "image", ROLE)
    assert job["TrainingJobName"] == "e-1-ab"
    assert job["AlgorithmSpecification"] == {"TrainingInputMode": "File", "TrainingImage": "image"}
    assert job["RoleArn"] == ROLE
    model = steps.model(found, "e-1-ab", "image", "s3://b/m.tar.gz", ROLE)
    assert model["PrimaryContainer"] == {"Image": "image", "ModelDataUrl": "s3://b/m.tar.gz"}
    [variant] = steps.endpoint_config(found, "e-1-ab", "e-1-ab")["ProductionVariants"]
    assert (variant["ModelName"], variant["InitialInstanceCount"]) == ("e-1-ab", 1)
    assert steps.endpoint(found, "e-1-ab") == {"EndpointName": "e", "EndpointConfigName": "e-1-ab"}


def test_what_was_said_stays_and_the_document_is_not_changed():
    algorithm = {"TrainingInputMode": "Pipe", "TrainingImage": "old"}
    said = {
        "CreateTrainingJob": {**OUTPUT, "AlgorithmSpecification": algorithm, "HyperParameters": {"epochs": "2"}},
        "CreateModel": {"PrimaryContainer": {"Environment": {"A": "b"}}},
        "CreateEndpointConfig": {
            "ProductionVariants": [{"VariantName": "v", "InstanceType": "ml.c5.xlarge", "InitialInstanceCount": 2}]
        },
        "CreateEndpoint": {"EndpointName": "e", "Tags": [{"Key": "k", "Value": "v"}]},
    }
    found = steps.checked(said, ROLE)
    job = steps.training_job(found, "n", "new", ROLE)
    assert job["AlgorithmSpecification"] == {"TrainingInputMode": "Pipe", "TrainingImage": "new"}
    assert job["HyperParameters"] == {"epochs": "2"}
    assert steps.model(found, "n", "new", "", ROLE)["PrimaryContainer"] == {"Environment": {"A": "b"}, "Image": "new"}
    assert steps.endpoint_config(found, "n", "m")["ProductionVariants"][0]["InitialInstanceCount"] == 2
    assert "Tags" in steps.endpoint(found, "n")
    assert "Tags" not in steps.endpoint_update(found, "n")
    assert algorithm["TrainingImage"] == "old"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([], "a JSON object of requests"),
        ({"CreateTrainingJob": "job"}, "a JSON object of requests"),
        ({"DeleteModel": {}}, "only CreateTrainingJob"),
        ({"CreateModel": {}}, "name it by CreateEndpoint"),
        ({"CreateTrainingJob": {}}, "OutputDataConfig"),
        ({"CreateTrainingJob": {**OUTPUT, "HyperParameter": {}}}, 'Unknown parameter in input: "HyperParameter"'),
        ({"CreateTrainingJob": {**OUTPUT, "HyperParameters": {"epochs": 2}}}, "valid types: <class 'str'>"),
        ({"CreateTrainingJob": {**OUTPUT, "AlgorithmSpecification": []}}, "AlgorithmSpecification is an object"),
        ({"CreateEndpoint": {}}, "EndpointName"),
        ({"CreateEndpoint": {"EndpointName": "a b"}}, "endpointName"),
        ({"CreateEndpoint": {"EndpointName": "e"}, "CreateEndpointConfig": {"ProductionVariants": [1]}}, "a list of"),
    ],
    ids=range(11),
)
def test_what_would_be_refused_later_is_refused_at_once(said, why):
    with pytest.raises(ValidationError, match=why):
        steps.checked(said, ROLE)
