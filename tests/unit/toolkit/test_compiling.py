"""Classifiers that are asked often are compiled, where that is proved to change nothing."""

import json
import subprocess

import pytest

from tests.running import wait_until

VOTING = """
import numpy as np
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

def fitted(model):
    random = np.random.RandomState(0)
    table = np.column_stack([random.uniform(0, 100, 200), random.randint(0, 2, 200), random.normal(size=200)])
    names = np.array(["no", "perhaps", "yes"])
    return model.fit(table, names[(table[:, 0] > 50).astype(int) + (table[:, 1] + table[:, 2] > 1)])

def voting(trees=20):
    members = [
        ("svm", SVC(probability=True, random_state=0)),
        ("logistic", LogisticRegression()),
        ("forest", RandomForestClassifier(trees, random_state=0)),
    ]
    return make_pipeline(SimpleImputer(), StandardScaler(), VotingClassifier(members, voting="soft"))

def model_fn(folder):
    return fitted(voting())
"""
TELLS = """
import threading
def told():
    if any(each.name == "compile" for each in threading.enumerate()):
        print("it is being compiled", flush=True)
"""
"""For a predict_fn: whether it has begun, which is so within the request after which it is to begin."""

PREDICTS = TELLS + "def predict_fn(rows, model):\n    told()\n    return model.predict(rows.reshape(-1, 3))\n"
OFTEN = 110
SECONDS = 150
ROWS = [f"{place * 3.7 % 100},{place % 2},{place * 0.37 % 4 - 2}" for place in range(60)]


@pytest.fixture
def host(opt, serve, sklearn_python):
    """Serves a script."""

    def start(text, **env):
        (opt.base / "model/code").mkdir(exist_ok=True)
        (opt.base / "model/code/inference.py").write_text(text)
        return serve(sklearn_python, **env)

    return start


@pytest.fixture
def run(tmp_path, opt, sklearn_python):
    """Runs a few lines where models are compiled; what they print."""
    (tmp_path / "models.py").write_text(VOTING)

    def start(text):
        (tmp_path / "lines.py").write_text(f"from models import *\nfrom clary.toolkit import compiling\n{text}")
        command = [sklearn_python, "-W", "ignore", str(tmp_path / "lines.py")]
        done = subprocess.run(command, env=opt.env, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return start


def asked_often(server):
    for place in range(OFTEN):
        assert server.invoke(ROWS[place % len(ROWS)])[0] == 200


def test_a_compiled_classifier_answers_as_before_to_the_byte(host):
    server = host(VOTING)
    odd = ["1,2", "x,1,2", "1,nan,2", "1,inf,2", ",1,2"]
    asked = [(row, accept) for row in [*ROWS, *odd] for accept in ("text/csv", "application/json", "application/x-npy")]
    before = [server.invoke(row, accept=accept)[:2] for row, accept in asked]
    wait_until(lambda: "The model is " in server.log(), SECONDS, "the model is compiled")
    assert "the same, and probabilities differ by" in server.log(), server.log()
    after = [server.invoke(row, accept=accept)[:2] for row, accept in asked]
    assert [status for status, _ in after] == [status for status, _ in before]
    assert [told for told in after if told[0] == 200] == [told for told in before if told[0] == 200]
    assert (
        server.together([(row, "text/csv", "text/csv") for row in ROWS])
        == [told for told, (_, accept) in zip(after, asked, strict=True) if accept == "text/csv"][: len(ROWS)]
    )


@pytest.mark.parametrize(
    ("script", "env"),
    [
        (VOTING, {"CLARY_COMPILE": "off"}),
        (
            VOTING + "\ndef model_fn(folder):\n    model = fitted(SVC(probability=True))\n"
            "    model.predict = lambda rows: model.predict_proba(rows)\n    return model\n",
            {},
        ),
        (VOTING + "\nclass Own(SVC):\n    pass\n\ndef model_fn(folder):\n    return fitted(Own())\n", {}),
    ],
    ids=["switched off", "a method of the user's", "a model of the user's"],
)
def test_what_is_not_to_be_compiled_is_not(host, script, env):
    server = host(script + PREDICTS, **env)
    asked_often(server)
    assert server.stop() == 0
    assert "it is being compiled" not in server.log()


def test_a_users_own_predict_fn_asks_the_compiled_model_too(host):
    server = host(
        VOTING + TELLS + "\nimport copy, pickle\ndef predict_fn(rows, model):\n    told()\n"
        "    own = pickle.loads(pickle.dumps(model))\n    table = rows.reshape(-1, 3)\n"
        "    return np.hstack([model.predict_proba(table), own.predict_proba(table)])\n",
        CLARY_BATCH="on",
    )
    asked_often(server)
    wait_until(lambda: "it is being compiled" in server.log(), 60, "its compilation has begun")
    wait_until(lambda: "The model is " in server.log(), SECONDS, "the model is compiled")
    answers = server.together([(row, "text/csv", "application/json") for row in ROWS])
    for (status, told), row in zip(answers, ROWS, strict=True):
        (numbers,) = json.loads(told)
        assert status == 200
        assert numbers[:3] == pytest.approx(numbers[3:], abs=1e-5)
        assert json.loads(server.invoke(row)[1])[0] == pytest.approx(numbers, abs=1e-6)
    assert any(json.loads(told)[0][:3] != json.loads(told)[0][3:] for _, told in answers), "it is the compiled one"


def test_whatever_a_script_returns_as_its_model_is_left_alone(run):
    told = run(
        "from clary.toolkit import predictor, proofs\n"
        "odd = type('Odd', (), {'__getattr__': lambda self, name: 1 / 0})()\n"
        "for model in ({'a': 1}, odd, np.zeros(3), SVC(), print, None):\n"
        "    predictor.watch(model, {})\n"
        "    print(proofs.row_wise(model))\n"
    )
    assert told.split() == ["False"] * 6


def test_a_proof_refuses_what_gives_other_labels(run):
    told = run(
        "one, other = fitted(voting(1)), fitted(voting(3))\n"
        "try: compiling.prove(one, compiling.compiled(other))\n"
        "except compiling.Refused as refused: print(refused)\n"
        "print(compiling.prove(one, compiling.compiled(one)).rows)\n"
    )
    assert "labels differ" in told
    assert told.endswith("\n2000\n")


def test_a_proof_refuses_what_gives_other_probabilities(run):
    assert "probabilities differ by" in run(
        "from unittest import mock\n"
        "model = fitted(make_pipeline(StandardScaler(), LogisticRegression()))\n"
        "content = compiling.compiled(model)\n"
        "own = model.predict_proba\n"
        "try:\n"
        "    with mock.patch.object(type(model), 'predict_proba', lambda _, rows: own(rows) + 1e-4):\n"
        "        compiling.prove(model, content)\n"
        "except compiling.Refused as refused: print(refused)\n"
    )


def test_scaled_numbers_are_those_of_scikit_learn_to_the_bit(run):
    """Trees behind a scaler branch by its last bit."""
    assert "True" in run(
        "import onnxruntime\n"
        "from clary.toolkit import samples\n"
        "model = fitted(make_pipeline(StandardScaler(), RandomForestClassifier(50, random_state=1)))\n"
        "print(compiling.prove(model, compiling.compiled(model)).difference < 1e-6)\n"
    )
