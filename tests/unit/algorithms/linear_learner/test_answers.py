"""Predictions of Linear Learner: what is read, and what is answered, to the byte
(https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html).

Bodies are those of the documentation; that JSON is answered where nothing is asked for is seen in public notebooks.
No public source shows the texts of refusals but "unable to evaluate payload provided".
"""

import io
import json
import zipfile

import pytest

from clary.formats import recordio
from clary.formats.recordio import Record, Tensor
from tests.running import wait_until
from tests.unit.algorithms.jobs import CSV, RECORDIO, Job, csv, serving
from tests.unit.algorithms.linear_learner.conftest import IMAGE
from tests.unit.algorithms.linear_learner.test_jobs import BINARY, CLASSES, REGRESSOR, corners, sides
from tests.unit.toolkit.containers import Opt, servers

JSON, LINES = "application/json", "application/jsonlines"


@pytest.fixture
def served(job, serve):
    def start(rows, given, **env):
        job.channel("train", csv(rows))
        job.trained(**given)
        return serve(job.python, *serving(IMAGE), **env)

    return start


@pytest.fixture(scope="module")
def regressor(tmp_path_factory):
    """y = 3 a + b, exactly enough; one server answers whatever the tests ask."""
    job = Job(Opt(tmp_path_factory.mktemp("regressor") / "ml"), IMAGE)
    job.channel("train", csv([(3 * a + b, a, b) for a in range(10) for b in range(10)]))
    job.trained(**{**REGRESSOR, "epochs": 100})
    with servers(job.opt) as start:
        yield start(job.python, *serving(IMAGE))


def test_requests_that_wait_are_computed_together_and_none_shows_it(regressor):
    rows = [f"{place}.25,{place % 7}\n" * (1 + place % 3) for place in range(40)]
    rows[5:5] = ["1,2,3", "x,1", "nan,1", "", '{"instances": []}']
    asked = [(row, CSV, (JSON, CSV, LINES, "image/png")[place % 4]) for place, row in enumerate(rows)]
    alone = [regressor.invoke(body, kind, accept=accept)[:2] for body, kind, accept in asked]
    assert regressor.together(asked) == alone
    wait_until(lambda: "Requests that wait are computed together." in regressor.log(), 60, "they were")


def scores(body):
    return [row["score"] for row in json.loads(body)["predictions"]]


def test_json_is_answered_where_nothing_is_asked_for(regressor):
    status, body, headers = regressor.invoke("1,2\n3.5,4\n")
    assert (status, headers["content-type"]) == (200, JSON)
    assert scores(body) == pytest.approx([5, 14.5], abs=0.05)
    assert body == json.dumps({"predictions": [{"score": score} for score in scores(body)]}).encode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"1,2", CSV),
        (b"1,2\r\n", "text/csv; charset=utf-8"),
        (b'{"instances": [{"features": [1, 2]}]}', JSON),
        (b'{"instances": [{"data": {"features": [1.0, 2.0]}}]}', JSON),
        (b'{"instances": [{"data": {"features": {"values": [1, 2]}}}]}', JSON),
        (b'{"instances": [{"data": {"features": {"keys": [0, 1], "values": [1, 2], "shape": [2]}}}]}', JSON),
        (b'{"instances": [{"configuration": {}, "data": {"features": {"keys": [], "values": [1, 2]}}}]}', JSON),
        (b'{"features": [1, 2]}', LINES),
        (b'{"data": {"features": {"values": [1, 2]}}}\n', LINES),
        (recordio.write([Record({"values": Tensor([1.0, 2.0])}, {})]), RECORDIO),
        (recordio.write([Record({"values": Tensor([2.0, 1.0], [1, 0], [2])}, {})]), RECORDIO),
    ],
)
def test_every_documented_form_of_a_request_means_the_same(regressor, body, kind):
    status, answer, _ = regressor.invoke(body, kind)
    assert status == 200, answer
    assert scores(answer) == pytest.approx([5], abs=0.05)


def test_sparse_examples_may_leave_features_out(regressor):
    body = b'{"instances": [{"data": {"features": {"keys": [1], "values": [2], "shape": [2]}}}]}'
    assert scores(regressor.invoke(body, JSON)[1]) == pytest.approx([2], abs=0.05)


def test_regressors_answer_scores(regressor):
    score = scores(regressor.invoke("1,2")[1])[0]
    assert regressor.invoke("1,2", Accept=LINES)[1] == b'{"score": %r}\n' % score
    assert regressor.invoke("1,2", Accept=CSV)[1] == b"%r\n" % score
    (record,) = recordio.read(regressor.invoke("1,2", Accept=RECORDIO)[1])
    assert record == Record({}, {"score": Tensor([score], [], [])})


def test_binary_classifiers_answer_scores_and_labels(served):
    server = served(sides(), BINARY)
    answer = json.loads(server.invoke("-3,0\n5,0")[1])["predictions"]
    assert [row["predicted_label"] for row in answer] == [0, 1]
    low, high = (row["score"] for row in answer)
    assert low < 0.1
    assert high > 0.9
    assert server.invoke("-3,0", Accept=LINES)[1] == b'{"score": %r, "predicted_label": 0}\n' % low
    assert server.invoke("-3,0", Accept=CSV)[1] == b"%r,0\n" % low
    (record,) = recordio.read(server.invoke("-3,0", Accept=RECORDIO)[1])
    assert record.label == {"score": Tensor([low], [], []), "predicted_label": Tensor([0.0], [], [])}


def test_hinge_scores_are_no_probabilities(served):
    server = served(sides(), {**BINARY, "loss": "hinge_loss"})
    assert scores(server.invoke("-30,0\n50,0")[1])[0] < -1


def test_classifiers_of_several_classes_answer_a_score_for_each(served):
    server = served(corners(), CLASSES)
    answer = json.loads(server.invoke("0,0\n4,0\n0,4")[1])["predictions"]
    assert [row["predicted_label"] for row in answer] == [0, 1, 2]
    assert all(sum(row["score"]) == pytest.approx(1, abs=1e-5) and len(row["score"]) == 3 for row in answer)
    first = answer[0]["score"]
    assert server.invoke("0,0", Accept=CSV)[1].decode() == f'"{first}",0\n'
    (record,) = recordio.read(server.invoke("0,0", Accept=RECORDIO)[1])
    assert record.label == {"score": Tensor(first, [], []), "predicted_label": Tensor([0.0], [], [])}


def test_the_default_answer_may_be_set(served):
    rows = [(a, a) for a in range(100)]
    server = served(rows, REGRESSOR, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT=LINES)
    assert server.invoke("1", Accept="*/*")[2]["content-type"] == LINES


@pytest.mark.parametrize(
    ("body", "kind", "status", "text"),
    [
        (b"1,2", "text/libsvm", 415, "Content type 'text/libsvm' is not supported."),
        (b"1,2,3", CSV, 400, "an example has 3 features where the model has 2"),
        (b"1,a", CSV, 400, "could not convert string to float: 'a'"),
        (b"{", JSON, 400, ""),
        (b"[1, 2]", JSON, 400, ""),
        (b'{"rows": []}', JSON, 400, "'instances' is missing"),
        (b'{"instances": [{"features": ["x", 1]}]}', JSON, 400, ""),
        (b'{"instances": [{"features": [[1, 2]]}]}', JSON, 400, "no list of numbers"),
        (b'{"instances": [{"data": {"features": {"keys": [7], "values": [1]}}}]}', JSON, 400, "8 features"),
        (b'{"instances": [{"data": {"features": {"keys": [-1], "values": [1]}}}]}', JSON, 400, "negative"),
        (b"[" * 100_000, JSON, 400, ""),
        (b"garbage!", RECORDIO, 400, ""),
    ],
)
def test_what_cannot_be_read_is_refused(regressor, body, kind, status, text):
    found, answer, _ = regressor.invoke(body, kind)
    assert found == status
    assert text in answer.decode()
    if status == 400:
        assert answer.startswith(b"unable to evaluate payload provided: ")
    assert regressor.invoke("1,2")[0] == 200


def test_an_answer_that_cannot_be_had_is_refused(regressor):
    assert regressor.invoke("1,2", Accept="image/png")[0] == 406


def test_batch_transform_is_told_how(regressor):
    status, body, _ = regressor.request("GET", "/execution-parameters")
    assert (status, json.loads(body)) == (
        200,
        {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6},
    )


def stripped(packed):
    """A model without its arrays."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as whole, zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("model.json", whole.read("model.json"))
    return kept.getvalue()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (None, "No model found"),
        (lambda _: b"no zip", "was not written by Clary"),
        (stripped, "holds no '"),
    ],
    ids=["none", "bytes", "stripped"],
)
def test_a_model_that_is_none_ends_the_server(job, serve, make, said):
    if make:
        job.channel("train", csv([(1, 2, 3)] * 60))
        job.trained(**REGRESSOR)
        model = job.opt.base / "model/model_algo-1"
        model.write_bytes(make(model.read_bytes()))
    server = serve(job.python, *serving(IMAGE))
    assert server.process.wait(60) == 1
    assert "RuntimeError: " in server.log()
    assert said in server.log()
