"""InvokeEndpointAsync: what is kept and answered, and what is refused.

No public source shows AWS's words for what is refused, but for the length of a body.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from clary.calls import Call, Principal
from clary.errors import AWSError
from clary.services.sagemaker_runtime.asynchronous import BODY_BYTES, invoke_endpoint_async
from clary.serving.asynchronous.config import Asynchronous
from clary.serving.router import Router
from clary.serving.routes import Route, RouteTable, VariantRoute, endpoint_id

ACCOUNT = "123456789012"
ARN = f"arn:aws:iam::{ACCOUNT}:root"
CONFIG = Asynchronous("born", "s3://b/out/", "s3://b/out/")
INPUT = "s3://b/in"


@dataclass
class Edge:
    call: Call
    router: Router
    kept: list = field(default_factory=list)
    full: bool = False

    @property
    def asynchronous(self):
        return self

    async def accept(self, request, body):
        if self.full:
            raise OSError(28, "No space left on device")
        self.kept.append((request, body))


@pytest.fixture
def edge(tmp_path, servers):
    table = RouteTable(tmp_path)
    variants = (VariantRoute("v", 1.0, ()),)
    table.set(endpoint_id(ACCOUNT, "us-east-1", "e"), Route(variants, asynchronous=CONFIG))
    table.set(endpoint_id(ACCOUNT, "us-east-1", "silent"), Route(variants, asynchronous=replace(CONFIG, failure="")))
    table.set(endpoint_id(ACCOUNT, "us-east-1", "at-once"), Route(variants))
    principal = Principal("root", ACCOUNT, ARN, ARN, ACCOUNT)
    call = Call(principal, "sagemaker-runtime", "InvokeEndpointAsync", {}, "us-east-1")
    router = Router(tmp_path, servers.dial)
    yield Edge(call, router)
    router.close()


async def invoke(edge, **params):
    return await invoke_endpoint_async(edge, {"EndpointName": "e", **params})


async def test_what_was_kept_is_what_is_answered(edge):
    answer = await invoke(edge, InputLocation=INPUT, Accept="a/b", RequestTTLSeconds=60, InvocationTimeoutSeconds=5)
    [(request, body)] = edge.kept
    assert (request.input, body, request.params) == (INPUT, b"", {"Accept": "a/b"})
    assert (request.ttl, request.timeout, request.owner.id) == (60.0, 5.0, "born")
    assert answer == {
        "InferenceId": request.inference_id,
        "OutputLocation": f"s3://b/out/{request.id}.out",
        "FailureLocation": f"s3://b/out/{request.id}-error.out",
    }


async def test_times_and_places_where_nobody_says_them(edge):
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/silent"
    answer = await invoke(edge, EndpointName=arn, Body=b"x", InferenceId="mine", S3OutputPathExtension="a/b/")
    [(request, body)] = edge.kept
    assert (request.ttl, request.timeout, body, request.input) == (21_600.0, 900.0, b"x", "")
    assert answer == {"InferenceId": "mine", "OutputLocation": f"s3://b/out/a/b/{request.id}.out"}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"EndpointName": "nope", "InputLocation": INPUT}, f"Endpoint nope of account {ACCOUNT} not found."),
        ({"EndpointName": "at-once", "InputLocation": INPUT}, "is not an asynchronous endpoint: use InvokeEndpoint."),
        ({}, "Body and InputLocation are mutually exclusive: provide exactly one of them."),
        ({"Body": b"x", "InputLocation": INPUT}, "Body and InputLocation are mutually exclusive"),
        ({"InputLocation": "https://example.com/x"}, "InputLocation https://example.com/x is not a valid S3 URI."),
        ({"InputLocation": "s3://b"}, "InputLocation s3://b is not a valid S3 URI."),
        ({"Body": b"x" * (BODY_BYTES + 1)}, "Member must have length less than or equal to 128000"),
    ],
    ids=["unknown", "real time", "neither", "both", "elsewhere", "bucket", "too long"],
)
async def test_what_is_refused_is_not_kept(edge, params, words):
    with pytest.raises(AWSError, match=words) as raised:
        await invoke(edge, **params)
    assert (raised.value.code, raised.value.status, edge.kept) == ("ValidationError", 400, [])


async def test_what_cannot_be_kept_is_not_acknowledged(edge):
    edge.full = True
    with pytest.raises(AWSError, match="No space left on device") as raised:
        await invoke(edge, InputLocation=INPUT)
    assert raised.value.status == 503
