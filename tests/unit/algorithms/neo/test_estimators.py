"""scikit-learn's models and any ONNX: compiled in the image's own environment, served without a script."""

import json

import pytest

FIT = """
import sys
import joblib, numpy as np
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
random = np.random.RandomState(0)
table = random.normal(size=(200, 3))
if sys.argv[2] == "classifier":
    model = make_pipeline(StandardScaler(), RandomForestClassifier(20, random_state=0))
    model.fit(table, np.asarray(["no", "yes"])[(table[:, 0] > 0).astype(int)])
else:
    model = GradientBoostingRegressor(n_estimators=20, random_state=0).fit(table, table[:, 0] * 100)
joblib.dump(model, sys.argv[1])
print(model.predict(np.asarray([[0.5, -1, 2], [-0.5, 0, 1]], np.float32)).tolist())
"""
ASKED = "0.5,-1,2\n-0.5,0,1"


@pytest.fixture
def compiled(opt, run, compile_, sklearn_python):
    """A fitted model, compiled; what it predicts, and the log."""

    def start(kind):
        wanted = run(sklearn_python, FIT, opt.base / "model/model.joblib", kind)
        done, failure = compile_(sklearn_python, "SKLEARN", DataInputConfig='{"X": [1, 3]}')
        assert (done.returncode, failure) == (0, None), done.stdout
        (opt.base / "output/compiled/model.onnx").rename(opt.base / "model/model.onnx")
        (opt.base / "model/model.joblib").unlink()
        return wanted, done.stdout

    return start


def test_a_classifier_keeps_its_labels(compiled, serve, sklearn_python, neo_python):
    wanted, log = compiled("classifier")
    assert "For 2000 rows all labels, of 2 kinds, are the same" in log
    labels = ["yes", "no"]
    assert str(labels) in wanted
    server = serve(sklearn_python)
    assert json.loads(server.invoke(ASKED, accept="application/json")[1]) == labels
    assert server.invoke("1,2", accept="application/json")[0] == 500
    named = serve(neo_python, "clary.algorithms.neo.serve", "tensors")
    answer = json.loads(named.invoke(json.dumps({"X": [[0.5, -1, 2]]}), "application/json")[1])
    assert (answer["label"], len(answer["probabilities"][0])) == (["yes"], 2)
    assert json.loads(named.invoke(ASKED)[1]) == labels
    assert json.loads(named.invoke("[0.5, -1, 2]", "application/json")[1]) == ["yes"]
    for asked, said in (
        ('{"Y": [[1]]}', b"no input 'Y'"),
        ('{"X": [["a"]]}', b"no tensor"),
        ('{"X": [[1]]}', b"asked"),
    ):
        status, body, _ = named.invoke(asked, "application/json")
        assert (status, said in body) == (400, True), body


def test_a_regressor_is_near(compiled, serve, sklearn_python):
    wanted, log = compiled("regressor")
    assert "numbers differ by" in log
    found = json.loads(serve(sklearn_python).invoke(ASKED, accept="application/json")[1])
    assert found == pytest.approx(json.loads(wanted), rel=1e-5)


def test_a_scripts_model_fn_loads(opt, compile_, sklearn_python):
    (opt.base / "model/code").mkdir()
    script = opt.base / "model/code/inference.py"
    script.write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "def model_fn(folder):\n    return LogisticRegression().fit([[0, 1], [1, 0], [1, 1]], [0, 1, 1])\n"
    )
    assert compile_(sklearn_python, "SKLEARN")[1] is None
    script.write_text("def model_fn(folder):\n    return len\n")
    assert "is no fitted estimator that predicts rows of numbers" in compile_(sklearn_python, "SKLEARN")[1]
    script.write_text("def model_fn(folder):\n    raise KeyError('gone')\n")
    assert "KeyError: 'gone'" in compile_(sklearn_python, "SKLEARN")[1]


def test_onnx_is_simplified_and_stays_the_same(opt, compiled, compile_, serve, neo_python):
    compiled("regressor")
    before = (opt.base / "model/model.onnx").read_bytes()
    done, failure = compile_(neo_python, "ONNX", DataInputConfig='{"X": [4, 3]}')
    assert (done.returncode, failure) == (0, None), done.stdout
    assert (opt.base / "output/compiled/model.onnx").read_bytes() != before
    assert (
        "names the inputs data; the model has X" in compile_(neo_python, "ONNX", DataInputConfig='{"data": [1, 3]}')[1]
    )
    assert "the model takes [None, 3]" in compile_(neo_python, "ONNX", DataInputConfig='{"X": [1, 4]}')[1]
    (opt.base / "model/model.onnx").write_bytes(before[: len(before) // 2])
    assert "ONNX Runtime cannot load the model" in compile_(neo_python, "ONNX")[1]
