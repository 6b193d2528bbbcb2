"""Jobs of JumpStart's scripts, run as a container would, in forks of a process that has imported the library."""

import contextlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from clary.algorithms.gradient_boosting import scripts
from tests.unit.algorithms.jobs import warm_of

IMAGES = {
    "lightgbm": "763104351884.dkr.ecr.us-east-1.amazonaws.com/jumpstart-lightgbm:4.6.0-cpu-py311",
    "catboost": "763104351884.dkr.ecr.us-east-1.amazonaws.com/jumpstart-catboost:1.2.10-cpu-py311",
}
ROOT = Path(__file__).parents[4]
HOUSING = ROOT / "examples" / "boston_housing" / "boston_housing.csv"
PATIENTS = ROOT / "src" / "clary" / "demo" / "heart_failure.csv"


def table(path):
    """Rows of numbers, the target, which is the last column there, first; without the header."""
    lines = path.read_text().splitlines()[1:]
    cells = [line.split(",") for line in lines if line]
    return "".join(",".join([row[-1], *row[:-1]]) + "\n" for row in cells)


@pytest.fixture(scope="session")
def warm():
    """Library → its process."""
    return lambda library: warm_of(IMAGES[library])


@dataclass
class Result:
    code: int
    log: str
    failure: str | None
    model: Path


class Job:
    """A job on an `/opt/ml` of its own."""

    def __init__(self, opt, warm, library, task):
        self.opt, self.warm = opt, warm(library)
        shutil.rmtree(opt.base / "code", ignore_errors=True)
        (opt.base / "sources" / scripts.TRAINING_PROGRAM).write_text(scripts.training(library, library, task))
        self.opt.env.update(self.warm.env)
        self.channels = {}

    def file(self, place, content):
        """A file of a channel: `training/train/data.csv`."""
        path = self.opt.base / "input/data" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        self.channels.setdefault(place.split("/")[0], {"TrainingInputMode": "File", "ContentType": "text/csv"})
        return self

    def run(self, **hyperparameters):
        self.opt.write("inputdataconfig.json", self.channels)
        given = {name: json.dumps(str(value)) for name, value in hyperparameters.items()}
        program = {
            "sagemaker_program": json.dumps(scripts.TRAINING_PROGRAM),
            "sagemaker_submit_directory": json.dumps(str(self.opt.base / "sources")),
        }
        self.opt.write("hyperparameters.json", {**program, **given})
        log = self.opt.base / "log"
        code = self.warm.run("clary.toolkit.train", log, self.opt.env)
        return Result(code, log.read_text(), self.opt.failure(), self.opt.base / "model")

    def trained(self, **hyperparameters):
        result = self.run(**hyperparameters)
        assert result.code == 0, result.log
        return result

    def refused(self, **hyperparameters):
        """Why."""
        result = self.run(**hyperparameters)
        assert result.code == 1, result.log
        return result.failure

    def reference(self, text, *names):
        """What a program of the library's user prints last, as JSON; `names` are formatted into it."""
        path = self.opt.base / "reference.py"
        path.write_text(text)
        log = self.opt.base / "reference.log"
        assert self.warm.run(path, log, self.opt.env) == 0, log.read_text()
        return json.loads(log.read_text().splitlines()[-1])


@pytest.fixture
def job(opt, warm):
    """`job("lightgbm", "regression")`."""
    with contextlib.suppress(FileNotFoundError):
        (opt.base / "output/failure").unlink()
    return lambda library, task: Job(opt, warm, library, task)
