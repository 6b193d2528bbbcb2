"""Framework estimators and models of SDK 2, each with inference code of its own; frameworks that have ended."""

import json
import os
import tarfile
import tempfile

import boto3
import numpy as np
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.chainer import Chainer
from sagemaker.deserializers import JSONDeserializer
from sagemaker.huggingface import HuggingFaceModel
from sagemaker.mxnet import MXNet, MXNetModel
from sagemaker.rl import RLEstimator, RLFramework, RLToolkit
from sagemaker.serializers import CSVSerializer, JSONSerializer
from sagemaker.sklearn import SKLearn, SKLearnModel
from sagemaker.tensorflow import TensorFlow, TensorFlowModel
from sagemaker.xgboost import XGBoost, XGBoostModel

session, role = sagemaker.Session(), sagemaker.get_execution_role()
WHERE = {"role": role, "instance_count": 1, "instance_type": "ml.m5.large"}

SKLEARN = """
import joblib, json, os
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

if __name__ == "__main__":
    table = pd.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), header=None)
    model = LinearRegression().fit(table[[1, 2]].values, table[0])
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
"""
SKLEARN_OWN = """
import joblib, json, os, sklearn

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

def input_fn(body, content_type):
    return [[each["a"], each["b"]] for each in json.loads(body)]

def output_fn(prediction, accept):
    sums = [round(float(value), 3) for value in prediction]
    return json.dumps({"sums": sums, "version": sklearn.__version__}), accept
"""
XGBOOST = """
import argparse, os
import pandas as pd
import xgboost
parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int)
rounds = parser.parse_args().rounds
table = pd.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), header=None)
matrix = xgboost.DMatrix(table[[1, 2]].values, label=table[0])
booster = xgboost.train({"max_depth": 4, "eta": 0.5}, matrix, num_boost_round=rounds)
booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"))
"""
XGBOOST_OWN = """
import json, os
import xgboost

def model_fn(model_dir):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(model_dir, "model.json"))
    return booster

def predict_fn(data, model):
    return model.predict(data, validate_features=False)

def output_fn(prediction, accept):
    return json.dumps({"sums": [float(value) for value in prediction], "version": xgboost.__version__}), accept
"""
TENSORFLOW = """
import os
import tensorflow as tf

class Sum(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="rows")])
    def __call__(self, rows):
        return {"sums": tf.reduce_sum(rows, axis=1)}

model = Sum()
tf.saved_model.save(model, os.path.join(os.environ["SM_MODEL_DIR"], "sum", "3"), signatures=model.__call__)
"""
TENSORFLOW_OWN = """
import json
def input_handler(data, context):
    rows = json.loads(data.read())
    return json.dumps({"instances": [[row["a"], row["b"]] for row in rows]})
def output_handler(response, context):
    return json.dumps({"sums": response.json()["predictions"]}), context.accept_header
"""
HUGGING_FACE_OWN = """
import json, os
import transformers

def model_fn(model_dir):
    with open(os.path.join(model_dir, "words.json")) as file:
        return json.load(file)

def predict_fn(data, model):
    return [{"label": "GOOD" if model[0] in text else "BAD"} for text in data["inputs"]]
"""


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)
    return os.path.join(folder, name)


def asked(model, serializer, body, **options):
    predictor = model.deploy(1, "ml.m5.large", serializer=serializer, deserializer=JSONDeserializer(), **options)
    answer = predictor.predict(body)
    predictor.delete_endpoint()
    return answer


def near(found, expected, within):
    assert np.allclose(np.array(found, dtype=float).ravel(), expected, atol=within), found


def scikit_learn(folder, data):
    estimator = SKLearn(write(folder, "line.py", SKLEARN), framework_version="1.2-1", py_version="py3", **WHERE)
    estimator.fit({"train": data}, logs=False)
    own = SKLearnModel(
        estimator.model_data, role, write(folder, "sums.py", SKLEARN_OWN), framework_version="1.2-1", py_version="py3"
    )
    answer = asked(own, JSONSerializer(), [{"a": 1, "b": 2}])
    assert answer == {"sums": [3.0], "version": "1.2.1"}, answer


def xgboost(folder, data):
    estimator = XGBoost(
        write(folder, "trees.py", XGBOOST), framework_version="1.7-1", hyperparameters={"rounds": 30}, **WHERE
    )
    estimator.fit({"train": data}, logs=False)
    own = XGBoostModel(estimator.model_data, role, write(folder, "ask.py", XGBOOST_OWN), framework_version="1.7-1")
    answer = asked(own, CSVSerializer(), "1,2\n3,4")
    near(answer["sums"], [3, 7], 0.7)
    assert answer["version"] == "1.7.4", answer


def tensorflow(folder, _data):
    estimator = TensorFlow(
        entry_point=write(folder, "sum.py", TENSORFLOW), framework_version="2.19.0", py_version="py312", **WHERE
    )
    estimator.fit(logs=False)
    own = TensorFlowModel(
        estimator.model_data,
        role,
        write(folder, "inference.py", TENSORFLOW_OWN),
        framework_version="2.19.0",
    )
    answer = asked(own, JSONSerializer(), [{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    assert answer == {"sums": [3.0, 7.0]}, answer


def hugging_face(folder, _data):
    archive = os.path.join(folder, "model.tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(write(folder, "words.json", json.dumps(["good"])), "words.json")
    own = HuggingFaceModel(
        role,
        session.upload_data(archive, key_prefix="frameworks/words"),
        write(folder, "reviews.py", HUGGING_FACE_OWN),
        transformers_version="4.48.0",
        pytorch_version="2.3.0",
        py_version="py311",
    )
    answer = asked(own, JSONSerializer(), {"inputs": ["a good film", "a film"]})
    assert answer == [{"label": "GOOD"}, {"label": "BAD"}], answer


def ended(folder, data):
    script = write(folder, "old.py", "")
    refused(MXNet(script, framework_version="1.9.0", py_version="py38", **WHERE), "Apache MXNet was retired in 2023")
    refused(Chainer(script, framework_version="5.0.0", py_version="py3", **WHERE), "Move the script to PyTorch")
    learner = {"toolkit": RLToolkit.RAY, "toolkit_version": "1.6.0", "framework": RLFramework.TENSORFLOW}
    refused(RLEstimator(script, **learner, **WHERE), "ray[rllib]")
    archive = session.upload_data(os.path.join(folder, "old.py"), key_prefix="frameworks/old")
    model = MXNetModel(archive, role, script, framework_version="1.9.0", py_version="py38")
    container = {"Image": model.serving_image_uri("us-east-1", "ml.m5.large"), "ModelDataUrl": archive}
    client = boto3.client("sagemaker")
    create = {"ModelName": "mxnet", "ExecutionRoleArn": role, "PrimaryContainer": container}
    says(lambda: client.create_model(**create), "Apache MXNet was retired in 2023")


def refused(estimator, text):
    says(lambda: estimator.fit(logs=False), text)


def says(call, text):
    try:
        call()
    except ClientError as error:
        message = error.response["Error"]["Message"]
        assert message.startswith("Requested image ") and text in message, message
    else:
        raise AssertionError(f"{text} expected")


with tempfile.TemporaryDirectory() as folder:
    values = np.random.default_rng(0).uniform(0, 5, (400, 2))
    np.savetxt(os.path.join(folder, "train.csv"), np.column_stack([values.sum(axis=1), values]), delimiter=",")
    data = session.upload_data(os.path.join(folder, "train.csv"), key_prefix="frameworks/sums")
    for case in (scikit_learn, xgboost, tensorflow, hugging_face, ended):
        with tempfile.TemporaryDirectory() as own:
            case(own, data)
            print(case.__name__, "done")
