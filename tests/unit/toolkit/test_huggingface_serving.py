"""Hugging Face's inference toolkit: a model folder asked over HTTP, without any network."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.toolkit.containers import Opt, Server, deep_learning_python

MODULE = "clary.toolkit.huggingface.serve"


@pytest.fixture(scope="module")
def python():
    return deep_learning_python("huggingface-pytorch-inference:2.3.0-transformers4.48.0-cpu-py311-ubuntu22.04")


@pytest.fixture(scope="module")
def model(python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("huggingface") / "model"
    script = Path(__file__).parent / "huggingface_model.py"
    subprocess.run([python, script, folder], check=True, capture_output=True, timeout=240)
    return folder


def started(python, base, model, script="", **env):
    opt = Opt(base)
    for file in model.iterdir() if model else ():
        (opt.base / "model" / file.name).symlink_to(file)
    if script:
        (opt.base / "model/code").mkdir()
        (opt.base / "model/code/inference.py").write_text(script)
    return subprocess.Popen(
        [python, "-m", MODULE],
        env={**opt.env, "SAGEMAKER_BIND_TO_PORT": "0", "HF_HUB_OFFLINE": "1", "HF_HOME": str(base / "home"), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def server(python, model, tmp_path_factory):
    process = started(python, tmp_path_factory.mktemp("plain") / "ml", model)
    yield Server(process)
    process.kill()
    process.wait()


def ask(server, body, content_type="application/json", **headers):
    status, answer, _ = server.invoke(body if isinstance(body, str) else json.dumps(body), content_type, **headers)
    return status, json.loads(answer)


def test_inputs_and_parameters_go_to_the_pipeline_of_the_architecture(server):
    status, [found] = ask(server, {"inputs": "a good film"})
    assert (status, sorted(found)) == (200, ["label", "score"])
    status, found = ask(server, {"inputs": ["a good film", "a bad film"], "parameters": {"top_k": 2}})
    assert [[sorted(label["label"] for label in each)] for each in found] == [[["NEGATIVE", "POSITIVE"]]] * 2


def test_csv_has_a_header(server):
    status, found = ask(server, "inputs\na good film\na bad film\n", "text/csv")
    assert (status, len(found)) == (200, 2)
    status, body, headers = server.invoke('{"inputs": "a film"}', "application/json", accept="text/csv")
    assert (status, headers["content-type"], body.split(b"\r\n")[0]) == (200, "text/csv", b"label,score")
    status, error = ask(server, "a good film\n", "text/csv")
    assert (status, error["message"].startswith("You need to provide the correct CSV with Header columns")) == (
        400,
        True,
    )


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        ("{", "application/json", "Expecting property name"),
        ('{"inputs": 5}', "application/json", "must be of type"),
        ("a good film", "text/plain", "Content type text/plain is not supported by this framework."),
        ('{"inputs": "a", "parameters": {"no_such": 1}}', "application/json", "no_such"),
    ],
)
def test_every_error_is_the_clients_in_the_model_servers_form(server, body, content_type, message):
    # {"code", "type", "message"} with 400, as public reports of AWS's image show it
    status, error = ask(server, body, content_type)
    assert (status, error["code"], error["type"]) == (400, 400, "InternalServerException")
    assert message in error["message"]


OWN = """
def model_fn(model_dir): return len(model_dir)
def predict_fn(data, model): return {"words": len(data["inputs"].split())}
"""


def test_a_scripts_own_functions_replace_the_pipelines(python, model, tmp_path):
    process = started(python, tmp_path / "ml", model, OWN)
    try:
        assert ask(Server(process), {"inputs": "a good film"}) == (200, {"words": 3})
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        (
            {"HF_MODEL_ID": "distilbert-base-uncased"},
            "HF_MODEL_ID names distilbert-base-uncased, which cannot be fetched",
        ),
        ({}, "model.tar.gz has to hold at its root what `save_pretrained` wrote"),
    ],
    ids=["hub", "empty"],
)
def test_what_cannot_be_loaded_is_said_in_the_log(python, tmp_path, env, reason):
    process = started(python, tmp_path / "ml", None, **env)
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 1
    assert reason in said
