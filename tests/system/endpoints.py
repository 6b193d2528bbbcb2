"""Endpoints whose models answer their own names, and clients that ask them all the while."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.running import wait_until
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

CLIENTS = 4
THINKS = 0.01
"""Seconds between an answer and the next request of a client: the machine has more to do than to ask."""

SIGMAS = 5.0
"""A share of the answers may be so many standard deviations from the one that is wanted."""

SAYS = """\
import json, os, sys, time

def model_fn(model_dir):
    if {fails!r}:
        sys.exit("the model of {name} does not load")
    return {name!r}

def input_fn(data, content_type):
    return data

def predict_fn(data, model):
    if {breaks!r}:
        raise RuntimeError("{name} is broken")
    if {hangs!r}:
        time.sleep(3600)
    return model

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""


def model(jobs: Jobs, name: str, *, fails: bool = False, breaks: bool = False, hangs: bool = False) -> str:
    """A model that answers its own name, does not load, breaks with each request, or never answers one."""
    source = SAYS.format(name=name, fails=fails, breaks=breaks, hangs=hangs)
    body = packed({"model": "", "code/inference.py": source})
    jobs.s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=body)
    env = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz", "Environment": env}
    jobs.sagemaker.create_model(ModelName=name, ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    return name


def variant(name: str, model_name: str, count: int = 1, weight: float = 1.0) -> dict[str, Any]:
    shared = {"InstanceType": "ml.m5.large", "InitialInstanceCount": count, "InitialVariantWeight": weight}
    return {"VariantName": name, "ModelName": model_name, **shared}


def configure(jobs: Jobs, name: str, *variants: dict[str, Any], **more: Any) -> str:
    jobs.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants), **more)
    return name


def deploy(jobs: Jobs, name: str, *variants: dict[str, Any], **more: Any) -> str:
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configure(jobs, name, *variants, **more))
    at_rest(jobs, name)
    return name


def at_rest(jobs: Jobs, name: str) -> Any:
    """Wait until no change is under way; the description."""

    def rested() -> Any:
        found = jobs.sagemaker.describe_endpoint(EndpointName=name)
        return found if found["EndpointStatus"] in ("InService", "Failed") else None

    return wait_until(rested, JOB_SECONDS, f"{name} is at rest")


def says(jobs: Jobs, name: str, **params: Any) -> tuple[str, str]:
    """The variant that answered, and which model it is."""
    answer = jobs.runtime.invoke_endpoint(EndpointName=name, Body=b"x", **params)
    return answer["InvokedProductionVariant"], json.loads(answer["Body"].read())


def serving(jobs: Jobs, model_name: str) -> list[int]:
    """Process ids of the containers that serve this model."""
    found = []
    for folder in (jobs.clary.data_dir / "run" / "containers").glob("*"):
        with suppress(OSError):  # it is just being removed
            if any(model_name in path.read_text() for path in folder.rglob("inference.py")):
                found.append(json.loads((folder / "handle.json").read_text())["pid"])
    return found


def kill_one(jobs: Jobs, name: str, model_name: str) -> None:
    """SIGKILL to one of the endpoint's containers that serve this model; returns when another has taken its place."""
    before, count = serving(jobs, model_name), counted(jobs, name)
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: set(serving(jobs, model_name)) - set(before), JOB_SECONDS, "another is started for it")
    wait_until(lambda: counted(jobs, name) == count, JOB_SECONDS, "and answers")


def kill_every_second(jobs: Jobs, model_name: str, seconds: int) -> None:
    """SIGKILL to any of the containers that serve this model, so many times."""
    chance, began = random.Random(1), time.monotonic()
    for second in range(seconds):
        threading.Event().wait(max(0.0, began + second - time.monotonic()))
        with suppress(ProcessLookupError):  # it has ended by itself just now
            os.kill(chance.choice(running(jobs, model_name)), signal.SIGKILL)


def running(jobs: Jobs, model_name: str) -> list[int]:
    """Of the containers that serve this model those that are alive, starting ones too."""
    found: list[int] = wait_until(
        lambda: [pid for pid in serving(jobs, model_name) if Path(f"/proc/{pid}").exists()],
        JOB_SECONDS,
        "one of the containers runs",
    )
    return found


def counted(jobs: Jobs, name: str) -> int:
    """Instances of the first variant that answer."""
    shown, *_ = jobs.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    count: int = shown["CurrentInstanceCount"]
    return count


@contextmanager
def load(jobs: Jobs, name: str, **params: Any) -> Iterator[tuple[Counter[str], list[Exception]]]:
    """Clients that ask until the end: how often each model answered, and every failed request."""
    over, answers, failures = threading.Event(), Counter[str](), list[Exception]()

    def ask() -> None:
        runtime = jobs.clary.client("sagemaker-runtime")
        while not over.is_set():
            try:
                answer = runtime.invoke_endpoint(EndpointName=name, Body=b"x", **params)
                answers[json.loads(answer["Body"].read())] += 1
            except Exception as failure:
                failures.append(failure)
            over.wait(THINKS)

    with ThreadPoolExecutor(CLIENTS) as clients:
        for _ in range(CLIENTS):
            clients.submit(ask)
        try:
            wait_until(lambda: sum(answers.values()) > 20 or failures, JOB_SECONDS, "the load is on")
            yield answers, failures
        finally:
            over.set()


def more(answers: Counter[str], of: str) -> Callable[[], bool]:
    """Whether this model has answered some more since now."""
    before = answers[of]
    return lambda: answers[of] > before + 20


def near(answers: Counter[str], of: str, share: float) -> tuple[bool, str]:
    """Whether `of` has answered about that share of all: as often as chance allows for."""
    total = sum(answers.values())
    most = SIGMAS * math.sqrt(total * share * (1 - share))
    return abs(answers[of] - total * share) <= most, f"{answers[of]} of {total}, wanted {share:.0%}"


def sample(answers: Counter[str], size: int) -> Counter[str]:
    """Who gives the next so many answers, and a few more."""
    before = answers.copy()
    wait_until(lambda: sum(answers.values()) >= sum(before.values()) + size, JOB_SECONDS, "there are enough answers")
    return answers - before
