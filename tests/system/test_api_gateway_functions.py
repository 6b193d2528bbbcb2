"""Functions behind REST APIs, and before them as authorizers."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.rest_apis import Builder, ask

_CODE = """
import base64, json, time

def echo(event, context):
    return {"statusCode": 201, "headers": {"X-Mine": "yes"}, "body": json.dumps(event)}

def plain(event, context):
    if event.get("fail"):
        raise ValueError("Not good: " + event["fail"])
    return {"got": event}

def answers(event, context):
    kind = (event["queryStringParameters"] or {}).get("kind")
    if kind == "binary":
        return {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "isBase64Encoded": True,
                "body": base64.b64encode(bytes(range(8))).decode()}
    if kind == "slow":
        time.sleep(20)
    if kind == "raises":
        raise ValueError("no")
    return {"text": "hello", "list": [1], "odd": {"statusCode": 200, "extra": 1}, "status": {"statusCode": "abc"},
            "body": {"statusCode": 200, "body": {"a": 1}}}[kind]

def authorize(event, context):
    token = event.get("authorizationToken") or (event.get("headers") or {}).get("X-Token")
    if token == "unauthorized":
        raise Exception("Unauthorized")
    effect = "Allow" if token.startswith("allow") else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {"principalId": "user|" + token, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"stamp": str(time.time())}}
"""


def _packed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", _CODE)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def clary(shared: RunningClary) -> RunningClary:
    return shared


@pytest.fixture(scope="module")
def functions(clary: RunningClary) -> dict[str, str]:
    """The ARNs of the functions, each of which API Gateway may invoke, by handler."""
    client = clary.client("lambda")
    iam = clary.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="functions", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    arns = {}
    for handler in ("echo", "plain", "answers", "authorize", "closed"):
        name = "plain" if handler == "closed" else handler
        arns[handler] = client.create_function(
            FunctionName=handler, Runtime="python3.11", Role=role, Handler=f"app.{name}", Code={"ZipFile": _packed()},
            Timeout=15,
        )["FunctionArn"]  # fmt: skip
        wait_until(lambda h=handler: _active(client, h), 60, f"{handler} is active")  # type: ignore[misc]
        if handler != "closed":
            client.add_permission(
                FunctionName=handler, StatementId="api", Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
            )  # fmt: skip
    return arns


def _active(client: Any, name: str) -> bool:
    return bool(client.get_function_configuration(FunctionName=name)["State"] == "Active")


@pytest.fixture
def gateway(clary: RunningClary) -> Any:
    return clary.client("apigateway")


@pytest.fixture
def api(clary: RunningClary, gateway: Any) -> Builder:
    return Builder(gateway, clary.endpoint_url, binaryMediaTypes=["image/png"])


def _uri(arn: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def _proxy(api: Builder, path: str, arn: str, **options: Any) -> None:
    place = api.method(path, "ANY", **options)
    api.client.put_integration(**place, type="AWS_PROXY", integrationHttpMethod="POST", uri=_uri(arn))


def test_a_proxy_hands_over_the_whole_request(api: Builder, functions: dict[str, str]) -> None:
    _proxy(api, "/things/{id}", functions["echo"])
    answer = ask(api.deploy(variables={"v": "1"}) + "/things/7?a=1&a=2", "POST", b'{"x": 1}', X_Custom="me")
    assert (answer.status, answer.headers["x-mine"]) == (201, "yes")
    event = answer.json
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/things/{id}", "/things/7", "POST")
    assert event["pathParameters"] == {"id": "7"}
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["stageVariables"] == {"v": "1"}
    assert event["headers"]["X-Custom"] == "me"
    assert json.loads(event["body"]) == {"x": 1}
    assert event["isBase64Encoded"] is False
    assert event["requestContext"]["stage"] == "dev"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_binary_bodies_go_both_ways(api: Builder, functions: dict[str, str]) -> None:
    _proxy(api, "/echo", functions["echo"])
    _proxy(api, "/answers", functions["answers"])
    url = api.deploy()
    event = ask(f"{url}/echo", "POST", b"\x89PNG\xff", Content_Type="image/png").json
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\x89PNG\xff", True)
    picture = ask(f"{url}/answers?kind=binary", Accept="image/png")
    assert (picture.body, picture.headers["content-type"]) == (bytes(range(8)), "image/png")


@pytest.mark.parametrize("kind", ["text", "list", "odd", "status", "body", "raises"])
def test_an_answer_that_is_none_is_502(api: Builder, functions: dict[str, str], kind: str) -> None:
    _proxy(api, "/", functions["answers"])
    answer = ask(f"{api.deploy()}/?kind={kind}")
    assert (answer.status, answer.json) == (502, {"message": "Internal server error"})
    assert answer.headers["x-amzn-errortype"] == "InternalServerErrorException"


def test_a_function_that_takes_too_long_is_504(api: Builder, functions: dict[str, str]) -> None:
    place = api.method("/")
    api.client.put_integration(
        **place, type="AWS_PROXY", integrationHttpMethod="POST", uri=_uri(functions["answers"]), timeoutInMillis=300
    )
    answer = ask(f"{api.deploy()}/?kind=slow")
    assert (answer.status, answer.json) == (504, {"message": "Endpoint request timed out"})


def test_without_a_proxy_the_body_is_the_event(api: Builder, functions: dict[str, str]) -> None:
    place = api.method("/", "POST")
    api.client.put_integration(**place, type="AWS", integrationHttpMethod="POST", uri=_uri(functions["plain"]))
    for status, pattern in (("200", ""), ("422", "Not good.*")):
        api.client.put_method_response(**place, statusCode=status)
        more = {"selectionPattern": pattern} if pattern else {}
        api.client.put_integration_response(**place, statusCode=status, **more)
    url = api.deploy() + "/"
    good = ask(url, "POST", b'{"a": 1}', Content_Type="application/json")
    assert (good.status, good.json) == (200, {"got": {"a": 1}})
    bad = ask(url, "POST", b'{"fail": "x"}', Content_Type="application/json")
    assert (bad.status, bad.json["errorMessage"]) == (422, "Not good: x")


def test_a_function_that_has_not_said_so_is_not_invoked(api: Builder, functions: dict[str, str]) -> None:
    _proxy(api, "/", functions["closed"])
    answer = ask(api.deploy() + "/")
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})


@pytest.mark.parametrize("kind", ["TOKEN", "REQUEST"])
def test_an_authorizer_decides(api: Builder, gateway: Any, functions: dict[str, str], kind: str) -> None:
    header = "Authorization" if kind == "TOKEN" else "X-Token"
    authorizer = gateway.create_authorizer(
        restApiId=api.id, name="a", type=kind, authorizerUri=_uri(functions["authorize"]),
        identitySource=f"method.request.header.{header}",
    )["id"]  # fmt: skip
    answer = '{"who": "$context.authorizer.principalId", "stamp": "$context.authorizer.stamp"}'
    api.mock("/", answer=answer, authorizationType="CUSTOM", authorizerId=authorizer)
    url, name = api.deploy() + "/", header.replace("-", "_")
    missing = ask(url)
    assert (missing.status, missing.json) == (401, {"message": "Unauthorized"})
    allowed = ask(url, **{name: "allow me"})
    assert (allowed.status, allowed.json["who"]) == (200, "user|allow me")
    assert ask(url, **{name: "allow me"}).json == allowed.json, "what it said is remembered"
    denied = ask(url, **{name: "deny"})
    assert (denied.status, denied.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert ask(url, **{name: "unauthorized"}).status == 401
    tried = gateway.test_invoke_authorizer(restApiId=api.id, authorizerId=authorizer, headers={header: "allow it"})
    assert (tried["clientStatus"], tried["principalId"]) == (0, "user|allow it")
    with pytest.raises(ClientError, match="is referenced in method"):
        gateway.delete_authorizer(restApiId=api.id, authorizerId=authorizer)
