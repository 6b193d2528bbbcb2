"""scikit-learn's models and any ONNX: compiled in the image's own environment, served without a script."""

import json

import pytest

from tests.unit.algorithms.neo.conftest import run

MODELS = """
import json, os, sys
from pathlib import Path
import joblib, numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier, GradientBoostingRegressor, HistGradientBoostingClassifier, RandomForestClassifier
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from clary.algorithms.neo import estimators
from clary.algorithms.neo.compiled import Uncompilable

random = np.random.RandomState(0)
table = random.normal(size=(200, 3))
words, ints = np.asarray(["no", "yes"])[(table[:, 0] > 0).astype(int)], np.digitize(table[:, 0], [-0.5, 0.5])
asked = np.asarray([[0.5, -1, 2], [-0.5, 0, 1]], np.float32)
said = {}
for name, model in {
    "forest": RandomForestClassifier(20, random_state=0).fit(table, words),
    "classes": ExtraTreesClassifier(30, random_state=0, max_depth=4).fit(table, ints),
    "pipeline": make_pipeline(StandardScaler(), RandomForestClassifier(10, random_state=0)).fit(table, words),
    "histograms": HistGradientBoostingClassifier(max_iter=5).fit(table, ints),
    "vectors": LinearSVC().fit(table, ints),
    "regressor": GradientBoostingRegressor(n_estimators=20, random_state=0).fit(table, table[:, 0] * 100),
}.items():
    folder = Path(sys.argv[1], name)
    folder.mkdir()
    joblib.dump(model, folder / "model.joblib")
    found = estimators.from_folder(folder, {"X": [1, 3]})
    (folder / "model.onnx").write_bytes(found.content)
    said[name] = {"labels": found.proof.labels, "apart": found.proof.difference}
    said[name]["wanted"] = model.predict(asked).tolist()

folder = Path(sys.argv[1], "scripts")
(folder / "code").mkdir(parents=True)
for name, body in {
    "fits": "from sklearn.linear_model import LogisticRegression as L\\n"
            "def model_fn(folder): return L().fit([[0, 1], [1, 0], [1, 1]], [0, 1, 1])",
    "gives_len": "def model_fn(folder): return len",
}.items():
    (folder / "code" / f"{name}.py").write_text(body)
    os.environ["SAGEMAKER_PROGRAM"] = f"{name}.py"
    try:
        said[name] = estimators.from_folder(folder, {}).proof.labels
    except Uncompilable as error:
        said[name] = str(error)
print(json.dumps(said))
"""

GRAPHS = """
import json, sys
from pathlib import Path
from clary.algorithms.neo import graphs
from clary.algorithms.neo.compiled import Uncompilable

folder = Path(sys.argv[1])
def said(shapes):
    try:
        return graphs.from_folder(folder, shapes).proof.difference
    except Uncompilable as error:
        return str(error)

found = [said({"X": [4, 3]}), said({}), said({"data": [1, 3]}), said({"X": [1, 4]})]
content = (folder / "model.onnx").read_bytes()
(folder / "model.onnx").write_bytes(content[: len(content) // 2])
print(json.dumps([*found, said({})[:40]]))
"""
FITTED = ("forest", "classes", "pipeline", "histograms", "vectors", "regressor")
ASKED = "0.5,-1,2\n-0.5,0,1"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.mktemp("estimators")


@pytest.fixture(scope="module")
def said(sklearn_python, base):
    """What was proved of each model, and what scikit-learn says of two rows; `base` has the compiled models then."""
    return json.loads(run(sklearn_python, MODELS, base).splitlines()[-1])


@pytest.fixture
def laid_out(said, base, opt):
    """Puts a compiled model where a container has it; what scikit-learn says of two rows."""

    def start(name):
        (opt.base / "model/model.onnx").write_bytes((base / name / "model.onnx").read_bytes())
        return said[name]["wanted"]

    return start


def test_labels_are_the_same_and_numbers_near(said):
    assert {name: said[name]["labels"] for name in FITTED} == {
        "forest": 2,
        "classes": 3,
        "pipeline": 2,
        "histograms": 3,
        "vectors": 3,
        "regressor": 0,
    }
    assert max(said[name]["apart"] for name in ("forest", "classes", "pipeline")) < 1e-6
    assert said["fits"] == 2
    assert said["gives_len"] == "builtin_function_or_method is no fitted estimator that predicts rows of numbers"


def test_the_frameworks_image_serves_onnx_without_a_script(laid_out, serve, sklearn_python):
    wanted = laid_out("forest")
    server = serve(sklearn_python)
    assert json.loads(server.invoke(ASKED, accept="application/json")[1]) == wanted == ["yes", "no"]
    assert server.invoke("1,2", accept="application/json")[0] == 500


def test_any_onnx_is_asked_by_rows_or_by_names(laid_out, serve, neo_python):
    wanted = laid_out("classes")
    server = serve(neo_python, "clary.algorithms.neo.serve", "tensors")
    answer = json.loads(server.invoke(json.dumps({"X": [[0.5, -1, 2]]}), "application/json")[1])
    assert (answer["label"], len(answer["probabilities"][0])) == (wanted[:1], 3)
    assert json.loads(server.invoke(ASKED)[1]) == wanted
    assert json.loads(server.invoke("[0.5, -1, 2]", "application/json")[1]) == wanted[:1]
    assert server.invoke(ASKED, accept="text/csv")[1].split() == [str(each).encode() for each in wanted]
    for asked, told in (
        ('{"Y": [[1]]}', b"no input 'Y'"),
        ('{"X": [["a"]]}', b"no tensor"),
        ('{"X": [[1]]}', b"asked"),
    ):
        status, body, _ = server.invoke(asked, "application/json")
        assert (status, told in body) == (400, True), body


def test_onnx_is_simplified_and_stays_the_same(laid_out, opt, neo_python):
    laid_out("regressor")
    assert json.loads(run(neo_python, GRAPHS, opt.base / "model")) == [
        0.0,
        0.0,
        "DataInputConfig names the inputs data; the model has X",
        "DataInputConfig says X: [1, 4], the model takes [None, 3]",
        "ONNX Runtime cannot load the model: [ONN",
    ]
