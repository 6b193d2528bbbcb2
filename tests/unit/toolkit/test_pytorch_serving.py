"""PyTorch's images serve: TorchScript by itself, a script's own functions, what only TorchServe knows."""

import json
import subprocess

import pytest

from tests.unit.toolkit.containers import deep_learning_python
from tests.unit.toolkit.test_model_server import npy

MODULE = "clary.toolkit.pytorch.serve"
SCRIPTED = """
import sys, torch
layer = torch.nn.Linear(3, 1)
torch.nn.init.ones_(layer.weight), torch.nn.init.zeros_(layer.bias)
torch.jit.script(layer).save(sys.argv[1])
torch.save(layer.state_dict(), sys.argv[2])
"""
PREDICT = """
def model_fn(model_dir): return str.upper
def input_fn(data, content_type):
    assert content_type == "text/plain"
    return data.decode("utf-8")
def predict_fn(text, model): return model(text)
def output_fn(prediction, accept): return str(prediction)
"""


@pytest.fixture(scope="session")
def python():
    return deep_learning_python("pytorch-inference:2.6.0-cpu-py312")


@pytest.fixture(scope="session")
def models(python, tmp_path_factory):
    """A linear layer that sums, as TorchScript and as mere weights."""
    folder = tmp_path_factory.mktemp("models")
    subprocess.run([python, "-c", SCRIPTED, folder / "scripted", folder / "weights"], check=True)
    return folder


@pytest.fixture
def scripted(opt, models):
    """A model folder of TorchScript, under a name."""

    def put(name, kind="scripted"):
        (opt.base / "model" / name).write_bytes((models / kind).read_bytes())

    return put


def test_torchscript_is_served_without_a_script(serve, python, scripted):
    scripted("model.pt")
    scripted("another.pth", "weights")
    server = serve(python, MODULE)
    assert server.invoke("1,2,3\n4,5,6", accept="text/csv")[:2] == (200, b"6.0\n15.0\n")
    assert server.invoke("[[1,2,3],[4,5,6]]", "application/json")[:2] == (200, b"[[6.0], [15.0]]")
    assert server.invoke("[[1, 2, 3]]", "application/json", accept="application/x-npy")[1].startswith(b"\x93NUMPY")
    assert server.invoke("1 2 3", "text/plain")[0] == 415


def test_npy_keeps_its_own_type(serve, python, opt):
    """As AWS's container does it: a model of 32-bit floats refuses 64-bit ones."""
    (opt.base / "model/code").mkdir()
    (opt.base / "model/code/inference.py").write_text(
        "import torch\ndef model_fn(d): return torch.nn.Identity()\ndef output_fn(x, accept): return str(x.dtype)\n"
    )
    assert serve(python, MODULE).invoke(npy([[1, 2]]), "application/x-npy")[1] == b"torch.float64"


def test_the_only_file_of_its_kind_is_the_model(serve, python, scripted):
    scripted("net.pth")
    assert serve(python, MODULE).invoke("[1, 2, 3]", "application/json")[1] == b"[6.0]"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "Exactly one .pth or .pt file is required for PyTorch models: []"),
        (
            {"a.pt": "scripted", "b.pt": "scripted"},
            "Exactly one .pth or .pt file is required for PyTorch models: ['a.pt', 'b.pt']",
        ),
        ({"model.pt": "weights"}, "Please ensure model is saved using torchscript."),
    ],
    ids=["none", "two", "weights only"],
)
def test_a_folder_that_cannot_be_loaded_says_why(opt, python, scripted, files, why):
    for name, kind in files.items():
        scripted(name, kind)
    env = {**opt.env, "SAGEMAKER_BIND_TO_PORT": "0"}
    done = subprocess.run([python, "-m", MODULE], env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 1
    assert why in done.stderr


def test_ones_own_predict_py_takes_plain_text_and_its_dependencies(serve, python, opt):
    code = opt.base / "model/code"
    (code / "lib").mkdir(parents=True)
    (code / "predict.py").write_text("import beside\n" + PREDICT)
    (code / "lib/beside.py").write_text("")
    server = serve(python, MODULE, SAGEMAKER_PROGRAM="predict.py", SAGEMAKER_SUBMIT_DIRECTORY=str(code))
    assert server.invoke("a fine film", "text/plain")[:2] == (200, b"A FINE FILM")


def test_settings_of_torchserve_are_ignored_with_a_line(serve, python, scripted):
    scripted("model.pt")
    server = serve(python, MODULE, SAGEMAKER_TS_BATCH_SIZE="4", TS_DISABLE_TOKEN_AUTHORIZATION="true")
    assert "TorchServe" in server.log()
    assert "SAGEMAKER_TS_BATCH_SIZE, TS_DISABLE_TOKEN_AUTHORIZATION" in server.log()
    assert json.loads(server.invoke("[[1,2,3]]", "application/json")[1]) == [[6.0]]
