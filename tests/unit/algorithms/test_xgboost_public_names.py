"""Scripts import the public XGBoost container's modules by their names, and find what those find."""

import json

import pytest

from tests.unit.algorithms.test_xgboost_jobs import HOUSES, SERVE, TRAIN, Job

TRAINING = """\
import os, sys
from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_training import environment
from sagemaker_xgboost_container import checkpointing, distributed
from sagemaker_xgboost_container.data_utils import get_content_type, get_dmatrix, get_size
from sagemaker_xgboost_container.constants.xgb_constants import MODEL_NAME

def boost(train, validation, is_master):
    args = dict(params={"objective": "reg:squarederror"}, dtrain=train, num_boost_round=4,
                evals=[(train, "train"), (validation, "validation")])
    booster = checkpointing.train(args, os.environ["CHECKPOINTS"])
    if is_master:
        booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], MODEL_NAME))

kind = get_content_type("text/csv; label_size=1")
train = get_dmatrix(os.environ["SM_CHANNEL_TRAIN"], kind)
validation = get_dmatrix(os.environ["SM_CHANNEL_VALIDATION"], kind)
print("rows", train.num_row(), validation.num_row(), get_size(os.environ["SM_CHANNEL_TRAIN"]) > 0)
found = environment.Environment()
distributed.rabit_run(boost, dict(train=train, validation=validation), train is not None,
                      found.hosts, found.current_host, update_rabit_args=True)
try:
    get_content_type("text/plain")
except UserError as error:
    print("refused", error)
"""

SERVING = """\
import os
import xgboost
from sagemaker_inference import encoder
from sagemaker_xgboost_container import encoder as xgb_encoders

def model_fn(folder):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(folder, "xgboost-model"))
    return booster

def input_fn(body, content_type):
    if content_type == "text/libsvm":
        return xgb_encoders.libsvm_to_dmatrix(body)
    return xgb_encoders.csv_to_dmatrix(body)
"""


@pytest.fixture
def job(opt, xgboost_python, tmp_path):
    job = Job(opt, xgboost_python)
    opt.env["CHECKPOINTS"] = str(tmp_path / "checkpoints")
    opt.script(TRAINING)
    return job


def test_a_training_script_reads_boosts_and_goes_on_at_its_checkpoint(job, tmp_path):
    done = job.opt.train(job.python, TRAIN, "1.7-1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rows 150 50 True" in done.stdout
    assert "refused text/plain is not an accepted ContentType" in done.stdout
    assert "[3]#011train-rmse:" in done.stdout
    assert (tmp_path / "checkpoints/xgboost-checkpoint.3").exists()
    assert [path.name for path in job.model.iterdir()] == ["xgboost-model"]
    job.opt.script(TRAINING.replace("num_boost_round=4", "num_boost_round=6"))
    (job.opt.base / "sources/train.py").replace(job.opt.base / "code/train.py")
    again = job.opt.train(job.python, TRAIN, "1.7-1")
    assert "[4]#011train-rmse:" in again.stdout, again.stdout + again.stderr
    assert "[3]#011" not in again.stdout


def test_an_inference_script_reads_requests(job, serve, xgboost_python):
    assert job.opt.train(job.python, TRAIN, "1.7-1").returncode == 0
    (job.model / "code").mkdir()
    (job.model / "code/inference.py").write_text(SERVING)
    server = serve(xgboost_python, SERVE, "1.7-1", SAGEMAKER_PROGRAM="inference.py")
    asked = [row[1:] for row in HOUSES[:2]]
    csv = "\n".join(",".join(map(str, row)) for row in asked)
    svm = "\n".join("0 " + " ".join(f"{column}:{value}" for column, value in enumerate(row)) for row in asked)
    answer = json.loads(server.invoke(csv, accept="application/json")[1])
    assert len(answer) == 2
    assert json.loads(server.invoke(svm, "text/libsvm", accept="application/json")[1]) == answer
