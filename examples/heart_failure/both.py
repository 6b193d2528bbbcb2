"""Who survives heart failure: one model in script mode and as a program image, and the same predictions of both.

By the SageMaker Python SDK 2. Run it after `eval "$(clary env)"` and `clary images add modeling:latest` (the page
docs/heart-failure.md says how).
"""

import os
import tempfile

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn import SKLearn

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, os.pardir, "src", "clary", "demo", "heart_failure.csv")
TARGET = "DEATH_EVENT"
METRICS = [{"Name": "train-accuracy", "Regex": "train-accuracy=([0-9.]+)"}]


def upload(session, table):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "patients.csv")
        table.to_csv(path, index=False)
        return session.upload_data(path, key_prefix="heart-failure/train")


def answers(estimator, channels, rows):
    """Train, deploy, ask, delete."""
    estimator.fit(channels, logs=False)
    predictor = estimator.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer())
    said = np.array(predictor.predict(rows), dtype=float).astype(int).ravel()
    predictor.delete_model()
    predictor.delete_endpoint()
    return said


def main():
    session, role = sagemaker.Session(), sagemaker.get_execution_role()
    patients = pd.read_csv(DATA).sample(frac=1, random_state=7)
    train, test = patients.iloc[:239], patients.iloc[239:].dropna()
    channels = {"train": upload(session, train)}
    rows = test.drop(columns=TARGET).values

    every = {
        "role": role,
        "instance_count": 1,
        "instance_type": "ml.m5.large",
        "hyperparameters": {"trees": 100},
        "metric_definitions": METRICS,
        "sagemaker_session": session,
    }
    script = SKLearn(
        "train.py", source_dir=os.path.join(HERE, "script"), framework_version="1.2-1", py_version="py3", **every
    )
    by_script = answers(script, channels, rows)

    image = f"{session.account_id()}.dkr.ecr.{session.boto_region_name}.amazonaws.com/modeling:latest"
    by_image = answers(Estimator(image, **every), channels, rows)

    died = test[TARGET].values
    for name, said in (("script mode", by_script), ("program image", by_image)):
        print(f"{name:<14} right about {np.mean(said == died):.2f} of {len(rows)} patients")
    print(f"answers that differ: {int(np.sum(by_script != by_image))}")


if __name__ == "__main__":
    main()
