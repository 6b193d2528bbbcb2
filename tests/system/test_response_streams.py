"""Response streams, stateful sessions, and more requests than a model can answer: a started Clary, asked by boto3."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError, EventStreamError

from tests.running import RunningClary, wait_until
from tests.slowness import slowness
from tests.system.endpoints import at_rest, configure
from tests.system.jobs import BUCKET, SKLEARN, Jobs, packed
from tests.unit.serving.conftest import read_request

pytestmark = [pytest.mark.system]

YIELDS = """\
import time

def model_fn(model_dir):
    return model_dir

def input_fn(data, content_type):
    return data

def predict_fn(words, model):
    for word in words.split():
        if word == "break":
            raise RuntimeError("no more")
        while word == "endless":
            yield "again "
            time.sleep(0.01)
        yield word + " "

def output_fn(parts, accept):
    return parts, "text/plain"
"""

STATEFUL = """\
import http.server, json, os, threading, time, uuid

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sessions = {}

    def do_GET(self):
        self.answer({})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        session = self.headers.get("X-Amzn-SageMaker-Session-Id")
        if body == "chunks":
            self.chunks(b"one", b"two", b"three")
        elif session == "NEW_SESSION":
            made = str(uuid.uuid4())
            self.sessions[made] = []
            until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1200))
            self.answer([], ("X-Amzn-SageMaker-New-Session-Id", made + "; Expires=" + until))
        elif body == "close":
            self.sessions.pop(session)
            self.answer([], ("X-Amzn-SageMaker-Closed-Session-Id", session))
        elif session:
            self.sessions[session].append(body)
            self.answer(self.sessions[session])
        else:
            self.answer("stateless")

    def chunks(self, *parts):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (*parts, b""):
            self.wfile.write(b"%x\\r\\n%b\\r\\n" % (len(part), part))

    def answer(self, document, *headers):
        content = json.dumps(document).encode()
        self.send_response(200)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(content))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass

def model_fn(model_dir):
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
"""
"""A server of the user's own, on the port where the endpoint asks; the toolkit's is on another one."""

SLOW = """\
import time

def model_fn(model_dir):
    return 1

def transform_fn(model, data, content_type, accept):
    time.sleep(0.05)
    return "done", "text/plain"
"""


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


def deploy(jobs: Jobs, name: str, script: str, count: int = 1, **of_variant: Any) -> str:
    """An endpoint whose model is a script; with two ports where it brings a server of its own."""
    body = packed({"model": "", "code/inference.py": script})
    jobs.s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=body)
    env = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    if "8080" in script:
        env["SAGEMAKER_BIND_TO_PORT"] = "8081"
    container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz", "Environment": env}
    jobs.sagemaker.create_model(ModelName=name, ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    shape = {"InstanceType": "ml.m5.large", "InitialInstanceCount": count, "InitialVariantWeight": 1}
    configure(jobs, name, {"VariantName": "v", "ModelName": name, **shape, **of_variant})
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert at_rest(jobs, name)["EndpointStatus"] == "InService"
    return name


@pytest.fixture(scope="module")
def streaming(jobs: Jobs) -> str:
    return deploy(jobs, "yields", YIELDS)


def begun(jobs: Jobs, name: str, body: str, **params: Any) -> Any:
    asked = {"EndpointName": name, "Body": body, "ContentType": "text/csv", **params}
    return jobs.runtime.invoke_endpoint_with_response_stream(**asked)


def texts(answer: Any) -> Iterator[str]:
    for event in answer["Body"]:
        yield event["PayloadPart"]["Bytes"].decode()


def test_what_a_script_yields_is_streamed_part_by_part(jobs: Jobs, streaming: str) -> None:
    answer = begun(jobs, streaming, "a endless b")
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/plain", "v")
    parts = texts(answer)
    assert [next(parts) for _ in range(4)] == ["a ", "again ", "again ", "again "]
    answer["Body"].close()
    assert list(texts(begun(jobs, streaming, "x y"))) == ["x ", "y "], "for who has gone nothing is computed any more"


def test_errors_come_before_the_stream_or_within_it(jobs: Jobs, streaming: str) -> None:
    with pytest.raises(ClientError, match="no more") as raised:
        begun(jobs, streaming, "break")
    assert raised.value.response["Error"]["Code"] == "ModelError"
    parts = texts(begun(jobs, streaming, "a break"))
    assert next(parts) == "a "
    with pytest.raises(EventStreamError) as within:
        next(parts)
    assert within.value.response["Error"]["Code"] == "ModelStreamError"


def test_invoke_endpoint_answers_with_all_parts_at_once(jobs: Jobs, streaming: str) -> None:
    answer = jobs.runtime.invoke_endpoint(EndpointName=streaming, Body="a b c", ContentType="text/csv")
    assert answer["Body"].read() == b"a b c "


@pytest.fixture(scope="module")
def own(jobs: Jobs) -> str:
    """Two replicas of a server of the user's own."""
    return deploy(jobs, "stateful", STATEFUL, 2, RoutingConfig={"RoutingStrategy": "RANDOM"})


def test_chunks_of_a_container_of_ones_own_are_parts(jobs: Jobs, own: str) -> None:
    assert list(texts(begun(jobs, own, "chunks"))) == ["one", "two", "three"]
    assert list(texts(begun(jobs, own, "x"))) == ['"stateless"'], "an ordinary answer is one"


def test_sessions_keep_to_the_replica_that_made_them(jobs: Jobs, own: str) -> None:
    name = own
    shown = jobs.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"][0]
    assert shown["RoutingConfig"] == {"RoutingStrategy": "RANDOM"}

    def ask(body: str, session: str) -> Any:
        return jobs.runtime.invoke_endpoint(EndpointName=name, Body=body, SessionId=session)

    def said(body: str, session: str) -> Any:
        return json.loads(ask(body, session)["Body"].read())

    sessions = [ask("begin", "NEW_SESSION")["NewSessionId"].partition(";")[0] for _ in range(6)]
    for word in ("one", "two"):
        for session in sessions:
            said(word, session)
    assert [said("three", session) for session in sessions] == [["one", "two", "three"]] * 6
    streamed = jobs.runtime.invoke_endpoint_with_response_stream(EndpointName=name, Body="four", SessionId=sessions[0])
    assert json.loads("".join(texts(streamed))) == ["one", "two", "three", "four"]
    jobs.clary.kill("edge")
    assert wait_until(lambda: answered(lambda: said("five", sessions[1])), 60, "an edge is there again")[-1] == "five"
    assert ask("close", sessions[0])["ClosedSessionId"] == sessions[0]
    with pytest.raises(ClientError, match=f"ValidationError.*Session {sessions[0]} does not exist"):
        ask("more", sessions[0])


def answered(ask: Any) -> Any:
    try:
        return ask()
    except (BotoCoreError, ClientError):  # an edge that is being started anew, a crowd that still waits
        return None


def signed(jobs: Jobs, endpoint: str) -> bytes:
    """One InvokeEndpoint as it is sent: a crowd of boto3 clients would have more to compute than who is asked."""
    url = f"{jobs.clary.endpoint_url}/endpoints/{endpoint}/invocations"
    request = AWSRequest("POST", url, data=b"x", headers={"Host": url.split("/")[2], "Content-Length": "1"})
    key = json.loads((jobs.clary.data_dir / "credentials.json").read_text())
    SigV4Auth(Credentials(key["access_key_id"], key["secret_access_key"]), "sagemaker", "us-east-1").add_auth(request)
    lines = [f"POST {urlsplit(url).path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\nx"


@dataclass
class Crowd:
    """Clients on connections of their own, who ask again when they are answered, or a second after they are refused."""

    port: int
    asks: bytes
    done: list[float] = field(default_factory=list)
    """Seconds that each answer took."""
    refused: list[float] = field(default_factory=list)
    others: list[bytes] = field(default_factory=list)

    async def client(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with closing(writer):
            while True:
                await self.ask(reader, writer)

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began = time.monotonic()
        writer.write(self.asks)
        head, _ = await read_request(reader)
        took, lines = time.monotonic() - began, set(head.lower().split(b"\r\n"))
        if b"http/1.1 200 ok" in lines:
            self.done.append(took)
        elif {b"x-amzn-errortype: throttlingexception", b"retry-after: 1"} <= lines:
            self.refused.append(took)
            await asyncio.sleep(1)
        else:
            self.others.append(head)

    async def asks_until(self, clients: int, over: Callable[[], bool], seconds: float) -> None:
        """AssertionError where it is not over in so many seconds."""
        asking = [asyncio.create_task(self.client()) for _ in range(clients)]
        end = time.monotonic() + seconds
        try:
            while not over() and not self.others:
                assert time.monotonic() < end, (len(self.done), len(self.refused))
                assert not any(each.done() for each in asking), "a connection was broken"
                await asyncio.sleep(0.02)
        finally:
            for each in asking:
                each.cancel()
            await asyncio.gather(*asking, return_exceptions=True)


def test_ten_times_too_many_requests_are_refused_quickly_and_the_rest_is_answered_in_time(jobs: Jobs) -> None:
    name = deploy(jobs, "slow", SLOW)
    crowd, slow = Crowd(jobs.clary.port, signed(jobs, name)), slowness()
    asyncio.run(crowd.asks_until(10 * 20, lambda: len(crowd.refused) > 200 and len(crowd.done) > 40, 60))
    over = time.monotonic()
    wait_until(lambda: answered(lambda: jobs.runtime.invoke_endpoint(EndpointName=name, Body=b"x")), 60, "it answers")
    recovered = time.monotonic() - over
    assert crowd.others == []
    slow = max(slow, slowness())
    assert recovered < 5 * slow
    assert median(crowd.refused) < 2 * slow
    assert max(crowd.done) < 15 * slow
    assert median(crowd.refused) < median(crowd.done), "who is refused does not wait until the model could answer"
