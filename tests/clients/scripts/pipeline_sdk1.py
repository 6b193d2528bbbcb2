"""PipelineModel of SDK 1: two containers in line, as an endpoint."""

import io
import os
import tarfile
import tempfile

import sagemaker
from sagemaker.content_types import CONTENT_TYPE_CSV
from sagemaker.pipeline import PipelineModel
from sagemaker.predictor import RealTimePredictor, csv_serializer
from sagemaker.sklearn.model import SKLearnModel

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
session, role = sagemaker.Session(), sagemaker.get_execution_role()
with open("own.py", "w") as script:
    script.write(OWN)
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as archive:
    archive.addfile(tarfile.TarInfo("model"), io.BytesIO())
with open("model.tar.gz", "wb") as file:
    file.write(packed.getvalue())
data = session.upload_data("model.tar.gz", key_prefix="line")

first, second = (
    SKLearnModel(
        model_data=data,
        role=role,
        entry_point="own.py",
        framework_version="0.23-1",
        py_version="py3",
        env={"WORD": word, "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": CONTENT_TYPE_CSV},
        sagemaker_session=session,
    )
    for word in ("first", "second")
)
line = PipelineModel(name="line-sdk1", role=role, models=[first, second], sagemaker_session=session)
line.deploy(initial_instance_count=1, instance_type="ml.m5.large", endpoint_name="line-sdk1")
predictor = RealTimePredictor("line-sdk1", session, csv_serializer, None, CONTENT_TYPE_CSV, CONTENT_TYPE_CSV)
print("in line:", predictor.predict([[1, 2]]).decode().strip())
predictor.delete_endpoint()
