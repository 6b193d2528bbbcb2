"""The demo's client: nothing but boto3 and the SageMaker Python SDK 2, as it would run against AWS."""

import logging
import os
import sys
import tempfile
import time

import pandas as pd
import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn import SKLearn

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = "DEATH_EVENT"
METRICS = [{"Name": name, "Regex": name + "=([0-9.]+)"} for name in ("test-accuracy", "test-f1", "test-auc")]
SHOWN = 8

for name in ("sagemaker", "sagemaker.config", "botocore"):
    logging.getLogger(name).setLevel(logging.WARNING)


class Steps:
    """Says what is being done, and afterwards how long each step took."""

    def __init__(self):
        self.began, self.title, self.took = time.perf_counter(), "", []

    def next(self, title):
        if self.title:
            self.took.append((self.title, time.perf_counter() - self.began))
        self.began, self.title = time.perf_counter(), title
        if title:
            print(f"\n▸ {title}", flush=True)


def upload(session, table, name, channel):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        table.to_csv(path, index=False)
        return session.upload_data(path, key_prefix=f"heart-failure/{channel}")


def main():
    steps = Steps()
    session = sagemaker.Session()
    role = sagemaker.get_execution_role()

    steps.next("Upload 299 patients' records to S3")
    patients = pd.read_csv(os.path.join(HERE, "heart_failure.csv")).sample(frac=1, random_state=7)
    train, test = patients.iloc[:239], patients.iloc[239:]
    channels = {
        "train": upload(session, train, "train.csv", "train"),
        "test": upload(session, test, "test.csv", "test"),
    }
    print(*channels.values(), sep="\n")

    steps.next("Train: three classifiers vote, a grid search finds their settings (its own log follows)")
    estimator = SKLearn(
        entry_point="train.py",
        source_dir=HERE,
        framework_version="1.2-1",
        py_version="py3",
        role=role,
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="heart-failure",
        hyperparameters={"cv": 3, "trees": 100},
        container_log_level=logging.WARNING,
        metric_definitions=METRICS,
        sagemaker_session=session,
    )
    estimator.fit(channels)
    job = session.describe_training_job(estimator.latest_training_job.name)

    steps.next("Deploy to an endpoint")
    predictor = estimator.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=JSONDeserializer())
    print(predictor.endpoint_name)

    steps.next(f"Ask it about {SHOWN} patients it has not seen")
    asked = test.dropna().head(SHOWN)
    answers = predictor.predict(asked.drop(columns=TARGET).values)
    one = asked.drop(columns=TARGET).values[:1]
    latency = []
    for _ in range(50):
        began = time.perf_counter()
        predictor.predict(one)
        latency.append(time.perf_counter() - began)
    print(f"{'age':>4} {'ejection fraction':>18} {'creatinine':>11}   {'predicted':<10} what happened")
    for (_, patient), answer in zip(asked.iterrows(), answers):
        said, was = ("died" if value else "survived" for value in (int(answer), int(patient[TARGET])))
        print(
            f"{patient['age']:>4.0f} {patient['ejection_fraction']:>17.0f}% {patient['serum_creatinine']:>11.1f}   "
            f"{said:<10} {was}{'' if said == was else '   ✗'}"
        )

    steps.next("Delete the endpoint")
    predictor.delete_endpoint()
    steps.next("")

    print("\nOn 60 patients that the model has not seen:")
    for metric in job["FinalMetricDataList"]:
        print(f"  {metric['MetricName']:<14} {metric['Value']:.3f}")
    print("\nHow long it took:")
    for title, seconds in steps.took:
        print(f"  {seconds:6.2f} s  {title.split(':')[0].split(' (')[0]}")
    print(f"  {sorted(latency)[25] * 1000:6.1f} ms one prediction through the SDK (median of 50)")


if __name__ == "__main__":
    sys.exit(main())
