"""Lambda of a started Clary, asked by boto3: functions run in the sandbox, and end as they do on AWS."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.running import RunningClary, unless_away, wait_until
from tests.slowness import slowness
from tests.system.functions import Functions, zipped

pytestmark = [pytest.mark.system]

ECHO = """\
import os
def handler(event, context):
    print("said", event)
    return {"event": event, "arn": context.invoked_function_arn, "environment": dict(os.environ)}
"""

MISBEHAVING = """\
import os, subprocess, sys, time
def handler(event, context):
    print("before", event)
    if event == "raise":
        raise ValueError("this went wrong")
    if event == "exit":
        os._exit(3)
    if event == "sleep":
        time.sleep(60)
    if event == "spin":
        while True:
            pass
    if event == "eat":
        return len(bytearray(400_000_000))
    if event == "set":
        return {1, 2}
    if event == "leave":
        subprocess.Popen(["sleep", "600"])
        time.sleep(60)
    if event == "bomb":
        while True:
            try:
                if os.fork() == 0:
                    os.setsid()
                    time.sleep(600)
            except OSError:
                time.sleep(60)
    return "well"
"""

BUS = "arn:aws:events:us-east-1:000000000000:event-bus/bus"
NO_LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:none:1"

COUNTING = """\
import os
CALLS = 0
def handler(event, context):
    global CALLS
    CALLS += 1
    return [CALLS, open("/proc/sys/kernel/random/boot_id").read() and os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]]
"""


@pytest.fixture(scope="module")
def functions(shared: RunningClary) -> Iterator[Functions]:
    yield Functions(shared)


@pytest.fixture(scope="module")
def misbehaving(functions: Functions) -> str:
    functions.create("misbehaving", MISBEHAVING, Timeout=20)
    return "misbehaving"


@pytest.fixture(scope="module")
def hurried(functions: Functions) -> str:
    """With a time that is soon over."""
    functions.create("hurried", MISBEHAVING, Timeout=2)
    return "hurried"


def refused(call: Any, **request: Any) -> tuple[str, str]:
    """Code and message of the error."""
    with pytest.raises(ClientError) as error:
        call(**request)
    said = error.value.response["Error"]
    return said["Code"], said["Message"]


def lines(functions: Functions, name: str) -> list[str]:
    """Everything in a function's log group."""
    logs = functions.clary.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
    return [event["message"] for page in pages for event in page["events"]]


def test_a_function_is_created_and_answers(functions: Functions) -> None:
    made = functions.create("echo", ECHO, Environment={"Variables": {"ENDPOINT_NAME": "heart"}}, Description="Echoes")
    assert made["State"] == "Pending"
    assert made["FunctionArn"].endswith(":function:echo")
    said = functions.ask("echo", {"a": [1, "ü"]})
    assert said["event"] == {"a": [1, "ü"]}
    assert said["arn"] == made["FunctionArn"]
    environment = said["environment"]
    assert environment["ENDPOINT_NAME"] == "heart"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "echo"
    assert environment["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert environment["LAMBDA_TASK_ROOT"] == "/var/task"
    functions.client.get_waiter("function_active_v2").wait(FunctionName="echo")
    shown = functions.client.get_function(FunctionName="echo")
    assert shown["Configuration"]["LastUpdateStatus"] == "Successful"
    assert shown["Configuration"]["CodeSha256"] == made["CodeSha256"]
    with urllib.request.urlopen(shown["Code"]["Location"]) as got:
        assert zipfile.ZipFile(io.BytesIO(got.read())).read("app.py").decode() == ECHO
    assert "echo" in [each["FunctionName"] for each in functions.client.list_functions()["Functions"]]


def test_an_environment_stays_warm_between_calls_and_goes_with_an_update(functions: Functions) -> None:
    functions.create("counting", COUNTING)
    first, second = functions.ask("counting"), functions.ask("counting")
    assert (first[0], second[0]) == (1, 2)
    assert first[1] == second[1]
    functions.client.update_function_configuration(FunctionName="counting", Description="changed")
    third = functions.ask("counting")
    assert third[0] == 1
    assert third[1] != first[1]
    wait_until(lambda: len(environments(functions.clary, "counting")) == 1, 60, "the old environment is gone")


def test_an_environment_stands_still_between_calls(functions: Functions) -> None:
    functions.create("leaving", """\
import os, subprocess, threading, time
COUNT = 0
def count():
    global COUNT
    while True:
        COUNT += 1
        time.sleep(0.01)
def handler(event, context):
    if event == "begin":
        threading.Thread(target=count, daemon=True).start()
        subprocess.Popen(["sh", "-c", "while echo; do sleep 0.01; done > /tmp/lines"])
    elif event:
        time.sleep(event)
    return [COUNT, os.path.getsize("/tmp/lines") if os.path.exists("/tmp/lines") else 0, time.time()]
""", MemorySize=256, Timeout=20)  # fmt: skip
    functions.ask("leaving", "begin")
    wait_until(lambda: all(functions.ask("leaving", 0.5)), 60, "both go on while it answers")
    first, pause = functions.ask("leaving"), 1.5 * slowness()
    wait_until(lambda: time.time() > first[2] + pause, 600, "some time in which nobody asks")
    second = functions.ask("leaving")
    assert second[2] > first[2] + pause
    for before, after in zip(first[:2], second[:2], strict=True):
        assert after - before < 100 * pause / 3, "of some hundred in each second"
    folders = environments(functions.clary, "leaving")
    functions.client.delete_function(FunctionName="leaving")
    wait_until(lambda: not any(folder.exists() for folder in folders), 60, "what stands still ends too")


def environments(clary: RunningClary, function: str) -> list[Path]:
    """Folders of the containers of a function's environments that run."""
    found = []
    for folder in (clary.data_dir / "run" / "containers").glob("fn-*"):
        with suppress(FileNotFoundError):  # it is just being made, or removed
            env = json.loads((folder / "launch.json").read_text())["env"]
            if env.get("AWS_LAMBDA_FUNCTION_NAME") == function and not (folder / "exit.json").exists():
                found.append(folder)
    return found


def test_the_log_holds_start_end_and_report(functions: Functions, misbehaving: str) -> None:
    answer = functions.invoke(misbehaving, "fine", LogType="Tail")
    tail = base64.b64decode(answer["LogResult"]).decode()
    request = re.match(r"START RequestId: (\S+) Version: \$LATEST\n", tail)
    assert request is not None, tail
    assert "before fine\n" in tail
    assert f"END RequestId: {request[1]}\n" in tail
    report = r"REPORT RequestId: \S+\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
    assert re.search(report + r"Memory Size: 128 MB\tMax Memory Used: \d+ MB", tail)
    assert "before fine" in lines(functions, misbehaving)


def test_what_a_handler_raises_is_the_answer(functions: Functions, misbehaving: str) -> None:
    answer = functions.invoke(misbehaving, "raise", LogType="Tail")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert answer["said"]["errorType"] == "ValueError"
    assert answer["said"]["errorMessage"] == "this went wrong"
    assert 'File "/var/task/app.py", line 5, in handler' in answer["said"]["stackTrace"][0]
    assert "[ERROR] ValueError: this went wrong" in base64.b64decode(answer["LogResult"]).decode()


def test_an_answer_that_is_no_json_is_an_error_of_the_function(functions: Functions, misbehaving: str) -> None:
    answer = functions.invoke(misbehaving, "set")
    assert answer["said"]["errorType"] == "Runtime.MarshalError"
    assert answer["said"]["errorMessage"] == "Unable to marshal response: Object of type set is not JSON serializable"


@pytest.mark.parametrize("event", ["sleep", "spin", "leave"])
def test_a_function_past_its_time_is_ended_with_all_it_started(functions: Functions, hurried: str, event: str) -> None:
    functions.in_time(hurried, "begin")  # what that takes counts by itself
    answer = functions.invoke(hurried, event, LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    assert answer["said"]["errorType"] == "Sandbox.Timedout"
    assert answer["said"]["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "Task timed out after 2.00 seconds" in tail
    assert "Status: timeout" in tail
    assert not environments(functions.clary, hurried)
    assert functions.in_time(hurried, "again") == "well"


def test_a_fork_bomb_ends_by_its_time_or_memory_and_leaves_nothing(functions: Functions, hurried: str) -> None:
    functions.in_time(hurried, "begin")
    answer = functions.invoke(hurried, "bomb")
    assert answer["said"]["errorType"] in {"Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory"}
    assert not environments(functions.clary, hurried)
    assert functions.in_time(hurried, "again") == "well"


def test_a_function_that_forks_leaves_nothing_when_it_is_deleted(functions: Functions) -> None:
    functions.create("forking", """\
import os, time
def handler(event, context):
    for _ in range(50):
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
            os._exit(0)
    return len([name for name in os.listdir("/proc") if name.isdigit()])
""", Timeout=20)  # fmt: skip
    assert functions.ask("forking") > 50
    [folder] = environments(functions.clary, "forking")
    functions.client.delete_function(FunctionName="forking")
    wait_until(lambda: not environments(functions.clary, "forking"), 60, "its environment is gone")
    wait_until(lambda: not folder.exists(), 60, "and its folder")


def test_a_function_past_its_memory_is_ended(functions: Functions) -> None:
    functions.create("hungry", MISBEHAVING, Timeout=30)
    answer = functions.invoke("hungry", "eat", LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    assert answer["said"]["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert "Max Memory Used: 128 MB" in base64.b64decode(answer["LogResult"]).decode()
    assert functions.ask("hungry", "again") == "well"


def test_a_function_that_exits_is_an_error_and_the_next_call_starts_anew(
    functions: Functions, misbehaving: str
) -> None:
    answer = functions.invoke(misbehaving, "exit")
    assert answer["said"]["errorType"] == "Runtime.ExitError"
    assert answer["said"]["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    assert functions.ask(misbehaving, "again") == "well"


@pytest.mark.parametrize(
    ("text", "handler", "kind", "message"),
    [
        ("import nothing_of_that_name", "app.handler", "Runtime.ImportModuleError",
         "Unable to import module 'app': No module named 'nothing_of_that_name'"),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("x = 1", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
    ],
    ids=["import", "missing", "syntax", "name"],
)  # fmt: skip
def test_a_function_that_cannot_be_begun_says_why(
    functions: Functions, text: str, handler: str, kind: str, message: str
) -> None:
    name = kind.replace(".", "-")
    functions.create(name, text, Handler=handler)
    answer = functions.invoke(name, {})
    assert answer["FunctionError"] == "Unhandled"
    assert answer["said"]["errorType"] == kind
    assert answer["said"]["errorMessage"].startswith(message)


def test_a_function_acts_as_its_role_and_calls_another_without_any_set_up(functions: Functions) -> None:
    functions.create("inner", "def handler(event, context):\n    return event['n'] + 1")
    functions.create("outer", """\
import boto3, json
def handler(event, context):
    said = boto3.client("lambda").invoke(FunctionName="inner", Payload=json.dumps(event))
    return [boto3.client("sts").get_caller_identity()["Arn"], json.load(said["Payload"])]
""", Timeout=20, MemorySize=256)  # fmt: skip
    arn, answer = functions.ask("outer", {"n": 41})
    assert arn == "arn:aws:sts::000000000000:assumed-role/ClaryExecutionRole/outer"
    assert answer == 42


def test_code_comes_from_s3_and_is_replaced(functions: Functions) -> None:
    s3 = functions.clary.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="one.zip", Body=zipped({"app.py": "def handler(e, c): return 1"}))
    functions.create("replaced", "", Code={"S3Bucket": "code", "S3Key": "one.zip"})
    assert functions.ask("replaced") == 1
    functions.client.update_function_code(
        FunctionName="replaced", ZipFile=zipped({"app.py": "def handler(e, c): return 2"})
    )
    assert functions.ask("replaced") == 2
    functions.client.get_waiter("function_updated_v2").wait(FunctionName="replaced")
    s3.put_bucket_versioning(Bucket="code", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="code", Key="one.zip", Body=b"no zip")
    first = {"S3Bucket": "code", "S3Key": "one.zip", "S3ObjectVersion": "null"}
    functions.client.update_function_code(FunctionName="replaced", **first)
    assert functions.ask("replaced") == 1
    functions.client.get_waiter("function_updated_v2").wait(FunctionName="replaced")
    missing = {"S3Bucket": "code", "S3Key": "none.zip"}
    for more, code in (({}, "NoSuchKey"), ({"S3ObjectVersion": "x"}, "NoSuchVersion")):
        said = refused(functions.client.update_function_code, FunctionName="replaced", **missing, **more)
        assert said[0] == "InvalidParameterValueException"
        assert f"S3 Error Code: {code}" in said[1]


def test_versions_stay_as_they_were_and_aliases_lead_to_them(functions: Functions) -> None:
    client = functions.client
    functions.create("versioned", "def handler(e, c): return [1, c.function_version]", Publish=True)
    client.update_function_code(
        FunctionName="versioned", ZipFile=zipped({"app.py": "def handler(e, c): return [2, c.function_version]"})
    )
    assert functions.ask("versioned", Qualifier="1") == [1, "1"]
    assert functions.ask("versioned") == [2, "$LATEST"]
    assert client.publish_version(FunctionName="versioned")["Version"] == "2"
    assert client.publish_version(FunctionName="versioned")["Version"] == "2"
    alias = client.create_alias(FunctionName="versioned", Name="live", FunctionVersion="1")
    assert functions.ask(alias["AliasArn"]) == [1, "1"]
    client.update_alias(FunctionName="versioned", Name="live", FunctionVersion="2")
    answer = functions.invoke("versioned:live")
    assert (answer["said"], answer["ExecutedVersion"]) == ([2, "2"], "2")
    routing = {"AdditionalVersionWeights": {"1": 0.5}}
    client.update_alias(FunctionName="versioned", Name="live", FunctionVersion="2", RoutingConfig=routing)
    seen = {functions.invoke("versioned:live")["ExecutedVersion"] for _ in range(40)}
    assert seen == {"1", "2"}
    listed = client.list_versions_by_function(FunctionName="versioned")["Versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "1", "2"]
    assert refused(client.delete_function, FunctionName="versioned", Qualifier="2")[0] == "ResourceConflictException"
    assert refused(client.invoke, FunctionName="versioned", Qualifier="3")[0] == "ResourceNotFoundException"


def test_a_layer_lies_below_opt_and_its_modules_are_found(functions: Functions) -> None:
    client = functions.client
    for text in ("one", "two"):
        content = {"ZipFile": zipped({"python/encoder.py": f"SAID = {text!r}", "data/words.txt": text})}
        layer = client.publish_layer_version(LayerName="encoders", Content=content, CompatibleRuntimes=["python3.11"])
    assert layer["Version"] == 2
    functions.create("layered", """\
import encoder
def handler(event, context):
    return [encoder.SAID, open("/opt/data/words.txt").read()]
""", Layers=[layer["LayerVersionArn"]])  # fmt: skip
    assert functions.ask("layered") == ["two", "two"]
    client.update_function_configuration(FunctionName="layered", Layers=[layer["LayerVersionArn"][:-1] + "1"])
    assert functions.ask("layered") == ["one", "one"]
    assert client.list_layers()["Layers"][0]["LatestMatchingVersion"]["Version"] == 2


def test_a_function_with_its_own_boto3_gets_it(functions: Functions) -> None:
    files = {"app.py": "import boto3\ndef handler(e, c): return boto3.OWN", "boto3/__init__.py": "OWN = 'mine'"}
    functions.create("own-boto3", "", Code={"ZipFile": zipped(files)})
    assert functions.ask("own-boto3") == "mine"


def test_reserved_concurrency_is_held(functions: Functions) -> None:
    functions.create("slow", "import time\ndef handler(e, c): time.sleep(e); return 'done'", Timeout=20)
    functions.ask("slow", 0)
    functions.client.put_function_concurrency(FunctionName="slow", ReservedConcurrentExecutions=1)

    def is_throttled(seconds: float) -> bool:
        try:
            functions.ask("slow", seconds)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "TooManyRequestsException"
            return True
        return False

    over = threading.Event()
    with ThreadPoolExecutor(1) as clients:
        holding = clients.submit(lambda: [is_throttled(1) for _ in iter(over.is_set, True)])
        try:
            wait_until(lambda: is_throttled(0), 60, "who comes beside it is refused")
        finally:
            over.set()
        assert not all(holding.result()), "and it has had the place"
    assert functions.ask("slow", 0) == "done"
    functions.client.put_function_concurrency(FunctionName="slow", ReservedConcurrentExecutions=0)
    assert refused(functions.client.invoke, FunctionName="slow")[0] == "TooManyRequestsException"


def test_calls_at_once_have_environments_of_their_own(functions: Functions) -> None:
    functions.create("side", """\
import time
def handler(event, context):
    began = time.time()
    time.sleep(1)
    return [began, time.time(), context.log_stream_name]
""", Timeout=20)  # fmt: skip
    functions.ask("side")

    def side_by_side() -> bool:
        """Whether all three were at work in one moment, as on a machine that has a processor for them."""
        with ThreadPoolExecutor(3) as clients:
            calls = [call.result() for call in [clients.submit(functions.ask, "side") for _ in range(3)]]
        for one, other in itertools.combinations(calls, 2):
            assert one[2] != other[2] or one[1] <= other[0] or other[1] <= one[0], calls
        return max(began for began, _, _ in calls) < min(ended for _, ended, _ in calls)

    wait_until(side_by_side, 120, "three calls at once")


def test_events_are_carried_out_and_told_to_a_destination(functions: Functions) -> None:
    client, s3 = functions.client, functions.clary.client("s3")
    s3.create_bucket(Bucket="told")
    functions.create("teller", """\
import boto3, json
def handler(event, context):
    key = event["requestContext"]["condition"]
    boto3.client("s3").put_object(Bucket="told", Key=key, Body=json.dumps(event))
""", Timeout=20)  # fmt: skip
    functions.create("worker", "def handler(event, context):\n    return 1 / event")
    arn = client.get_function_configuration(FunctionName="teller")["FunctionArn"]
    destinations = {"OnSuccess": {"Destination": arn}, "OnFailure": {"Destination": arn}}
    client.put_function_event_invoke_config(
        FunctionName="worker", MaximumRetryAttempts=0, DestinationConfig=destinations
    )
    for event in (4, 0):
        assert functions.invoke("worker", event, InvocationType="Event")["StatusCode"] == 202

    def told(key: str) -> Any:
        found = s3.list_objects_v2(Bucket="told", Prefix=key).get("Contents")
        return json.load(s3.get_object(Bucket="told", Key=key)["Body"]) if found else None

    well = wait_until(lambda: told("Success"), 60, "the success is told")
    assert (well["requestPayload"], well["responsePayload"]) == (4, 0.25)
    failed = wait_until(lambda: told("RetriesExhausted"), 60, "the failure is told")
    assert failed["responsePayload"]["errorType"] == "ZeroDivisionError"
    assert failed["responseContext"]["functionError"] == "Unhandled"
    waiting = functions.clary.data_dir / "functions" / "events"
    wait_until(lambda: not list(waiting.glob("*.json")), 60, "no event is left")


def test_an_event_bus_as_a_destination_is_refused(functions: Functions) -> None:
    functions.create("queueing", "def handler(event, context): return 1")
    destinations = {"OnFailure": {"Destination": BUS}}
    put = functions.client.put_function_event_invoke_config
    code, said = refused(put, FunctionName="queueing", DestinationConfig=destinations)
    assert code == "InvalidParameterValueException"
    assert said == f"Destination {BUS} (what may be one: functions, queues and topics) is not offered by Clary."


def test_a_dry_run_invokes_nothing(functions: Functions) -> None:
    functions.create("dry", COUNTING)
    assert functions.invoke("dry", InvocationType="DryRun")["StatusCode"] == 204
    assert functions.ask("dry")[0] == 1


def test_permissions_are_kept_as_a_policy(functions: Functions) -> None:
    client = functions.client
    functions.create("permitted", COUNTING)
    statement = {
        "StatementId": "api",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:us-east-1:000000000000:abc/*",
    }
    client.add_permission(FunctionName="permitted", **statement)
    assert refused(client.add_permission, FunctionName="permitted", **statement)[0] == "ResourceConflictException"
    policy = json.loads(client.get_policy(FunctionName="permitted")["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert policy["Statement"][0]["Condition"] == {"ArnLike": {"AWS:SourceArn": statement["SourceArn"]}}
    client.remove_permission(FunctionName="permitted", StatementId="api")
    assert refused(client.get_policy, FunctionName="permitted")[0] == "ResourceNotFoundException"


WEB = """\
def handler(event, context):
    http = event["requestContext"]["http"]
    said = f'{http["method"]} {event["rawPath"]} {event.get("queryStringParameters")} {event.get("body")}'
    return {"statusCode": 201, "headers": {"x-own": "yes", "content-type": "text/plain"}, "body": said}
"""


def test_a_function_answers_at_its_url(functions: Functions) -> None:
    functions.create("web", WEB)
    made = functions.client.create_function_url_config(FunctionName="web", AuthType="NONE")
    host = made["FunctionUrl"].split("/")[2]

    def ask(path: str, body: bytes | None = None) -> Any:
        headers = {"Host": host, "content-type": "text/plain"}
        request = urllib.request.Request(functions.clary.endpoint_url + path, body, headers)
        return urllib.request.urlopen(request)

    with pytest.raises(urllib.error.HTTPError) as error:
        ask("/")
    assert error.value.code == 403
    functions.client.add_permission(
        FunctionName="web",
        StatementId="all",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    with ask("/some/path?a=1&a=2", b"hello") as answer:
        assert (answer.status, answer.headers["x-own"]) == (201, "yes")
        assert answer.read() == b"POST /some/path {'a': '1,2'} hello"


def test_a_url_with_aws_iam_wants_a_signature_and_says_who_has_signed(functions: Functions) -> None:
    functions.create("signed", "def handler(e, c): return e['requestContext']['authorizer']['iam']['userArn']")
    made = functions.client.create_function_url_config(FunctionName="signed", AuthType="AWS_IAM")
    host = made["FunctionUrl"].split("/")[2]
    key = json.loads((functions.clary.data_dir / "credentials.json").read_text())
    credentials = Credentials(key["access_key_id"], key["secret_access_key"])
    signed = AWSRequest("GET", made["FunctionUrl"], headers={"Host": host})
    SigV4Auth(credentials, "lambda", "us-east-1").add_auth(signed)
    headers = dict(signed.headers.items())

    def ask(headers: dict[str, str]) -> Any:
        return urllib.request.urlopen(urllib.request.Request(functions.clary.endpoint_url + "/", headers=headers))

    with ask(headers) as answer:
        assert answer.read().startswith(b"arn:aws:")
    with pytest.raises(urllib.error.HTTPError) as error:
        ask({"Host": host})
    assert error.value.code == 403


@pytest.mark.parametrize(
    ("request_", "code_", "words"),
    [
        ({"Runtime": "nodejs20.x"}, "InvalidParameterValueException", "nodejs20.x"),
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "reserved keys"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException", "Could not unzip uploaded file"),
        ({"Layers": [NO_LAYER]}, "InvalidParameterValueException", "does not exist"),
        ({"Role": "arn:aws:iam::000000000000:role/none"}, "InvalidParameterValueException", "cannot be assumed"),
        ({"DeadLetterConfig": {"TargetArn": BUS}}, "InvalidParameterValueException", "is not offered by Clary"),
        ({"ImageConfig": {"Command": ["app"]}}, "InvalidParameterValueException", "PackageType is Zip"),
    ],
    ids=["runtime", "timeout", "environment", "zip", "layer", "role", "dead-letters", "image"],
)  # fmt: skip
def test_what_cannot_be_created_is_refused(
    functions: Functions, request_: dict[str, Any], code_: str, words: str
) -> None:
    with pytest.raises(ClientError) as error:
        functions.create("refused", ECHO, **request_)
    assert error.value.response["Error"]["Code"] == code_
    assert words in error.value.response["Error"]["Message"]


def test_what_is_there_already_and_what_is_not(functions: Functions) -> None:
    functions.create("there", COUNTING)
    with pytest.raises(ClientError) as error:
        functions.create("there", COUNTING)
    assert error.value.response["Error"]["Message"] == "Function already exist: there"
    functions.client.delete_function(FunctionName="there")
    code_, message = refused(functions.client.invoke, FunctionName="there")
    assert code_ == "ResourceNotFoundException"
    assert message == "Function not found: arn:aws:lambda:us-east-1:000000000000:function:there"


def test_metrics_of_functions_are_reported(functions: Functions, misbehaving: str) -> None:
    functions.invoke(misbehaving, "raise")
    cloudwatch = functions.clary.client("cloudwatch")

    def errors() -> float:
        got = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": misbehaving}],
            StartTime=time.time() - 3600,
            EndTime=time.time() + 60,
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in got["Datapoints"])

    wait_until(lambda: errors() >= 1, 60, "errors are seen")


def test_control_killed_under_an_invocation_costs_nothing(clary: RunningClary) -> None:
    functions = Functions(clary)
    functions.create("slow", "import time\ndef handler(e, c): time.sleep(e); return 'done'", Timeout=30)
    functions.ask("slow", 0)
    said: list[str] = []
    waiting = threading.Thread(target=lambda: said.append(functions.ask("slow", 3)))
    waiting.start()
    clary.kill("control")
    waiting.join()
    assert said == ["done"]
    wait_until(lambda: unless_away(functions.client.list_functions), 60, "control is back")
    assert functions.ask("slow", 0) == "done"


def test_an_edge_killed_leaves_no_environment_and_no_event_is_lost(clary: RunningClary) -> None:
    functions = Functions(clary)
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="told")
    functions.create("teller", """\
import boto3, time
def handler(event, context):
    time.sleep(event["sleep"])
    boto3.client("s3").put_object(Bucket="told", Key=event["key"], Body=b"")
""", Timeout=30)  # fmt: skip
    functions.ask("teller", {"sleep": 0, "key": "first"})
    functions.invoke("teller", {"sleep": 2, "key": "second"}, InvocationType="Event")
    before = environments(clary, "teller")
    clary.kill("edge")
    wait_until(lambda: not set(before) & set(environments(clary, "teller")), 60, "its environments are gone")

    def keys() -> list[str]:
        return [each["Key"] for each in clary.client("s3").list_objects_v2(Bucket="told").get("Contents", [])]

    wait_until(lambda: "second" in keys(), 60, "the event is carried out")


def test_an_answer_that_is_too_large_is_an_error_of_the_function(functions: Functions) -> None:
    functions.create("large", "def handler(e, c): return 'x' * 7_000_000", MemorySize=256)
    answer = functions.invoke("large")
    assert answer["FunctionError"] == "Unhandled"
    assert answer["said"]["errorType"] == "Function.ResponseSizeTooLarge"


def test_an_event_that_is_too_large_or_no_json_is_refused(functions: Functions) -> None:
    functions.create("narrow", "def handler(e, c): return e")
    invoke = functions.client.invoke
    large = b'"' + b"x" * 1_100_000 + b'"'
    assert (
        refused(invoke, FunctionName="narrow", Payload=large, InvocationType="Event")[0] == "RequestTooLargeException"
    )
    assert refused(invoke, FunctionName="narrow", Payload=b"{")[0] == "InvalidRequestContentException"
