"""Built-in XGBoost 1.7-1: whole jobs on a small table, and answers to the byte."""

import csv
import json
import re
import signal
import subprocess

import pytest

from clary.formats import recordio
from clary.formats.recordio import Record, Tensor

TRAIN, SERVE = "clary.algorithms.xgboost.train", "clary.algorithms.xgboost.serve"
HOUSES = [
    [round(value, 3) for value in (20 + row % 7, row % 5, row * 0.1 % 3, (row * 37 % 11) / 11)] for row in range(200)
]
"""Label first; made so that trees find something in it."""


class Job:
    """A job of the built-in algorithm on the rows above."""

    def __init__(self, opt, python):
        self.opt, self.python = opt, python
        self.channel("train", "text/csv", self.csv(HOUSES[:150]))
        self.channel("validation", "text/csv", self.csv(HOUSES[150:]))
        self.parameters = {"num_round": "5", "objective": "reg:squarederror"}

    @staticmethod
    def csv(rows):
        return "".join(",".join(map(str, row)) + "\n" for row in rows)

    def channel(self, name, content_type, *contents):
        folder = self.opt.base / "input/data" / name
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for number, content in enumerate(contents):
            data = content if isinstance(content, bytes) else content.encode()
            (folder / f"part-{number}").write_bytes(data)
        path = self.opt.base / "input/config/inputdataconfig.json"
        channels = json.loads(path.read_text())
        channels[name] = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
        if content_type:
            channels[name]["ContentType"] = content_type
        self.opt.write("inputdataconfig.json", channels)

    def without(self, name):
        path = self.opt.base / "input/config/inputdataconfig.json"
        self.opt.write("inputdataconfig.json", {k: v for k, v in json.loads(path.read_text()).items() if k != name})

    def run(self, image="1.7-1", **parameters):
        self.opt.write("hyperparameters.json", {**self.parameters, **parameters})
        return self.opt.train(self.python, TRAIN, image)

    @property
    def model(self):
        return self.opt.base / "model"


@pytest.fixture
def job(opt, xgboost_python):
    return Job(opt, xgboost_python)


def rounds(result):
    return [line for line in result.stdout.splitlines() if line.startswith("[") and "#011" in line]


def test_a_job_prints_a_line_a_round_and_leaves_the_model(job):
    result = job.run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(rounds(result)) == 5
    assert re.fullmatch(r"\[0\]#011train-rmse:\d+\.\d{5}#011validation-rmse:\d+\.\d{5}", rounds(result)[0])
    assert [path.name for path in job.model.iterdir()] == ["xgboost-model"]


def test_without_validation_only_train_is_reported(job):
    job.without("validation")
    assert "validation" not in rounds(job.run())[0]


def test_several_metrics_and_added_ones_are_printed(job):
    job.channel("train", "csv", job.csv([[i % 2, i % 2 + 0.1, i % 3] for i in range(100)]))
    job.channel("validation", "csv", job.csv([[i % 2, i % 2 + 0.1, i % 3] for i in range(40)]))
    result = job.run(objective="binary:logistic", eval_metric="logloss,accuracy,f1")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "validation-logloss:" in rounds(result)[-1]
    assert "validation-accuracy:1.00000" in rounds(result)[-1]
    assert "validation-f1:1.00000" in rounds(result)[-1]


def test_the_tuners_metric_is_evaluated(job):
    assert "validation-mae:" in rounds(job.run(_tuning_objective_metric="validation:mae"))[0]


def test_training_stops_early_on_the_last_metric(job):
    result = job.run(num_round="200", early_stopping_rounds="3", eval_metric="rmse", eta="1")
    assert 3 <= len(rounds(result)) < 200


def test_libsvm_is_the_default_and_equals_csv(job):
    csv_lines = rounds(job.run())
    lines = "".join(f"{y} " + " ".join(f"{i}:{v}" for i, v in enumerate(x)) + "\n" for y, *x in HOUSES[:150])
    job.channel("train", None, lines)
    lines = "".join(f"{y} " + " ".join(f"{i}:{v}" for i, v in enumerate(x)) + "\n" for y, *x in HOUSES[150:])
    job.channel("validation", "text/libsvm", lines)
    assert rounds(job.run()) == csv_lines


def test_recordio_equals_csv(job):
    csv_lines = rounds(job.run())
    for name, rows in (("train", HOUSES[:150]), ("validation", HOUSES[150:])):
        records = [Record({"values": Tensor(x)}, {"values": Tensor([y])}) for y, *x in rows]
        job.channel(name, "application/x-recordio-protobuf", recordio.write(records))
    assert rounds(job.run()) == csv_lines


def test_several_files_and_folders_are_one_data_set(job):
    whole = rounds(job.run())
    job.channel("train", "text/csv", job.csv(HOUSES[:70]), job.csv(HOUSES[70:150]))
    assert rounds(job.run()) == whole


def test_weights_stand_in_the_second_column(job):
    job.without("validation")
    job.channel("train", "text/csv", job.csv([[y, 1 if y < 23 else 1000, *x] for y, *x in HOUSES]))
    assert rounds(job.run(csv_weights="1")) != rounds(job.run(csv_weights="0"))


def test_parquet_is_read(job, xgboost_python):
    csv_lines = rounds(job.run())
    for name in ("train", "validation"):
        path = job.opt.base / "input/data" / name / "part-0"
        code = (
            "import pandas, sys; f = pandas.read_csv(sys.argv[1], header=None);"
            " f.columns = [str(c) for c in f.columns]; f.astype(float).to_parquet(sys.argv[1])"
        )
        subprocess.run([xgboost_python, "-c", code, str(path)], check=True, timeout=240)
        job.channel(name, "application/x-parquet", path.read_bytes())
    assert rounds(job.run()) == csv_lines


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda job: job.parameters.update(eta="7"), r"Hyperparameter eta: 7.0 is not in [0, 1]"),
        (lambda job: job.without("train"), "Missing required channel: train"),
        (lambda job: job.channel("test", "text/csv", "1,2\n"), "Extraneous channel found: test"),
        (lambda job: job.channel("train", "text/plain", "1,2\n"), "text/plain is not an accepted ContentType"),
        (lambda job: job.channel("train", "text/csv;label_size=2", "1,2\n"), "label_size must be equal to 1"),
        (lambda job: job.channel("train", "text/csv", ""), "No data in training channel path"),
        (lambda job: job.channel("train", "text/libsvm", "a,b\n"), "is not 'LIBSVM' format"),
        (lambda job: job.channel("train", "application/x-recordio-protobuf", "x" * 99), "wrong magic number"),
        (
            lambda job: job.parameters.update(objective="binary:logistic"),
            "label must be in [0,1] for logistic regression",
        ),
    ],
)
def test_what_the_user_can_mend_is_a_client_error(job, change, message):
    change(job)
    result = job.run()
    assert result.returncode == 1, result.stdout
    assert job.opt.failure().startswith("ClientError: ")
    assert message in job.opt.failure()


def test_cross_validation_keeps_every_folds_model_and_the_predictions(job):
    result = job.run(_kfold="3", _num_cv_round="2")
    assert result.returncode == 0, result.stdout + result.stderr
    assert sorted(path.name for path in job.model.iterdir()) == [f"xgboost-model-{fold}" for fold in range(6)]
    rows = list(csv.reader((job.opt.base / "output/data/predictions.csv").open()))
    assert len(rows) == 200
    assert len(rows[0]) == 2


def test_checkpoints_are_written_and_taken_up(job, tmp_path):
    folder = tmp_path / "checkpoints"
    job.opt.write("checkpointconfig.json", {"LocalPath": str(folder)})
    assert len(rounds(job.run(num_round="8"))) == 8
    assert sorted(path.name for path in folder.iterdir()) == [f"xgboost-checkpoint.{n}" for n in range(3, 8)]
    result = job.run(num_round="10")
    assert "Resuming from iteration 8" in result.stdout
    assert len(rounds(result)) == 2


def test_a_stopped_job_keeps_the_model_of_its_last_round(job, xgboost_python):
    job.opt.write(
        "hyperparameters.json",
        {**job.parameters, "num_round": "1000000", "save_model_on_termination": "true"},
    )
    process = subprocess.Popen(
        [xgboost_python, "-m", TRAIN, "1.7-1"], env=job.opt.env, stdout=subprocess.PIPE, text=True
    )
    try:
        next(line for line in process.stdout if line.startswith("[2]#011"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    assert [path.name for path in job.model.iterdir()] == ["xgboost-model"]


def test_script_mode_runs_the_users_script(opt, xgboost_python):
    opt.script("import xgboost\nprint('version', xgboost.__version__)")
    assert "version 1.7.4" in opt.train(xgboost_python, TRAIN, "1.7-1").stdout


ROWS = "\n".join(",".join(map(str, x)) for _, *x in HOUSES[:3])


@pytest.fixture
def endpoint(job, serve, xgboost_python):
    """A trained model, served as an image of that version does; with what XGBoost itself predicts."""

    def start(image="1.7-1", rows=ROWS, parameters=(), **env):
        result = job.run(image, **dict(parameters))
        assert result.returncode == 0, result.stdout + result.stderr
        code = (
            "import json, os, pickle, sys, numpy, xgboost\nb = xgboost.Booster()\npath = sys.argv[1]\n"
            "try: b.load_model(path)\nexcept Exception: b = pickle.load(open(path, 'rb'))\n"
            "m = numpy.array([[float(c) for c in r.split(',')] for r in sys.argv[2].split('\\n')])\n"
            "print(json.dumps(b.predict(xgboost.DMatrix(m), validate_features=False).tolist()))"
        )
        model = next(iter(sorted(job.model.iterdir())))
        out = subprocess.run(
            [xgboost_python, "-c", code, str(model), rows], capture_output=True, text=True, check=True, timeout=240
        ).stdout
        return serve(xgboost_python, SERVE, image, **env), json.loads(out)

    return start


def test_requests_that_wait_are_computed_together_and_none_shows_it(endpoint):
    server, _ = endpoint()
    first = ROWS.splitlines()[0]
    bodies = [*ROWS.splitlines(), ROWS, "x", "", first + ",1,2", *ROWS.splitlines()] * 3
    accepts = ("application/json", "text/csv", "application/jsonlines", "image/png")
    asked = [(body, "text/csv", accepts[place % 4]) for place, body in enumerate(bodies)]
    asked.insert(4, ("1:0.5 2:1", "text/libsvm", "text/csv"))
    alone = [server.invoke(body, kind, accept=accept)[:2] for body, kind, accept in asked]
    assert server.together(asked) == alone


def test_real_time_answers_to_the_byte(endpoint):
    server, expected = endpoint()
    assert server.invoke(ROWS)[:2] == (200, "".join(f"{value}\n" for value in expected).encode())
    _, body, headers = server.invoke(ROWS, accept="application/json")
    assert body == json.dumps({"predictions": [{"score": value} for value in expected]}).encode()
    assert headers["content-type"] == "application/json"


def test_early_images_answer_with_commas(endpoint, job):
    server, expected = endpoint("1.2-1")
    assert (job.model / "xgboost-model").read_bytes()[:2] == b"\x80\x04"
    assert server.invoke(ROWS)[:2] == (200, ",".join(map(str, expected)).encode())


def test_one_of_many_models_answers_as_the_other_server_of_the_image_does(endpoint, job):
    server, expected = endpoint(SAGEMAKER_MULTI_MODEL="true")
    server.request("POST", "/models", json.dumps({"model_name": "m", "url": str(job.model)}))

    def answer(**headers):
        return server.request("POST", "/models/m/invoke", ROWS, Content_Type="text/csv", **headers)[:2]

    assert answer() == answer(accept="*/*") == answer(accept="application/json") == (200, json.dumps(expected).encode())
    assert answer(accept="text/csv") == (200, ",".join(map(str, expected)).encode())
    status, said = answer(accept="image/png")
    assert (status, b"image/png is not an accepted Accept type" in said) == (415, True)


def test_batch_answers_one_line_a_record(endpoint):
    server, expected = endpoint(SAGEMAKER_BATCH="true")
    assert server.invoke(ROWS)[1] == "".join(f"{value}\n" for value in expected).encode()
    _, body, _ = server.request("GET", "/execution-parameters")
    assert json.loads(body) == {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}


def test_all_request_formats_agree(endpoint):
    server, _ = endpoint()
    csv_answer = server.invoke(ROWS)[1]
    svm = "\n".join("0 " + " ".join(f"{i}:{v}" for i, v in enumerate(row.split(","))) for row in ROWS.split("\n"))
    assert server.invoke(svm, "text/libsvm")[1] == csv_answer
    records = [Record({"values": Tensor([float(cell) for cell in row.split(",")])}, {}) for row in ROWS.split("\n")]
    assert server.invoke(recordio.write(records), "application/x-recordio-protobuf")[1] == csv_answer
    assert server.invoke(ROWS.replace(",", ";") + "\n")[1] == csv_answer


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "status"),
    [
        ("", "text/csv", {}, 204),
        ("1,a,3", "text/csv", {}, 415),
        ("1,2\n1,2,3", "text/csv", {}, 415),
        (b"\xff", "text/csv", {}, 415),
        ("1 a:b", "text/libsvm", {}, 415),
        ("1 -5:2", "text/libsvm", {}, 415),
        ("nonsense", "application/x-recordio-protobuf", {}, 415),
        ("{}", "application/json", {}, 415),
        (ROWS, "text/csv", {"accept": "image/png"}, 406),
    ],
)
def test_bad_requests_are_refused_and_the_model_lives(endpoint, body, content_type, headers, status):
    server, _ = endpoint()
    assert server.invoke(body, content_type, **headers)[0] == status
    assert server.invoke(ROWS)[0] == 200


def test_selected_parts_of_predictions(endpoint, job):
    rows = [[i % 3, i % 3 + 0.1, i % 2] for i in range(90)]
    job.channel("train", "csv", job.csv(rows))
    job.without("validation")
    server, expected = endpoint(
        rows="0.1,0\n1.1,0",
        parameters={"objective": "multi:softprob", "num_class": "3"},
        SAGEMAKER_INFERENCE_OUTPUT="predicted_label, probabilities, labels",
    )
    body = json.loads(server.invoke("0.1,0\n1.1,0", accept="application/json")[1])
    assert body["predictions"][1] == {
        "predicted_label": 1,
        "probabilities": expected[1],
        "labels": [0, 1, 2],
    }
    assert server.invoke("0.1,0")[1].decode() == f'0,"{expected[0]}","[0, 1, 2]"'


def test_several_models_are_averaged(endpoint, job):
    server, _ = endpoint(parameters={"_kfold": "2"})
    assert len(server.invoke(ROWS)[1].decode().split()) == 3


def test_script_mode_serves_the_users_functions(opt, serve, xgboost_python):
    (opt.base / "model/code").mkdir()
    (opt.base / "model/code/inference.py").write_text(
        "class M:\n    def predict(self, m): return [m.num_row(), m.num_col()]\ndef model_fn(d): return M()\n"
    )
    server = serve(xgboost_python, SERVE, "1.7-1", SAGEMAKER_PROGRAM="inference.py")
    assert server.invoke("1,2,3\n4,5,6", accept="application/json")[1] == b"[2, 3]"


def test_the_first_image_knows_no_scripts(endpoint, job):
    server, expected = endpoint("1", SAGEMAKER_PROGRAM="inference.py")
    assert server.invoke(ROWS)[:2] == (200, ",".join(map(str, expected)).encode())


def test_what_the_library_says_is_not_lost_among_its_frames(job):
    """XGBoost's own error ends in addresses of its C++ code, longer than FailureReason may be."""
    job.channel("train", "text/csv", job.csv(HOUSES))
    result = job.run("1.7-1", objective="reg:squarederror", num_round="1", tree_method="gpu_hist")
    assert result.returncode == 1
    failure = job.opt.failure()
    assert "XGB train call failed with exception" in failure
    assert "Stack trace" not in failure
    assert "Stack trace" in result.stdout
