"""House prices by TensorFlow: a script trains, its SavedModel answers. Run it after `eval "$(clary env)"`."""

import os
import tempfile

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.tensorflow import TensorFlow

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    session, role = sagemaker.Session(), sagemaker.get_execution_role()
    houses = pd.read_csv(os.path.join(HERE, "..", "boston_housing", "boston_housing.csv"))
    houses = houses.sample(frac=1, random_state=0)
    train, test = houses.iloc[:420], houses.iloc[420:]
    with tempfile.TemporaryDirectory() as folder:
        train.to_csv(os.path.join(folder, "train.csv"), index=False)
        data = session.upload_data(folder, key_prefix="frameworks/tensorflow")

    estimator = TensorFlow(
        entry_point="train.py",
        source_dir=os.path.join(HERE, "tensorflow_script"),
        framework_version="2.19.0",
        py_version="py312",
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        hyperparameters={"epochs": 100},
        metric_definitions=[{"Name": "loss", "Regex": "loss: ([0-9.]+)"}],
    )
    estimator.fit({"training": data})

    predictor = estimator.deploy(1, "ml.m5.large")
    rows = test.drop(columns="medv").values.tolist()
    answer = predictor.predict({"instances": rows})
    errors = np.array(answer["predictions"])[:, 0] - test["medv"].values
    print(f"root mean square error on {len(test)} houses: {np.sqrt(np.mean(errors**2)):.2f}")

    columns = predictor.predict({"signature_name": "serving_default", "inputs": rows[:2]})
    print(f"two houses: {[round(price[0], 1) for price in columns['outputs']]}")
    predictor.delete_endpoint()


if __name__ == "__main__":
    main()
