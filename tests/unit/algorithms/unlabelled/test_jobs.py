"""Whole jobs of k-means and of principal component analysis: data, channels, models, log lines."""

import json
import os
import signal
import threading

import pytest

from clary.formats import recordio
from clary.formats.recordio import Record, Tensor
from clary.images.catalogue import Catalogue
from clary.workload.metrics import final_metrics
from tests.unit.algorithms.jobs import CSV, RECORDIO, csv, serving
from tests.unit.algorithms.unlabelled.conftest import (
    CLUSTERS,
    COMPONENTS,
    CORNERS,
    KMEANS,
    PCA,
    ROWS,
    centers,
    corners,
    model,
    slope,
)


def near(found, wanted, within=0.3):
    """Whether each wanted point is found, and no other."""
    return len(found) == len(wanted) and all(
        min(max(abs(x - y) for x, y in zip(point, other, strict=True)) for other in found) < within for point in wanted
    )


def dense(rows):
    return recordio.write(Record({"values": Tensor([float(x) for x in row])}, {}) for row in rows)


def sparse(rows):
    """Only what is not 0."""
    records = []
    for row in rows:
        keys = [key for key, value in enumerate(row) if value]
        records.append(Record({"values": Tensor([row[key] for key in keys], keys, [len(row)])}, {}))
    return recordio.write(records)


@pytest.mark.parametrize("size", [1e-22, 1e-3, 1e22])
def test_clusters_of_numbers_of_any_size(kmeans, serve, size):
    kmeans.channel("train", csv([[x * size for x in row] for row in corners()]), ROWS)
    result = kmeans.trained(**CLUSTERS)
    assert near([[x / size for x in center] for center in centers(kmeans)], CORNERS)
    assert result.scores == {"train msd": pytest.approx(0.5 * size**2, rel=0.1)}
    _, answer, _ = serve(kmeans.python, *serving(KMEANS)).invoke(csv([[10 * size, 11 * size]]))
    assert json.loads(answer)["predictions"][0]["distance_to_cluster"] == pytest.approx(size, rel=0.1)


@pytest.mark.parametrize("size", [1e-22, 1e22])
@pytest.mark.parametrize("write", [dense, sparse])
def test_components_of_numbers_of_any_size(pca, size, write):
    found = []
    for factor in (1, size):
        pca.channel("train", write([[x * factor for x in row] for row in slope()]), RECORDIO)
        pca.trained(**COMPONENTS)
        found.append(model(pca))
    usual, sized = found
    assert [x / size for name in ("s", "mean") for x in sized[name][1]] == pytest.approx(
        [x for name in ("s", "mean") for x in usual[name][1]], rel=1e-5
    )
    assert [abs(x) for x in sized["v"][1]] == pytest.approx([abs(x) for x in usual["v"][1]], abs=1e-4)


@pytest.mark.parametrize("write", [dense, sparse])
def test_components_of_rows_far_from_zero(pca, write):
    """Their squares agree in more digits than float32 has."""
    found = []
    for far in (0, 4096):
        pca.channel("train", write([[round(x * 64) / 64 + far for x in row] for row in slope()]), RECORDIO)
        pca.trained(**COMPONENTS)
        found.append(model(pca))
    usual, moved = found
    assert moved["s"][1] == pytest.approx(usual["s"][1], rel=1e-5)
    assert [abs(x) for x in moved["v"][1]] == pytest.approx([abs(x) for x in usual["v"][1]], abs=1e-5)
    assert [x - 4096 for x in moved["mean"][1]] == pytest.approx(usual["mean"][1], abs=1e-3)


@pytest.mark.parametrize("odd", [[(1e9, 0)], [(-999999, -999999)] * 40], ids=["outlier", "filler"])
def test_odd_rows_have_a_cluster_of_their_own(kmeans, serve, odd):
    """What stands for missing numbers, and a slip of the pen, leave the others' digits."""
    kmeans.channel("train", csv([*corners(), *odd]), ROWS)
    kmeans.trained(**{**CLUSTERS, "k": 5})
    found = sorted(centers(kmeans), key=lambda center: max(map(abs, center)))
    assert near(found[:4], CORNERS)
    assert found[4] == pytest.approx(odd[0])
    _, answer, _ = serve(kmeans.python, *serving(KMEANS)).invoke(csv([found[0], (found[1][0] + 1, found[1][1])]))
    told = [row["distance_to_cluster"] for row in json.loads(answer)["predictions"]]
    assert told == pytest.approx([0, 1], abs=1e-5)


def test_clusters_are_found(kmeans):
    kmeans.channel("train", csv(corners()), ROWS)
    result = kmeans.trained(**CLUSTERS)
    assert near(centers(kmeans), CORNERS)
    assert result.scores == {"train msd": pytest.approx(0.5, abs=0.05)}
    assert "shrinking 40 centers into 4" in result.log
    assert "local kmeans attempt #9. Current mean square distance 0." in result.log
    assert "Batch size 5000 is bigger than the first batch data. Effective batch size used to initialize is 400" in (
        result.log
    )
    assert "Test data is not provided." in result.log


def test_the_main_direction_is_found_and_stands_last(pca):
    pca.channel("train", csv(slope()), ROWS)
    pca.trained(**COMPONENTS)
    arrays = model(pca)
    assert {name: shape for name, (shape, _) in arrays.items()} == {"v": (3, 2), "s": (2,), "mean": (1, 3)}
    direction = arrays["v"][1][1::2]
    assert [abs(x) for x in direction] == pytest.approx([1 / 3, 2 / 3, 2 / 3], abs=0.01)
    small, large = arrays["s"][1]
    assert large > 20 * small
    assert arrays["mean"][1] == pytest.approx([10, 20, 30], abs=1.5)


def test_without_its_mean_the_data_points_away_from_zero(pca):
    pca.channel("train", csv(slope()), ROWS)
    pca.trained(**COMPONENTS, subtract_mean=False)
    arrays = model(pca)
    assert set(arrays) == {"v", "s"}
    assert arrays["v"][1][1::2] == pytest.approx([x / 1400**0.5 for x in (10, 20, 30)], abs=0.1)


@pytest.mark.parametrize("mode", ["regular", "randomized"])
@pytest.mark.parametrize("centered", [True, False], ids=["centered", "as-it-is"])
def test_sparse_records_say_what_dense_ones_do(pca, mode, centered):
    """60 features, of which most are 0."""
    rows = [tuple(float((i * 7 + j * 3) % 11) if (i + j) % 5 == 0 else 0.0 for j in range(60)) for i in range(200)]
    given = {"num_components": 2, "feature_dim": 60, "mini_batch_size": 50, "extra_components": 4}
    found = []
    for body in (dense(rows), sparse(rows)):
        pca.channel("train", body, RECORDIO)
        pca.trained(**given, algorithm_mode=mode, subtract_mean=centered)
        found.append(model(pca)["s"][1])
    assert found[0] == pytest.approx(found[1], rel=1e-3)


@pytest.mark.parametrize("body", [dense, sparse], ids=["dense", "sparse"])
def test_records_are_clustered_as_csv_is(kmeans, body):
    kmeans.channel("train", body(corners()), RECORDIO)
    kmeans.channel("test", body(corners(seed=9)), RECORDIO)
    result = kmeans.trained(**CLUSTERS)
    assert near(centers(kmeans), CORNERS)
    assert result.scores["test msd"] == pytest.approx(result.scores["train msd"], rel=0.15)


def test_the_first_column_of_csv_is_a_label_unless_it_says_otherwise(either):
    job, rows, given = either
    job.channel("train", csv([(7, *row) for row in rows]), CSV)
    job.trained(**given)
    job.channel("train", csv(rows), CSV)
    failure = job.run(**given).failure
    assert failure.endswith("The first column of CSV is its label, unless the content type says label_size=0.")


def test_pipes_are_read(either):
    job, rows, given = either
    job.channel("train", csv(rows), ROWS)
    whole = job.trained(**given) and model(job)
    job.channels["train"]["TrainingInputMode"] = "Pipe"
    pipe = job.opt.base / "input/data/train_0"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(csv(rows),))
    writer.start()
    job.trained(**given)
    writer.join()
    assert model(job) == whole


def test_many_files_are_one_channel_and_the_same_job_gives_the_same_model(either):
    job, rows, given = either
    job.channel("train", csv(rows), ROWS)
    job.trained(**given)
    first = (job.opt.base / "model/model_algo-1").read_bytes()
    job.channel("train", [csv(rows[:100]), b"", csv(rows[100:])], ROWS)
    job.trained(**given)
    assert (job.opt.base / "model/model_algo-1").read_bytes() == first


def test_eval_metrics_say_what_is_told_of_the_test_data(kmeans):
    kmeans.channel("train", csv(corners()), ROWS)
    kmeans.channel("test", csv(CORNERS), ROWS)
    scores = kmeans.trained(**CLUSTERS, eval_metrics='["ssd", "msd"]').scores
    assert set(scores) == {"train msd", "test msd", "test ssd"}
    assert scores["test ssd"] == pytest.approx(4 * scores["test msd"])
    assert set(kmeans.trained(**CLUSTERS, eval_metrics="['msd']").scores) == {"train msd", "test msd"}


def test_metrics_are_read_from_the_log(either):
    job, rows, given = either
    job.channel("train", csv(rows), ROWS)
    job.channel("test", csv(rows), ROWS)
    log = job.trained(**given).log
    defined = Catalogue().resolve(job.image).metric_definitions
    lines = [(0, line) for line in reversed(log.splitlines())]
    metrics = final_metrics(lines, [{"Name": one.name, "Regex": one.regex} for one in defined])
    names = {metric["MetricName"] for metric in metrics}
    wanted = {KMEANS: {"train:msd", "test:msd"}, PCA: set()}[job.image]
    assert names == {"train:progress", "train:throughput"} | wanted


def test_the_test_data_is_scored_by_what_components_keep_of_it(pca):
    pca.channel("train", csv(slope()), ROWS)
    pca.channel("test", csv(slope(seed=5)), ROWS)
    assert pca.trained(**COMPONENTS).scores["test explained_variance_ratio"] > 0.99


def test_half_life_makes_the_latest_rows_count(kmeans):
    """All rows lie at 0 at first, and at 8 in the end: their mean is 4, but that of the latest is 8."""
    rows = [(0.0, 0.0)] * 500 + [(8.0, 8.0)] * 500
    kmeans.channel("train", csv(rows), ROWS)
    kmeans.trained(k=1, feature_dim=2, mini_batch_size=50)
    assert centers(kmeans) == [(4.0, 4.0)]
    kmeans.trained(k=1, feature_dim=2, mini_batch_size=50, half_life_time_size=50)
    assert centers(kmeans)[0][0] > 7.9


@pytest.mark.parametrize(
    "knobs",
    [
        {"extra_center_factor": 1, "epochs": 3, "mini_batch_size": 7},
        {"extra_center_factor": 200, "local_lloyd_num_trials": 2},
        {"init_method": "kmeans++", "local_lloyd_max_iter": 5, "local_lloyd_tol": 1},
        {"local_lloyd_init_method": "random", "local_lloyd_tol": 0, "force_dense": "True"},
    ],
    ids=lambda knobs: next(iter(knobs)),
)
def test_every_knob_may_be_turned(kmeans, knobs):
    kmeans.channel("train", csv(corners()), ROWS)
    result = kmeans.trained(**CLUSTERS, **knobs)
    assert near(centers(kmeans), CORNERS)
    assert result.epochs == knobs.get("epochs", 1)
    assert result.log.count("local kmeans attempt") == knobs.get("local_lloyd_num_trials", 10)


def test_as_many_clusters_as_rows_and_rows_that_are_alike(kmeans):
    kmeans.channel("train", csv(CORNERS), ROWS)
    assert kmeans.trained(**CLUSTERS).scores["train msd"] == pytest.approx(0, abs=1e-9)
    kmeans.channel("train", csv([(1, 2)] * 50), ROWS)
    assert kmeans.trained(**CLUSTERS).scores["train msd"] == pytest.approx(0, abs=1e-9)
    assert centers(kmeans) == [(1.0, 2.0)] * 4


def test_data_far_from_zero_loses_no_digits(kmeans):
    kmeans.channel("train", csv([(x + 1e6, y - 1e6) for x, y in corners()]), ROWS)
    kmeans.trained(**CLUSTERS)
    assert near(centers(kmeans), [(x + 1e6, y - 1e6) for x, y in CORNERS])


def test_a_job_that_is_stopped_keeps_what_it_has_learned(kmeans):
    kmeans.channel("train", csv(corners()), ROWS)
    process = kmeans.start(**CLUSTERS, epochs=1_000_000)
    while "progress_metric" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    assert kmeans.end(process).code == 0
    assert near(centers(kmeans), CORNERS)
