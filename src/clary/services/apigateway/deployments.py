"""Deployments: copies of an API that never change, and that stages answer by
(https://docs.aws.amazon.com/apigateway/latest/api/API_Deployment.html)."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.services.apigateway.documents import (
    DEPLOYMENT,
    Document,
    edit_row,
    key_of,
    listing,
    new_id,
    new_row,
    read,
    shown,
    today,
)
from clary.services.apigateway.errors import bad_request, not_found
from clary.services.apigateway.publication import publish
from clary.services.apigateway.service import SERVICE
from clary.services.apigateway.stages import check_name, check_offered, new_stage
from clary.services.context import Context
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_WHAT = "Deployment identifier"


def snapshot_of(document: Document) -> Document:
    """What a deployment keeps."""
    return copy.deepcopy({name: value for name, value in document.items() if name != "stages"})


def check_deployable(document: Document) -> None:
    """Raises BadRequestException."""
    methods = [method for each in document["resources"].values() for method in each["resourceMethods"].values()]
    if not methods:
        raise bad_request("The REST API doesn't contain any methods")
    if not all("methodIntegration" in method for method in methods):
        raise bad_request("No integration defined for method")


def _summary(document: Document) -> Document:
    """What AWS shows of a deployment's methods."""
    return {
        each["path"]: {
            name: {
                "authorizationType": method["authorizationType"],
                "apiKeyRequired": method["apiKeyRequired"],
            }
            for name, method in each["resourceMethods"].items()
        }
        for each in document["resources"].values()
        if each["resourceMethods"]
    }


@SERVICE.operation("CreateDeployment")
def create_deployment(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """With `stageName`, that stage answers by it from now on; it is made where it is not there."""
    made: Document = {"id": new_id(6), "createdDate": today()}
    if params.get("description"):
        made["description"] = params["description"]
    check_offered(params)
    if params.get("stageName"):
        check_name(params["stageName"])

    def apply(transaction: Transaction) -> None:
        snapshot = edit_row(transaction, context, params["restApiId"], lambda document: _deploy(document, made, params))
        path = f"restapis/{params['restApiId']}/deployments/{made['id']}"
        spec = {"deployment": made, "snapshot": snapshot}
        transaction.insert(new_row(context, DEPLOYMENT, made["id"], spec, path=path, parent=params["restApiId"]))

    context.store.write(apply)
    publish(context.store.read, context.settings)
    return shown(made)


def _deploy(document: Document, made: Document, params: Document) -> Document:
    check_deployable(document)
    name = params.get("stageName")
    if name:
        stage = document["stages"].setdefault(name, new_stage(name, {}))
        stage |= {"deploymentId": made["id"], "lastUpdatedDate": today()}
        if params.get("stageDescription"):
            stage["description"] = params["stageDescription"]
        if params.get("variables"):
            stage["variables"] = {**stage.get("variables", {}), **params["variables"]}
        if params.get("tracingEnabled") is not None:
            stage["tracingEnabled"] = params["tracingEnabled"]
    return snapshot_of(document)


def deployment_row(context: Context, params: Document) -> Row:
    """Raises NotFoundException."""
    read(context, params["restApiId"])
    row = context.store.read.get(key_of(context, DEPLOYMENT, params["deploymentId"]))
    if row is None or row.parent != params["restApiId"]:
        raise not_found(_WHAT)
    return row


@SERVICE.operation("GetDeployment")
def get_deployment(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = deployment_row(context, params)
    summary = {"apiSummary": _summary(row.spec["snapshot"])} if "apisummary" in (params.get("embed") or ()) else {}
    return shown({**row.spec["deployment"], **summary})


@SERVICE.operation("GetDeployments")
def get_deployments(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    read(context, params["restApiId"])
    rows = context.store.read.children(DEPLOYMENT, key_of(context, "", params["restApiId"]))
    return listing([row.spec["deployment"] for row in sorted(rows, key=lambda row: row.created)], params)


@SERVICE.operation("UpdateDeployment")
def update_deployment(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = deployment_row(context, params)
    made = dict(row.spec["deployment"])
    for operation in params.get("patchOperations") or ():
        if operation.get("path") != "/description":
            raise bad_request(
                f"Invalid patch path  '{operation.get('path')}' specified. Must be one of: [/description]"
            )
        made["description"] = operation.get("value") or ""
    context.store.write(lambda transaction: transaction.save(replace(row, spec={**row.spec, "deployment": made})))
    return shown(made)


@SERVICE.operation("DeleteDeployment")
def delete_deployment(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = deployment_row(context, params)

    def apply(transaction: Transaction) -> None:
        edit_row(transaction, context, params["restApiId"], _check_idle)
        transaction.delete(row.key)

    def _check_idle(document: Document) -> None:
        if any(stage["deploymentId"] == row.key.name for stage in document["stages"].values()):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")

    context.store.write(apply)
    return {}
