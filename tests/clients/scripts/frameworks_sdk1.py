"""Framework estimators and models of SDK 1.72 by version, with inference code of their own."""

import json
import os
import tempfile

import numpy as np
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.mxnet import MXNet
from sagemaker.predictor import csv_serializer, json_deserializer
from sagemaker.sklearn import SKLearn, SKLearnModel
from sagemaker.tensorflow import TensorFlow
from sagemaker.tensorflow.serving import Model as TensorFlowModel
from sagemaker.xgboost import XGBoost

session, role = sagemaker.Session(), sagemaker.get_execution_role()
WHERE = {"role": role, "train_instance_count": 1, "train_instance_type": "ml.m5.large"}
LEGACY = {"training_steps": 1, "evaluation_steps": 1}

SKLEARN = """
import os
import joblib, numpy, sklearn
from sklearn.linear_model import LinearRegression

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

if __name__ == "__main__":
    print("scikit-learn", sklearn.__version__)
    table = numpy.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), delimiter=",")
    model = LinearRegression().fit(table[:, 1:], table[:, 0])
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
"""
SKLEARN_OWN = """
import json, os
import joblib

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

def output_fn(prediction, accept):
    return json.dumps({"sums": [round(value, 3) for value in prediction.tolist()]}), accept
"""
XGBOOST = """
import argparse, os
import numpy, xgboost

def model_fn(model_dir):
    return xgboost.Booster(model_file=os.path.join(model_dir, "model.json"))

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int)
    table = numpy.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), delimiter=",")
    matrix = xgboost.DMatrix(table[:, 1:], label=table[:, 0])
    booster = xgboost.train({"max_depth": 4, "eta": 0.5}, matrix, num_boost_round=parser.parse_args().rounds)
    booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"))
"""
TENSORFLOW = """
import argparse, os
import tensorflow as tf

parser = argparse.ArgumentParser()
parser.add_argument("--model_dir")
print("model_dir is in S3:", parser.parse_args().model_dir.startswith("s3://"))

class Sum(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="rows")])
    def __call__(self, rows):
        return {"sums": tf.reduce_sum(rows, axis=1)}

model = Sum()
tf.saved_model.save(model, os.path.join(os.environ["SM_MODEL_DIR"], "export", "Servo", "1"), signatures=model.__call__)
"""


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)
    return os.path.join(folder, name)


def asked(model, body, **csv):
    predictor = model.deploy(1, "ml.m5.large")
    for name, value in csv.items():
        setattr(predictor, name, value)
    answer = predictor.predict(body)
    predictor.delete_endpoint()
    return answer


CSV = {
    "content_type": "text/csv",
    "serializer": csv_serializer,
    "accept": "application/json",
    "deserializer": json_deserializer,
}

with tempfile.TemporaryDirectory() as folder:
    values = np.random.RandomState(0).uniform(0, 5, (400, 2))
    np.savetxt(os.path.join(folder, "train.csv"), np.column_stack([values.sum(axis=1), values]), delimiter=",")
    data = session.upload_data(os.path.join(folder, "train.csv"), key_prefix="frameworks/sums")

    learner = SKLearn(write(folder, "line.py", SKLEARN), framework_version="0.23-1", py_version="py3", **WHERE)
    learner.fit({"train": data})
    own = SKLearnModel(
        learner.model_data, role, write(folder, "sums.py", SKLEARN_OWN), framework_version="0.23-1", py_version="py3"
    )
    assert asked(own, [[1, 2], [3, 4]], **CSV) == {"sums": [3.0, 7.0]}

    trees = XGBoost(
        write(folder, "trees.py", XGBOOST),
        framework_version="1.0-1",
        py_version="py3",
        hyperparameters={"rounds": 30},
        **WHERE,
    )
    trees.fit({"train": data})
    found = np.array(asked(trees, [[1, 2], [3, 4]], **CSV), dtype=float).ravel()
    assert np.allclose(found, [3, 7], atol=0.7), found

    network = TensorFlow(
        entry_point=write(folder, "sum.py", TENSORFLOW),
        framework_version="1.12.0",
        py_version="py3",
        script_mode=True,
        **WHERE,
    )
    network.fit()
    assert asked(network, {"instances": [[1, 2], [3, 4]]}) == {"predictions": [3.0, 7.0]}
    again = TensorFlowModel(network.model_data, role, framework_version="1.12.0")
    assert asked(again, [[1, 2]]) == {"predictions": [3.0]}

    script = write(folder, "old.py", "")
    for old in (
        MXNet(script, framework_version="1.2.1", py_version="py3", **WHERE),
        TensorFlow(entry_point=script, framework_version="1.10.0", py_version="py2", **LEGACY, **WHERE),
    ):
        try:
            old.fit()
        except ClientError as error:
            print("refused:", json.dumps(error.response["Error"]["Message"]))
        else:
            raise AssertionError("an error was expected")
