"""Trained models are deployed as JumpStart has it; the SDK validates hyperparameters by the specs."""

import boto3
from sagemaker import hyperparameters
from sagemaker.jumpstart.exceptions import JumpStartHyperparametersError
from sagemaker.jumpstart.model import JumpStartModel

SAMPLES = {"classification": "tabular_binary", "regression": "tabular_regress"}
bucket = f"jumpstart-cache-prod-{boto3.Session().region_name}"

for library, task in (("lightgbm", "classification"), ("catboost", "regression")):
    key = f"training-datasets/{SAMPLES[task]}/test/data.csv"
    rows = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()[:5]
    predictor = JumpStartModel(model_id=f"{library}-{task}-model").deploy()
    answer = predictor.predict("\n".join(row.split(",", 1)[1] for row in rows))
    told = answer["prediction"] if task == "regression" else answer["predicted_label"]
    assert len(told) == 5, answer
    print("answers", library, task, told)
    predictor.delete_predictor()

for library in ("lightgbm", "catboost"):
    named = {"model_id": f"{library}-regression-model", "model_version": "*"}
    hyperparameters.validate(**named, hyperparameters=hyperparameters.retrieve_default(**named))
try:
    hyperparameters.validate(
        model_id="lightgbm-regression-model", model_version="*", hyperparameters={"num_leaves": "1"}
    )
except JumpStartHyperparametersError as error:
    assert "num_leaves" in str(error)
    print("refused: num_leaves")
