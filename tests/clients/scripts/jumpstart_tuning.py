"""AWS's notebook of LightGBM with automatic model tuning: a JumpStart model is tuned, the best one deployed."""

import boto3
from sagemaker.jumpstart.estimator import JumpStartEstimator
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

bucket = f"jumpstart-cache-prod-{boto3.Session().region_name}"
estimator = JumpStartEstimator(model_id="lightgbm-classification-model", hyperparameters={"num_boost_round": "15"})
tuner = HyperparameterTuner(
    estimator,
    "multi_logloss",
    {
        "learning_rate": ContinuousParameter(1e-2, 1, scaling_type="Logarithmic"),
        "num_leaves": IntegerParameter(4, 50),
        "min_data_in_leaf": IntegerParameter(2, 30),
    },
    [{"Name": "multi_logloss", "Regex": "multi_logloss: ([0-9\\.]+)"}],
    max_jobs=4,
    max_parallel_jobs=2,
    objective_type="Minimize",
)
tuner.fit({"training": f"s3://{bucket}/training-datasets/tabular_multiclass/"}, logs=True)

table = tuner.analytics().dataframe()
print("objectives", sorted(table["FinalObjectiveValue"]))
predictor = tuner.deploy(initial_instance_count=1, instance_type="ml.m5.xlarge")
key = "training-datasets/tabular_multiclass/test/data.csv"
row = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()[0]
answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName=predictor.endpoint_name, ContentType="text/csv", Body=row.split(",", 1)[1]
)
print("answer", answer["Body"].read().decode())
predictor.delete_endpoint()
