"""Multi-model endpoints of a started Clary through boto3: models that come and go, fail, and share a replica."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

pytestmark = [pytest.mark.system]

SAYS = """\
import json, os
{first}

def model_fn(model_dir):
    return {name!r}

def transform_fn(model, data, content_type, accept):
    return json.dumps([model, os.getpid()]), "application/json"
"""

HOLDS = "HELD = bytearray(os.urandom(2**20) * 60)"


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


def put(jobs: Jobs, prefix: str, name: str, first: str = "") -> str:
    """A model below the prefix; the TargetModel that names it."""
    body = packed({"model": "", "code/inference.py": SAYS.format(name=name, first=first)})
    jobs.s3.put_object(Bucket=BUCKET, Key=f"{prefix}/{name}.tar.gz", Body=body)
    return f"{name}.tar.gz"


def deploy(jobs: Jobs, name: str, count: int = 1, **more: Any) -> str:
    container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/{name}/", "Mode": "MultiModel", **more}
    return jobs.deploy_container(name, container, count)


def says(jobs: Jobs, endpoint: str, target: str) -> tuple[str, int]:
    """What the model answers: its name, and its process."""
    answer = jobs.runtime.invoke_endpoint(EndpointName=endpoint, TargetModel=target, Body=b"x")
    name, process = json.loads(answer["Body"].read())
    return name, process


def containers(jobs: Jobs, target_prefix: str) -> list[int]:
    """Process ids of the containers that have loaded a model whose name begins so."""
    found = []
    for folder in (jobs.clary.data_dir / "run" / "containers").glob("*"):
        with suppress(OSError):  # it is just being removed
            scripts = (folder / "bundle" / "models").glob("*/model/code/inference.py")
            if any(f"return '{target_prefix}" in script.read_text() for script in scripts):
                found.append(json.loads((folder / "handle.json").read_text())["pid"])
    return found


def test_twenty_models_share_a_replica_and_stay_apart(jobs: Jobs) -> None:
    name = deploy(jobs, "twenty")
    targets = [put(jobs, name, f"group/m{number}") for number in range(20)]
    with ThreadPoolExecutor(4) as clients:
        first = list(clients.map(lambda target: says(jobs, name, target), targets))
    assert [answer[0] for answer in first] == [f"group/m{number}" for number in range(20)]
    assert len({process for _, process in first}) == 20
    assert [says(jobs, name, target) for target in targets] == first, "each is loaded once and stays"
    assert says(jobs, name, "/" + targets[0]) == first[0]


def test_concurrent_first_requests_load_once(jobs: Jobs) -> None:
    name = deploy(jobs, "at-once", 2)
    target = put(jobs, name, "one")
    with ThreadPoolExecutor(6) as clients:
        answers = list(clients.map(lambda _: says(jobs, name, target), range(6)))
    assert len(set(answers)) == 1, "one process of one replica has answered all"
    assert len(containers(jobs, "one")) == 1


def test_what_was_not_used_for_longest_makes_room(jobs: Jobs) -> None:
    name = deploy(jobs, "evicting", Environment={"CLARY_MODELS_MEMORY_BYTES": str(180 * 2**20)})
    targets = [put(jobs, name, each, HOLDS) for each in ("a", "b", "c")]
    before = [says(jobs, name, target) for target in targets]
    assert says(jobs, name, "c.tar.gz") == before[2]
    assert says(jobs, name, "b.tar.gz") == before[1], "the first alone has left"
    again = says(jobs, name, "a.tar.gz")
    assert again[0] == "a"
    assert again != before[0], "it was loaded anew"


def test_without_a_cache_the_model_that_is_loaded_is_alone(jobs: Jobs) -> None:
    name = deploy(jobs, "uncached", MultiModelConfig={"ModelCacheSetting": "Disabled"})
    targets = [put(jobs, name, f"uncached-{each}") for each in ("a", "b")]
    first, second = (says(jobs, name, target) for target in targets)
    assert says(jobs, name, targets[1]) == second
    again = says(jobs, name, targets[0])
    assert again[0] == first[0]
    assert again != first


def test_a_changed_object_changes_no_loaded_model(jobs: Jobs) -> None:
    name = deploy(jobs, "changing")
    target = put(jobs, name, "it")
    before = says(jobs, name, target)
    put(jobs, name, "it", "raise RuntimeError('another')")
    assert says(jobs, name, target) == before


@pytest.mark.parametrize(
    ("how", "first", "said"),
    [
        ("raises", "raise RuntimeError('it does not load')", "it does not load"),
        ("dies", "os._exit(3)", "ended while it loaded"),
    ],
    ids=["raises", "dies"],
)
def test_a_model_that_does_not_load_harms_nobody(jobs: Jobs, how: str, first: str, said: str) -> None:
    name = deploy(jobs, how)
    good, bad = put(jobs, name, "good"), put(jobs, name, "bad", first)
    before = says(jobs, name, good)
    for _ in range(2):
        with pytest.raises(ClientError, match=said) as raised:
            says(jobs, name, bad)
        assert raised.value.response["Error"]["Code"] == "ModelError"
        assert raised.value.response["OriginalStatusCode"] == 500
    assert says(jobs, name, good) == before
    put(jobs, name, "bad")
    assert says(jobs, name, bad)[0] == "bad", "mended, it is loaded"


def test_what_cannot_be_asked_for_is_refused(jobs: Jobs) -> None:
    name, single = deploy(jobs, "refusing"), jobs.deploy("single")
    jobs.s3.put_object(Bucket=BUCKET, Key=f"{name}/text.tar.gz", Body=b"no archive")
    refusals = {
        "nothing.tar.gz": r"Failed to download model data\(bucket: system-tests, key: refusing/nothing.tar.gz\)",
        "../single/model.tar.gz": "must be a path below",
        "/../passwd": "must be a path below",
        "a//b": "must be a path below",
        "text.tar.gz": "Failed to extract model data archive",
    }
    for target, message in refusals.items():
        with pytest.raises(ClientError, match=message) as raised:
            says(jobs, name, target)
        assert raised.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(ClientError, match="is missing a target model header"):
        jobs.runtime.invoke_endpoint(EndpointName=name, Body=b"x")
    with pytest.raises(ClientError, match="is not a multi-model endpoint and does not support target model header"):
        says(jobs, single, "model.tar.gz")


def test_a_replica_that_dies_is_replaced_and_loads_anew(jobs: Jobs) -> None:
    name = deploy(jobs, "dying")
    target = put(jobs, name, "lasting")
    before = says(jobs, name, target)
    [killed] = containers(jobs, "lasting")
    os.kill(killed, signal.SIGKILL)

    def answers() -> bool:
        try:
            return says(jobs, name, target)[0] == "lasting" and killed not in containers(jobs, "lasting")
        except ClientError:
            return False

    wait_until(answers, JOB_SECONDS, "its successor has loaded the model")
    assert before[0] == "lasting"


def test_loads_and_hits_are_metrics(jobs: Jobs) -> None:
    name = deploy(jobs, "metered")
    target = put(jobs, name, "m")
    for _ in range(4):
        says(jobs, name, target)
    cloudwatch = jobs.clary.client("cloudwatch")
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "all"}]

    def total(metric: str, statistic: str = "Sum") -> float:
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=dimensions,
            StartTime=time.time() - 600,
            EndTime=time.time() + 60,
            Period=3600,
            Statistics=[statistic],
        )["Datapoints"]
        return float(sum(point[statistic] for point in points))

    wait_until(lambda: total("ModelCacheHit", "SampleCount") == 4, 60, "all requests are reported")
    assert total("ModelCacheHit") == 3
    for metric in ("ModelLoadingWaitTime", "ModelDownloadingTime", "ModelLoadingTime", "LoadedModelCount"):
        assert total(metric, "SampleCount") == 1, metric
    assert total("ModelLoadingTime") > 0


PREPARES = """\
def model_fn(model_dir):
    return None

def transform_fn(model, data, content_type, accept):
    return data.upper(), "text/plain"
"""
ECHOES = """\
def model_fn(model_dir):
    return {name!r}

def transform_fn(model, data, content_type, accept):
    return (data if isinstance(data, str) else data.decode()) + " for " + model, "text/plain"
"""


def test_many_models_behind_a_container_that_prepares_their_input(jobs: Jobs) -> None:
    name = "in-line"
    jobs.s3.put_object(Bucket=BUCKET, Key="first.tar.gz", Body=packed({"model": "", "code/inference.py": PREPARES}))
    for each in ("a", "b"):
        body = packed({"model": "", "code/inference.py": ECHOES.format(name=each)})
        jobs.s3.put_object(Bucket=BUCKET, Key=f"{name}/{each}.tar.gz", Body=body)
    containers = [
        {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/first.tar.gz"},
        {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/{name}/", "Mode": "MultiModel"},
    ]
    jobs.deploy_containers(name, containers)

    def answer(model: str) -> str:
        asked = {"TargetModel": f"{model}.tar.gz", "ContentType": "text/plain", "Body": b"rows"}
        text: str = jobs.runtime.invoke_endpoint(EndpointName=name, **asked)["Body"].read().decode()
        return text

    assert [answer(each) for each in ("a", "b", "a")] == ["ROWS for a", "ROWS for b", "ROWS for a"]
