"""Attach to a job that ended; its metrics, its logs, its model."""

import tarfile
import tempfile

import sagemaker
from boston import estimator, train_input, upload
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.estimator import Estimator
from sagemaker.s3 import S3Downloader

session = sagemaker.Session()
trained = estimator(session)
trained.fit(train_input(upload(session)), logs=False)
name = trained.latest_training_job.name

attached = Estimator.attach(name, sagemaker_session=session)
assert attached.model_data == trained.model_data, attached.model_data
assert attached.hyperparameters()["num_round"] == "20", attached.hyperparameters()

job = session.describe_training_job(name)
assert job["TrainingJobStatus"] == "Completed" and job["SecondaryStatus"] == "Completed"
assert job["OutputDataConfig"]["KmsKeyId"] == ""
assert [t["Status"] for t in job["SecondaryStatusTransitions"]] == [
    "Starting", "Downloading", "Training", "Uploading", "Completed",
]  # fmt: skip
assert all(t["StatusMessage"] and t["StartTime"] for t in job["SecondaryStatusTransitions"])
assert {m["MetricName"] for m in job["FinalMetricDataList"]} == {"train:rmse"}, job["FinalMetricDataList"]
assert job["BillableTimeInSeconds"] >= 0 and job["TrainingTimeInSeconds"] >= 0

with tempfile.TemporaryDirectory() as folder:
    S3Downloader.download(trained.model_data, folder, sagemaker_session=session)
    with tarfile.open(f"{folder}/model.tar.gz") as archive:
        assert "xgboost-model" in [member.name.lstrip("./") for member in archive], archive.getnames()
session.logs_for_job(name)

series = TrainingJobAnalytics(name, metric_names=["train:rmse"], sagemaker_session=session).dataframe()
assert list(series.columns) == ["timestamp", "metric_name", "value"], series
assert set(series["metric_name"]) == {"train:rmse"} and (series["value"] > 0).all(), series
