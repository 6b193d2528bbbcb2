"""XGBoost's models as ONNX give what `predict` gives, whatever their objective and booster."""

import json

import pytest

EVERY_KIND = """
import json, sys
import numpy as np, xgboost
from clary.algorithms.neo import boosters
from clary.toolkit.sessions import Session

random = np.random.RandomState(0)
table = random.normal(size=(300, 5)).astype(np.float32)
table[random.uniform(size=table.shape) < 0.1] = np.nan
plain = np.nan_to_num(table)
score = plain @ [1, -2, 0.5, 0, 1] + plain[:, 0] * plain[:, 1]
targets = {
    "binary": (score > 0).astype(float), "multi": np.digitize(score, [-1, 1]), "count": np.floor(np.abs(score)),
    "survival": np.abs(score) + 1, "rank": np.digitize(score, [-1, 1]), "reg": score, "positive": np.abs(score) + 0.1,
}

def trained(objective, **more):
    kind = objective.split(":")[0]
    target = targets["positive" if objective in ("reg:gamma", "reg:tweedie", "reg:squaredlogerror") else kind]
    target = targets["binary"] if objective == "reg:logistic" else target
    data = xgboost.DMatrix(table, target)
    if kind == "rank":
        data.set_group([100, 200])
    if objective == "survival:aft":
        data = xgboost.DMatrix(table, label_lower_bound=target, label_upper_bound=target)
    classes = {"num_class": 3} if kind == "multi" else {}
    rounds = more.pop("rounds", 20)
    parameters = {"objective": objective, "max_depth": 4, "seed": 1, "verbosity": 0, **classes, **more}
    return xgboost.train(parameters, data, rounds)

def compared(booster, **span):
    document = json.loads(booster.save_raw(raw_format="json"))
    session = Session(boosters.compiled(document))
    wanted = booster.predict(xgboost.DMatrix(table), **span)
    found = session.first(table)
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    alone = np.concatenate([session.first(table[:1]), session.first(table[1:2])])
    assert np.allclose(alone, found[:2], rtol=1e-6), "rows alone"
    return float(np.max(np.abs(found - wanted) / np.maximum(1, np.abs(wanted))))

said = {}
for objective in sys.argv[1].split(","):
    for booster in ("gbtree", "dart", "gblinear"):
        more = {"rate_drop": 0.3} if booster == "dart" else {}
        if booster == "gblinear" and objective.startswith(("survival", "rank", "reg:absolute", "reg:quantile")):
            continue
        said[f"{objective} {booster}"] = compared(trained(objective, booster=booster, **more))
stopped = trained("reg:squarederror", base_score=3.5, num_parallel_tree=2)
stopped.set_attr(best_iteration="4")
said["best iteration"] = compared(stopped, iteration_range=(0, 5))
said["many trees"] = compared(trained("binary:logistic", rounds=300))
print(json.dumps(said))
"""

OBJECTIVES = (
    *("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", "reg:logistic"),
    *("reg:gamma", "reg:tweedie", "count:poisson", "survival:cox", "survival:aft", "rank:pairwise", "rank:ndcg"),
    *("binary:logistic", "binary:logitraw", "binary:hinge", "multi:softmax", "multi:softprob"),
)
EXACT = ("reg:squarederror gbtree", "binary:logitraw gbtree", "multi:softmax gbtree", "rank:ndcg gbtree")

REFUSED = """
import json
import numpy as np, xgboost
from clary.algorithms.neo import boosters
from clary.algorithms.neo.compiled import Uncompilable

random = np.random.RandomState(0)
table = random.randint(0, 4, (200, 2)).astype(float)
data = xgboost.DMatrix(table, table[:, 0], feature_types=["c", "q"], enable_categorical=True)
several = xgboost.DMatrix(table, table)
own = xgboost.train({"seed": 1}, xgboost.DMatrix(table, table[:, 0]), 2)
document = json.loads(own.save_raw(raw_format="json"))
document["learner"]["objective"]["name"] = "custom"
for made in (
    lambda: xgboost.train({"tree_method": "hist"}, data, 2),
    lambda: xgboost.train({"tree_method": "hist", "multi_strategy": "multi_output_tree"}, several, 2),
    lambda: document,
):
    found = made()
    try:
        boosters.compiled(found if isinstance(found, dict) else json.loads(found.save_raw(raw_format="json")))
    except Uncompilable as refused:
        print(refused)
"""


def test_every_objective_and_booster(run, neo_python):
    said = json.loads(run(neo_python, EVERY_KIND, ",".join(OBJECTIVES)).splitlines()[-1])
    assert len(said) > 40
    assert {name: value for name, value in said.items() if not value <= 1e-5} == {}
    assert {name: said[name] for name in EXACT} == dict.fromkeys(EXACT, 0.0), "margins are the same to the last bit"


def test_what_onnx_cannot_say_is_refused_and_named(run, neo_python):
    assert run(neo_python, REFUSED).splitlines() == [
        "splits by categories are not compiled",
        "trees whose leaves hold a value for each target are not compiled",
        "models of the objective custom are not compiled",
    ]


TRAIN = """
import sys
import numpy as np, xgboost
random = np.random.RandomState(0)
table = random.normal(size=(200, 3))
booster = xgboost.train({"objective": sys.argv[2], "num_class": 3 if "multi" in sys.argv[2] else 0, "seed": 1},
                        xgboost.DMatrix(table, (table[:, 0] > 0).astype(int)), 10)
booster.save_model(sys.argv[1])
print(booster.predict(xgboost.DMatrix(np.asarray([[0.5, -1, 2], [-0.5, np.nan, 1]]))).tolist())
"""


@pytest.fixture
def served(opt, run, compile_, serve, neo_python):
    """A booster, compiled and served; what it predicts for two rows, and its server."""

    def start(objective, **env):
        wanted = json.loads(run(neo_python, TRAIN, opt.base / "model/model.ubj", objective))
        done, failure = compile_(neo_python, "XGBOOST", DataInputConfig='{"data": [1, 3]}')
        assert (done.returncode, failure) == (0, None), done.stdout
        (opt.base / "output/compiled/model.onnx").rename(opt.base / "model/model.onnx")
        return wanted, serve(neo_python, "clary.algorithms.neo.serve", "trees", **env), done.stdout

    return start


def test_a_served_model_answers_as_awss_image(served):
    wanted, server, log = served("binary:logistic")
    assert "For 2000 rows numbers differ by" in log
    status, body, headers = server.invoke("0.5,-1,2\n-0.5,,1\n")
    assert (status, headers["Content-Type"], body.count(b"\n")) == (200, "text/csv", 1)
    assert [float(each) for each in body.split(b",")] == pytest.approx(wanted, rel=1e-6)
    assert server.invoke("0 0:0.5 1:-1 2:2\n0 0:-0.5 2:1", "text/libsvm")[1] == body
    for asked, kind in (
        ("1,2", "text/csv"),
        ("a,b,c", "text/csv"),
        ("1 9:1", "text/libsvm"),
        ("[[1]]", "application/json"),
    ):
        assert server.invoke(asked, kind)[0] == 400, asked
    assert [each[0] for each in server.together([("0.5,-1,2", "text/csv", "*/*")] * 8)] == [200] * 8


def test_classes_have_a_line_a_row_and_so_have_all_in_a_batch(served):
    wanted, server, _ = served("multi:softprob", SAGEMAKER_BATCH="true")
    lines = server.invoke("0.5,-1,2\n-0.5,,1\n")[1].split()
    assert [[float(each) for each in line.split(b",")] for line in lines] == [
        pytest.approx(row, abs=1e-6) for row in wanted
    ]


def test_what_is_no_model_of_xgboosts_is_said(opt, compile_, run, neo_python):
    (opt.base / "model/one.json").write_text("{}")
    done, failure = compile_(neo_python, "XGBOOST")
    assert (done.returncode, failure.startswith("ClientError: InputConfiguration:")) == (1, True), failure
    (opt.base / "model/two.json").write_text("{}")
    assert "it holds one.json, two.json" in compile_(neo_python, "XGBOOST")[1]
    (opt.base / "model/two.json").unlink()
    run(neo_python, TRAIN, opt.base / "model/one.json", "reg:squarederror")
    assert "the model takes rows of 3 features" in compile_(neo_python, "XGBOOST", DataInputConfig='{"d": [1, 4]}')[1]
