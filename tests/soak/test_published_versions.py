"""Every published version of AWS's script-mode images trains, is deployed and answers.

For `make soak`: each builds its environment where nobody has.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clary.images import scikit_learn, xgboost
from tests.running import RunningClary
from tests.system.jobs import Jobs

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
REPOSITORIES = [r for r in (*scikit_learn.REPOSITORIES, *xgboost.REPOSITORIES) if r.name.startswith("sagemaker-")]
IMAGES = [f"{repository.name}:{tag}" for repository in REPOSITORIES for tag in repository.tags]

SCRIPT = """\
import os, joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

def model_fn(folder):
    return joblib.load(os.path.join(folder, "model.joblib"))

def input_fn(body, content_type):
    return [[float(cell) for cell in line.split(",")] for line in body.split()]

def predict_fn(data, model):
    return model.predict(data)

if __name__ == "__main__":
    features, target = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(features, target)
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
"""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with RunningClary(tmp_path_factory.mktemp("clary")) as running:
        yield Jobs(running)


@pytest.mark.parametrize("image", IMAGES)
def test_a_script_trains_and_answers(jobs: Jobs, image: str) -> None:
    uri = f"{REGISTRY}/{image}-cpu-py3"
    name = image.replace(":", "-").replace(".", "-")
    jobs.start(name, SCRIPT, AlgorithmSpecification={"TrainingImage": uri, "TrainingInputMode": "File"})
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == "Completed", jobs.said(name)
    environment = {
        "SAGEMAKER_PROGRAM": "train.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": job["HyperParameters"]["sagemaker_submit_directory"].strip('"'),
    }
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    jobs.deploy_container(name, {"Image": uri, "ModelDataUrl": data, "Environment": environment})
    answer = jobs.runtime.invoke_endpoint(
        EndpointName=name, ContentType="text/csv", Accept="application/json", Body="5.1,3.5,1.4,0.2\n6.7,3.0,5.2,2.3"
    )
    assert answer["Body"].read() == b"[0, 2]"
    jobs.sagemaker.delete_endpoint(EndpointName=name)
