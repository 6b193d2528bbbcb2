"""House prices: the hyperparameters of built-in XGBoost tuned by the SageMaker Python SDK 1 (1.72).

Run it after `eval "$(clary env)"`.
"""

import os
import tempfile

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.amazon.amazon_estimator import get_image_uri
from sagemaker.predictor import csv_deserializer, csv_serializer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, "boston_housing", "boston_housing.csv")
PREFIX = "tuning-sdk1"


def upload(session, table, name):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        table.to_csv(path, header=False, index=False)
        return session.upload_data(path, key_prefix=PREFIX)


def error(prices, table):
    return float(np.sqrt(np.mean((np.array(prices, dtype=float).ravel() - table["medv"].values) ** 2)))


def main():
    session = sagemaker.Session()
    table = pd.read_csv(DATA).sample(frac=1, random_state=0)
    table = table[["medv", *table.columns.drop("medv")]]
    train, validation, test = table.iloc[:340], table.iloc[340:420], table.iloc[420:]
    channels = {
        "train": sagemaker.s3_input(upload(session, train, "train.csv"), content_type="csv"),
        "validation": sagemaker.s3_input(upload(session, validation, "validation.csv"), content_type="csv"),
    }
    xgboost = sagemaker.estimator.Estimator(
        get_image_uri(session.boto_region_name, "xgboost", "1.0-1"),
        sagemaker.get_execution_role(),
        train_instance_count=1,
        train_instance_type="ml.m4.xlarge",
        output_path="s3://{}/{}/output".format(session.default_bucket(), PREFIX),
        sagemaker_session=session,
    )
    xgboost.set_hyperparameters(objective="reg:squarederror", num_round=60)

    tuner = HyperparameterTuner(
        xgboost,
        "validation:mae",
        {
            "eta": ContinuousParameter(0.05, 0.5),
            "min_child_weight": ContinuousParameter(2, 8),
            "max_depth": IntegerParameter(3, 9),
        },
        objective_type="Minimize",
        max_jobs=6,
        max_parallel_jobs=2,
    )
    tuner.fit(channels)
    tuner.wait()
    print("jobs:", len(tuner.analytics().dataframe()))

    attached = HyperparameterTuner.attach(tuner.latest_tuning_job.name, sagemaker_session=session)
    print("best:", attached.best_training_job())
    best = attached.best_estimator()
    transformer = best.transformer(1, "ml.m4.xlarge", strategy="MultiRecord", assemble_with="Line")
    asked = upload(session, test.drop(columns="medv"), "test.csv")
    transformer.transform(asked, content_type="text/csv", split_type="Line")
    transformer.wait()
    bucket, _, prefix = transformer.output_path[len("s3://") :].partition("/")
    answers = session.read_s3_file(bucket, (prefix + "/test.csv.out").lstrip("/")).split()
    print("root mean square error of the batch on %d houses: %.2f" % (len(test), error(answers, test)))

    predictor = tuner.deploy(1, "ml.m4.xlarge")
    predictor.content_type, predictor.serializer, predictor.deserializer = "text/csv", csv_serializer, csv_deserializer
    prices = predictor.predict(test.drop(columns="medv").values)
    print("root mean square error on %d houses: %.2f" % (len(test), error(prices, test)))
    tuner.delete_endpoint()


if __name__ == "__main__":
    main()
