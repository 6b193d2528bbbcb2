"""What is done to the endpoints: each returns when everything is as it was, and says in a few words what happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.soak.crowds import Overload, overload, slow_clients
from benchmarks.soak.stage import PAIR, SINGLE, SLOW, Stage
from tests.running import wait_until
from tests.system.endpoints import kill_one

BACK_SECONDS = 60.0

CUT_OFF = ("broken", "refused")
"""What clients see of an edge that is killed, and while nobody listens."""

AWAY = (*CUT_OFF, "503 ", "424 ModelError")
"""And of a whole Clary."""

Disturbance = Callable[[Stage, list[Overload]], str]

_ONE = {"Type": "INSTANCE_COUNT", "Value": 1}
_CANARY = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {"Type": "CANARY", "WaitIntervalInSeconds": 1, "CanarySize": _ONE},
        "TerminationWaitInSeconds": 1,
    }
}
_ROLLING = {"RollingUpdatePolicy": {"MaximumBatchSize": _ONE, "WaitIntervalInSeconds": 0}}


def _replica(endpoint: str, stage: Stage, _: list[Overload]) -> str:
    kill_one(stage.jobs, endpoint, stage.live[endpoint])
    return f"one of {endpoint}"


def _update(endpoint: str, policy: dict[str, Any], stage: Stage, _: list[Overload]) -> str:
    return f"{endpoint} to {stage.update(endpoint, policy)}"


def _scale(stage: Stage, _: list[Overload]) -> str:
    for count in (3, 1, 2):
        stage.scale(SINGLE, count)
    return f"{SINGLE}: 2, 3, 1, 2"


def _overload(stage: Stage, found: list[Overload]) -> str:
    stage.may("429 ThrottlingException", endpoint=SLOW)
    burst = stage.clients.run(overload(stage.clients.signer))
    _answers(stage)
    stage.may(endpoint=SLOW)
    found.append(burst)
    return str(burst)


def _slow_clients(stage: Stage, _: list[Overload]) -> str:
    return f"the last was cut off after {stage.clients.run(slow_clients(stage.clients.signer.port)):.0f} s"


def _launcher(stage: Stage, _: list[Overload]) -> str:
    stage.jobs.clary.kill("launcher")
    _described(stage)
    return "no request failed of it"


def _control(stage: Stage, _: list[Overload]) -> str:
    stage.jobs.clary.kill("control")
    _described(stage)
    return "no request failed of it"


def _edge(stage: Stage, _: list[Overload]) -> str:
    with _failing(stage, CUT_OFF) as seconds:
        stage.jobs.clary.kill("edge")
    return f"all clients are answered after {seconds():.1f} s"


def _everything(stage: Stage, _: list[Overload]) -> str:
    with _failing(stage, AWAY) as seconds:
        stage.jobs.clary.kill("supervisor", "launcher", "control", "edge")
        stage.jobs.clary.up()
    return f"all clients are answered after {seconds():.1f} s"


@contextmanager
def _failing(stage: Stage, failures: tuple[str, ...]) -> Iterator[Callable[[], float]]:
    """Requests may fail so until every client has been answered again; gives how many seconds that took."""
    began = time.monotonic()
    ended = began
    stage.may(*failures)
    yield lambda: ended - began
    _described(stage)
    _answers(stage)
    ended = time.monotonic()
    stage.may()


def _answers(stage: Stage) -> None:
    stage.clients.answered_since(time.monotonic(), BACK_SECONDS)


def _described(stage: Stage) -> None:
    def described() -> bool:
        try:
            stage.jobs.sagemaker.describe_endpoint(EndpointName=PAIR)
        except (BotoCoreError, ClientError):
            return False
        return True

    wait_until(described, BACK_SECONDS, "control answers")


KILLS: Mapping[str, Disturbance] = {
    "launcher killed": _launcher,
    "control killed": _control,
    "edge killed": _edge,
    "all of Clary killed": _everything,
}
"""Each of Clary's processes in turn, and all at once."""

CHANGES: Mapping[str, Disturbance] = {
    "replica killed": partial(_replica, SINGLE),
    "updated, all at once": partial(_update, PAIR, {}),
    "overloaded": _overload,
    "updated, rolling": partial(_update, SINGLE, _ROLLING),
    "replica of a pair killed": partial(_replica, PAIR),
    "scaled": _scale,
    "slow clients": _slow_clients,
    "updated, canary": partial(_update, PAIR, _CANARY),
}
"""What Clary's processes live through."""
