"""Built-in XGBoost of every era: the model equals plain `xgboost.train` with the same parameters, in every format."""

import json
import subprocess

import pytest

from clary.formats import recordio
from clary.formats.recordio import Record, Tensor
from tests.unit.algorithms.test_xgboost_jobs import HOUSES, SERVE, Job, rounds
from tests.unit.toolkit.containers import environment_python

ASKED = [row[1:] for row in HOUSES[:5]]
SQUARED = {"objective": "reg:squarederror"}
HOLED = [
    [y, *(None if (place + row) % 4 == 0 else v for place, v in enumerate(x))] for row, (y, *x) in enumerate(HOUSES)
]
CLASSES = [[row % 3, *x] for row, (_, *x) in enumerate(HOUSES)]


ENDS = pytest.mark.parametrize("image", ["0.90-2", "3.0-5"])
"""The first and the last: what both do, those between do."""
ERAS = pytest.mark.parametrize("image", ["0.90-2", "1.2-2", "1.7-1", "3.0-5"])
LAST = pytest.mark.parametrize("image", ["3.0-5"])


@pytest.fixture
def job(opt, image):
    job = Job(opt, environment_python(f"sagemaker-xgboost:{image}"))
    job.without("validation")
    return job


@pytest.fixture
def xgboost(job, plainly):
    """What plain XGBoost predicts for ASKED."""
    return lambda **asked: plainly(job.python, ask=ASKED, **asked)


@pytest.fixture
def made(job, image, xgboost):
    """What the model of a job with these hyperparameters predicts for ASKED."""

    def run(**parameters):
        result = job.run(image, **parameters)
        assert result.returncode == 0, result.stdout + result.stderr
        return xgboost(model=str(job.model / "xgboost-model"))

    return run


def svm(rows, after_label=lambda row: ""):
    lines = (
        f"{y}{after_label(row)} " + " ".join(f"{place}:{value}" for place, value in enumerate(x))
        for row, (y, *x) in enumerate(rows)
    )
    return "\n".join(lines) + "\n"


PARQUET = """\
import io, json, sys, pandas
frame = pandas.DataFrame(json.loads(sys.stdin.read()))
frame.columns = [str(name) for name in frame.columns]
file = io.BytesIO()
frame.to_parquet(file)
sys.stdout.buffer.write(file.getvalue())
"""


def parquet(python, rows):
    """A file's bytes, written in the image's environment."""
    done = subprocess.run([python, "-c", PARQUET], input=json.dumps(rows).encode(), capture_output=True, check=True)
    return done.stdout


@ENDS
def test_formats_make_the_same_model_as_plain_xgboost(job, xgboost, made):
    plain = xgboost(train=HOUSES, parameters=SQUARED, rounds=5)
    records = [Record({"values": Tensor(x)}, {"values": Tensor([y])}) for y, *x in HOUSES]
    for content_type, content in (
        ("text/csv", job.csv(HOUSES)),
        ("text/csv; label_size=1", job.csv(HOUSES).replace(",", ";")),
        ("text/libsvm", svm(HOUSES)),
        ("application/x-parquet", parquet(job.python, HOUSES)),
        ("application/x-recordio-protobuf", recordio.write(records)),
    ):
        job.channel("train", content_type, content)
        assert made() == plain, content_type


@LAST
def test_missing_values_weights_and_groups(job, xgboost, made):
    weights = [1 + row % 3 for row in range(len(HOUSES))]
    plain = xgboost(train=HOUSES, weights=weights, parameters=SQUARED, rounds=5)
    job.channel("train", "text/libsvm", svm(HOUSES, lambda row: f":{weights[row]}"))
    assert made() == plain
    job.channel("train", "text/csv", job.csv([[y, weights[row], *x] for row, (y, *x) in enumerate(HOUSES)]))
    assert made(csv_weights="1") == plain
    job.channel("train", "csv", job.csv([["" if value is None else value for value in row] for row in HOLED]))
    assert made() == xgboost(train=HOLED, parameters=SQUARED, rounds=5)
    job.channel("train", "text/libsvm", svm(CLASSES, lambda row: f" qid:{row // 20}"))
    ranking = {"objective": "rank:pairwise"}
    plain = xgboost(train=CLASSES, groups=[20] * 10, parameters=ranking, rounds=5)
    assert made(**ranking, eval_metric="ndcg") == plain


@LAST
@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"booster": "gblinear", "updater": "coord_descent"}, {"booster": "gblinear", "updater": "coord_descent"}),
        (
            {"tree_method": "hist", "monotone_constraints": "(1,0,-1)", "interaction_constraints": "[[1,2]]"},
            {"tree_method": "hist", "monotone_constraints": "(1,0,-1)", "interaction_constraints": "[[1,2]]"},
        ),
        (
            {"learning_rate": "0.1", "num_parallel_tree": "2", "subsample": "0.8", "seed": "3"},
            {"eta": 0.1, "num_parallel_tree": 2, "subsample": 0.8, "seed": 3},
        ),
        (
            {"grow_policy": "lossguide", "tree_method": "hist", "max_leaves": "4", "max_bin": "16"},
            {"grow_policy": "lossguide", "tree_method": "hist", "max_leaves": 4, "max_bin": 16},
        ),
    ],
)
def test_hyperparameters_mean_what_they_mean_to_xgboost(job, xgboost, made, given, plain):
    job.channel("train", "text/csv", job.csv(HOUSES))
    expected = xgboost(train=HOUSES, parameters={**SQUARED, **plain}, rounds=5)
    assert made(**given) == expected


@ERAS
def test_metrics_of_the_container(job, image):
    job.channel("train", "csv", job.csv([[row % 2, row % 2 + 0.1, row % 3] for row in range(100)]))
    wanted = "logloss,accuracy,f1,f1_binary,balanced_accuracy,precision,recall,mse,rmse,auc"
    result = job.run(image, objective="binary:logistic", eval_metric=wanted)
    assert result.returncode == 0, result.stdout + result.stderr
    last = rounds(result)[-1]
    for name in wanted.split(","):
        assert f"#011train-{name}:" in last
    one = "1" if image in ("0.90-2", "1.2-2") else "1.00000"
    assert f"#011train-accuracy:{one}#" in last + "#"


@ENDS
def test_a_large_body_is_answered_as_its_rows_one_by_one(job, image, serve, made):
    """Large bodies of CSV are read by another reader, on several threads."""
    plain = made()
    server = serve(job.python, SERVE, image, SAGEMAKER_BATCH="true")
    line = ",".join(map(str, ASKED[0]))
    body = "\n".join([line] * 6000)
    status, answer, _ = server.invoke(body)
    assert (status, set(answer.decode().split("\n"))) == (200, {str(plain[0]), ""})
    assert server.invoke(line)[1].decode() == f"{plain[0]}\n"
    assert server.invoke(body + "\n1,x,3")[0] == 415
    assert server.invoke(body.replace(line, "1,2", 1))[0] == 415
    assert server.invoke(body.replace(line, ",," + str(ASKED[0][2]), 1))[0] == 200


@pytest.mark.parametrize(
    ("image", "content", "reason"),
    [
        ("1.2-2", b"{L\x00\x00", "the file is UBJSON, which XGBoost reads since 1.6; this image has 1.2.0"),
        ("0.90-2", b'{"learner": {}}', "the file is JSON, which XGBoost reads since 1.0; this image has 0.90"),
        ("3.0-5", b"no model at all", "serve the model with the version that trained it"),
    ],
)
def test_a_model_that_cannot_be_read_is_refused_with_the_reason(opt, serve, image, content, reason):
    (opt.base / "model/xgboost-model").write_bytes(content)
    server = serve(environment_python(f"sagemaker-xgboost:{image}"), SERVE, image)
    assert server.process.wait(60) == 1
    assert "xgboost-model cannot be loaded:\nPickle load error=" in server.log()
    assert reason in server.log()


@LAST
def test_pipes_are_read_whole(job, image, made):
    expected = made()
    job.opt.write("inputdataconfig.json", {"train": {"ContentType": "text/csv", "TrainingInputMode": "Pipe"}})
    folder = job.opt.base / "input/data"
    (folder / "train/part-0").rename(folder / "train_0")
    assert made() == expected
    two_files = parquet(job.python, HOUSES[:70]) + parquet(job.python, HOUSES[70:150])
    (folder / "train_0").write_bytes(two_files)
    job.opt.write("inputdataconfig.json", {"train": {"ContentType": "parquet", "TrainingInputMode": "Pipe"}})
    assert made() == expected
    job.opt.write("inputdataconfig.json", {"train": {"ContentType": "libsvm", "TrainingInputMode": "Pipe"}})
    assert "Pipe mode not supported for LibSVM." in job.run(image).stdout
