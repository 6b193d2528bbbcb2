"""REST APIs of a started Clary, asked as web pages and devices would ask them."""

from __future__ import annotations

import json
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.functions import Functions
from tests.system.rest_apis import Answer, Builder, ask


@pytest.fixture(scope="module")
def clary(shared: RunningClary) -> RunningClary:
    return shared


@pytest.fixture(scope="module")
def gateway(clary: RunningClary) -> Any:
    return clary.client("apigateway")


@pytest.fixture
def api(clary: RunningClary, gateway: Any) -> Builder:
    return Builder(gateway, clary.endpoint_url)


@pytest.fixture(scope="module")
def role(clary: RunningClary) -> str:
    """A role that API Gateway may take, and that may do everything with SageMaker's endpoints."""
    iam = clary.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    arn: str = iam.create_role(RoleName="behind-apis", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}}
    iam.put_role_policy(RoleName="behind-apis", PolicyName="endpoints", PolicyDocument=json.dumps(policy))
    return arn


def _message(answer: Answer) -> tuple[int, str, str | None]:
    return answer.status, answer.json["message"], answer.headers["x-amzn-errortype"]


def test_a_mock_answers_by_path_and_by_host(clary: RunningClary, api: Builder) -> None:
    api.mock("/pets/{id}", answer='{"id": "$input.params(\'id\')", "stage": "$context.stage/$stageVariables.v"}')
    url = api.deploy(variables={"v": "1"})
    found = ask(f"{url}/pets/7")
    assert (found.status, found.json) == (200, {"id": "7", "stage": "dev/1"})
    assert found.headers["x-amzn-requestid"]
    assert found.headers["x-amz-apigw-id"]
    host = f"{api.id}.execute-api.localhost:{clary.port}"
    assert ask(f"{clary.endpoint_url}/dev/pets/8", Host=host).json["id"] == "8"


@pytest.mark.parametrize("path", ["/none", "/pets", "/pets/1/2"])
def test_what_is_not_there_is_a_missing_token_as_on_aws(api: Builder, path: str) -> None:
    api.mock("/pets/{id}")
    expected = (403, "Missing Authentication Token", "MissingAuthenticationTokenException")
    assert _message(ask(api.deploy() + path)) == expected


def test_no_api_and_no_stage_are_forbidden(clary: RunningClary, api: Builder) -> None:
    api.mock("/")
    api.deploy()
    for path in ("nope/dev", f"{api.id}/nope"):
        answer = ask(f"{clary.endpoint_url}/restapis/{path}/_user_request_/")
        assert _message(answer) == (403, "Forbidden", "ForbiddenException")


def test_a_deployment_never_changes(gateway: Any, api: Builder) -> None:
    place = api.mock("/", answer='{"v": 1}')
    url = api.deploy()
    gateway.put_integration_response(**place, statusCode="200", responseTemplates={"application/json": '{"v": 2}'})
    assert ask(url + "/").json == {"v": 1}
    first = gateway.get_stage(restApiId=api.id, stageName="dev")["deploymentId"]
    api.deploy()
    assert ask(url + "/").json == {"v": 2}
    back = [{"op": "replace", "path": "/deploymentId", "value": first}]
    gateway.update_stage(restApiId=api.id, stageName="dev", patchOperations=back)
    assert ask(url + "/").json == {"v": 1}


def test_apis_answer_after_a_crash_of_everything(clary: RunningClary, api: Builder) -> None:
    api.mock("/", answer='{"still": "here"}')
    url = api.deploy()
    clary.kill("supervisor", "control", "edge")
    clary.up()
    assert ask(url + "/").json == {"still": "here"}


def test_http_proxy_forwards_the_request_as_it_came(gateway: Any, api: Builder, backend: int) -> None:
    place = api.method("/files/{proxy+}", "ANY", requestParameters={"method.request.path.proxy": True})
    gateway.put_integration(
        **place,
        type="HTTP_PROXY",
        integrationHttpMethod="ANY",
        uri=f"http://127.0.0.1:{backend}/base/{{proxy}}",
        requestParameters={"integration.request.path.proxy": "method.request.path.proxy"},
    )
    url = api.deploy()
    answer = ask(f"{url}/files/a/b.txt?x=1&x=2", "POST", b"body", Content_Type="text/plain", X_Mine="z")
    assert answer.status == 200
    assert answer.headers["x-backend"] == "yes"
    said = answer.json
    assert (said["method"], said["body"], said["headers"]["x-mine"]) == ("POST", "body", "z")
    assert said["path"] in ("/base/a%2Fb.txt?x=1&x=2", "/base/a/b.txt?x=1&x=2")
    assert said["headers"]["x-forwarded-for"] == "127.0.0.1"


def test_http_with_templates_maps_there_and_back(gateway: Any, api: Builder, backend: int) -> None:
    place = api.method("/predict", "POST", requestParameters={"method.request.querystring.n": False})
    gateway.put_integration(
        **place,
        type="HTTP",
        integrationHttpMethod="POST",
        uri=f"http://127.0.0.1:{backend}/${{stageVariables.where}}",
        requestParameters={
            "integration.request.querystring.n": "method.request.querystring.n",
            "integration.request.header.X-Static": "'fixed'",
        },
        requestTemplates={"application/json": "$input.path('$.a'),$input.path('$.b')"},
    )
    gateway.put_method_response(**place, statusCode="200", responseParameters={"method.response.header.X-From": True})
    gateway.put_integration_response(
        **place,
        statusCode="200",
        responseParameters={"method.response.header.X-From": "integration.response.header.X-Backend"},
        responseTemplates={"application/json": "{\"sent\": $input.json('$.body'), \"at\": $input.json('$.path')}"},
    )
    gateway.put_method_response(**place, statusCode="418")
    gateway.put_integration_response(**place, statusCode="418", selectionPattern="4\\d{2}")
    url = api.deploy(variables={"where": "here"})
    answer = ask(f"{url}/predict?n=3", "POST", b'{"a": 1, "b": "x"}', Content_Type="application/json")
    assert (answer.status, answer.json) == (200, {"sent": "1,x", "at": "/here?n=3"})
    assert answer.headers["x-from"] == "yes"
    patch = [{"op": "replace", "path": "/variables/where", "value": "missing"}]
    gateway.update_stage(restApiId=api.id, stageName="dev", patchOperations=patch)
    assert ask(f"{url}/predict", "POST", b"{}", Content_Type="application/json").status == 418


def test_no_integration_reaches_this_machine_where_nobody_opened_it(
    clary: RunningClary, gateway: Any, api: Builder, backend: int
) -> None:
    """Neither other services of it, nor Clary's own port, nor by another name for the same address."""
    targets = {
        "clary": f"http://127.0.0.1:{clary.port}/_clary/status",
        "other": "http://127.0.0.1:1/",
        "named": f"http://localhost:{backend + 1}/",
        "six": "http://[::1]:80/",
        "short": "http://127.1:22/",
        "mapped": "http://[::ffff:127.0.0.1]:22/",
        "zero": "http://0.0.0.0:22/",
        "cloud": "http://169.254.169.254/latest/meta-data/",
    }
    for name, uri in targets.items():
        place = api.method(f"/{name}")
        gateway.put_integration(**place, type="HTTP_PROXY", integrationHttpMethod="GET", uri=uri)
    url = api.deploy()
    for name in targets:
        answer = ask(f"{url}/{name}")
        assert (name, answer.status, answer.json) == (name, 500, {"message": "Internal server error"})


def test_an_endpoint_that_is_not_there_answers_through_the_mapping(gateway: Any, api: Builder, role: str) -> None:
    place = api.method("/predict", "POST")
    uri = "arn:aws:apigateway:us-east-1:runtime.sagemaker:path/endpoints/none/invocations"
    gateway.put_integration(**place, type="AWS", integrationHttpMethod="POST", uri=uri, credentials=role)
    gateway.put_method_response(**place, statusCode="200")
    gateway.put_integration_response(**place, statusCode="200", selectionPattern="2..")
    gateway.put_method_response(**place, statusCode="404")
    template = "{\"why\": $input.json('$.Message')}"
    gateway.put_integration_response(
        **place, statusCode="404", selectionPattern="400", responseTemplates={"application/json": template}
    )
    answer = ask(api.deploy() + "/predict", "POST", b"1,2", Content_Type="text/csv")
    assert answer.status == 404
    assert answer.json["why"].startswith("Endpoint none of account ")


def test_an_integration_may_do_what_its_role_may(clary: RunningClary, gateway: Any, api: Builder, role: str) -> None:
    for name, action in (("/topics", "sagemaker:action/ListModels"), ("/users", "iam:action/ListUsers")):
        place = api.method(name)
        uri = f"arn:aws:apigateway:us-east-1:{action}"
        gateway.put_integration(
            **place, type="AWS", integrationHttpMethod="POST", uri=uri, credentials=role,
            requestTemplates={"application/json": "{}"},
        )  # fmt: skip
        gateway.put_method_response(**place, statusCode="200")
        gateway.put_integration_response(**place, statusCode="200")
        gateway.put_method_response(**place, statusCode="403")
        gateway.put_integration_response(**place, statusCode="403", selectionPattern="403")
    url = api.deploy()
    assert ask(f"{url}/topics").json == {"Models": []}
    denied = ask(f"{url}/users")
    assert denied.status == 403
    assert b"iam:ListUsers" in denied.body


def test_a_role_must_trust_api_gateway(clary: RunningClary, gateway: Any, api: Builder) -> None:
    place = api.method("/")
    wanted = {"type": "AWS", "integrationHttpMethod": "POST"}
    uri = "arn:aws:apigateway:us-east-1:runtime.sagemaker:path/endpoints/e/invocations"
    with pytest.raises(ClientError, match="Role ARN must be specified for AWS integrations"):
        gateway.put_integration(**place, **wanted, uri=uri)
    iam = clary.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    other = iam.create_role(RoleName="of-lambda", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    with pytest.raises(ClientError, match=r"allows principal 'apigateway\.amazonaws\.com'"):
        gateway.put_integration(**place, **wanted, uri=uri, credentials=other)


def test_bodies_and_parameters_are_validated(gateway: Any, api: Builder) -> None:
    schema = {
        "type": "object",
        "required": ["age"],
        "properties": {"age": {"type": "integer", "minimum": 0}, "name": {"type": "string", "pattern": "^[a-z]+$"}},
    }
    gateway.create_model(restApiId=api.id, name="Person", schema=json.dumps(schema), contentType="application/json")
    validator = gateway.create_request_validator(
        restApiId=api.id, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    options = {
        "requestValidatorId": validator,
        "requestModels": {"application/json": "Person"},
        "requestParameters": {"method.request.querystring.q": True, "method.request.header.X-Who": True},
    }
    api.mock("/people", "POST", **options)
    template = '{"message":$context.error.messageString,"why":"$context.error.validationErrorString"}'
    url = api.deploy() + "/people"
    good = {"Content_Type": "application/json", "X_Who": "me"}
    assert ask(f"{url}?q=1", "POST", b'{"age": 3, "name": "abc"}', **good).status == 200
    for body in (b"{}", b'{"age": -1}', b'{"age": "3"}', b'{"age": 1, "name": "ABC"}', b"no json", b""):
        assert _message(ask(f"{url}?q=1", "POST", body, **good)) == (400, "Invalid request body", "BadRequestException")
    missing = ask(url, "POST", b'{"age": 3}', Content_Type="application/json")
    assert missing.json["message"] in (
        "Missing required request parameters: [q, X-Who]",
        "Missing required request parameters: [X-Who, q]",
    )
    gateway.put_gateway_response(
        restApiId=api.id,
        responseType="BAD_REQUEST_BODY",
        statusCode="422",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        responseTemplates={"application/json": template},
    )
    api.deploy()
    own = ask(f"{url}?q=1", "POST", b"{}", **good)
    assert (own.status, own.headers["access-control-allow-origin"]) == (422, "*")
    assert 'missing required properties (["age"])' in own.body.decode()


def test_keys_open_what_their_plan_holds_and_no_more(gateway: Any, api: Builder) -> None:
    api.mock("/", answer='{"key": "$context.identity.apiKeyId"}', apiKeyRequired=True)
    url = api.deploy() + "/"
    forbidden = (403, "Forbidden", "ForbiddenException")
    assert _message(ask(url)) == forbidden
    key = gateway.create_api_key(name="k", enabled=True)
    assert _message(ask(url, x_api_key=key["value"])) == forbidden
    plan = gateway.create_usage_plan(
        name="p", apiStages=[{"apiId": api.id, "stage": "dev"}], quota={"limit": 2, "period": "MONTH"}
    )
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    assert ask(url, x_api_key=key["value"]).json == {"key": key["id"]}
    assert ask(url, x_api_key=key["value"]).status == 200
    assert _message(ask(url, x_api_key=key["value"])) == (429, "Limit Exceeded", "LimitExceededException")
    off = [{"op": "replace", "path": "/enabled", "value": "false"}]
    gateway.update_api_key(apiKey=key["id"], patchOperations=off)
    assert _message(ask(url, x_api_key=key["value"])) == forbidden


def test_a_stage_is_throttled(gateway: Any, api: Builder) -> None:
    api.mock("/")
    url = api.deploy() + "/"
    patch = [
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0.001"},
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "1"},
    ]
    stage = gateway.update_stage(restApiId=api.id, stageName="dev", patchOperations=patch)
    assert stage["methodSettings"]["*/*"]["throttlingBurstLimit"] == 1
    assert ask(url).status == 200
    assert _message(ask(url)) == (429, "Too Many Requests", "TooManyRequestsException")


def test_iam_authorization_takes_signatures_of_those_who_may(clary: RunningClary, api: Builder) -> None:
    api.mock("/who", answer='{"who": "$context.identity.userArn"}', authorizationType="AWS_IAM")
    url = api.deploy() + "/who"
    assert _message(ask(url))[:2] == (403, "Missing Authentication Token")
    key = json.loads((clary.data_dir / "credentials.json").read_text())
    owner = Credentials(key["access_key_id"], key["secret_access_key"])
    assert _signed(url, owner).json["who"].startswith("arn:aws:sts::")
    iam = clary.client("iam")
    iam.create_user(UserName=f"nobody-{api.id}")
    made = iam.create_access_key(UserName=f"nobody-{api.id}")["AccessKey"]
    nobody = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    denied = _signed(url, nobody)
    assert denied.status == 403
    assert (
        "is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:" in denied.json["message"]
    )
    wrong = _signed(url, Credentials(key["access_key_id"], "wrong"))
    assert _message(wrong)[::2] == (403, "InvalidSignatureException")


def _signed(url: str, credentials: Credentials) -> Answer:
    request = AWSRequest("GET", url)
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    return ask(url, **{name.replace("-", "_"): value for name, value in request.headers.items()})


def test_a_web_page_may_ask_across_origins(gateway: Any, api: Builder) -> None:
    """The classic set-up: a mock for OPTIONS, and a header on the method's own answers."""
    place = api.mock("/predict", "OPTIONS")
    allow = {
        "Access-Control-Allow-Headers": "'Content-Type,X-Amz-Date,Authorization,X-Api-Key'",
        "Access-Control-Allow-Methods": "'OPTIONS,POST'",
        "Access-Control-Allow-Origin": "'*'",
    }
    gateway.delete_method_response(**place, statusCode="200")
    gateway.put_method_response(
        **place, statusCode="200", responseParameters={f"method.response.header.{name}": False for name in allow}
    )
    gateway.put_integration_response(
        **place, statusCode="200", responseParameters={f"method.response.header.{n}": v for n, v in allow.items()}
    )
    answer = ask(
        api.deploy() + "/predict", "OPTIONS", Origin="http://page.example", Access_Control_Request_Method="POST"
    )
    assert answer.status == 200
    assert {name: answer.headers[name] for name in allow} == {name: value.strip("'") for name, value in allow.items()}


def test_a_template_that_loops_is_stopped_and_nobody_waits_for_it(gateway: Any, api: Builder) -> None:
    loop = "#foreach($i in [1..999])#foreach($j in [1..999])#foreach($k in [1..999])#set($x = $i)#end#end#end"
    api.mock("/loop", answer=loop)
    api.mock("/fine")
    url = api.deploy()
    answers: list[Answer] = []
    looping = threading.Thread(target=lambda: answers.append(ask(f"{url}/loop")))
    looping.start()
    assert ask(f"{url}/fine").status == 200
    looping.join(60)
    assert (answers[0].status, answers[0].json) == (500, {"message": "Internal server error"})


def test_media_types_that_no_template_takes(gateway: Any, api: Builder) -> None:
    place = api.mock("/", "POST")
    patch = [{"op": "replace", "path": "/passthroughBehavior", "value": "NEVER"}]
    gateway.update_integration(**place, patchOperations=patch)
    answer = ask(api.deploy() + "/", "POST", b"<x/>", Content_Type="text/xml")
    assert _message(answer) == (415, "Unsupported Media Type", "BadRequestException")


def test_a_template_sets_status_and_headers(api: Builder) -> None:
    answer = (
        "#set($context.responseOverride.status = 202)#set($context.responseOverride.header.X-Set = 'by template')ok"
    )
    api.mock("/", answer=answer)
    found = ask(api.deploy() + "/")
    assert (found.status, found.headers["x-set"], found.body) == (202, "by template", b"ok")


def test_a_method_is_tried_before_it_is_deployed(gateway: Any, api: Builder) -> None:
    place = api.mock("/pets/{id}", answer='{"id": "$input.params(\'id\')", "q": "$input.params(\'q\')"}')
    tried = gateway.test_invoke_method(**place, pathWithQueryString="/pets/5?q=x")
    assert (tried["status"], json.loads(tried["body"])) == (200, {"id": "5", "q": "x"})
    assert "Method completed with status: 200" in tried["log"]
    with pytest.raises(ClientError, match="Invalid Method identifier specified"):
        gateway.test_invoke_method(**{**place, "httpMethod": "PUT"})


def test_a_policy_of_the_api_keeps_addresses_out(gateway: Any, clary: RunningClary) -> None:
    def policy(address: str) -> str:
        allow = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
        condition = {"Condition": {"NotIpAddress": {"aws:SourceIp": [address]}}}
        deny = {**allow, "Effect": "Deny", **condition}
        return json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})

    for address, status in (("127.0.0.1/32", 200), ("203.0.113.0/24", 403)):
        api = Builder(gateway, clary.endpoint_url, policy=policy(address))
        api.mock("/")
        assert ask(api.deploy() + "/").status == status


def test_an_api_goes_out_as_openapi_and_comes_back_the_same(
    clary: RunningClary, gateway: Any, api: Builder, role: str
) -> None:
    schema = {"type": "object", "required": ["age"], "properties": {"age": {"type": "integer"}}}
    gateway.create_model(restApiId=api.id, name="Person", schema=json.dumps(schema), contentType="application/json")
    validator = gateway.create_request_validator(restApiId=api.id, name="body", validateRequestBody=True)["id"]
    options = {"requestValidatorId": validator, "requestModels": {"application/json": "Person"}}
    api.mock("/people/{id}", "POST", answer='{"id": "$input.params(\'id\')"}', **options)
    place = api.method("/predict", "ANY", authorizationType="AWS_IAM", apiKeyRequired=True)
    uri = "arn:aws:apigateway:us-east-1:runtime.sagemaker:path/endpoints/none/invocations"
    gateway.put_integration(**place, type="AWS", integrationHttpMethod="POST", uri=uri, credentials=role)
    api.deploy()
    for kind in ("oas30", "swagger"):
        parameters = {"extensions": "apigateway"}
        said = {"restApiId": api.id, "stageName": "dev", "exportType": kind, "parameters": parameters}
        body = gateway.get_export(**said)["body"].read()
        other = gateway.import_rest_api(body=body)
        gateway.create_deployment(restApiId=other["id"], stageName="dev")
        again = gateway.get_export(**{**said, "restApiId": other["id"]})["body"].read()
        assert _without_dates(again) == _without_dates(body)
        url = f"{clary.endpoint_url}/restapis/{other['id']}/dev/_user_request_"
        good = ask(f"{url}/people/5", "POST", b'{"age": 3}', Content_Type="application/json")
        assert (good.status, good.json) == (200, {"id": "5"})
        assert ask(f"{url}/people/5", "POST", b"{}", Content_Type="application/json").status == 400
        assert ask(f"{url}/predict").status == 403


def _without_dates(body: bytes) -> Any:
    definition = json.loads(body)
    definition["info"].pop("version")
    return definition


def test_put_rest_api_overwrites_or_merges(gateway: Any, api: Builder) -> None:
    api.mock("/old")
    api.deploy()

    def definition(path: str) -> bytes:
        integration = {
            "type": "mock",
            "requestTemplates": {"application/json": '{"statusCode": 200}'},
            "responses": {"default": {"statusCode": "200"}},
        }
        operation = {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": integration}
        return json.dumps({"openapi": "3.0.1", "info": {"title": "new"}, "paths": {path: {"get": operation}}}).encode()

    gateway.put_rest_api(restApiId=api.id, mode="merge", body=definition("/new/{id}"))
    url = api.deploy()
    assert [ask(url + path).status for path in ("/old", "/new/1")] == [200, 200]
    named = gateway.put_rest_api(restApiId=api.id, mode="overwrite", body=definition("/last"))
    assert (named["id"], named["name"]) == (api.id, "new")
    api.deploy()
    assert [ask(url + path).status for path in ("/old", "/new/1", "/last")] == [403, 403, 200]


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"openapi": "3.0.1", "paths": {"x": {}}}', b'{"swagger": "2.0", "paths": []}']
)
def test_what_is_no_definition_is_refused(gateway: Any, body: bytes) -> None:
    with pytest.raises(ClientError, match="BadRequestException"):
        gateway.import_rest_api(body=body)


def test_nobody_has_a_role_act_that_they_may_not_pass(
    clary: RunningClary, gateway: Any, api: Builder, role: str
) -> None:
    """Neither by changing an integration that has it, nor by cloning or importing one, nor by an authorizer."""
    place = api.method("/")
    uri = "arn:aws:apigateway:us-east-1:sagemaker:action/ListModels"
    gateway.put_integration(**place, type="AWS", integrationHttpMethod="POST", uri=uri, credentials=role)
    gateway.create_deployment(restApiId=api.id, stageName="dev")
    exported = gateway.get_export(
        restApiId=api.id, stageName="dev", exportType="oas30", parameters={"extensions": "integrations"}
    )["body"].read()
    maker = _with_rights_to_apis_only(clary, f"maker-{api.id}")
    function = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations"
    attempts = (
        lambda: maker.put_integration(
            **place, type="AWS", integrationHttpMethod="POST", uri=uri, credentials=role
        ),
        lambda: maker.update_integration(
            **place, patchOperations=[{"op": "replace", "path": "/uri", "value": uri.replace("Models", "Endpoints")}]
        ),
        lambda: maker.create_rest_api(name="clone", cloneFrom=api.id),
        lambda: maker.import_rest_api(body=exported),
        lambda: maker.put_rest_api(restApiId=api.id, mode="overwrite", body=exported),
        lambda: maker.create_authorizer(
            restApiId=api.id, name="a", type="TOKEN", authorizerUri=function, authorizerCredentials=role,
            identitySource="method.request.header.A",
        ),
    )  # fmt: skip
    for attempt in attempts:
        with pytest.raises(ClientError, match="iam:PassRole"):
            attempt()
    assert maker.create_rest_api(name="own")["id"]


def _with_rights_to_apis_only(clary: RunningClary, name: str) -> Any:
    iam = clary.client("iam")
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "apigateway:*", "Resource": "*"}}
    iam.put_user_policy(UserName=name, PolicyName="apis", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        "apigateway",
        endpoint_url=clary.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def test_what_is_deployed_answers_while_control_does_not(clary: RunningClary, api: Builder) -> None:
    api.mock("/", answer='{"still": "here"}')
    url = api.deploy()
    control = clary.process("control")
    os.kill(control, signal.SIGSTOP)
    try:
        assert ask(url + "/").json == {"still": "here"}
    finally:
        os.kill(control, signal.SIGCONT)


def test_without_signatures_no_page_of_another_site_is_the_default_identity(tmp_path: Path) -> None:
    with RunningClary(tmp_path, "--auth", "off") as clary:
        api = Builder(clary.client("apigateway"), clary.endpoint_url)
        api.mock("/open")
        api.mock("/mine", answer='{"who": "$context.identity.userArn"}', authorizationType="AWS_IAM")
        url = api.deploy()
        assert "assumed-role" in ask(f"{url}/mine").json["who"]
        assert ask(f"{url}/mine", Origin="http://evil.example").status == 403
        assert ask(f"{url}/open", Origin="http://page.example").status == 200
        functions = Functions(clary)
        functions.create("mine", "def handler(e, c): return 'hello'")
        made = functions.client.create_function_url_config(FunctionName="mine", AuthType="AWS_IAM")
        host = made["FunctionUrl"].split("/")[2]
        assert ask(clary.endpoint_url, Host=host).status == 200
        assert ask(clary.endpoint_url, Host=host, Origin="http://evil.example").status == 403


def test_what_would_be_kept_without_effect_is_refused(gateway: Any, api: Builder) -> None:
    api.mock("/")
    api.deploy()
    canary = {"percentTraffic": 10.0}
    plan = {"apiId": api.id, "stage": "dev", "throttle": {"/GET": {"rateLimit": 1.0, "burstLimit": 1}}}
    attempts = (
        lambda: gateway.create_deployment(restApiId=api.id, stageName="dev", canarySettings=canary),
        lambda: gateway.create_deployment(restApiId=api.id, stageName="dev", cacheClusterEnabled=True),
        lambda: gateway.create_usage_plan(name="p", apiStages=[plan]),
        lambda: gateway.create_authorizer(
            restApiId=api.id, name="c", type="COGNITO_USER_POOLS", providerARNs=["arn:x"]
        ),
    )
    for attempt in attempts:
        with pytest.raises(ClientError, match="Clary does not offer this"):
            attempt()


def test_a_stage_logs_its_requests_also_those_that_come_to_nothing(
    clary: RunningClary, gateway: Any, api: Builder
) -> None:
    api.mock("/logged", answer='{"ok": true}')
    url = api.deploy()
    settings = {
        "/accessLogSettings/destinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:requests-of-rest",
        "/accessLogSettings/format": "$context.requestId $context.httpMethod $context.resourcePath $context.status "
        "$context.error.responseType $context.identity.caller",
    }
    operations = [{"op": "replace", "path": path, "value": value} for path, value in settings.items()]
    stage = gateway.update_stage(restApiId=api.id, stageName="dev", patchOperations=operations)
    assert stage["accessLogSettings"]["destinationArn"].endswith(":requests-of-rest")
    asked = [ask(f"{url}/{name}") for name in ("logged", "missing")]
    logs = clary.client("logs")

    def lines() -> list[str]:
        try:
            return [each["message"] for each in logs.filter_log_events(logGroupName="requests-of-rest")["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []

    wait_until(lambda: len(lines()) == 2, 60, "both requests are logged")
    ids = [answer.headers["x-amzn-requestid"] for answer in asked]
    assert sorted(lines()) == sorted(
        [f"{ids[0]} GET /logged 200 - -", f"{ids[1]} GET - 403 MISSING_AUTHENTICATION_TOKEN -"]
    )
    off = [{"op": "remove", "path": "/accessLogSettings"}]
    assert "accessLogSettings" not in gateway.update_stage(restApiId=api.id, stageName="dev", patchOperations=off)


def test_the_accounts_role_for_logs_is_kept(clary: RunningClary, gateway: Any) -> None:
    iam = clary.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="api-logs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    put = [{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
    assert gateway.update_account(patchOperations=put)["cloudwatchRoleArn"] == role
    assert gateway.get_account()["cloudwatchRoleArn"] == role
    gateway.update_account(patchOperations=[{"op": "remove", "path": "/cloudwatchRoleArn"}])
    assert "cloudwatchRoleArn" not in gateway.get_account()


def test_usage_is_told_by_day_and_outlives_a_kill(clary: RunningClary, gateway: Any, api: Builder) -> None:
    api.mock("/used", apiKeyRequired=True)
    url = api.deploy() + "/used"
    stage = {"apiId": api.id, "stage": "dev"}
    plan = gateway.create_usage_plan(name="u", apiStages=[stage], quota={"limit": 10, "period": "DAY"})["id"]
    keys = [gateway.create_api_key(name=name, enabled=True) for name in ("asks", "does-not")]
    for key in keys:
        gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    for _ in range(3):
        assert ask(url, x_api_key=keys[0]["value"]).status == 200
    today = datetime.now(UTC).date()
    days = {"startDate": (today - timedelta(1)).isoformat(), "endDate": (today + timedelta(1)).isoformat()}

    def used() -> Any:
        try:
            items = gateway.get_usage(usagePlanId=plan, **days)["items"]
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ServiceUnavailable", "what SDKs try again"
            return None
        return sum(requests for requests, _ in items[keys[0]["id"]]) == 3 and items

    items = wait_until(used, 60, "the usage is reported")
    assert all(requests + left == 10 for requests, left in items[keys[0]["id"]]), "a day's quota is ten"
    assert items[keys[1]["id"]] == [[0, 10]] * 3
    clary.kill("control")
    assert wait_until(used, 60, "the usage is still told") == items
    with pytest.raises(ClientError, match="at most 90 days"):
        gateway.get_usage(usagePlanId=plan, startDate="2020-01-01", endDate="2026-01-01")


def test_metrics_of_an_api_reach_cloudwatch(clary: RunningClary, gateway: Any, api: Builder) -> None:
    name = f"metered-{api.id}"
    patch = [{"op": "replace", "path": "/name", "value": name}]
    gateway.update_rest_api(restApiId=api.id, patchOperations=patch)
    api.mock("/metered")
    url = api.deploy()
    assert [ask(f"{url}/{path}").status for path in ("metered", "missing")] == [200, 403]
    cloudwatch, now = clary.client("cloudwatch"), datetime.now(UTC)

    def total(metric: str, statistic: str) -> float:
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=metric,
            Dimensions=[{"Name": "ApiName", "Value": name}, {"Name": "Stage", "Value": "dev"}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=60,
            Statistics=[statistic],
        )
        return sum(point[statistic] for point in found["Datapoints"])

    wait_until(lambda: total("Count", "Sum") == 2, 60, "both requests are counted")
    assert total("4XXError", "Sum") == 1
    assert total("Latency", "Maximum") > 0
