"""A live endpoint changes its model twice while clients ask it: from XGBoost to Linear Learner, then half and half.

By the SageMaker Python SDK 2 and boto3. Run it after `eval "$(clary env)"`.
"""

import collections
import os
import tempfile
import threading

import boto3
import numpy as np
import pandas as pd
import sagemaker

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, "boston_housing", "boston_housing.csv")
ENDPOINT = "house-prices"
CSV = {"ContentType": "text/csv", "Accept": "text/csv"}
ENOUGH = 60


def upload(session, table, channel):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, channel + ".csv")
        table[["medv", *table.columns.drop("medv")]].to_csv(path, header=False, index=False)
        location = session.upload_data(path, key_prefix="house-prices")
    return sagemaker.inputs.TrainingInput(location, content_type="text/csv")


def train(session, role, algorithm, version, channels, **hyperparameters):
    estimator = sagemaker.estimator.Estimator(
        sagemaker.image_uris.retrieve(algorithm, session.boto_region_name, version=version),
        role,
        instance_count=1,
        instance_type="ml.m5.large",
        sagemaker_session=session,
        base_job_name=algorithm,
        hyperparameters=hyperparameters,
    )
    estimator.fit(channels, logs=False)
    return estimator


class Clients:
    """Somebody who always asks: one house after the other, from a thread of its own."""

    def __init__(self, houses):
        self.rows = houses.drop(columns="medv").values
        self.prices = houses["medv"].values
        self.phase, self.asked, self.errors = "", collections.Counter(), collections.defaultdict(list)
        self.failed = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.ask)

    def ask(self):
        runtime, number = boto3.client("sagemaker-runtime"), 0
        while not self.over.is_set():
            phase, row = self.phase, number % len(self.rows)
            body = ",".join(str(value) for value in self.rows[row])
            try:
                answer = runtime.invoke_endpoint(EndpointName=ENDPOINT, Body=body, **CSV)
                price, variant = float(answer["Body"].read()), answer["InvokedProductionVariant"]
                self.errors[variant].append(price - self.prices[row])
                self.asked[phase, variant] += 1
            except Exception as error:
                self.failed.append(repr(error))
            number += 1

    def enough(self, phase):
        """Wait until the endpoint has answered often enough in this phase."""
        self.phase = phase
        while sum(count for (seen, _), count in self.asked.items() if seen == phase) < ENOUGH:
            assert not self.failed, self.failed[0]
            self.over.wait(0.05)


def model_of(estimator):
    """A model of what was trained; its name."""
    model = estimator.create_model()
    model.create("ml.m5.large")
    return model.name


def variant(name, model):
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
    }


def main():
    session, role, api = sagemaker.Session(), sagemaker.get_execution_role(), boto3.client("sagemaker")
    houses = pd.read_csv(DATA).sample(frac=1, random_state=0)
    today, tomorrow, asked = houses.iloc[:200], houses.iloc[:400], houses.iloc[400:]

    def channels(table, name):
        return {
            "train": upload(session, table[:-50], name),
            "validation": upload(session, table[-50:], name + "-check"),
        }

    xgboost = train(
        *(session, role, "xgboost", "1.7-1", channels(today, "today")),
        objective="reg:squarederror",
        max_depth=5,
        eta=0.2,
        num_round=100,
    )
    first = variant("XGBoost", model_of(xgboost))
    api.create_endpoint_config(EndpointConfigName="prices-xgboost", ProductionVariants=[first])
    api.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="prices-xgboost")
    api.get_waiter("endpoint_in_service").wait(EndpointName=ENDPOINT)

    clients = Clients(asked)
    clients.thread.start()
    try:
        clients.enough("XGBoost alone")
        # More data has arrived: a linear model of all of it takes over, without a request that fails.
        linear = train(
            *(session, role, "linear-learner", "1", channels(tomorrow, "tomorrow")),
            predictor_type="regressor",
            mini_batch_size=10,
            epochs=60,
            feature_dim=13,
        )
        second = variant("Linear", model_of(linear))
        api.create_endpoint_config(EndpointConfigName="prices-linear", ProductionVariants=[second])
        api.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="prices-linear")
        api.get_waiter("endpoint_in_service").wait(EndpointName=ENDPOINT)
        clients.enough("Linear Learner alone")

        api.create_endpoint_config(EndpointConfigName="prices-both", ProductionVariants=[first, second])
        api.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="prices-both")
        api.get_waiter("endpoint_in_service").wait(EndpointName=ENDPOINT)
        clients.enough("half and half")
    finally:
        clients.over.set()
        clients.thread.join()

    for (phase, name), count in clients.asked.items():
        print(f"{phase or 'before':<22} {name:<8} {count:>5} answers")
    for name, errors in clients.errors.items():
        print(f"{name}: root mean square error {np.sqrt(np.mean(np.square(errors))):.2f} (thousand dollars)")
    print(f"requests that failed: {len(clients.failed)}")
    api.delete_endpoint(EndpointName=ENDPOINT)
    for name in ("prices-xgboost", "prices-linear", "prices-both"):
        api.delete_endpoint_config(EndpointConfigName=name)


if __name__ == "__main__":
    main()
