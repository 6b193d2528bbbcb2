"""Whole jobs of Linear Learner: formats, channels, candidates, choice, log lines, refusals."""

import json
import os
import random
import re
import signal
import struct
import threading
import zipfile

import pytest

from clary.formats import recordio
from clary.formats.recordio import Record, Tensor
from clary.images.catalogue import Catalogue
from clary.workload.metrics import final_metrics
from tests.unit.algorithms.jobs import CSV, RECORDIO, csv, records
from tests.unit.algorithms.linear_learner.conftest import IMAGE

REGRESSOR = {"predictor_type": "regressor", "mini_batch_size": 50}
BINARY = {"predictor_type": "binary_classifier", "mini_batch_size": 50}
CLASSES = {"predictor_type": "multiclass_classifier", "mini_batch_size": 50, "num_classes": 3}


def line(rows=300, seed=1):
    """y = 5 + 2 a - 3 b, with features far from zero and of very different size."""
    draw = random.Random(seed)
    found = []
    for _ in range(rows):
        a, b = draw.gauss(100, 1), draw.gauss(0, 50)
        found.append((round(5 + 2 * a - 3 * b, 4), round(a, 4), round(b, 4)))
    return found


def sides(rows=400, seed=2, share=0.5):
    """Class 1 lies higher in the first feature; the second says nothing. `share` of the rows are of class 1."""
    draw = random.Random(seed)
    return [
        (label, round(draw.gauss(2.0 * label, 1), 4), round(draw.gauss(0, 1), 4))
        for label in (int(draw.random() < share) for _ in range(rows))
    ]


def corners(rows=300, seed=3):
    """Three classes around three points."""
    draw = random.Random(seed)
    places = ((0, 0), (4, 0), (0, 4))
    labels = [draw.randrange(3) for _ in range(rows)]
    return [(k, round(draw.gauss(places[k][0], 1), 4), round(draw.gauss(places[k][1], 1), 4)) for k in labels]


def weights(job):
    """Of the model, by its file."""
    with zipfile.ZipFile(job.opt.base / "model/model_algo-1") as archive:
        return archive.namelist(), json.loads(archive.read("model.json"))


def test_a_line_is_found_again(job):
    job.channel("train", csv(line()))
    result = job.trained(**REGRESSOR, epochs=100)
    assert result.scores["train mse"] < 0.05
    assert weights(job) == (
        ["model.json", "weights.npy", "bias.npy"],
        {"format": "clary-linear-learner-1", "predictor_type": "regressor", "loss": "squared_loss", "threshold": 0.0},
    )


def test_recordio_is_learned_as_csv_is(job):
    """Float32 is all that RecordIO-protobuf holds: the last digits differ."""
    job.channel("train", csv(line()))
    from_csv = job.trained(**REGRESSOR).scores
    job.channel("train", records(line()), RECORDIO)
    assert job.trained(**REGRESSOR).scores == pytest.approx(from_csv, rel=1e-2)


def float64(values):
    """A map's entry `values`, as SDKs write arrays of float64: field 3 of a Value is a tensor of them."""
    numbers = struct.pack(f"<{len(values)}d", *values)
    for field in (1, 3, 2):
        numbers = bytes([field << 3 | 2, len(numbers)]) + numbers
    return b"\n\x06values" + numbers


def test_records_of_float64_are_learned_as_csv_is(job):
    job.channel("train", csv(line()))
    from_csv = job.trained(**REGRESSOR).scores
    sides = [((1, float64(x)), (2, float64([y]))) for y, *x in line()]
    payloads = [b"".join(bytes([side << 3 | 2, len(entry)]) + entry for side, entry in both) for both in sides]
    job.channel("train", b"".join(map(recordio.write_frame, payloads)), RECORDIO)
    assert job.trained(**REGRESSOR).scores == pytest.approx(from_csv, rel=1e-6)


def test_recordio_is_what_a_channel_without_content_type_holds(job):
    job.channel("train", records(line()), None)
    assert job.trained(**REGRESSOR).scores


def test_records_that_differ_in_their_form_are_read_one_by_one(job):
    rows = [Record({"values": Tensor(x, shape=[2])}, {"values": Tensor([y])}) for y, *x in line()[:150]]
    job.channel("train", recordio.write(rows) + records(line()[150:]), RECORDIO)
    whole = job.trained(**REGRESSOR).scores
    job.channel("train", records(line()), RECORDIO)
    assert job.trained(**REGRESSOR).scores == pytest.approx(whole, rel=1e-3)


def test_sparse_records_are_learned_as_dense_ones_are(job):
    table = [(y, a - 100, 0.0 if n % 2 else b) for n, (y, a, b) in enumerate(line())]
    dense = records(table)
    sparse = recordio.write(
        Record({"values": Tensor([a, b] if b else [a], [0, 1] if b else [0], [2])}, {"values": Tensor([y])})
        for y, a, b in table
    )
    job.channel("train", dense, RECORDIO)
    expected = job.trained(**REGRESSOR, unbias_data="false").scores
    job.channel("train", sparse, RECORDIO)
    assert job.trained(**REGRESSOR, unbias_data="false").scores == pytest.approx(expected, rel=1e-3)
    assert job.trained(**REGRESSOR, unbias_data="true", feature_dim=2).scores["train mse"] > 0


def test_a_column_of_one_number_says_nothing(job):
    """Such as 3.3 in each sparse record: roundings are no spread to divide it by."""
    table = [(y, a - 100, b / 50) for y, a, b in line()]
    sparse = recordio.write(
        Record({"values": Tensor([a, b, 3.3], [0, 1, 2], [3])}, {"values": Tensor([y])}) for y, a, b in table
    )
    job.channel("train", sparse, RECORDIO)
    assert job.trained(**REGRESSOR, epochs=100).scores["train mse"] < 0.05


def test_features_of_any_size_are_learned_from(job):
    job.channel("train", csv([(y, (a - 100) * 1e-22, b * 1e22) for y, a, b in line()]))
    assert job.trained(**REGRESSOR, epochs=100).scores["train mse"] < 0.05


def test_sparse_records_may_have_more_features_than_are_seen(job):
    rows = [Record({"values": Tensor([1.0], [n % 5])}, {"values": Tensor([n % 5])}) for n in range(100)]
    job.channel("train", recordio.write(rows), RECORDIO)
    assert job.trained(**REGRESSOR, feature_dim=1000).scores["train mse"] < 0.5


def test_several_files_are_one_data_set(job):
    job.channel("train", csv(line()))
    whole = job.trained(**REGRESSOR).scores
    job.channel("train", [csv(line()[:100]), b"", csv(line()[100:])])
    assert job.trained(**REGRESSOR).scores == whole


@pytest.mark.parametrize("kind", [CSV, RECORDIO])
def test_pipes_are_read_once(job, kind):
    content = csv(line()) if kind == CSV else records(line())
    job.channel("train", content, kind)
    expected = job.trained(**REGRESSOR).scores
    job.channel("train", [], kind, TrainingInputMode="Pipe")
    pipe = job.opt.base / "input/data/train_0"
    os.mkfifo(pipe)
    process = job.start(**REGRESSOR)
    feeder = threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    feeder.start()
    result = job.end(process)
    feeder.join(60)
    assert result.code == 0, result.log
    assert result.scores == expected


def test_the_same_job_gives_the_same_model(job):
    job.channel("train", csv(sides()))
    job.trained(**BINARY)
    first = (job.opt.base / "model/model_algo-1").read_bytes()
    job.trained(**BINARY)
    assert (job.opt.base / "model/model_algo-1").read_bytes() == first


def test_without_validation_the_training_data_is_measured(job):
    job.channel("train", csv(sides()))
    result = job.trained(**BINARY)
    assert "train binary_classification_accuracy" in result.scores
    assert not any(name.startswith(("validation", "test")) for name in result.scores)
    assert "Test data is not provided." in result.log


def test_the_log_is_read_by_aws_metric_definitions(job):
    for name, rows in (("train", sides(400, 2)), ("validation", sides(100, 5)), ("test", sides(100, 6))):
        job.channel(name, csv(rows))
    result = job.trained(**BINARY)
    definitions = [
        {"Name": metric.name, "Regex": metric.regex} for metric in Catalogue().resolve(IMAGE).metric_definitions
    ]
    lines = [(number, text) for number, text in enumerate(result.log.splitlines())]
    found = {metric["MetricName"]: metric["Value"] for metric in final_metrics(reversed(lines), definitions)}
    assert {
        *("train:objective_loss", "train:progress", "train:throughput", "validation:objective_loss"),
        *("validation:objective_loss:final", "validation:binary_classification_accuracy", "validation:binary_f_beta"),
        *("validation:precision", "validation:recall", "validation:roc_auc_score", "test:objective_loss"),
        *("test:binary_classification_accuracy", "test:binary_f_beta", "test:precision", "test:recall"),
    } <= set(found)
    assert found["test:binary_classification_accuracy"] == result.scores["test binary_classification_accuracy"]
    assert re.search(
        r"^\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d INFO \d+\] #quality_metric: host=algo-1, epoch=0, ", result.log, re.M
    )
    assert re.search(r"#validation_score \(algo-1\) : \('binary_f_1\.000', 0\.\d+\)", result.log)


def test_thirty_two_candidates_are_tried_where_nothing_is_set(job):
    job.channel("train", csv(sides()))
    assert "Training 32 candidate models with 2 features." in job.trained(**BINARY).log


def test_what_is_set_is_kept_and_only_the_rest_is_varied(job):
    job.channel("train", csv(sides()))
    given = {"l1": 0.01, "wd": 0.02, "learning_rate": 0.03, "lr_scheduler_step": 7, "lr_scheduler_factor": 0.9}
    result = job.trained(**BINARY, **given, lr_scheduler_minimum_lr=0.001, optimizer="rmsprop")
    assert "Training 1 candidate models" in result.log
    assert result.best == {**given, "lr_scheduler_minimum_lr": 0.001, "optimizer": "rmsprop"}
    assert "Training 4 candidate models" in job.trained(**BINARY, num_models=4).log


def test_l1_makes_features_that_say_nothing_count_less(job):
    job.channel("train", csv(sides()))
    job.channel("test", csv([(0, 0.0, 5.0), (1, 2.0, -5.0)] * 50))
    bare = job.trained(**BINARY, l1=0, wd=0, epochs=40).scores
    assert job.trained(**BINARY, l1=0.2, wd=0, epochs=40).scores != bare


def test_training_ends_early_where_nothing_gets_better(job):
    job.channel("train", csv(sides()))
    assert job.trained(**BINARY, epochs=200, early_stopping_tolerance=0.01).epochs < 60
    assert job.trained(**BINARY, epochs=30, early_stopping_patience=31).epochs == 30


@pytest.mark.parametrize(
    ("criterion", "score", "least"),
    [("precision_at_target_recall", "recall", 0.95), ("recall_at_target_precision", "precision", 0.95)],
)
def test_the_threshold_keeps_the_target(job, criterion, score, least):
    job.channel("train", csv(sides(2000)))
    job.channel("validation", csv(sides(2000, 9)))
    target = "target_recall" if score == "recall" else "target_precision"
    scores = job.trained(**BINARY, binary_classifier_model_selection_criteria=criterion, **{target: least}).scores
    assert least - 0.001 <= scores[f"validation {score}"] <= least + 0.02


def test_the_f_score_asks_for_another_threshold_than_accuracy_where_classes_are_uneven(job):
    job.channel("train", csv(sides(3000, share=0.1)))
    accurate = job.trained(**BINARY).scores
    balanced = job.trained(**BINARY, binary_classifier_model_selection_criteria="f_beta", f_beta=2).scores
    assert balanced["train recall"] > accurate["train recall"]
    assert balanced["train binary_f_2.000"] > 0.5


@pytest.mark.parametrize("criterion", ["loss_function", "cross_entropy_loss"])
def test_chosen_by_the_loss_the_threshold_is_one_half(job, criterion):
    job.channel("train", csv(sides()))
    job.trained(**BINARY, binary_classifier_model_selection_criteria=criterion)
    assert weights(job)[1]["threshold"] == 0.5


def test_balanced_weights_find_more_of_the_rare_class(job):
    job.channel("train", csv(sides(3000, share=0.1)))
    by_loss = {"binary_classifier_model_selection_criteria": "loss_function"}
    even = job.trained(**BINARY, **by_loss).scores["train recall"]
    balanced = job.trained(**BINARY, **by_loss, positive_example_weight_mult="balanced").scores["train recall"]
    assert balanced > even + 0.2


def test_automatic_weights_of_class_one_are_tried_in_both_kinds(job):
    job.channel("train", csv(sides(3000, share=0.1)))
    criterion = {"binary_classifier_model_selection_criteria": "f_beta", "f_beta": 2}
    result = job.trained(**BINARY, **criterion, positive_example_weight_mult="auto")
    assert "Training 32 candidate models" in result.log
    assert result.scores["train binary_f_2.000"] > 0.5


def test_balanced_classes_count_the_same(job):
    draw = random.Random(4)
    rows = [(k, round(draw.gauss(k, 1.0), 4)) for k in (min(draw.randrange(12), 2) for _ in range(2000))]
    job.channel("train", csv(rows))
    plain = job.trained(**CLASSES).scores["train macro_recall"]
    assert job.trained(**CLASSES, balance_multiclass_weights="true").scores["train macro_recall"] > plain + 0.05


def test_several_classes_report_their_scores(job):
    job.channel("train", csv(corners()))
    scores = job.trained(**CLASSES, accuracy_top_k=2).scores
    names = "multiclass_accuracy multiclass_top_k_accuracy_2 dcg macro_recall macro_precision macro_f_1.000"
    assert all(0.9 < scores[f"train {name}"] <= 1 for name in names.split())


def test_data_without_scaling_and_without_bias_is_learned_too(job):
    job.channel("train", csv([(3 * a, a) for a in (n / 100 for n in range(300))]))
    plain = {"normalize_data": "false", "normalize_label": "false", "use_bias": "false", "init_method": "normal"}
    assert job.trained(**REGRESSOR, **plain, epochs=60).scores["train mse"] < 0.01


def test_a_job_that_is_stopped_keeps_its_model(job):
    job.channel("train", csv(line(2000)))
    process = job.start(**REGRESSOR, epochs=100_000, early_stopping_patience=100_000)
    while "progress_metric" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    assert job.end(process).code == 0
    assert (job.opt.base / "model/model_algo-1").exists()


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"a,b\n1,2\n", CSV, "could not convert string to float: 'a'"),
        (b"1,2\n1,,3\n", CSV, "rows have between 2 and 3 columns"),
        (b"1,2\n1,\n", CSV, "could not convert string to float: ''"),
        (b"1,2,3,4,5\n", RECORDIO, "wrong magic number"),
    ],
)
def test_what_the_content_type_does_not_say_is_refused(job, content, kind, reason):
    job.channel("train", content, kind)
    result = job.run(**{**REGRESSOR, "mini_batch_size": 1})
    assert result.code == 1
    assert result.failure.startswith(
        f"ClientError: Unable to read data channel 'train'. Requested content-type is '{kind}'. Please verify the data "
        "matches the requested content-type. (caused by MXNetError)\n\nCaused by: "
    )
    assert reason in result.failure


@pytest.mark.parametrize("content", [b"", csv([(1, 2)] * 49)])
def test_fewer_records_than_a_batch_are_refused(job, content):
    job.channel("train", content)
    assert job.run(**REGRESSOR).failure == (
        "ClientError: No training data processed. Either the training channel is empty or the mini-batch size is too "
        "high. Verify that training data contains non-empty files and the mini-batch size is less than the number of "
        "records per training host."
    )


# No public source shows what AWS says in the following cases.


@pytest.mark.parametrize(
    ("rows", "given", "reason"),
    [
        ([(2, 1.0)] * 60, BINARY, "holds the label 2. Labels of 2 classes must be whole numbers from 0 to 1."),
        ([(0.5, 1.0)] * 60, CLASSES, "holds the label 0.5. Labels of 3 classes"),
        ([(1, "nan")] * 60, REGRESSOR, "Channel 'train' holds values that are no finite numbers."),
        ([(1, 2, 3)] * 60, {**REGRESSOR, "feature_dim": 5}, "2 features, which is not the value of feature_dim, 5."),
    ],
)
def test_data_that_does_not_fit_is_refused(job, rows, given, reason):
    job.channel("train", csv(rows))
    assert reason in job.run(**given).failure


def test_channels_of_another_width_or_without_rows_are_refused(job):
    job.channel("train", csv(line()))
    job.channel("validation", b"")
    assert "Channel 'validation' is empty." in job.run(**REGRESSOR).failure
    job.channel("validation", csv([(1, 2)]))
    (job.opt.base / "output/failure").unlink()
    assert "Channel 'validation' has 1 features where others have 2." in job.run(**REGRESSOR).failure


def test_records_without_labels_are_refused(job):
    job.channel("train", recordio.write(Record({"values": Tensor([1.0])}, {}) for _ in range(60)), RECORDIO)
    assert "Channel 'train' has no labels" in job.run(**REGRESSOR).failure


@pytest.mark.parametrize(
    ("channels", "cause"),
    [
        ({"validation": {}}, "'train' is a required property"),
        ({"train": {}, "code": {}}, "Additional properties are not allowed ('code' was unexpected)"),
        ({"train": {"ContentType": "text/libsvm"}}, "'text/libsvm' is not one of"),
        ({"train": {"ContentType": "text/csv;label_size=0"}}, "'text/csv;label_size=0' is not one of"),
    ],
)
def test_channels_are_checked(job, channels, cause):
    job.channels = channels
    failure = job.run(**REGRESSOR).failure
    assert failure.startswith(
        "ClientError: Unable to initialize the algorithm. Failed to validate input data configuration. (caused by "
        "ValidationError)\n\nCaused by: "
    )
    assert cause in failure


def test_a_wrong_hyperparameter_is_the_reason_of_the_failure(job):
    job.channel("train", csv(line()))
    assert job.run(**REGRESSOR, epochs=0).failure.startswith(
        "ClientError: The value '0' is not valid for the 'epochs' hyperparameter which expects one of the following: "
        "an integer greater than 1 (caused by ValidationError)"
    )
