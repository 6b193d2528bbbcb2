"""Stages of HTTP APIs. `$default` is asked for without a prefix."""

from __future__ import annotations

import re
from typing import Any

from clary.services.apigateway import access_logs
from clary.services.apigateway.documents import Document, today
from clary.services.apigateway.errors import bad_request, conflict, not_offered
from clary.services.apigatewayv2.documents import change
from clary.services.apigatewayv2.parts import Part, asked, find, offer
from clary.services.apigatewayv2.service import SERVICE
from clary.services.context import Context

DEFAULT_STAGE = "$default"
_NAME = re.compile(r"\$default|[a-zA-Z0-9_-]{1,128}")
_MEMBERS = ("Description", "AutoDeploy", "DeploymentId", "StageVariables", "DefaultRouteSettings", "AccessLogSettings")


def new_stage(document: Document, params: Document) -> Document:
    """Raises BadRequestException, ConflictException."""
    name = params["StageName"]
    _check(params)
    if not _NAME.fullmatch(name):
        raise bad_request("Stage name only allows a-zA-Z0-9_-")
    if name in document["stages"]:
        raise conflict(f"Stage already exists: {name}")
    made = {
        "StageName": name,
        "AutoDeploy": False,
        "CreatedDate": today(),
        "LastUpdatedDate": today(),
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        "RouteSettings": {},
        "StageVariables": {},
        "Tags": {},
        **asked(params, _MEMBERS),
    }
    document["stages"][name] = made
    return made


def _check(params: Document) -> None:
    log = params.get("AccessLogSettings") or {}
    access_logs.check(log.get("DestinationArn"), log.get("Format"))
    if params.get("RouteSettings"):
        raise not_offered("Settings of single routes were given.")


def _update(_document: Document, found: Document, params: Document) -> None:
    _check(params)
    found |= asked(params, _MEMBERS)
    found["LastUpdatedDate"] = today()


STAGE = Part("Stage", "stages", "StageName", new_stage, _update)
offer(STAGE)


@SERVICE.operation("DeleteAccessLogSettings")
def delete_access_log_settings(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> None:
        find(STAGE, document, params["StageName"]).pop("AccessLogSettings", None)

    change(context, params["ApiId"], edit)
    return {}
