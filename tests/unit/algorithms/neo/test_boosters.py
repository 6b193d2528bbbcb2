"""XGBoost's models as ONNX give what `predict` gives, whatever their objective and booster."""

import json

import pytest

from tests.unit.algorithms.neo.conftest import run

MODELS = """
import copyreg, json, pickle, sys
from pathlib import Path
import numpy as np, xgboost
from clary.algorithms.neo import boosters
from clary.algorithms.neo.compiled import Uncompilable
from clary.toolkit.sessions import Session

random = np.random.RandomState(0)
table = random.normal(size=(200, 5)).astype(np.float32)
table[random.uniform(size=table.shape) < 0.1] = np.nan
plain = np.nan_to_num(table)
score = plain @ [1, -2, 0.5, 0, 1] + plain[:, 0] * plain[:, 1]
targets = {
    "binary": (score > 0).astype(float), "multi": np.digitize(score, [-1, 1]), "count": np.floor(np.abs(score)),
    "survival": np.abs(score) + 1, "rank": np.digitize(score, [-1, 1]), "reg": score, "positive": np.abs(score) + 0.1,
}

def trained(objective, rounds=12, **more):
    kind = objective.split(":")[0]
    target = targets["positive" if objective in ("reg:gamma", "reg:tweedie", "reg:squaredlogerror") else kind]
    target = targets["binary"] if objective == "reg:logistic" else target
    data = xgboost.DMatrix(table, target)
    if kind == "rank":
        data.set_group([100, 100])
    if objective == "survival:aft":
        data = xgboost.DMatrix(table, label_lower_bound=target, label_upper_bound=target)
    classes = {"num_class": 3} if kind == "multi" else {}
    parameters = {"objective": objective, "max_depth": 4, "seed": 1, "verbosity": 0, **classes, **more}
    return xgboost.train(parameters, data, rounds)

def document(booster):
    return json.loads(booster.save_raw(raw_format="json"))

def compared(booster, **span):
    session = Session(boosters.compiled(document(booster)))
    wanted = booster.predict(xgboost.DMatrix(table), **span)
    found = session.first(table)
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    alone = np.concatenate([session.first(table[:1]), session.first(table[1:2])])
    assert np.allclose(alone, found[:2], rtol=1e-6), "rows alone"
    return float(np.max(np.abs(found - wanted) / np.maximum(1, np.abs(wanted))))

def refused(work, *given):
    try:
        work(*given)
    except Uncompilable as error:
        return str(error)

apart = {f"{objective} trees": compared(trained(objective)) for objective in sys.argv[2].split(",")}
for objective in ("reg:squarederror", "binary:logistic", "multi:softprob", "count:poisson"):
    apart[f"{objective} dart"] = compared(trained(objective, booster="dart", rate_drop=0.3))
    apart[f"{objective} linear"] = compared(trained(objective, booster="gblinear"))
stopped = trained("reg:squarederror", base_score=3.5, num_parallel_tree=2)
stopped.set_attr(best_iteration="4")
apart["best iteration"] = compared(stopped, iteration_range=(0, 5))
apart["many trees"] = compared(trained("binary:logistic", rounds=200))

class Early:  # how a booster was pickled before 1.0
    def __reduce__(self):
        state = {"handle": trained("binary:logistic").save_raw(raw_format="deprecated")}
        return copyreg._reconstructor, (xgboost.Booster, object, None), state

base = Path(sys.argv[1])
early = base / "early"
early.mkdir()
(early / "xgboost-model").write_bytes(pickle.dumps(Early()))
apart["early pickle"] = boosters.from_folder(early, {}).proof.difference
(early / "xgboost-model").write_bytes(pickle.dumps({}))
try:
    boosters.from_folder(early, {})
except RuntimeError as error:
    assert "cannot be loaded" in str(error)
wanted = {}
for name, objective in (("binary", "binary:logistic"), ("multi", "multi:softprob")):
    folder = base / name
    folder.mkdir()
    booster = trained(objective)
    booster.save_model(folder / "model.ubj")
    found = boosters.from_folder(folder, {"data": [1, 5]})
    assert found.proof.rows == 2000 and found.proof.difference <= 1e-5
    columns = refused(boosters.from_folder, folder, {"data": [1, 4]})
    (folder / "other.json").write_text("{}")
    several = refused(boosters.from_folder, folder, {})
    (folder / "model.ubj").rename(folder / "xgboost-model.ubj")
    assert boosters.from_folder(folder, {}).proof.difference <= 1e-5, "the one that is called as is usual"
    (folder / "model.onnx").write_bytes(found.content)
    wanted[name] = booster.predict(xgboost.DMatrix([[0.5, -1, 2, 0, 1], [-0.5, np.nan, 1, 0, 1]])).tolist()

whole = random.randint(0, 4, (200, 2)).astype(float)
kinds = xgboost.DMatrix(whole, whole[:, 0], feature_types=["c", "q"], enable_categorical=True)
vectors = {"tree_method": "hist", "multi_strategy": "multi_output_tree"}
own = document(stopped)
own["learner"]["objective"]["name"] = "custom"
refusals = [
    columns, several,
    refused(boosters.compiled, document(xgboost.train({"tree_method": "hist"}, kinds, 2))),
    refused(boosters.compiled, document(xgboost.train(vectors, xgboost.DMatrix(whole, whole), 2))),
    refused(boosters.compiled, own),
]
print(json.dumps({"apart": apart, "wanted": wanted, "refusals": refusals}))
"""

OBJECTIVES = (
    *("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", "reg:logistic"),
    *("reg:gamma", "reg:tweedie", "count:poisson", "survival:cox", "survival:aft", "rank:pairwise", "rank:ndcg"),
    *("binary:logistic", "binary:logitraw", "binary:hinge", "multi:softmax", "multi:softprob"),
)
EXACT = ("reg:squarederror trees", "binary:logitraw trees", "multi:softmax trees", "rank:ndcg trees", "best iteration")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.mktemp("boosters")


@pytest.fixture(scope="module")
def said(neo_python, base):
    """What XGBoost and ONNX say of the same rows; `base` has two compiled models then."""
    return json.loads(run(neo_python, MODELS, base, ",".join(OBJECTIVES)).splitlines()[-1])


def test_every_objective_and_booster(said):
    assert {name: value for name, value in said["apart"].items() if not value <= 1e-5} == {}
    assert {name: said["apart"][name] for name in EXACT} == dict.fromkeys(EXACT, 0.0), "the same to the last bit"


def test_what_cannot_be_compiled_is_refused_and_named(said):
    assert said["refusals"] == [
        "DataInputConfig says data: [1, 4], the model takes rows of 5 features",
        "the archive must hold one file with an XGBoost model at its top; it holds model.ubj, other.json",
        "splits by categories are not compiled",
        "trees whose leaves hold a value for each target are not compiled",
        "models of the objective custom are not compiled",
    ]


@pytest.fixture
def served(said, base, opt, serve, neo_python):
    """One of the two models; what XGBoost says of two rows, and its server."""

    def start(name, **env):
        (opt.base / "model/model.onnx").write_bytes((base / name / "model.onnx").read_bytes())
        return said["wanted"][name], serve(neo_python, "clary.algorithms.neo.serve", "trees", **env)

    return start


def test_a_served_model_answers_as_awss_image(served):
    wanted, server = served("binary")
    status, body, headers = server.invoke("0.5,-1,2,0,1\n-0.5,,1,0,1\n")
    assert (status, headers["Content-Type"], body.count(b"\n")) == (200, "text/csv", 1)
    assert [float(each) for each in body.split(b",")] == pytest.approx(wanted, rel=1e-6)
    assert server.invoke("0 0:0.5 1:-1 2:2 3:0 4:1\n0 0:-0.5 2:1 3:0 4:1", "text/libsvm")[1] == body
    for asked, kind in (
        ("1,2", "text/csv"),
        ("a,b", "text/csv"),
        ("1 9:1", "text/libsvm"),
        ("[1]", "application/json"),
    ):
        assert server.invoke(asked, kind)[0] == 400, asked
    rows = [("0.5,-1,2,0,1", "text/csv", "*/*"), ("-0.5,,1,0,1", "text/csv", "*/*")] * 4
    assert [float(answer) for _, answer in server.together(rows)] == pytest.approx(wanted * 4, rel=1e-6)


def test_classes_have_a_line_a_row_and_so_have_all_rows_in_a_batch(served):
    wanted, server = served("multi", SAGEMAKER_BATCH="true")
    lines = server.invoke("0.5,-1,2,0,1\n-0.5,,1,0,1\n")[1].split()
    for line, row in zip(lines, wanted, strict=True):
        assert [float(each) for each in line.split(b",")] == pytest.approx(row, abs=1e-6)
