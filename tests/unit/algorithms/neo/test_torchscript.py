"""TorchScript as ONNX answers as PyTorch does, traced or scripted, of any inputs; or it is refused, and says why."""

import json
from pathlib import Path

import pytest

from tests.unit.algorithms.neo.conftest import run
from tests.unit.toolkit.containers import deep_learning_python

MODELS = Path(__file__).with_name("torchscript_models.py")
"""A file: PyTorch reads the sources of what it scripts."""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    python = deep_learning_python("pytorch-inference:2.10.0-cpu")
    return json.loads(run(python, MODELS, tmp_path_factory.mktemp("models")))


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("named", [["image", "float32", [None, 3, 8, 8]]], ["output0"]),
        ("listed", [["input0", "float32", [None, 3, 8, 8]]], ["output0"]),
        ("traced", [["input0", "float32", [None, 3, 8, 8]]], ["output0"]),
        ("words", [["words", "int64", [None, 5]], ["weight", "float32", [None, 5]]], ["output0", "output1"]),
        ("attention", [["input0", "float32", [None, 1, 8]]], ["output0"]),
        ("fixed", [["x", "float32", [2, 3]]], ["output0"]),
    ],
)
def test_a_model_answers_as_before_for_any_rows_where_it_did(found, name, inputs, outputs):
    assert found[name][:2] == [inputs, outputs], found[name]
    assert found[name][2] <= 1e-5


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dictionary", "answers with dict, and ONNX has tensors and tuples of them only"),
        ("noise", "the compiled model is not the same: outputs differ by"),
        ("no shapes", "DataInputConfig must say the shapes"),
        ("wrong shapes", "the model does not take the inputs of DataInputConfig: "),
        ("no shape", "DataInputConfig says image: 1,3,8,8, which is no shape"),
        ("weights", "model.pth is no TorchScript that PyTorch can load"),
        ("pmml", "a model of PyTorch is not written as PMML"),
    ],
)
def test_what_cannot_be_compiled_says_why(found, name, said):
    assert said in found[name]
