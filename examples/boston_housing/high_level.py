"""House prices with SageMaker's built-in XGBoost, by the SageMaker Python SDK 2. Run it after `eval "$(clary env)"`."""

import os
import tempfile

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.serializers import CSVSerializer

HERE = os.path.dirname(os.path.abspath(__file__))


def upload(session, table, channel):
    """The built-in algorithms read CSV without a header, the target first."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"{channel}.csv")
        table[["medv", *table.columns.drop("medv")]].to_csv(path, header=False, index=False)
        return session.upload_data(path, key_prefix="boston-housing")


def main():
    session = sagemaker.Session()
    role = sagemaker.get_execution_role()
    houses = pd.read_csv(os.path.join(HERE, "boston_housing.csv")).sample(frac=1, random_state=0)
    train, validation, test = houses.iloc[:340], houses.iloc[340:420], houses.iloc[420:]

    xgboost = sagemaker.estimator.Estimator(
        sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1"),
        role,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{session.default_bucket()}/boston-housing/output",
        sagemaker_session=session,
    )
    xgboost.set_hyperparameters(objective="reg:squarederror", max_depth=5, eta=0.2, min_child_weight=6, num_round=200)
    xgboost.fit(
        {
            "train": sagemaker.inputs.TrainingInput(upload(session, train, "train"), content_type="csv"),
            "validation": sagemaker.inputs.TrainingInput(upload(session, validation, "validation"), content_type="csv"),
        }
    )

    predictor = xgboost.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer())
    prices = np.array(predictor.predict(test.drop(columns="medv").values), dtype=float).ravel()
    error = float(np.sqrt(np.mean((prices - test["medv"].values) ** 2)))
    print(f"root mean square error on {len(test)} houses: {error:.2f} (thousand dollars)")
    predictor.delete_model()
    predictor.delete_endpoint()
    return error


if __name__ == "__main__":
    main()
