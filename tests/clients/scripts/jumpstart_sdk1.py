"""SDK 1 knows no JumpStart; its Estimator takes the same image and script by their addresses."""

import json

import boto3
import sagemaker
from sagemaker.estimator import Estimator

region = boto3.Session().region_name
bucket = f"jumpstart-cache-prod-{region}"
s3 = boto3.client("s3")


def document(key):
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


[header] = [
    header
    for header in document("models_manifest.json")
    if (header["model_id"], header["version"]) == ("lightgbm-regression-model", "2.0.0")
]
spec = document(header["spec_key"])
images = spec["training_instance_type_variants"]
alias = images["variants"]["m5"]["regional_properties"]["image_uri"][1:]

estimator = Estimator(
    image_name=images["regional_aliases"][region][alias],
    role=sagemaker.get_execution_role(),
    train_instance_count=1,
    train_instance_type="ml.m5.xlarge",
    hyperparameters={
        "sagemaker_program": "transfer_learning.py",
        "sagemaker_submit_directory": f"s3://{bucket}/{spec['training_script_key']}",
        "num_boost_round": 50,
    },
    metric_definitions=spec["metrics"],
)
estimator.fit({"training": f"s3://{bucket}/training-datasets/tabular_regress/"}, logs=False)
described = boto3.client("sagemaker").describe_training_job(TrainingJobName=estimator.latest_training_job.name)
print("rmse", {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}["rmse"])
