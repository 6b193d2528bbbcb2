"""House prices with built-in algorithms, by the SageMaker Python SDK 1 (1.72), as courses of that time show it.

Run it after `eval "$(clary env)"`.
"""

import os
import tempfile

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.amazon.amazon_estimator import get_image_uri
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.predictor import csv_deserializer, csv_serializer

HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX = "boston-housing-sdk1"


def upload(session, table, name):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        table.to_csv(path, header=False, index=False)
        return session.upload_data(path, key_prefix=PREFIX)


def error(prices, table):
    return float(np.sqrt(np.mean((np.array(prices, dtype=float).ravel() - table["medv"].values) ** 2)))


def main():
    session = sagemaker.Session()
    role = sagemaker.get_execution_role()
    houses = pd.read_csv(os.path.join(HERE, "boston_housing.csv")).sample(frac=1, random_state=0)
    houses = houses[["medv", *houses.columns.drop("medv")]]
    train, validation, test = houses.iloc[:340], houses.iloc[340:420], houses.iloc[420:]

    xgboost = sagemaker.estimator.Estimator(
        get_image_uri(session.boto_region_name, "xgboost", "1.0-1"),
        role,
        train_instance_count=1,
        train_instance_type="ml.m4.xlarge",
        output_path="s3://{}/{}/output".format(session.default_bucket(), PREFIX),
        sagemaker_session=session,
    )
    xgboost.set_hyperparameters(objective="reg:squarederror", max_depth=5, eta=0.2, min_child_weight=6, num_round=200)
    xgboost.fit(
        {
            "train": sagemaker.s3_input(upload(session, train, "train.csv"), content_type="csv"),
            "validation": sagemaker.s3_input(upload(session, validation, "validation.csv"), content_type="csv"),
        }
    )
    name = xgboost.latest_training_job.name
    curve = TrainingJobAnalytics(name, metric_names=["validation:rmse"], sagemaker_session=session).dataframe()
    print("points of the validation curve:", len(curve))

    # What was trained elsewhere, or yesterday: attach, transform a file, deploy.
    attached = sagemaker.estimator.Estimator.attach(name, sagemaker_session=session)
    transformer = attached.transformer(1, "ml.m4.xlarge", strategy="MultiRecord", assemble_with="Line")
    asked = upload(session, test.drop(columns="medv"), "test.csv")
    transformer.transform(asked, content_type="text/csv", split_type="Line")
    transformer.wait()
    bucket, _, prefix = transformer.output_path[len("s3://") :].partition("/")
    answers = session.read_s3_file(bucket, (prefix + "/test.csv.out").lstrip("/")).split()
    print("root mean square error of the batch on %d houses: %.2f" % (len(test), error(answers, test)))

    predictor = attached.deploy(1, "ml.m4.xlarge")
    predictor.content_type, predictor.serializer, predictor.deserializer = "text/csv", csv_serializer, csv_deserializer
    prices = predictor.predict(test.drop(columns="medv").values)
    print("root mean square error on %d houses: %.2f" % (len(test), error(prices, test)))
    predictor.delete_model()
    predictor.delete_endpoint()

    # A built-in algorithm with a class of its own: the data travel as RecordIO.
    linear = sagemaker.LinearLearner(
        role,
        train_instance_count=1,
        train_instance_type="ml.m4.xlarge",
        predictor_type="regressor",
        epochs=60,
        sagemaker_session=session,
    )
    features = train.drop(columns="medv").values.astype("float32")
    records = linear.record_set(features, labels=train["medv"].values.astype("float32"))
    linear.fit(records, mini_batch_size=20, logs=False)
    regressor = linear.deploy(1, "ml.m4.xlarge")
    records = regressor.predict(test.drop(columns="medv").values.astype("float32"))
    prices = [record.label["score"].float32_tensor.values[0] for record in records]
    print("root mean square error of the linear model on %d houses: %.2f" % (len(test), error(prices, test)))
    regressor.delete_endpoint()


if __name__ == "__main__":
    main()
