"""Train and deploy an image of your own by the SageMaker Python SDK 2, and ask it.

Run it after `eval "$(clary env)"`: `python train_and_deploy.py IMAGE ENDPOINT_NAME`; it prints what the model says of
sixty patients that it has not seen.
"""

import os
import sys
import tempfile

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.serializers import CSVSerializer

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, os.pardir, "src", "clary", "demo", "heart_failure.csv")
TARGET = "DEATH_EVENT"


def upload(session, table):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "patients.csv")
        table.to_csv(path, index=False)
        return session.upload_data(path, key_prefix="own-container/train")


def main():
    image, endpoint = sys.argv[1:]
    session, role = sagemaker.Session(), sagemaker.get_execution_role()
    patients = pd.read_csv(DATA).sample(frac=1, random_state=7)
    train, test = patients.iloc[:239], patients.iloc[239:].dropna()

    estimator = Estimator(
        image_uri=image,
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        hyperparameters={"trees": 100},
        metric_definitions=[{"Name": "validation-auc", "Regex": "validation-auc=([0-9.]+)"}],
        sagemaker_session=session,
    )
    estimator.fit({"train": upload(session, train)})
    predictor = estimator.deploy(
        initial_instance_count=1,
        instance_type="ml.m5.large",
        endpoint_name=endpoint,
        serializer=CSVSerializer(),
        deserializer=CSVDeserializer(),
    )
    said = np.array(predictor.predict(test.drop(columns=TARGET).values), dtype=float).astype(int).ravel()
    print("predictions:", *said)
    print(f"right about {np.mean(said == test[TARGET].values):.2f} of {len(test)} patients")


if __name__ == "__main__":
    main()
