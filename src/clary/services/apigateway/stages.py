"""Stages: names under which deployments are asked for
(https://docs.aws.amazon.com/apigateway/latest/api/API_Stage.html)."""

from __future__ import annotations

import re
from typing import Any

from clary.services.apigateway import access_logs
from clary.services.apigateway.documents import (
    DEPLOYMENT,
    Document,
    arn_of,
    change,
    key_of,
    read,
    shown,
    today,
)
from clary.services.apigateway.errors import bad_request, conflict, not_found, not_offered
from clary.services.apigateway.patching import output_shape, patch, split
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_VARIABLE = re.compile(r"[A-Za-z0-9._~:/?#&=,-]*")
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]+")
_CHANGEABLE = (
    "deploymentId",
    "description",
    "variables",
    "methodSettings",
    "tracingEnabled",
    "accessLogSettings",
    "documentationVersion",
    "cacheClusterEnabled",
    "cacheClusterSize",
)
_SETTINGS = {
    "logging/loglevel": "loggingLevel",
    "logging/dataTrace": "dataTraceEnabled",
    "metrics/enabled": "metricsEnabled",
    "throttling/burstLimit": "throttlingBurstLimit",
    "throttling/rateLimit": "throttlingRateLimit",
    "caching/enabled": "cachingEnabled",
    "caching/ttlInSeconds": "cacheTtlInSeconds",
    "caching/dataEncrypted": "cacheDataEncrypted",
    "caching/requireAuthorizationForCacheControl": "requireAuthorizationForCacheControl",
    "caching/unauthorizedCacheControlHeaderStrategy": "unauthorizedCacheControlHeaderStrategy",
}
_DEFAULT_SETTING = {
    "metricsEnabled": False,
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}


def check_name(name: str) -> None:
    """Raises BadRequestException."""
    if not _NAME.fullmatch(name):
        raise bad_request("Stage name only allows a-zA-Z0-9_-")


def new_stage(name: str, params: Document) -> Document:
    """A stage as a request wants it."""
    members = ("description", "variables", "documentationVersion", "cacheClusterSize")
    return {
        "stageName": name,
        "createdDate": today(),
        "lastUpdatedDate": today(),
        "methodSettings": {},
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "tracingEnabled": bool(params.get("tracingEnabled")),
        **{member: params[member] for member in members if params.get(member) is not None},
    }


def check(stage: Document) -> None:
    """Raises BadRequestException."""
    for name, value in (stage.get("variables") or {}).items():
        if not _VARIABLE_NAME.fullmatch(name) or not _VARIABLE.fullmatch(value):
            raise bad_request(f"Stage variable {name!r}: names allow a-zA-Z0-9_, values A-Za-z0-9-._~:/?#&=,")
    log = stage.get("accessLogSettings") or {}
    access_logs.check(log.get("destinationArn"), log.get("format"))
    check_offered(stage)


def check_offered(params: Document) -> None:
    """Raises BadRequestException for what would be kept and have no effect."""
    if params.get("canarySettings"):
        raise not_offered("A canary answers a share of a stage's requests.")
    if params.get("cacheClusterEnabled"):
        raise not_offered("A cache cluster keeps answers.")


def stage_of(document: Document, name: str) -> Document:
    """Raises NotFoundException."""
    found: Document | None = document["stages"].get(name)
    if found is None:
        raise not_found("Stage identifier")
    return found


def stage_arn(context: Context, api: str, name: str) -> str:
    """The ARN that its tags hang on."""
    return arn_of(context.region, f"restapis/{api}/stages/{name}")


def _shown(context: Context, api: str, stage: Document) -> Document:
    tags = context.store.read.tags(stage_arn(context, api, stage["stageName"]))
    return {**shown(stage), **({"tags": tags} if tags else {})}


def check_deployment(context: Context, api: str, deployment: str) -> None:
    """Raises BadRequestException where it is none of the API's."""
    row = context.store.read.get(key_of(context, DEPLOYMENT, deployment))
    if row is None or row.parent != api:
        raise bad_request("Deployment id does not exist")


@SERVICE.operation("CreateStage")
def create_stage(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    api, name = params["restApiId"], params["stageName"]
    check_name(name)
    made = {**new_stage(name, params), "deploymentId": params["deploymentId"]}
    check(made)
    check_offered(params)
    read(context, api)
    check_deployment(context, api, params["deploymentId"])

    def edit(document: Document) -> Document:
        if name in document["stages"]:
            raise conflict("Stage already exists")
        document["stages"][name] = made
        return made

    change(context, api, edit, live=True)
    if params.get("tags"):
        context.store.write(lambda transaction: transaction.set_tags(stage_arn(context, api, name), params["tags"]))
    return _shown(context, api, made)


@SERVICE.operation("GetStage")
def get_stage(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    api = params["restApiId"]
    return _shown(context, api, stage_of(read(context, api), params["stageName"]))


@SERVICE.operation("GetStages")
def get_stages(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    api, deployment = params["restApiId"], params.get("deploymentId")
    stages = read(context, api)["stages"].values()
    found = [stage for stage in stages if deployment in (None, stage["deploymentId"])]
    return {"item": [_shown(context, api, stage) for stage in found]}


@SERVICE.operation("UpdateStage")
def update_stage(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    api, operations = params["restApiId"], params.get("patchOperations") or ()
    for operation in operations:
        if operation.get("path") == "/deploymentId":
            check_deployment(context, api, operation.get("value") or "")

    def edit(document: Document) -> Document:
        stage = stage_of(document, params["stageName"])
        patch(stage, operations, output_shape("apigateway", "GetStage"), _CHANGEABLE, _steps)
        check(stage)
        stage["methodSettings"] = {key: {**_DEFAULT_SETTING, **each} for key, each in stage["methodSettings"].items()}
        stage["lastUpdatedDate"] = today()
        return stage

    return _shown(context, api, change(context, api, edit, live=True))


def _steps(path: str) -> list[str]:
    """`/~1pets/GET/throttling/rateLimit` and `/*/*/logging/loglevel` are members of `methodSettings`."""
    resource, slash, setting = path.rpartition("/")
    resource, slash, group = resource.rpartition("/")
    member = _SETTINGS.get(f"{group}/{setting}")
    if slash and member and resource.count("/") >= 2:
        raw, _, method = resource[1:].rpartition("/")
        return ["methodSettings", f"{raw.replace('~1', '/').lstrip('/') or '~1'}/{method}", member]
    return split(path)


@SERVICE.operation("DeleteStage")
def delete_stage(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> None:
        stage_of(document, params["stageName"])
        del document["stages"][params["stageName"]]

    change(context, params["restApiId"], edit, live=True)
    return {}
