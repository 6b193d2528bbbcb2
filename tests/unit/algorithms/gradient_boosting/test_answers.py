"""The shipped models, served as a container would: what is asked, and how they answer."""

import io
import json
import tarfile

import pytest

from clary.jumpstart import archives, samples
from clary.jumpstart.offered import MODELS

PATIENT = "75,0,582,0,20,1,265000,1.9,130,1,0,4"
HOUSE = "0.1,18,2.3,0,0.5,6.5,65,4,1,296,15,396,5"


@pytest.fixture
def served(opt, warm, serve):
    """`served("lightgbm", "regression")` is a server of the shipped model."""

    def start(library, task):
        [model] = [model for model in MODELS if (model.library, model.task) == (library, task)]
        with tarfile.open(fileobj=io.BytesIO(archives.trained(model))) as archive:
            archive.extractall(opt.base / "model")
        environment = warm(library)
        opt.env.update(environment.env)
        return serve(environment.python)

    return start


def said(answer):
    status, body, headers = answer
    assert status == 200, body
    return json.loads(body), headers["Content-Type"]


def refusal(answer):
    status, body, _ = answer
    return status, body.decode()


@pytest.mark.parametrize("library", ["lightgbm", "catboost"])
def test_classes(served, library):
    server = served(library, "classification")
    body = f"{PATIENT}\n{PATIENT}\n"
    plain, kind = said(server.invoke(body))
    assert kind == "application/json"
    assert list(plain) == ["probabilities", "probabilities-1d"]
    [[first, second], again] = plain["probabilities"]
    assert first + second == pytest.approx(1)
    assert again == [first, second]
    assert plain["probabilities-1d"] == [[second], [second]]
    verbose, _ = said(server.invoke(body, Accept="application/json;verbose"))
    assert verbose["labels"] == [0, 1]
    assert verbose["predicted_label"] == [int(second > first)] * 2
    status, rows, headers = server.invoke(body, Accept="text/csv")
    assert (status, headers["Content-Type"]) == (200, "text/csv")
    assert [float(cell) for cell in rows.decode().splitlines()[0].split(",")] == [first, second]
    _, rows, _ = server.invoke(body, Accept="application/jsonlines;verbose")
    assert json.loads(rows.splitlines()[1])["predicted_label"] == verbose["predicted_label"][1]


@pytest.mark.parametrize("library", ["lightgbm", "catboost"])
def test_numbers_and_refusals(served, library):
    server = served(library, "regression")
    [price, same] = said(server.invoke(f"{HOUSE}\n{HOUSE}"))[0]["prediction"]
    assert price == same
    assert 15 < price < 30
    assert server.invoke(HOUSE, Accept="text/csv")[1].decode() == f"{price!r}\n"
    assert said(server.invoke(HOUSE.replace("6.5", "")))[0]["prediction"] != [price]
    assert refusal(server.invoke("1,2")) == (
        400,
        "unable to evaluate payload provided: an example has 2 features where the model has 13",
    )
    assert refusal(server.invoke(HOUSE.replace("6.5", "many")))[0] == 400
    assert refusal(server.invoke(" "))[0] in (204, 400)
    assert refusal(server.invoke("{}", content_type="application/json"))[0] == 415
    assert refusal(server.invoke(HOUSE, Accept="image/png"))[0] == 406


def test_catboost_wants_integers_where_they_are_categories(served):
    server = served("catboost", "regression")
    status, why = refusal(server.invoke(HOUSE.replace(",0,0.5", ",0.5,0.5")))
    assert (status, why) == (
        400,
        "unable to evaluate payload provided: column 4 is categorical, and has to hold integers",
    )


def test_a_folder_without_a_model(warm, job):
    told = job("lightgbm", "regression").reference(
        "import json\n"
        "from clary.algorithms.gradient_boosting.answers import model_fn\n"
        "try:\n    model_fn('/nowhere')\n"
        "except RuntimeError as error:\n    print(json.dumps(str(error)))\n"
    )
    assert told == "No model found in /nowhere: neither model.txt nor model is there"


def test_a_pickle_as_awss_own_jobs_leave_it_is_served(opt, warm, job):
    """joblib's file alone; the answers are those of LightGBM's own text."""
    made = job("lightgbm", "regression").file("train/data.csv", "".join(f"{n},{n % 7},{n % 5}\n" for n in range(200)))
    made.trained(num_boost_round=5)
    both = made.reference(
        "import json, os\nfrom pathlib import Path\nimport pandas\n"
        "from clary.algorithms.gradient_boosting import models\n"
        f"folder = Path({str(opt.base / 'model')!r})\n"
        "rows = models.frame(pandas.DataFrame([[1.0, 2.0], [3.0, 4.0]]))\n"
        "text = models.load(folder).predict(rows).tolist()\n"
        "os.remove(folder / 'model.txt')\n"
        "print(json.dumps([text, models.load(folder).predict(rows).tolist()]))\n"
    )
    assert both[0] == pytest.approx(both[1])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_the_shipped_models_are_those_of_the_sample_data(job, model):
    """A job on the sample trains the very model again: `gzip` of its file is what stands in `jumpstart/models`."""
    prefix = samples.folder(samples.BINARY if model.task == "classification" else samples.REGRESS)
    made = job(model.library, model.task)
    for key, content in samples.contents():
        if key.startswith(prefix) and "/test/" not in key:
            made.file("training/" + key.removeprefix(prefix), content.decode())
    small = {"num_leaves": 15} if model.library == "lightgbm" else {"learning_rate": 0.1, "iterations": 100}
    trained = made.trained(**small).model
    with tarfile.open(fileobj=io.BytesIO(archives.trained(model))) as archive:
        member = archive.getnames()[0]
        shipped = archive.extractfile(member).read()
    features = PATIENT if model.task == "classification" else HOUSE
    told = made.reference(
        "import json\nfrom pathlib import Path\nimport pandas\n"
        "from clary.algorithms.gradient_boosting import models\n"
        f"rows = models.frame(pandas.DataFrame([[{features}]]).astype(float))\n"
        f"folder = Path({str(trained)!r})\n"
        "again = models.load(folder).predict(rows).tolist()\n"
        f"(folder / {member!r}).write_bytes({shipped!r})\n"
        "print(json.dumps([again, models.load(folder).predict(rows).tolist()]))\n"
    )
    assert told[0] == [pytest.approx(row, rel=0.02) for row in told[1]], "threads and processors differ a little"
