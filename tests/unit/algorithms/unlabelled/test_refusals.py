"""What k-means and principal component analysis do not train on, and what they say then.

The sentences of hyperparameters' and channels' schemas are those of AWS's algorithms, as seen in public logs; no public
source shows what AWS says of numbers that are not finite, of too many clusters, or of too many components.
"""

import json
import re
import subprocess
from ast import literal_eval

import pytest

from tests.unit.algorithms.jobs import CSV, RECORDIO, csv
from tests.unit.algorithms.unlabelled.conftest import CLUSTERS, COMPONENTS, KMEANS, PCA, ROWS, corners, slope

READ = "ClientError: Unable to read data channel 'train'. Requested content-type is "


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"", ROWS, "No training data processed. Either the training channel is empty or"),
        (b"\n\n", ROWS, "No training data processed."),
        (b"a,b,c\n1,2,3\n", ROWS, f"{READ}'text/csv'.*could not convert string to float: 'a'"),
        (b"1,2,3\n1,2\n", ROWS, f"{READ}'text/csv'.*rows have between 2 and 3 columns"),
        (b"1,2,nan\n", ROWS, "Channel 'train' holds values that are no finite numbers."),
        (b"1,2,inf\n", ROWS, "Channel 'train' holds values that are no finite numbers."),
        (b"1,2,1e39\n", ROWS, "Channel 'train' holds values that are no finite numbers."),
        (b"1,2,\n", ROWS, "could not convert string to float: ''"),
        (b"1,2,3,4,5\n", ROWS, "The training data has 5 features, which is not the value of feature_dim, [23]."),
        (b"1,2,3\n", RECORDIO, f"{READ}'application/x-recordio-protobuf'"),
        (b"1,2,3\n", "text/libsvm", "'text/libsvm' is not one of"),
        (b"1,2,3\n", f"{CSV};label_size=2", "'text/csv;label_size=2' is not one of"),
    ],
    ids=["empty", "blank", "header", "ragged", "nan", "inf", "large", "gap", "wide", "no-records", "libsvm", "labels"],
)
def test_bad_data_is_named(either, content, kind, said):
    job, _, given = either
    job.channel("train", content, kind)
    result = job.run(**given)
    assert result.code == 1
    assert re.search(said, result.failure, re.DOTALL), result.failure
    assert result.failure.startswith("ClientError: ")


def test_channels_are_train_and_test(either):
    job, rows, given = either
    job.channel("validation", csv(rows), ROWS)
    assert "'train' is a required property" in job.run(**given).failure
    job.channel("train", csv(rows), ROWS)
    (job.opt.base / "output/failure").unlink()
    assert "Additional properties are not allowed ('validation' was unexpected)" in job.run(**given).failure


def test_more_clusters_than_rows(kmeans):
    kmeans.channel("train", csv(corners(3)), ROWS)
    said = "ClientError: The number of clusters, k=4, is larger than the number of examples, 3."
    assert kmeans.run(**CLUSTERS).failure == said


def test_more_components_than_features(pca):
    pca.channel("train", csv(slope()), ROWS)
    assert pca.run(**{**COMPONENTS, "num_components": 4}).failure == (
        "ClientError: The value '4' is not valid for the 'num_components' hyperparameter which expects one of the "
        "following: an integer between 1 and 3 (caused by ValidationError)\n\n"
        "Caused by: 4 is greater than the maximum of 3"
    )


REFUSED = {
    KMEANS: [
        ({"k": None}, "No value(s) were specified for 'k' which are required hyperparameter(s)"),
        ({"n_clusters": 3}, "Additional hyperparameters are not allowed ('n_clusters' was unexpected)"),
        ({"k": 0}, "The value '0' is not valid for the 'k' hyperparameter"),
        ({"k": 2.5}, "The value '2.5' is not valid for the 'k' hyperparameter"),
        ({"init_method": "best"}, "which accepts one of the following: 'random', 'kmeans++'"),
        ({"extra_center_factor": "many"}, "a string which matches the pattern '^auto$'; or an integer greater than 1"),
        ({"local_lloyd_tol": 1.5}, "a number between 0 and 1"),
        ({"half_life_time_size": -1}, "The value '-1' is not valid for the 'half_life_time_size' hyperparameter"),
        ({"eval_metrics": '["mse"]'}, "which accepts a JSON list of the following: 'msd', 'ssd'"),
        ({"eval_metrics": "msd"}, "which accepts a JSON list of the following: 'msd', 'ssd'"),
        ({"eval_metrics": "[]"}, "which accepts a JSON list of the following: 'msd', 'ssd'"),
    ],
    PCA: [
        ({"mini_batch_size": None}, "No value(s) were specified for 'mini_batch_size'"),
        ({"components": 3}, "Additional hyperparameters are not allowed ('components' was unexpected)"),
        ({"algorithm_mode": "exact"}, "which accepts one of the following: 'regular', 'randomized'"),
        ({"extra_components": -2}, "The value '-2' is not valid for the 'extra_components' hyperparameter"),
        ({"subtract_mean": "maybe"}, "which accepts one of the following: 'true', 'false'"),
    ],
}

PARSE = """
import json, sys
from clary.algorithms.base.algorithm import named
from clary.toolkit.errors import UserError
for given in json.load(sys.stdin):
    try:
        print(repr(str(named(sys.argv).parse(given))))
    except UserError as error:
        print(repr(str(error)))
"""


def test_hyperparameters_are_checked(either):
    """All in one process: what is refused, and in which words."""
    job, _, given = either
    tried = [{k: str(v) for k, v in {**given, **more}.items() if v is not None} for more, _ in REFUSED[job.image]]
    command = [job.python, "-c", PARSE, *job.program.args]
    answer = subprocess.run(
        command, env=job.opt.env, input=json.dumps(tried), capture_output=True, text=True, timeout=240, check=True
    )
    lines = [literal_eval(line) for line in answer.stdout.splitlines()]
    wanted = [said for _, said in REFUSED[job.image]]
    assert [said in line for said, line in zip(wanted, lines, strict=True)] == [True] * len(wanted), lines


def test_a_full_disk_is_named(either):
    job, rows, given = either
    (job.opt.base / "model/model_algo-1").symlink_to("/dev/full")
    job.channel("train", csv(rows), ROWS)
    said = "ClientError: No space is left to write the model to. Please use a larger volume, or free the disk. "
    result = job.run(**given)
    assert (result.code, result.failure) == (1, said + "([Errno 28] No space left on device)")
