"""What the scripts of this folder share: the data in a bucket, and a trained estimator."""

import io
import os

import boto3
import pandas as pd
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
HOUSES = pd.read_csv(os.path.join(ROOT, "examples", "boston_housing", "boston_housing.csv"))
HOUSES = HOUSES[["medv", *HOUSES.columns.drop("medv")]]


def upload(session, key="boston/train.csv"):
    body = HOUSES.to_csv(header=False, index=False)
    boto3.client("s3").put_object(Bucket=session.default_bucket(), Key=key, Body=body)
    return f"s3://{session.default_bucket()}/{key}"


def estimator(session, **hyperparameters):
    return Estimator(
        sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1"),
        sagemaker.get_execution_role(),
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{session.default_bucket()}/output",
        hyperparameters={"objective": "reg:squarederror", "num_round": "20", **hyperparameters},
        sagemaker_session=session,
    )


def train_input(uri):
    return {"train": TrainingInput(uri, content_type="csv")}


def csv(rows):
    text = io.StringIO()
    rows.to_csv(text, header=False, index=False)
    return text.getvalue()
