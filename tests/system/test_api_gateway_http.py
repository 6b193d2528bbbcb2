"""HTTP APIs of a started Clary."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.rest_apis import Answer, ask

_CODE = """
import json, time

def echo(event, context):
    return {"statusCode": 200, "cookies": ["a=1", "b=2"], "headers": {"content-type": "application/json"},
            "body": json.dumps(event)}

def plain(event, context):
    return {"hello": "world"}

def simple(event, context):
    return {"isAuthorized": event["headers"].get("authorization") == "yes", "context": {"n": 7}}
"""


@pytest.fixture(scope="module")
def clary(shared: RunningClary) -> RunningClary:
    return shared


@pytest.fixture(scope="module")
def gateway(clary: RunningClary) -> Any:
    return clary.client("apigatewayv2")


@pytest.fixture(scope="module")
def functions(clary: RunningClary) -> dict[str, str]:
    client, iam = clary.client("lambda"), clary.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="functions", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", _CODE)
    arns = {}
    for name in ("echo", "plain", "simple"):
        arns[name] = client.create_function(
            FunctionName=name, Runtime="python3.11", Role=role, Handler=f"app.{name}",
            Code={"ZipFile": packed.getvalue()},
        )["FunctionArn"]  # fmt: skip
        client.add_permission(
            FunctionName=name, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
        )
        wait_until(
            lambda n=name: client.get_function_configuration(FunctionName=n)["State"] == "Active",  # type: ignore[misc]
            60,
            f"{name} is active",
        )
    return arns


def _ask(clary: RunningClary, api: str, path: str, method: str = "GET", body: bytes | None = None, **h: str) -> Answer:
    """By the host, as browsers do."""
    return ask(clary.endpoint_url + path, method, body, Host=f"{api}.execute-api.localhost:{clary.port}", **h)


def _route(gateway: Any, api: str, key: str, **integration: Any) -> str:
    made = gateway.create_integration(ApiId=api, **integration)["IntegrationId"]
    route: str = gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{made}")["RouteId"]
    return route


@pytest.fixture
def api(gateway: Any) -> str:
    """An API whose default stage deploys by itself."""
    made: str = gateway.create_api(Name="test", ProtocolType="HTTP")["ApiId"]
    gateway.create_stage(ApiId=made, StageName="$default", AutoDeploy=True, StageVariables={"v": "1"})
    return made


def test_a_function_is_all_that_a_quick_api_needs(clary: RunningClary, gateway: Any, functions: dict[str, str]) -> None:
    made = gateway.create_api(Name="quick", ProtocolType="HTTP", Target=functions["plain"])
    answer = _ask(clary, made["ApiId"], "/any/path")
    assert (answer.status, answer.json) == (200, {"hello": "world"})
    assert made["ApiEndpoint"] == f"http://{made['ApiId']}.execute-api.localhost:{clary.port}"


def test_payload_2_has_the_request_and_its_cookies(
    clary: RunningClary, gateway: Any, api: str, functions: dict[str, str]
) -> None:
    _route(gateway, api, "POST /pets/{id}", IntegrationType="AWS_PROXY", IntegrationUri=functions["echo"],
           PayloadFormatVersion="2.0")  # fmt: skip
    answer = _ask(clary, api, "/pets/7?a=1&a=2", "POST", b'{"x":1}', Cookie="c=1; d=2", Content_Type="application/json")
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
    event = answer.json
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "POST /pets/{id}", "/pets/7")
    assert event["rawQueryString"] == "a=1&a=2"
    assert event["queryStringParameters"] == {"a": "1,2"}
    assert event["pathParameters"] == {"id": "7"}
    assert event["cookies"] == ["c=1", "d=2"]
    assert event["stageVariables"] == {"v": "1"}
    assert (event["body"], event["isBase64Encoded"]) == ('{"x":1}', False)
    assert event["requestContext"]["http"]["method"] == "POST"


def test_payload_1_is_that_of_rest_apis(clary: RunningClary, gateway: Any, api: str, functions: dict[str, str]) -> None:
    _route(gateway, api, "ANY /{proxy+}", IntegrationType="AWS_PROXY", IntegrationUri=functions["echo"],
           PayloadFormatVersion="1.0")  # fmt: skip
    event = _ask(clary, api, "/a/b", "PUT", b"\x00\xff", Content_Type="image/png").json
    assert (event["version"], event["resource"], event["httpMethod"]) == ("1.0", "/{proxy+}", "PUT")
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)
    assert event["pathParameters"] == {"proxy": "a/b"}


def test_the_route_that_fits_best_answers(clary: RunningClary, gateway: Any, api: str, backend: int) -> None:
    for key in ("GET /pets/{id}", "ANY /pets/own", "GET /{proxy+}", "$default"):
        place = key.replace(" ", "-").replace("$", "").replace("{", "").replace("}", "").replace("+", "")
        _route(gateway, api, key, IntegrationType="HTTP_PROXY", IntegrationMethod="GET",
               IntegrationUri=f"http://127.0.0.1:{backend}/{place}")  # fmt: skip
    found = {path: _ask(clary, api, path).json["path"] for path in ("/pets/1", "/pets/own", "/other/x", "/")}
    assert found == {
        "/pets/1": "/GET-/pets/id",
        "/pets/own": "/ANY-/pets/own",
        "/other/x": "/GET-/proxy",
        "/": "/default",
    }
    assert _ask(clary, api, "/pets/1/2", "POST").json["path"] == "/default"


def test_what_no_route_takes_is_not_found(clary: RunningClary, api: str) -> None:
    answer = _ask(clary, api, "/none")
    assert (answer.status, answer.json) == (404, {"message": "Not Found"})


def test_stages_are_deployed_by_themselves_or_not(clary: RunningClary, gateway: Any, api: str, backend: int) -> None:
    gateway.create_stage(ApiId=api, StageName="held")
    uri = f"http://127.0.0.1:{backend}/x"
    _route(gateway, api, "GET /x", IntegrationType="HTTP_PROXY", IntegrationMethod="GET", IntegrationUri=uri)
    assert _ask(clary, api, "/x").status == 200
    assert _ask(clary, api, "/held/x").status == 404
    gateway.create_deployment(ApiId=api, StageName="held")
    assert _ask(clary, api, "/held/x").status == 200
    assert ask(f"{clary.endpoint_url}/restapis/{api}/held/_user_request_/x").status == 200
    deployments = gateway.get_deployments(ApiId=api)["Items"]
    assert sorted(each["AutoDeployed"] for each in deployments) == [False, True]


def test_cross_origin_requests_are_the_apis_own_business(
    clary: RunningClary, gateway: Any, api: str, backend: int
) -> None:
    origin = "http://page.example"
    cors = {"AllowOrigins": [origin], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["content-type"], "MaxAge": 5}
    gateway.update_api(ApiId=api, CorsConfiguration=cors)
    uri = f"http://127.0.0.1:{backend}/x"
    _route(gateway, api, "GET /x", IntegrationType="HTTP_PROXY", IntegrationMethod="GET", IntegrationUri=uri)
    asked = _ask(clary, api, "/x", "OPTIONS", Origin=origin, Access_Control_Request_Method="GET")
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == origin
    assert asked.headers["access-control-allow-methods"] == "GET,POST"
    assert _ask(clary, api, "/x", Origin=origin).headers["access-control-allow-origin"] == origin
    assert "access-control-allow-origin" not in _ask(clary, api, "/x", Origin="http://other.example").headers


def test_a_simple_authorizer_says_yes_or_no(
    clary: RunningClary, gateway: Any, api: str, functions: dict[str, str]
) -> None:
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{functions['simple']}/invocations"
    authorizer = gateway.create_authorizer(
        ApiId=api, Name="a", AuthorizerType="REQUEST", AuthorizerUri=uri, AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True, IdentitySource=["$request.header.Authorization"],
    )["AuthorizerId"]  # fmt: skip
    route = _route(gateway, api, "GET /", IntegrationType="AWS_PROXY", IntegrationUri=functions["echo"],
                   PayloadFormatVersion="2.0")  # fmt: skip
    gateway.update_route(ApiId=api, RouteId=route, AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    assert (_ask(clary, api, "/").status, _ask(clary, api, "/").json) == (401, {"message": "Unauthorized"})
    assert _ask(clary, api, "/", Authorization="no").status == 403
    allowed = _ask(clary, api, "/", Authorization="yes")
    assert allowed.json["requestContext"]["authorizer"] == {"lambda": {"n": 7}}


@pytest.mark.parametrize(
    ("operation", "params", "text"),
    [
        ("create_route", {"RouteKey": "nothing"}, "not formatted properly"),
        ("create_route", {"RouteKey": "GET /a/{b"}, "not formatted properly"),
        ("create_route", {"RouteKey": "GET /", "Target": "integrations/none"}, "Invalid integration ID"),
        ("create_integration", {"IntegrationType": "MOCK"}, "not supported for HTTP protocol"),
        ("create_integration", {"IntegrationType": "HTTP_PROXY", "IntegrationUri": "ftp://x"}, "valid HTTP"),
        ("create_authorizer", {"Name": "j", "AuthorizerType": "JWT", "IdentitySource": []}, "Clary does not offer"),
        ("create_stage", {"StageName": "$default"}, "already exists"),
        ("get_route", {"RouteId": "none"}, "Unable to find Route"),
    ],
)
def test_what_cannot_be_is_refused(gateway: Any, api: str, operation: str, params: dict[str, Any], text: str) -> None:
    with pytest.raises(ClientError, match=text):
        getattr(gateway, operation)(ApiId=api, **params)


def _logged(clary: RunningClary, group: str, lines: int) -> list[str]:
    logs = clary.client("logs")

    def found() -> list[str]:
        try:
            return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []

    wait_until(lambda: len(found()) >= lines, 60, f"{lines} lines in {group}")
    return found()


def test_requests_are_logged_as_the_stage_wants_it(
    clary: RunningClary, gateway: Any, functions: dict[str, str]
) -> None:
    api = gateway.create_api(Name="logged", ProtocolType="HTTP", Target=functions["plain"])["ApiId"]
    form = (
        '{"id": "$context.requestId", "route": "$context.routeKey", "ip": "$context.identity.sourceIp", '
        '"status": $context.status, "took": $context.responseLatency, "bytes": $context.responseLength}'
    )
    log = {"DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:/requests/http:*", "Format": form}
    gateway.update_stage(ApiId=api, StageName="$default", AccessLogSettings=log)
    answer = _ask(clary, api, "/any")
    [line] = [json.loads(each) for each in _logged(clary, "/requests/http", 1)]
    assert line["id"] == answer.headers["x-amzn-requestid"]
    assert (line["route"], line["status"], line["ip"]) == ("$default", 200, "127.0.0.1")
    assert (line["took"] >= 0, line["bytes"]) == (True, len(answer.body))
    gateway.delete_access_log_settings(ApiId=api, StageName="$default")
    assert "AccessLogSettings" not in gateway.get_stage(ApiId=api, StageName="$default")


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"Format": "$context.status"}, id="a-format-without-an-id"),
        pytest.param({"DestinationArn": "arn:aws:s3:::bucket"}, id="a-destination-that-is-no-log-group"),
        pytest.param({"DestinationArn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/a"}, id="a-stream"),
    ],
)
def test_a_log_that_cannot_be_is_refused(gateway: Any, api: str, wrong: dict[str, str]) -> None:
    right = {"DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:g", "Format": "$context.requestId"}
    with pytest.raises(ClientError) as refused:
        gateway.update_stage(ApiId=api, StageName="$default", AccessLogSettings={**right, **wrong})
    assert refused.value.response["Error"]["Code"] == "BadRequestException"


def _definition(functions: dict[str, str], backend: int) -> dict[str, Any]:
    """As ExportApi of AWS writes them, with what is not for HTTP APIs in it."""
    invoked = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{functions['simple']}/invocations"
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "payloadFormatVersion": "2.0",
        "connectionType": "INTERNET",
    }
    authorizer = {
        "type": "request",
        "identitySource": "$request.header.Authorization",
        "authorizerUri": invoked,
        "authorizerPayloadFormatVersion": "2.0",
        "authorizerResultTtlInSeconds": 0,
        "enableSimpleResponses": True,
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "imported", "version": "7", "description": "by a definition"},
        "tags": [{"name": "team", "x-amazon-apigateway-tag-value": "models"}, {"name": "of OpenAPI itself"}],
        "paths": {
            "/echo/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "post": {
                    "operationId": "echo",
                    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                    "security": [{"only-yes": []}],
                    "x-amazon-apigateway-integration": {**integration, "uri": functions["echo"]},
                },
            },
            "/$default": {
                "x-amazon-apigateway-any-method": {
                    "x-amazon-apigateway-integration": {"$ref": "#/components/x-amazon-apigateway-integrations/other"}
                }
            },
        },
        "components": {
            "securitySchemes": {
                "only-yes": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "x-amazon-apigateway-authorizer": authorizer,
                }
            },
            "x-amazon-apigateway-integrations": {
                "other": {
                    "type": "http_proxy",
                    "httpMethod": "GET",
                    "uri": f"http://127.0.0.1:{backend}/other",
                    "payloadFormatVersion": "1.0",
                }
            },
        },
        "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"], "allowMethods": ["POST"], "maxAge": 60},
        "x-amazon-apigateway-importexport-version": "1.0",
    }


def test_a_definition_becomes_an_api_and_is_exported_as_it_came(
    clary: RunningClary, gateway: Any, functions: dict[str, str], backend: int
) -> None:
    given = _definition(functions, backend)
    made = gateway.import_api(Body=json.dumps(given))
    assert (made["Name"], made["Version"], made["Tags"]) == ("imported", "7", {"team": "models"})
    assert made["CorsConfiguration"] == {"AllowOrigins": ["https://a.example"], "AllowMethods": ["POST"], "MaxAge": 60}
    api = made["ApiId"]
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    assert _ask(clary, api, "/echo/7", "POST", b"{}", Authorization="no").status == 403
    event = _ask(clary, api, "/echo/7", "POST", b"{}", Authorization="yes").json
    assert (event["pathParameters"], event["requestContext"]["authorizer"]["lambda"]) == ({"id": "7"}, {"n": 7})
    assert _ask(clary, api, "/anything").json["path"] == "/other"

    exported = json.loads(
        gateway.export_api(ApiId=api, Specification="OAS30", OutputType="JSON", StageName="$default")["body"].read()
    )
    assert exported["info"] == given["info"]
    assert exported["x-amazon-apigateway-cors"] == given["x-amazon-apigateway-cors"]
    echo = exported["paths"]["/echo/{id}"]["post"]
    assert echo["security"] == [{"only-yes": []}]
    assert echo["x-amazon-apigateway-integration"]["uri"] == functions["echo"]
    plain = gateway.export_api(ApiId=api, Specification="OAS30", OutputType="JSON", IncludeExtensions=False)
    assert b"x-amazon" not in plain["body"].read().replace(b"x-amazon-apigateway-any-method", b"")

    # what was exported is the same API again
    again = gateway.import_api(Body=json.dumps(exported))["ApiId"]
    routes = [sorted(each["RouteKey"] for each in gateway.get_routes(ApiId=one)["Items"]) for one in (api, again)]
    assert routes[0] == routes[1] == ["$default", "POST /echo/{id}"]


def test_an_api_is_what_its_last_definition_says(
    clary: RunningClary, gateway: Any, functions: dict[str, str], backend: int
) -> None:
    given = _definition(functions, backend)
    api = gateway.import_api(Body=json.dumps(given))["ApiId"]
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    del given["paths"]["/echo/{id}"], given["x-amazon-apigateway-cors"]
    given["info"]["title"] = "second"
    changed = gateway.reimport_api(ApiId=api, Body=json.dumps(given))
    assert (changed["ApiId"], changed["Name"], "CorsConfiguration" in changed) == (api, "second", False)
    assert [each["RouteKey"] for each in gateway.get_routes(ApiId=api)["Items"]] == ["$default"]
    assert _ask(clary, api, "/echo/7").json["path"] == "/other"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        pytest.param({"swagger": "2.0", "openapi": None}, "OpenAPI 3", id="swagger"),
        pytest.param({"paths": {"/x": {"get": {"security": [{"jwt": []}]}}}}, "jwt", id="unknown-scheme"),
        pytest.param({"servers": 7}, "servers is no list of objects", id="servers-that-are-none"),
        pytest.param(
            {"info": {"title": 7, "version": "1"}}, "can not be converted to a String", id="a-title-that-is-no-text"
        ),
        pytest.param(
            {"x-amazon-apigateway-cors": {"maxAge": "long"}},
            "can not be converted to an Integer",
            id="cors-that-is-no-number",
        ),
        pytest.param(
            {"paths": {"/x": {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}}},
            "MOCK is not supported for HTTP protocol Apis",
            id="an-integration-of-rest-apis",
        ),
        pytest.param(
            {
                "paths": {
                    "/x": {"get": {"x-amazon-apigateway-integration": {"type": "http_proxy", "timeoutInMillis": []}}}
                }
            },
            "Start of list found where not expected",
            id="a-time-that-is-none",
        ),
    ],
)
def test_a_definition_that_is_wrong_leaves_nothing(gateway: Any, wrong: dict[str, Any], words: str) -> None:
    before = len(gateway.get_apis()["Items"])
    given = {"openapi": "3.0.1", "info": {"title": "wrong", "version": "1"}, "paths": {}, **wrong}
    with pytest.raises(ClientError, match=words) as refused:
        gateway.import_api(Body=json.dumps({name: value for name, value in given.items() if value is not None}))
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert len(gateway.get_apis()["Items"]) == before
