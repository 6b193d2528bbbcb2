"""`clary export`: what has made a model is found where it can be, and asked for where not."""

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from clary.cli.export import Source, _source
from clary.cli.main import program
from clary.errors import ClaryError

ACCOUNT = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
TRAINED = "s3://bucket/jobs/job/output/model.tar.gz"


class Known:
    """SageMaker with one model and one training job."""

    def __init__(self, image, **container):
        self.container = {"Image": f"{ACCOUNT}/{image}", "ModelDataUrl": "s3://bucket/model.tar.gz", **container}

    def describe_model(self, ModelName):
        if ModelName != "model":
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "Could not find model"}}, "")
        return {"PrimaryContainer": self.container, "ExecutionRoleArn": "role"}

    def describe_training_job(self, TrainingJobName):
        if TrainingJobName != "job":
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "not found"}}, "")
        algorithm = {"TrainingImage": self.container["Image"]}
        return {"AlgorithmSpecification": algorithm, "ModelArtifacts": {"S3ModelArtifacts": TRAINED}}


@pytest.mark.parametrize(
    ("image", "framework", "version"),
    [
        ("sagemaker-scikit-learn:1.2-1-cpu-py3", "SKLEARN", "1.2"),
        ("sagemaker-xgboost:1.7-1", "XGBOOST", ""),
        ("xgboost:1", "XGBOOST", ""),
        ("xgboost-neo:latest", "ONNX", ""),
        ("pytorch-inference:2.2.0-cpu-py310", "PYTORCH", ""),
        ("tensorflow-training:2.19.0-cpu-py312", "TENSORFLOW", ""),
    ],
)
def test_the_image_tells_what_has_made_it(image, framework, version):
    api = Known(image)
    assert _source(api, "model", None, None) == Source("s3://bucket/model.tar.gz", framework, version, "role")
    assert _source(api, TRAINED, None, None) == Source(TRAINED, framework, version)


def test_what_is_said_wins():
    api = Known("sagemaker-scikit-learn:1.2-1-cpu-py3")
    assert _source(api, "s3://bucket/a.tar.gz", "sklearn", "1.4") == Source("s3://bucket/a.tar.gz", "SKLEARN", "1.4")
    assert _source(api, "model", "xgboost", None).framework == "XGBOOST"


@pytest.mark.parametrize(
    ("api", "model", "said"),
    [
        (Known("linear-learner:1"), "model", "is no image whose models are compiled"),
        (Known("xgboost:1"), "s3://bucket/a.tar.gz", "What made this archive is not known"),
        (Known("xgboost:1"), "s3://bucket/other/job/model.tar.gz", "What made this archive is not known"),
        (Known("xgboost:1"), "nothing", "Could not find model"),
        (Known("xgboost:1", ModelDataUrl=""), "model", "not one container with one archive"),
    ],
    ids=["another image", "an archive", "another job's", "no model", "no archive"],
)
def test_what_is_not_known_is_asked_for(api, model, said):
    with pytest.raises(ClaryError, match=said):
        _source(api, model, None, None)


def test_other_formats_are_not_offered():
    words = ["export", "model", "-o", "model.txt", "--to", "text"]
    with pytest.raises(ClaryError, match="one of onnx, pmml, pfa; 'text' is not offered"):
        CliRunner().invoke(program(words), words, catch_exceptions=False)
