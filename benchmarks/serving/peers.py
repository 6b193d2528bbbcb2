"""The other servers: how each is started, asked and read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from benchmarks.serving import messages
from benchmarks.serving.environments import python_of
from benchmarks.serving.models import NAMES, ROOT, Models
from benchmarks.serving.processes import Processes, started
from benchmarks.serving.servers import ask
from tests.running import free_port, wait_until

PROGRAMS = Path(__file__).parent / "programs"
START_SECONDS = 120
_CSV, _JSON = {"Content-Type": "text/csv"}, {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Place:
    """Where one server runs."""

    python: Path
    port: int
    models: Path
    folder: Path

    def program(self, name: str) -> Path:
        """One that its environment has brought."""
        return self.python.parent / name


@dataclass(frozen=True)
class Peer:
    """A server of others, in one setting."""

    title: str
    environment: str
    command: Callable[[Place], Sequence[str | Path]]
    """Lays out what the server reads, and says how it is started."""
    path: str
    """With `{model}`."""
    headers: Mapping[str, str]
    body: Callable[[str], str]
    """Of a line of CSV."""
    read: Callable[[bytes], float]
    setting: str = ""

    @contextmanager
    def started(self, models: Models, folder: Path) -> Iterator[StartedPeer]:
        """Its processes, until the block ends. Raises Ended, AssertionError where it does not come up."""
        place = Place(python_of(self.environment), free_port(), models.folder, folder)
        environment = _environment(models.folder, folder)
        with started(self.command(place), environment, folder / "log") as processes:
            server = StartedPeer(self, place.port)
            _wait(server, models, processes)
            yield server


@dataclass(frozen=True)
class StartedPeer:
    """One that answers."""

    peer: Peer
    port: int

    def request(self, model: str, row: str) -> bytes:
        path = self.peer.path.format(model=model)
        return messages.post(self.port, path, self.peer.body(row).encode(), self.peer.headers)

    def risk(self, _model: str, body: bytes) -> float:
        return self.peer.read(body)


def _environment(models: Path, folder: Path) -> dict[str, str]:
    """One thread for a prediction: the processes of a server share the cores."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "MODELS": str(models),
        "PYTHONPATH": str(ROOT),
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def _wait(server: StartedPeer, models: Models, processes: Processes) -> None:
    last = ""

    def answers() -> bool:
        nonlocal last
        processes.check()
        try:
            asked = [ask(server, name, models.rows[0]) for name in NAMES]
        except (OSError, HTTPException) as error:
            last = repr(error)
            return False
        last = repr(asked)
        return all(each.status == 200 for each in asked)

    try:
        wait_until(answers, START_SECONDS, f"{server.peer.title} answers")
    except AssertionError as error:
        error.add_note(f"{last}\n{processes.said()}")
        raise


def _flask(place: Place) -> Sequence[str | Path]:
    text = (PROGRAMS / "nginx.conf").read_text()
    text = text.replace("PORT", str(place.port)).replace("FOLDER", str(place.folder))
    (place.folder / "nginx.conf").write_text(text)
    return [place.python, PROGRAMS / "nginx_gunicorn.py", place.folder]


def _bentoml(place: Place) -> Sequence[str | Path]:
    service = "benchmarks.serving.programs.bentoml_app:Patients"
    where = ["--host", "127.0.0.1", "--port", str(place.port), "--working-dir", str(ROOT)]
    return [place.program("bentoml"), "serve", service, *where]


def _ray(place: Place) -> Sequence[str | Path]:
    return [place.python, PROGRAMS / "ray_app.py", str(place.port), place.models, place.folder]


def _mlserver(workers: int, batch: int) -> Callable[[Place], Sequence[str | Path]]:
    """`workers`: processes beside the server's own. `batch`: rows at most, 0 for none."""

    def command(place: Place) -> Sequence[str | Path]:
        settings = {
            "host": "127.0.0.1",
            "http_port": place.port,
            "grpc_port": free_port(),
            "metrics_port": free_port(),
            "parallel_workers": workers,
            "debug": False,
        }
        (place.folder / "settings.json").write_text(json.dumps(settings))
        for name in NAMES:
            folder = place.folder / name
            folder.mkdir()
            (folder / "model-settings.json").write_text(json.dumps(_mlserver_model(place.models, name, batch)))
        return [place.program("mlserver"), "start", place.folder]

    return command


def _mlserver_model(models: Path, name: str, batch: int) -> dict[str, Any]:
    trees = name == "xgboost"
    file = models / ("xgboost.ubj" if trees else f"{name}.joblib")
    batching = {"max_batch_size": batch, "max_batch_time": 0.002} if batch else {}
    return {
        "name": name,
        "implementation": "mlserver_xgboost.XGBoostModel" if trees else "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(file)},
        **batching,
    }


def _inference_request(row: str) -> str:
    """Of the Open Inference Protocol (https://github.com/open-inference/open-inference-protocol)."""
    count = row.count(",") + 1
    rows = f'{{"name":"rows","shape":[1,{count}],"datatype":"FP64","data":[{row}]}}'
    return f'{{"inputs":[{rows}],"outputs":[{{"name":"predict_proba"}}]}}'


def _inference_answer(body: bytes) -> float:
    return float(json.loads(body)["outputs"][0]["data"][-1])


def _mlserver_peer(workers: int, batch: int) -> Peer:
    return Peer(
        "MLServer 1.7.1, best of four settings",
        "mlserver",
        _mlserver(workers, batch),
        "/v2/models/{model}/infer",
        _JSON,
        _inference_request,
        _inference_answer,
        f"{workers} workers, batches of {batch}" if batch else f"{workers} workers, no batches",
    )


PEERS: Mapping[str, Sequence[Peer]] = {
    "flask": (Peer("nginx + gunicorn (gevent, 2) + Flask", "flask", _flask, "/{model}", _CSV, str, float),),
    "bentoml": (
        Peer(
            "BentoML 1.4.40, batching",
            "bentoml",
            _bentoml,
            "/{model}",
            _JSON,
            lambda row: f'{{"rows":[[{row}]]}}',
            lambda body: float(json.loads(body)[0]),
        ),
    ),
    "ray": (Peer("Ray Serve 2.60, batching", "ray", _ray, "/{model}", _CSV, str, float),),
    "mlserver": tuple(_mlserver_peer(workers, batch) for workers in (0, 2) for batch in (0, 64)),
}
"""By the name of the command line: each with its settings."""
