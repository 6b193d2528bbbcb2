"""Methods and authorizers tried before they are deployed, with a log of what has happened."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from clary.apis.gateway_responses import GatewayError
from clary.apis.paths import Tree
from clary.apis.requests import ApiRequest, Matched, parse_target, request_time, titled
from clary.apis.rest import RestApi, RestPipeline, refused
from clary.errors import AWSError

_TEST_STAGE = "test-invoke-stage"
_HOST = "testPrefix.testDomainName"
_SHOWN = 10_000

Params = Mapping[str, Any]


async def method(pipeline: RestPipeline, document: Params, account: str, region: str, params: Params) -> dict[str, Any]:
    """Raises NotFoundException's error for a resource or a method that is not there."""
    api = RestApi(document)
    resource = api.resources.get(params["resourceId"])
    if resource is None:
        raise AWSError("NotFoundException", "Invalid Resource identifier specified", status=404)
    found = resource["resourceMethods"].get(params["httpMethod"])
    if found is None:
        raise AWSError("NotFoundException", "Invalid Method identifier specified", status=404)
    if "methodIntegration" not in found:
        raise AWSError("NotFoundException", "No integration defined for method", status=404)
    request = _request(params, resource["path"])
    matched = _matched(account, region, params)
    matched.resource_id, matched.resource, matched.method = resource["id"], resource["path"], params["httpMethod"]
    located = Tree([(resource["path"], resource)]).find(request.path)
    matched.path_params = located.params if located else {}
    return await _executed(pipeline, api, found, request, matched)


async def _executed(
    pipeline: RestPipeline, api: RestApi, found: Params, request: ApiRequest, matched: Matched
) -> dict[str, Any]:
    log = _Log(request)
    began = time.monotonic()
    try:
        response = await pipeline.execute(api, found, request, matched)
    except GatewayError as error:
        log.add(f"Execution failed due to configuration error: {error.detail}" if error.status >= 500 else str(error))
        response = refused(api, error, request, matched)
    latency = int((time.monotonic() - began) * 1000)
    body = response.body.decode("utf-8", "replace") if isinstance(response.body, bytes) else ""
    headers = titled(response.headers)
    log.add(f"Method response body after transformations: {body[:_SHOWN]}")
    log.add(f"Method response headers: {json.dumps(headers)}")
    log.add("Successfully completed execution" if response.status < 500 else "Execution failed")
    log.add(f"Method completed with status: {response.status}")
    several = {name: [value] for name, value in headers.items()}
    shown = {"status": response.status, "body": body, "headers": headers, "multiValueHeaders": several}
    return {**shown, "log": log.text, "latency": latency}


async def authorizer(
    pipeline: RestPipeline, document: Params, account: str, region: str, params: Params
) -> dict[str, Any]:
    """What the authorizer says of a request. Raises NotFoundException's error."""
    found = document["authorizers"].get(params["authorizerId"])
    if found is None:
        raise AWSError("NotFoundException", "Invalid Authorizer identifier specified", status=404)
    request, matched = _request(params, "/"), _matched(account, region, params)
    began = time.monotonic()
    fresh = {**found, "authorizerResultTtlInSeconds": 0}
    try:
        verdict = await pipeline.authorizers.ask(fresh, request, matched)
    except GatewayError as error:
        latency = int((time.monotonic() - began) * 1000)
        return {"clientStatus": error.status, "log": f"{error} {error.detail}", "latency": latency}
    policy, context = json.dumps(verdict.policy), {name: [str(v)] for name, v in verdict.context.items()}
    latency = int((time.monotonic() - began) * 1000)
    shown = {"clientStatus": 0, "log": "", "latency": latency, "principalId": verdict.principal_id}
    return {**shown, "policy": policy, "authorization": context}


class _Log:
    def __init__(self, request: ApiRequest) -> None:
        self._lines = [f"Execution log for request {request.request_id}"]
        self.add(f"Starting execution for request: {request.request_id}")
        self.add(f"HTTP Method: {request.method}, Resource Path: {request.path}")
        self.add(f"Method request body before transformations: {request.text[:_SHOWN]}")

    def add(self, line: str) -> None:
        self._lines.append(f"{request_time(time.time())} : {line}")

    @property
    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def _request(params: Params, path: str) -> ApiRequest:
    target, query, raw_query = parse_target(params.get("pathWithQueryString") or path)
    several = {name: ",".join(values) for name, values in (params.get("multiValueHeaders") or {}).items()}
    return ApiRequest(
        method=params.get("httpMethod", "GET"),
        path=target,
        query=query,
        headers=titled({**several, **(params.get("headers") or {})}),
        body=(params.get("body") or "").encode(),
        source_ip="test-invoke-source-ip",
        host=_HOST,
        raw_query=raw_query,
    )


def _matched(account: str, region: str, params: Params) -> Matched:
    variables = dict(params.get("stageVariables") or {})
    return Matched(account, region, params["restApiId"], _TEST_STAGE, variables, "", "/", "", {})
