"""What a function costs beside its handler: `python -m benchmarks.functions [--rounds N]`.

Warm: an Invoke by boto3, less the handler's own time; what boto3 itself takes (1 ms) is in it. Cold: the first Invoke
after a change, with boto3 imported by the function. Endpoint: a function that asks an endpoint, against asking it
directly, in turns.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, ended, render
from tests.running import RunningClary
from tests.system.functions import Functions
from tests.system.jobs import Jobs

WARM_TARGET = 5.0
COLD_TARGET = 150.0
ENDPOINT_TARGET = 10.0

_CALLS = 50
_TRIAL_CALLS = 5

_TIMED = """\
import time
import boto3
def handler(event, context):
    began = time.perf_counter()
    total = sum(range(1000))
    return (time.perf_counter() - began) * 1000
"""

_ASKING = """\
import boto3, json
runtime = boto3.client("sagemaker-runtime")
def handler(event, context):
    answer = runtime.invoke_endpoint(EndpointName="bench", ContentType="application/json", Body=json.dumps(event))
    return answer["Body"].read().decode()
"""


def milliseconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """How long a call takes, and what it returns."""
    began = time.perf_counter()
    answer = call()
    return (time.perf_counter() - began) * 1000, answer


def warm(functions: Functions) -> float:
    """The median of one round, in ms over the handler: what the client itself takes is in it."""
    overheads = []
    for _ in range(_CALLS):
        taken, own = milliseconds(lambda: functions.ask("timed"))
        overheads.append(taken - own)
    return statistics.median(overheads)


def cold(functions: Functions) -> float:
    """One first call after a change."""
    functions.client.update_function_configuration(FunctionName="timed", Description=str(time.time()))
    functions.client.get_waiter("function_updated_v2").wait(FunctionName="timed", WaiterConfig={"Delay": 1})
    return milliseconds(lambda: functions.ask("timed"))[0]


def through_a_function(functions: Functions, jobs: Jobs) -> float:
    """The median difference of pairs."""
    differences = []
    for _ in range(_CALLS):
        direct, _ = milliseconds(lambda: jobs.ask("bench"))
        through, _ = milliseconds(lambda: functions.ask("asking", [[1, 2]]))
        differences.append(through - direct)
    return statistics.median(differences)


def measure(clary: RunningClary, rounds: int) -> list[Figure]:
    """All of it, on one Clary."""
    functions, jobs = Functions(clary), Jobs(clary)
    functions.create("timed", _TIMED, Timeout=30)
    functions.create("asking", _ASKING, Timeout=30, MemorySize=256)
    jobs.deploy("bench")
    for _ in range(_TRIAL_CALLS):
        functions.ask("timed")
        functions.ask("asking", [[1, 2]])
    return [
        Figure("warm Invoke over its handler (boto3)", [warm(functions) for _ in range(rounds)], WARM_TARGET, "ms"),
        Figure("first Invoke, boto3 imported", [cold(functions) for _ in range(rounds)], COLD_TARGET, "ms"),
        Figure(
            "function → endpoint over the endpoint itself",
            [through_a_function(functions, jobs) for _ in range(rounds)],
            ENDPOINT_TARGET,
            "ms",
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.functions", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement; the median counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, RunningClary(Path(folder) / "data") as clary:
        figures = measure(clary, arguments.rounds)
    for figure in figures:
        print(figure.line(), flush=True)
    print("\n" + render(figures))
    return ended(figures)


if __name__ == "__main__":
    sys.exit(main())
