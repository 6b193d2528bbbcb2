"""Functions from images: containers of this machine's engine whose programs speak Lambda's Runtime API."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.compute.docker_api import Engine
from clary.compute.docker_images import ImageStore
from tests import engine as engines
from tests.running import RunningClary, wait_until
from tests.system.functions import SECONDS, Functions

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("engine")]

ROOT = Path(__file__).parent.parent.parent

# What awslambdaric does, in the standard library: whatever speaks the API is a function.
RUNTIME = """\
#!/usr/bin/python3
import http.client, importlib, json, os, sys, traceback

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
ROOT = "/2018-06-01/runtime/"

def say(path, body, **headers):
    api.request("POST", ROOT + path, json.dumps(body).encode(), headers)
    answer = api.getresponse()
    said = answer.read()
    return answer.status, said.decode()

def failed(error):
    trace = traceback.format_exception(type(error), error, error.__traceback__)
    return {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": trace}

class Context:
    pass

sys.path.insert(0, os.getcwd())
try:
    module, name = sys.argv[1].split(".")
    handler = getattr(importlib.import_module(module), name)
except Exception as error:
    say("init/error", failed(error), **{"Lambda-Runtime-Function-Error-Type": "Runtime.Unknown"})
    sys.exit(1)
while True:
    api.request("GET", ROOT + "invocation/next")
    given = api.getresponse()
    event, context = json.loads(given.read()), Context()
    context.request = given.headers["Lambda-Runtime-Aws-Request-Id"]
    context.arn = given.headers["Lambda-Runtime-Invoked-Function-Arn"]
    context.deadline = int(given.headers["Lambda-Runtime-Deadline-Ms"])
    context.say = say
    try:
        answer = handler(event, context)
    except Exception as error:
        say("invocation/%s/error" % context.request, failed(error))
    else:
        say("invocation/%s/response" % context.request, answer)
"""

APP = """\
import os, subprocess, sys, threading, time, urllib.request
CALLS = 0
COUNT = 0

def count():
    global COUNT
    while True:
        COUNT += 1
        time.sleep(0.01)

def fork(number):
    for _ in range(number):
        try:
            if os.fork() == 0:
                os.setsid()
                time.sleep(600)
                os._exit(0)
        except OSError:
            time.sleep(60)

def handler(event, context):
    global CALLS
    CALLS += 1
    print("asked for", event, flush=True)
    if event == "raise":
        raise ValueError("this went wrong")
    if event == "exit":
        os._exit(3)
    if event == "sleep":
        time.sleep(60)
    if event == "eat":
        return len(bytearray(400_000_000))
    if event == "fork":
        fork(30)
    if event == "bomb":
        fork(1_000_000)
    if event == "count":
        threading.Thread(target=count, daemon=True).start()
        time.sleep(0.5)
    if event == "much":
        return "x" * 7_000_000
    if event == "other":
        return context.say("invocation/another/response", 1)
    if event == "again":
        import http.client
        api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        api.request("GET", "/2018-06-01/runtime/invocation/next")
        answer = api.getresponse()
        return [answer.status, answer.read().decode()]
    if event == "api":
        return urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_clary/health").status
    return {"calls": CALLS, "count": COUNT, "arn": context.arn, "left": context.deadline / 1000 - time.time(),
            "environment": dict(os.environ), "folder": os.getcwd(), "argv": sys.argv[1:]}

def second(event, context):
    return "the second"
"""

FILES = {"/usr/bin/runtime": RUNTIME, "/broken/app.py": "import nothing_of_that_name"}
CHANGES = ['ENTRYPOINT ["/usr/bin/runtime"]', 'CMD ["app.handler"]', "WORKDIR /function", "ENV BUILT=yes"]


@pytest.fixture(scope="module")
def engine(container_engine: Engine) -> ImageStore:
    return ImageStore(container_engine.path)


@contextmanager
def built(engine: ImageStore, name: str, app: str) -> Iterator[str]:
    """An image whose handlers are in `app`, until the end."""
    image = engines.image(engine, name, {**FILES, "/function/app.py": app}, CHANGES) + ":latest"
    yield image
    engine.remove_image(image)


@pytest.fixture(scope="module")
def image(engine: ImageStore) -> Iterator[str]:
    with built(engine, f"clary-test-function-{os.getpid()}", APP) as made:
        yield made


@pytest.fixture(scope="module")
def functions(beside_engine: RunningClary) -> Functions:
    return Functions(beside_engine)


def containers(functions: Functions, engine: ImageStore) -> set[str]:
    """Names of those that are in the engine."""
    return set(engines.containers(engine, functions.clary.data_dir))


def create(functions: Functions, name: str, image: str, **request: Any) -> Any:
    """A function from an image."""
    defaults = {"PackageType": "Image", "Code": {"ImageUri": image}, "Role": functions.role, "Timeout": SECONDS}
    return functions.client.create_function(FunctionName=name, **(defaults | request))


@pytest.fixture(scope="module")
def made(functions: Functions, image: str) -> str:
    create(functions, "made", image, Environment={"Variables": {"ENDPOINT_NAME": "heart"}})
    return "made"


@pytest.fixture(scope="module")
def hurried(functions: Functions, image: str) -> str:
    """With a time that is soon over."""
    create(functions, "hurried", image, Timeout=3)
    return "hurried"


def test_a_function_from_an_image_answers_and_stays_warm(functions: Functions, made: str, image: str) -> None:
    first, second = functions.ask(made, {"a": 1}), functions.ask(made)
    assert (first["calls"], second["calls"]) == (1, 2)
    assert first["arn"].endswith(":function:made")
    assert 0 < first["left"] <= SECONDS
    assert (first["folder"], first["argv"]) == ("/function", ["app.handler"])
    environment = first["environment"]
    assert (environment["ENDPOINT_NAME"], environment["BUILT"]) == ("heart", "yes")
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "made"
    assert "AWS_ACCESS_KEY_ID" in environment
    assert functions.ask(made, "api") == 200
    shown = functions.client.get_function(FunctionName=made)
    assert shown["Code"]["ImageUri"] == image
    assert shown["Configuration"]["PackageType"] == "Image"
    assert shown["Configuration"]["State"] == "Active"
    assert not {"Runtime", "Handler", "Layers"} & set(shown["Configuration"])


def test_its_log_has_the_lines_around_each_invocation(functions: Functions, made: str) -> None:
    for number in range(3):
        answer = functions.invoke(made, f"number {number}", LogType="Tail")
        tail = base64.b64decode(answer["LogResult"]).decode()
        assert re.fullmatch(
            r"START RequestId: (\S+) Version: \$LATEST\nasked for number \d\nEND RequestId: \1\n"
            r"REPORT RequestId: \1\tDuration: .* ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
            r"Max Memory Used: \d+ MB\t(Init Duration: .* ms\t)?\n",
            tail,
        ), tail


def test_what_it_raises_is_the_answer(functions: Functions, made: str) -> None:
    answer = functions.invoke(made, "raise")
    assert answer["FunctionError"] == "Unhandled"
    assert (answer["said"]["errorType"], answer["said"]["errorMessage"]) == ("ValueError", "this went wrong")


def test_a_runtime_that_keeps_to_no_rules_is_told(functions: Functions, made: str) -> None:
    status, said = functions.ask(made, "other")
    assert (status, json.loads(said)["errorType"]) == (400, "InvalidRequestID")
    status, said = functions.ask(made, "again")
    assert (status, json.loads(said)["errorType"]) == (403, "InvalidStateTransition")
    answer = functions.invoke(made, "much")
    assert answer["said"]["errorType"] == "Function.ResponseSizeTooLarge"


def test_an_image_stands_still_between_calls(functions: Functions, image: str) -> None:
    create(functions, "counting", image)
    assert functions.ask("counting", "count")["count"]
    first, began = functions.ask("counting"), time.monotonic()
    wait_until(lambda: time.monotonic() > began + 1.5, 60, "some time in which nobody asks")
    assert functions.ask("counting")["count"] - first["count"] < 75  # of some 150
    functions.client.delete_function(FunctionName="counting")


def test_past_its_time_it_is_ended(functions: Functions, hurried: str) -> None:
    functions.in_time(hurried)  # what it takes to begin counts by itself
    answer = functions.invoke(hurried, "sleep", LogType="Tail")
    assert answer["said"]["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 3.00 seconds" in base64.b64decode(answer["LogResult"]).decode()
    assert functions.in_time(hurried)["calls"] == 1


def test_a_fork_bomb_ends_by_its_time_or_memory_and_leaves_nothing(
    functions: Functions, engine: ImageStore, hurried: str
) -> None:
    functions.in_time(hurried)
    before = containers(functions, engine)
    answer = functions.invoke(hurried, "bomb")
    assert answer["said"]["errorType"] in {"Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory"}
    wait_until(lambda: len(containers(functions, engine)) < len(before), 60, "its container is gone")
    assert functions.in_time(hurried)["calls"] == 1
    functions.client.delete_function(FunctionName=hurried)


def test_past_its_memory_it_is_ended(functions: Functions, made: str) -> None:
    answer = functions.invoke(made, "eat")
    assert answer["said"]["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert functions.ask(made)["calls"] == 1


def test_one_that_exits_is_an_error_and_the_next_call_starts_anew(functions: Functions, made: str) -> None:
    answer = functions.invoke(made, "exit")
    assert answer["said"]["errorType"] == "Runtime.ExitError"
    assert answer["said"]["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    assert functions.ask(made)["calls"] == 1


def test_image_config_and_why_one_cannot_begin(functions: Functions, image: str) -> None:
    configured = create(functions, "configured", image, ImageConfig={"Command": ["app.second"]})
    assert configured["ImageConfigResponse"] == {"ImageConfig": {"Command": ["app.second"]}}
    assert functions.ask("configured") == "the second"
    wanted = {"EntryPoint": ["/usr/bin/runtime"], "WorkingDirectory": "/broken"}
    functions.client.update_function_configuration(FunctionName="configured", ImageConfig=wanted)
    answer = functions.invoke("configured")
    assert answer["FunctionError"] == "Unhandled"
    assert answer["said"]["errorMessage"] == "No module named 'nothing_of_that_name'"
    functions.client.update_function_configuration(FunctionName="configured", ImageConfig={"EntryPoint": ["/bin/none"]})
    with pytest.raises(ClientError, match="could not be started"):
        functions.invoke("configured")


def test_a_deleted_function_leaves_no_container_whatever_it_forked(
    functions: Functions, engine: ImageStore, image: str
) -> None:
    create(functions, "forking", image)
    before = containers(functions, engine)
    functions.ask("forking", "fork")
    assert containers(functions, engine) - before
    functions.client.delete_function(FunctionName="forking")
    wait_until(lambda: not containers(functions, engine) - before, 60, "its container is gone")


def test_the_program_of_the_page(functions: Functions, engine: ImageStore) -> None:
    program = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "lambda.md").read_text(), re.DOTALL)[2]
    with built(engine, "my-function", "def handler(event, context):\n    return sum(event)\n"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=functions.clary.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        functions.client.delete_function(FunctionName="from-image")
    assert (done.returncode, done.stdout) == (0, "64\n"), done.stderr


def test_an_image_of_the_registry_stays_what_it_was_until_the_code_is_updated(
    functions: Functions, engine: ImageStore
) -> None:
    repository = f"clary-test-pushed-{os.getpid()}"
    uri = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{repository}:latest"
    answering = "def handler(event, context):\n    return {!r}\n"

    def push(said: str) -> None:
        with built(engine, repository, answering.format(said)) as image:
            functions.clary.run("images", "push", image, repository)

    push("one")
    made = create(functions, "pushed", uri)
    assert re.fullmatch("[0-9a-f]{64}", made["CodeSha256"])
    assert functions.ask("pushed") == "one"
    shown = functions.client.get_function(FunctionName="pushed")["Code"]
    assert (shown["ImageUri"], shown["RepositoryType"]) == (uri, "ECR")
    assert shown["ResolvedImageUri"] == f"{uri.removesuffix(':latest')}@sha256:{made['CodeSha256']}"
    push("two")
    functions.client.update_function_configuration(FunctionName="pushed", Description="the same image")
    assert functions.ask("pushed") == "one"
    updated = functions.client.update_function_code(FunctionName="pushed", ImageUri=uri)
    assert updated["CodeSha256"] != made["CodeSha256"]
    assert functions.ask("pushed") == "two"


def test_a_keeper_that_is_killed_costs_its_environment_only(
    functions: Functions, engine: ImageStore, made: str
) -> None:
    functions.ask(made)
    left = containers(functions, engine)
    for path in (functions.clary.data_dir / "run" / "containers").glob("fn-*/handle.json"):
        with suppress(ProcessLookupError, FileNotFoundError):  # one that has ended is being removed
            os.kill(json.loads(path.read_text())["pid"], signal.SIGKILL)
    wait_until(lambda: not left & containers(functions, engine), 60, "what it kept is gone")
    assert functions.ask(made)["calls"] == 1


def test_an_edge_that_is_killed_leaves_no_container(functions: Functions, engine: ImageStore, made: str) -> None:
    functions.ask(made)
    functions.clary.kill("edge")
    wait_until(
        lambda: not containers(functions, engine),
        60,
        "those of the edge that was killed are gone",
    )
    wait_until(lambda: functions.clary.runs("edge"), 60, "there is another edge")
    assert functions.ask(made)["calls"] == 1


def test_what_cannot_be_a_function_from_an_image_is_refused(functions: Functions, made: str, image: str) -> None:
    def said(call: Any, **request: Any) -> str:
        with pytest.raises(ClientError) as error:
            call(**request)
        assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
        return str(error.value.response["Error"]["Message"])

    both = said(lambda: create(functions, "both", image, Runtime="python3.11", Handler="app.handler"))
    assert both == "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
    missing = said(lambda: create(functions, "missing", "clary-test-no-such-image:1"))
    assert missing.startswith("Source image clary-test-no-such-image:1 is not valid. Provide a valid source image.")
    update = functions.client.update_function_code
    zipped = said(lambda: update(FunctionName=made, ZipFile=b"PK"))
    assert zipped == "Please provide ImageUri when updating a function with packageType Image."
