"""SavedModels, Keras' files and TensorFlow Lite's as ONNX answer as before; or they are refused, and say why."""

import json

import pytest

from tests.unit.algorithms.neo.conftest import run
from tests.unit.toolkit.containers import deep_learning_python

MODELS = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from pathlib import Path
import tensorflow as tf
from clary.algorithms.neo import keras_models, lite_models, tensorflow_models
from clary.algorithms.neo.compiled import Uncompilable
from clary.toolkit.sessions import Session

folder = Path(sys.argv[1])

def told(compiler, name, shapes, form="onnx"):
    try:
        content, proof = compiler.from_folder(folder / name, shapes, form)
    except Uncompilable as refused:
        return str(refused)
    session = Session(content)
    return [[list(each) for each in session.inputs], session.outputs, proof.difference]

class Two(tf.Module):
    def __init__(self):
        super().__init__()
        self.slope = tf.Variable([[1.0], [2.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 2], name="b"), tf.TensorSpec([None, 2], tf.int64, name="a")])
    def both(self, b, a):
        return {"sum": b @ self.slope, "first": b - tf.cast(a, tf.float32)}

    @tf.function(input_signature=[tf.TensorSpec([None, 2, 2], name="x")])
    def lengths(self, x):
        return {"lengths": tf.linalg.svd(x, compute_uv=False)}

two = Two()
tf.saved_model.save(two, str(folder / "saved/model/1"), signatures={"serving_default": two.both})
tf.saved_model.save(two, str(folder / "svd/1"), signatures={"only": two.lengths})
tf.saved_model.save(two, str(folder / "several"), signatures={"one": two.both, "other": two.both})

tf.keras.utils.set_random_seed(0)
layers = [tf.keras.layers.Conv2D(2, 3, activation="relu"), tf.keras.layers.Flatten(), tf.keras.layers.Dense(3)]
model = tf.keras.Sequential([tf.keras.Input((4, 4, 3), name="image"), *layers])
(folder / "keras").mkdir(), (folder / "broken").mkdir()
model.save(folder / "keras/model.h5")
(folder / "broken/model.h5").write_text("nothing")
(folder / "lite").mkdir()
converter = tf.lite.TFLiteConverter.from_keras_model(model)
(folder / "lite/model.tflite").write_bytes(converter.convert())
found = {
    "saved": told(tensorflow_models, "saved", {"b": [1, 2], "serving_default_a:0": [1, 2]}),
    "keras": told(keras_models, "keras", {"image": [1, 3, 4, 4]}),
    "lite": told(lite_models, "lite", {"image": [1, 4, 4, 3]}),
    "several": told(tensorflow_models, "several", {}),
    "other shape": told(tensorflow_models, "saved", {"b": [1, 3], "a": [1, 2]}),
    "nothing": told(tensorflow_models, "keras", {}),
    "broken": told(keras_models, "broken", {}),
    "pmml": told(lite_models, "lite", {}, "pmml"),
}
try:
    found["svd"] = told(tensorflow_models, "svd", {})
except Exception as error:
    found["svd"] = str(error)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    python = deep_learning_python("tensorflow-inference:2.19.0-cpu")
    said = run(python, MODELS, tmp_path_factory.mktemp("models"))
    return json.loads(said.splitlines()[-1])


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("saved", [["a", "int64", [None, 2]], ["b", "float32", [None, 2]]]),
        ("keras", [["image", "float32", [None, 4, 4, 3]]]),
    ],
)
def test_a_model_answers_as_before_by_its_own_names(found, name, inputs):
    assert sorted(found[name][0]) == inputs, found[name]
    assert found[name][2] <= 1e-5


def test_outputs_are_those_of_the_signature(found):
    assert sorted(found["saved"][1]) == ["first", "sum"]


def test_a_lite_model_answers_as_its_interpreter(found):
    [[_, kind, shape]], _, difference = found["lite"]
    assert (kind, shape[1:]) == ("float32", [4, 4, 3])
    assert difference <= 1e-5


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("several", "must have the signature serving_default, or only one; it has one, other"),
        ("other shape", "DataInputConfig says b: [1, 3], the model takes [None, 2]"),
        ("nothing", "no SavedModel bundles found"),
        ("broken", "save it as a SavedModel"),
        ("svd", "Svd"),
        ("pmml", "a model of TensorFlow Lite is not written as PMML"),
    ],
)
def test_what_cannot_be_compiled_says_why(found, name, said):
    assert said in found[name]
