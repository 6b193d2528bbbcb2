"""Deployments of HTTP APIs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.services.apigateway.documents import key_of, today
from clary.services.apigateway.errors import conflict
from clary.services.apigateway.publication import HTTP_API, HTTP_DEPLOYMENT, publish
from clary.services.apigatewayv2.documents import insert_deployment, listing, no_api, not_found, read, shown
from clary.services.apigatewayv2.service import SERVICE
from clary.services.context import Context
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


@SERVICE.operation("CreateDeployment")
def create_deployment(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def apply(transaction: Transaction) -> dict[str, Any]:
        row = transaction.get(key_of(context, HTTP_API, params["ApiId"]))
        if row is None:
            raise no_api(params["ApiId"])
        document = dict(row.spec)
        description = params.get("Description") or ""
        made = insert_deployment(transaction, context, document, automatic=False, description=description)
        name = params.get("StageName")
        if name:
            if name not in document["stages"]:
                raise not_found("Stage", name)
            document["stages"][name] |= {"DeploymentId": made["DeploymentId"], "LastUpdatedDate": today()}
            transaction.save(replace(row, spec=document))
        return made

    made = context.store.write(apply)
    publish(context.store.read, context.settings)
    return shown(made)


def _row(context: Context, params: dict[str, Any]) -> Row:
    row = context.store.read.get(key_of(context, HTTP_DEPLOYMENT, params["DeploymentId"]))
    if row is None or row.parent != params["ApiId"]:
        raise not_found("Deployment", params["DeploymentId"])
    return row


@SERVICE.operation("GetDeployment")
def get_deployment(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return shown(_row(context, params).spec["deployment"])


@SERVICE.operation("GetDeployments")
def get_deployments(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    read(context, params["ApiId"])
    rows = context.store.read.children(HTTP_DEPLOYMENT, key_of(context, "", params["ApiId"]))
    return listing([row.spec["deployment"] for row in sorted(rows, key=lambda row: row.created)], params)


@SERVICE.operation("DeleteDeployment")
def delete_deployment(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = _row(context, params)
    stages = read(context, params["ApiId"])["stages"].values()
    if any(stage.get("DeploymentId") == row.key.name for stage in stages):
        raise conflict("Active stages pointing to this deployment must be moved or deleted")
    context.store.write(lambda transaction: transaction.delete(row.key))
    return {}
