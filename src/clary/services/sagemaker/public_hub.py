"""SageMaker's public hub: the models that JumpStart offers, described
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeHubContent.html)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from clary.errors import AWSError
from clary.jumpstart import hub
from clary.services.context import Context

_MODEL = "Model"
_PUBLISHED = datetime(2022, 6, 27, tzinfo=UTC)
"""When AWS announced LightGBM and CatBoost as built-in algorithms."""


def no_content(params: dict[str, Any]) -> AWSError:
    """What is not in a hub."""
    name, kind, content = params["HubName"].rpartition("/")[2], params["HubContentType"], params["HubContentName"]
    return AWSError("ResourceNotFound", f"Hub content {content} of type {kind} was not found in hub {name}.")


def describe_public(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises ResourceNotFound for what the public hub has not."""
    name, kind, content = params["HubName"].rpartition("/")[2], params["HubContentType"], params["HubContentName"]
    found = hub.find(content, params.get("HubContentVersion", "")) if (name, kind) == (hub.NAME, _MODEL) else None
    if found is None:
        raise no_content(params)
    model, version = found
    arn = f"arn:aws:sagemaker:{context.region}:aws"
    return {
        "HubName": name,
        "HubArn": f"{arn}:hub/{name}",
        "HubContentName": model.id,
        "HubContentArn": f"{arn}:hub-content/{name}/{_MODEL}/{model.id}/{version}",
        "HubContentType": _MODEL,
        "HubContentVersion": version,
        "HubContentDisplayName": f"{model.title} {model.task.capitalize()}",
        "HubContentStatus": "Available",
        "DocumentSchemaVersion": hub.SCHEMA,
        "HubContentDocument": json.dumps(hub.document(model, version, context.region)),
        "SupportStatus": "Supported",
        "CreationTime": _PUBLISHED,
        "LastModifiedTime": _PUBLISHED,
    }
