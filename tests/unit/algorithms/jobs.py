"""Jobs of built-in algorithms, run as a container would."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from clary.formats import recordio
from clary.formats.recordio import Record, Tensor
from clary.images.catalogue import Catalogue
from clary.images.environments import Environments
from clary.settings import default_cache_dir
from tests.unit.toolkit.containers import SOURCES

CSV, RECORDIO = "text/csv", "application/x-recordio-protobuf"


def image_of(repository, account="382416733822"):
    """Of one of AWS's own algorithms in us-east-1."""
    return f"{account}.dkr.ecr.us-east-1.amazonaws.com/{repository}:1"


def python_of(image):
    """The Python of the image's environment; built on first use, kept in the user's cache."""
    environment = Catalogue().resolve(image).environment
    environments = Environments(default_cache_dir())
    return str(environments.ready(environment) or environments.build(environment, print))


class Warm:
    """A process that has imported what Clary imports before an image's containers start, and forks for each of them."""

    def __init__(self, image):
        resolved = Catalogue().resolve(image)
        self.env, self.python = dict(resolved.env), python_of(image)
        self._process = subprocess.Popen(
            [self.python, Path(__file__).parent / "warm.py", *resolved.environment.preload],
            env={"PYTHONPATH": SOURCES, **self.env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, program, log, env, args=()):
        """How a module or a file, run as a program, has ended; what it says stands in `log`."""
        asked = {"program": str(program), "args": args, "log": str(log), "env": env}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait(60)


_WARM = {}


def warm_of(image):
    """The one process of an image."""
    if image not in _WARM:
        _WARM[image] = Warm(image)
    return _WARM[image]


def end_warm():
    """Once no test follows."""
    while _WARM:
        _WARM.popitem()[1].close()


def csv(rows):
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def records(rows):
    return recordio.write(Record({"values": Tensor(x)}, {"values": Tensor([y])}) for y, *x in rows)


@dataclass
class Result:
    """How a job ended, and what its log holds."""

    code: int
    log: str
    failure: str | None
    scores: dict = field(default_factory=dict)

    def __post_init__(self):
        found = re.findall(r"#quality_metric: host=\S+, (\w+) (\S+) <\w+>=(\S+)", self.log)
        self.scores = {f"{data} {name}": float(value) for data, name, value in found}

    @property
    def epochs(self):
        return self.log.count("#progress_metric")

    def last(self, name):
        """A figure of the last `#metrics` line."""
        return json.loads(re.findall(r"^#metrics (.*)", self.log, re.MULTILINE)[-1])["Metrics"][name]["sum"]

    @property
    def best(self):
        return json.loads(re.search(r"Best model found for hyperparameters: (.*)", self.log)[1])


def serving(image):
    """What `serve` of tests.unit.toolkit.containers is given after the Python."""
    program = Catalogue().resolve(image).serve
    return program.module, *program.args


class Job:
    """A job of the image's algorithm on an `/opt/ml` of its own."""

    def __init__(self, opt, image):
        self.opt, self.image, self.python = opt, image, python_of(image)
        self.program = Catalogue().resolve(image).train
        opt.env.update(Catalogue().resolve(image).env)
        self.channels = {}

    def channel(self, name, content, content_type=CSV, **config):
        """Files of a channel: bytes, or a list of them, or the path of one."""
        folder = self.opt.base / "input/data" / name
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for number, part in enumerate(content if isinstance(content, list) else [content]):
            path = folder / f"part-{number}"
            path.symlink_to(part) if isinstance(part, Path) else path.write_bytes(part)
        described = {"TrainingInputMode": "File", "ContentType": content_type, **config}
        self.channels[name] = {key: value for key, value in described.items() if value}

    def _asked(self, hyperparameters):
        self.opt.write("inputdataconfig.json", self.channels)
        self.opt.write("hyperparameters.json", {key: str(value) for key, value in hyperparameters.items()})

    def start(self, **hyperparameters):
        self._asked(hyperparameters)
        command = [self.python, "-m", self.program.module, *self.program.args]
        return subprocess.Popen(
            command, env=self.opt.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )

    def end(self, process):
        log, _ = process.communicate(timeout=240)
        return Result(process.returncode, log, self.opt.failure())

    def run(self, **hyperparameters):
        self._asked(hyperparameters)
        log = self.opt.base / "log"
        code = warm_of(self.image).run(self.program.module, log, self.opt.env, self.program.args)
        return Result(code, log.read_text(errors="replace"), self.opt.failure())

    def trained(self, **hyperparameters):
        """The result of a job that shall go well."""
        result = self.run(**hyperparameters)
        assert result.code == 0, result.log
        return result
