"""SavedModels asked over HTTP, in TensorFlow Serving's way and with its errors.

The texts are those of TensorFlow Serving's json_tensor.cc; AWS's container passes them on.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.toolkit.containers import Opt, Server, deep_learning_python

MODULE = "clary.toolkit.tensorflow.serve"


@pytest.fixture(scope="module")
def tensorflow_python():
    return deep_learning_python("tensorflow-inference:2.19.0-cpu-py312")


@pytest.fixture(scope="module")
def models(tensorflow_python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    script = Path(__file__).parent / "tensorflow_models.py"
    subprocess.run([tensorflow_python, script, folder], check=True, capture_output=True, timeout=240)
    return folder


def started(python, base, models, script=None, **env):
    opt = Opt(base)
    (opt.base / "model").rmdir()
    (opt.base / "model").mkdir()
    (opt.base / "model/half").symlink_to(models / "half")
    if script:
        (opt.base / "model/code").mkdir()
        (opt.base / "model/code/inference.py").write_text(script)
    process = subprocess.Popen(
        [python, "-m", MODULE],
        env={**opt.env, "SAGEMAKER_BIND_TO_PORT": "0", "TF_CPP_MIN_LOG_LEVEL": "1", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process, Server(process)


@pytest.fixture(scope="module")
def server(tensorflow_python, models, tmp_path_factory):
    process, server = started(tensorflow_python, tmp_path_factory.mktemp("plain") / "ml", models)
    yield server
    process.kill()
    process.wait()


def ask(server, body, attributes="", content_type="application/json", **headers):
    """Status and JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    if attributes:
        headers["X_Amzn_SageMaker_Custom_Attributes"] = attributes
    status, answer, _ = server.invoke(text, content_type, **headers)
    return status, json.loads(answer)


def test_rows_are_answered_by_predictions_of_the_latest_version(server):
    assert ask(server, {"instances": [1.0, 2, 5]}) == (200, {"predictions": [3.5, 4.0, 5.5]})


def test_columns_are_answered_by_outputs(server):
    assert ask(server, {"inputs": [1.0, 2]}) == (200, {"outputs": [3.5, 4.0]})
    assert ask(server, {"inputs": {"x": [1.0]}}) == (200, {"outputs": [3.5]})


def test_the_answer_is_laid_out_as_tensorflow_serving_does(server):
    # its writer puts a line end before the last bracket of rows
    assert server.invoke('{"instances": [1, 2]}', "application/json")[1] == b'{\n    "predictions": [3.5, 4.0\n    ]\n}'
    status, body, headers = server.invoke('{"instances": [1]}', "application/json", accept="application/json")
    assert (status, body, headers["content-type"]) == (200, b'{    "predictions": [3.5    ]}', "application/json")


def test_several_named_inputs_and_outputs_of_every_type(server):
    rows = [{"v": [1, 2], "tag": "a"}, {"v": [3, 4], "tag": {"b64": "Yg=="}}]
    first, second = ask(server, {"signature_name": "named", "instances": rows})[1]["predictions"]
    assert first == {"sum": 3, "raw_bytes": {"b64": "YQ=="}, "upper": "A", "big": [False, False]}
    assert second == {"sum": 7, "raw_bytes": {"b64": "Yg=="}, "upper": "B", "big": [True, True]}
    columns = {"v": [[1, 2]], "tag": ["ü"]}
    outputs = ask(server, {"signature_name": "named", "inputs": columns})[1]["outputs"]
    assert outputs == {"sum": [3], "raw_bytes": [{"b64": "w7w="}], "upper": ["ü"], "big": [[False, False]]}


def test_numbers_have_six_digits_or_all_of_them(server):
    _, body, _ = server.invoke('{"signature_name": "product", "instances": [[1, 0, 0], [1, 2, 3]]}', "application/json")
    assert b"[[0.33333333333333331], [2.0]" in body
    assert b"[NaN, Infinity" in server.invoke('{"instances": [NaN, Infinity]}', "application/json")[1]


def test_csv_and_json_lines(server):
    assert ask(server, "1\n2\n", content_type="text/csv") == (200, {"predictions": [3.5, 4.0]})
    body = '{"x": 1}\n{"x": 2}'
    assert ask(server, body, content_type="application/jsonlines") == (200, {"predictions": [3.5, 4.0]})


def test_custom_attributes_choose_model_version_and_method(server):
    request = {"instances": [1.0]}
    assert ask(server, request, "tfs-model-name=half,tfs-model-version=1") == (200, {"predictions": [2.5]})
    classes = {"signature_name": "classes", "examples": [{"x": 0.25}, {"x": 1.0}]}
    assert ask(server, classes, "tfs-method=classify")[1] == {
        "results": [[["no", 0.75], ["yes", 0.25]], [["no", 0.0], ["yes", 1.0]]]
    }
    values = {"signature_name": "values", "context": {"x": 1.0}, "examples": [{}, {"x": 3.0}]}
    assert ask(server, values, "tfs-method=regress") == (200, {"results": [3.5, 4.5]})


@pytest.mark.parametrize(
    ("request_", "attributes", "status", "error"),
    [
        ('{"instances": }', "", 400, "JSON Parse error: Invalid value. at offset: 14"),
        ("{", "", 400, "JSON Parse error: Missing a name for object member."),
        ({"instances": [1], "inputs": [1]}, "", 400, "expecting only one of 'inputs' or 'instances' keys to exist"),
        ({"instances": 1}, "", 400, "Excepting 'instances' to be an list/array"),
        ({"instances": []}, "", 400, "No values in 'instances' array"),
        ({"instances": ["a"]}, "", 400, 'JSON Value: "a" Type: String is not of expected type: float'),
        ({"instances": [True]}, "", 400, "JSON Value: true Type: True is not of expected type: float"),
        ({"instances": [16777217]}, "", 400, "Cannot convert JSON value: 16777217 to float without loss of precision."),
        ({"instances": [1, [2]]}, "", 400, "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT"),
        ({"instances": [1, {"x": 2}]}, "", 400, "Expecting value/list but got object at item 1 of input list"),
        ({"instances": [{"x": 2}, 1]}, "", 400, "Expecting object but got list at item 1 of input list"),
        ({"instances": [{"z": 2}]}, "", 400, "JSON object: does not have named input: z"),
        ({"signature_name": "named", "instances": [1]}, "", 400, "instances is a plain list, but expecting list of"),
        ({"signature_name": "named", "instances": [{"v": [1, 2]}]}, "", 400, "keys must be equal to: tag,v"),
        (
            {"signature_name": "named", "inputs": {"v": [[1, 2]]}},
            "",
            400,
            "Missing named input: tag in 'inputs' object.",
        ),
        (
            {"signature_name": "named", "inputs": {"v": [[1.5, 2]], "tag": ["a"]}},
            "",
            400,
            "not of expected type: int32",
        ),
        ({"signature_name": 1, "instances": [1]}, "", 400, "'signature_name' key must be a string value."),
        (
            {"signature_name": "no", "instances": [1]},
            "",
            400,
            'Serving signature name: "no" not found in signature def',
        ),
        ({"signature_name": "product", "instances": [[1, 2]]}, "", 400, "Matrix size-incompatible: In[0]: [1,2]"),
        ({"instances": [1]}, "tfs-model-name=no", 404, "Servable not found for request: Latest(no)"),
        ({"instances": [1]}, "tfs-model-version=7", 404, "Servable not found for request: Specific(half, 7)"),
        ({"instances": [1]}, "tfs-method=no", 400, "Malformed request: POST /v1/models/half:no"),
        ({"examples": []}, "tfs-method=regress", 400, "Expected Regression signature method_name to be"),
        (
            {"signature_name": "classes", "examples": [{"x": [None]}]},
            "tfs-method=classify",
            400,
            "Feature: x has element with unexpected JSON type: Null",
        ),
        ({"x": 1, "examples": 1, "signature_name": "values"}, "tfs-method=regress", 400, "to be an list/array"),
    ],
)
def test_what_is_wrong_is_said_in_tensorflow_servings_words(server, request_, attributes, status, error):
    found = ask(server, request_, attributes)
    assert found[0] == status
    assert error in found[1]["error"]


def test_other_content_types_are_refused_as_json(server):
    assert ask(server, "x", content_type="text/plain") == (415, {"error": "Unsupported Media Type: text/plain"})


HANDLERS = """
import json
def input_handler(data, context):
    assert context.request_content_type == "text/words", context
    return json.dumps({"instances": [len(word) for word in data.read().decode().split()]})
def output_handler(response, context):
    if response.status_code != 200:
        raise ValueError(response.content.decode("utf-8"))
    return json.dumps({"half": response.json()["predictions"], "model": context.model_name}), context.accept_header
"""
HANDLER = """
import requests
def handler(data, context):
    return requests.post(context.rest_uri, data=data.read()).content, "application/json"
"""


def test_a_scripts_handlers_stand_before_and_behind_the_model(tensorflow_python, models, tmp_path):
    process, server = started(tensorflow_python, tmp_path / "ml", models, HANDLERS)
    try:
        found = ask(server, "a bcd", "tfs-model-name=half", "text/words", accept="application/json")
        assert found == (200, {"half": [3.5, 4.5], "model": "half"})
        status, answer = ask(server, "a", "tfs-model-name=no", "text/words")
        assert (status, "Servable not found" in answer["error"]) == (500, True)
    finally:
        process.kill()
        process.wait()


def test_a_whole_handler_may_ask_the_model_by_its_address(tensorflow_python, models, tmp_path):
    process, server = started(tensorflow_python, tmp_path / "ml", models, HANDLER)
    try:
        assert ask(server, {"instances": [1]}) == (200, {"predictions": [3.5]})
    finally:
        process.kill()
        process.wait()


def test_without_a_saved_model_the_server_says_what_is_looked_for(tensorflow_python, opt, serve):
    (opt.base / "model/model.keras").write_text("")
    process = subprocess.run(
        [tensorflow_python, "-m", MODULE], env=opt.env, capture_output=True, text=True, timeout=240, check=False
    )
    assert process.returncode == 1
    assert "no SavedModel bundles found!" in process.stderr


def test_one_of_many_models_answers_as_it_would_alone(tensorflow_python, models, tmp_path):
    process, many = started(tensorflow_python, tmp_path / "ml", models, SAGEMAKER_MULTI_MODEL="true")
    try:
        order = json.dumps({"model_name": "m", "url": str(tmp_path / "ml/model")})
        assert many.request("POST", "/models", order)[0] == 200
        asked = json.dumps({"instances": [1.0, 2.0]})
        status, body, _ = many.request("POST", "/models/m/invoke", asked, Content_Type="application/json")
        assert (status, json.loads(body)) == (200, {"predictions": [3.5, 4.0]})
    finally:
        process.terminate()
        assert process.wait(60) == 0
