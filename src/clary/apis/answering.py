"""All APIs of one edge: which API and stage a request is for, and its answer."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from clary.apis import trying
from clary.apis.access_log import AccessLog
from clary.apis.effects import Effects
from clary.apis.gateway_responses import GatewayError
from clary.apis.http_api import HttpApi, HttpPipeline
from clary.apis.metering import ApiMeter, Place
from clary.apis.published import ApiIndex, Published, StageIndex
from clary.apis.requests import ApiRequest, Matched, titled
from clary.apis.rest import Identify, RestApi, RestPipeline
from clary.wire.http import HttpRequest, HttpResponse

_PATH = re.compile(r"/restapis/([a-z0-9]+)/([^/]+)/_user_request_(/.*)?")
_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.(?:[a-z0-9-]+\.amazonaws\.com|localhost(?:\.localdomain)?)(?::\d+)?")

Draft = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""An API as it is now, deployed or not, by `account`, `region` and `api`. Raises AWSError."""

_DEFAULT_STAGE = "$default"


class Apis:
    """What the edge holds of API Gateway."""

    def __init__(self, run_dir: Path, effects: Effects, draft: Draft) -> None:
        self.log = AccessLog()
        self.meter = ApiMeter()
        self._published = Published(run_dir)
        self.rest = RestPipeline(effects)
        self._http = HttpPipeline(effects)
        self._http_api = lru_cache(maxsize=128)(lambda deployment: HttpApi(self._published.snapshot(deployment)))
        self._draft = draft
        self._rest_api = lru_cache(maxsize=128)(lambda deployment: RestApi(self._published.snapshot(deployment)))

    def takes(self, request: HttpRequest) -> bool:
        """Whether the request is for an API: by its path or its host."""
        if request.raw_path.startswith("/restapis/") and _PATH.fullmatch(request.raw_path):
            return True
        host = request.headers.get("host", "")
        return ".execute-api." in host and _HOST.fullmatch(host.lower()) is not None

    async def answer(self, request: HttpRequest, identify: Identify) -> HttpResponse:
        """The API's answer; 403 where there is none, as on AWS. Never raises."""
        api, stage, path = self._asked_for(request)
        asked = _api_request(request, path)
        try:
            response = await self._answer(api, stage, asked, identify)
        except GatewayError as error:
            headers = {"content-type": "application/json", "x-amzn-errortype": error.error_type}
            response = HttpResponse(error.status, headers, f'{{"message":"{error.message}"}}'.encode())
        response.headers |= {"x-amzn-requestid": asked.request_id, "x-amz-apigw-id": asked.extended_id}
        return response

    async def _answer(self, name: str, stage: str, asked: ApiRequest, identify: Identify) -> HttpResponse:
        index = self._published.index()
        api = index["apis"].get(name)
        if api is None or stage not in api["stages"] or api["disabled"]:
            if api is not None and api["kind"] == "http":
                return HttpResponse(404, {"content-type": "application/json"}, b'{"message":"Not Found"}')
            raise GatewayError("ACCESS_DENIED", "Forbidden", error_type="ForbiddenException")
        there = api["stages"][stage]
        matched = _matched(name, api, stage)
        if api["kind"] == "http":
            http = self._http_api(there["deployment"])
            response = await self._http.answer(http, there, asked, matched, identify)
        else:
            rest = self._rest_api(there["deployment"])
            response = await self.rest.answer(rest, index, there, asked, matched, identify)
        self._remember(api, there, asked, matched, response)
        return response

    def _remember(
        self, api: ApiIndex, stage: StageIndex, asked: ApiRequest, matched: Matched, response: HttpResponse
    ) -> None:
        """For metrics and, where the stage wants one, its log."""
        known_by = ("ApiId", matched.api) if api["kind"] == "http" else ("ApiName", api.get("name") or matched.api)
        place = Place(matched.account, matched.region, known_by, matched.stage)
        self.meter.count(place, response.status, time.time() - asked.began, matched.outcome.integration_seconds)
        wanted = stage.get("access_log")
        if wanted:
            self.log.note(wanted, asked, matched, response)

    def _asked_for(self, request: HttpRequest) -> tuple[str, str, str]:
        """API, stage and path within it. By host, an HTTP API's default stage has no prefix."""
        by_path = _PATH.fullmatch(request.raw_path)
        if by_path:
            return by_path[1], unquote(by_path[2]), by_path[3] or "/"
        host = request.headers["host"].partition(".")[0].lower()
        stage, slash, rest = request.raw_path.removeprefix("/").partition("/")
        stages = self._published.index()["apis"].get(host, {"stages": {}})["stages"]
        if stage not in stages and _DEFAULT_STAGE in stages:
            return host, _DEFAULT_STAGE, request.raw_path
        return host, stage, slash + rest or "/"

    async def test_method(self, account: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """TestInvokeMethod's output: validation and integration as they would be, authorization left out."""
        document = await self._draft({"account": account, "region": region, "api": params["restApiId"]})
        return await trying.method(self.rest, document, account, region, params)

    async def test_authorizer(self, account: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """TestInvokeAuthorizer's output."""
        document = await self._draft({"account": account, "region": region, "api": params["restApiId"]})
        return await trying.authorizer(self.rest, document, account, region, params)


def _matched(name: str, api: ApiIndex, stage: str) -> Matched:
    variables = dict(api["stages"][stage]["variables"])
    return Matched(api["account"], api["region"], name, stage, variables, "", "", "", {})


def _api_request(request: HttpRequest, path: str) -> ApiRequest:
    return ApiRequest(
        method=request.method,
        path=path,
        query=request.query,
        headers=titled(request.headers),
        body=request.body,
        source_ip=request.source_ip,
        host=request.headers.get("host", ""),
        raw_query=request.raw_query,
        whole_path=request.raw_path,
    )
