"""An HTTP API is one row, as a REST API is. What changes is deployed at once where a stage wants that."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from clary.errors import AWSError
from clary.services.apigateway.documents import Document, key_of, new_id, new_row, today
from clary.services.apigateway.errors import bad_request
from clary.services.apigateway.publication import HTTP_API, HTTP_DEPLOYMENT, publish
from clary.services.context import Context
from clary.services.resources import moment, now

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

T = TypeVar("T")

_DATES = ("CreatedDate", "LastUpdatedDate")
_MOST_SHOWN = 500


def not_found(what: str, name: str) -> AWSError:
    """`Unable to find Route by ID …`."""
    return AWSError("NotFoundException", f"Unable to find {what} by ID {name}", status=404)


def no_api(api: str) -> AWSError:
    """Any operation on an API that is not there."""
    return AWSError("NotFoundException", f"Invalid API identifier specified {api}", status=404)


def read(context: Context, api: str) -> Document:
    """Raises NotFoundException."""
    row = context.store.read.get(key_of(context, HTTP_API, api))
    if row is None:
        raise no_api(api)
    return dict(row.spec)


def change(context: Context, api: str, edit: Callable[[Document], T]) -> T:
    """Change a document, and deploy it to the stages that deploy by themselves; what `edit` raises changes nothing.

    Raises NotFoundException.
    """

    def apply(transaction: Transaction) -> T:
        row = transaction.get(key_of(context, HTTP_API, api))
        if row is None:
            raise no_api(api)
        document = copy.deepcopy(dict(row.spec))
        result = edit(document)
        _check_deployments(transaction, context, document)
        _deploy_by_itself(transaction, context, document)
        transaction.save(replace(row, spec=document, modified=now()))
        return result

    result = context.store.write(apply)
    publish(context.store.read, context.settings)
    return result


def _check_deployments(transaction: Transaction, context: Context, document: Document) -> None:
    """Stages answer by deployments of their own API."""
    for identifier in {stage["DeploymentId"] for stage in document["stages"].values() if "DeploymentId" in stage}:
        row = transaction.get(key_of(context, HTTP_DEPLOYMENT, identifier))
        if row is None or row.parent != document["api"]["ApiId"]:
            raise not_found("Deployment", identifier)


def _deploy_by_itself(transaction: Transaction, context: Context, document: Document) -> None:
    stages = [stage for stage in document["stages"].values() if stage.get("AutoDeploy")]
    waiting = any("DeploymentId" not in stage for stage in stages)
    if not stages or (document["deployed"] == content(document) and not waiting):
        return
    made = insert_deployment(transaction, context, document, automatic=True)
    for stage in stages:
        before = stage.get("DeploymentId")
        stage |= {"DeploymentId": made["DeploymentId"], "LastUpdatedDate": today()}
        _forget(transaction, context, document, before)
    document["deployed"] = content(document)


def _forget(transaction: Transaction, context: Context, document: Document, deployment: str | None) -> None:
    """A deployment that came by itself and that no stage answers by any more."""
    if deployment and all(stage.get("DeploymentId") != deployment for stage in document["stages"].values()):
        key = key_of(context, HTTP_DEPLOYMENT, deployment)
        row = transaction.get(key)
        if row is not None and row.spec["deployment"]["AutoDeployed"]:
            transaction.delete(key)


def content(document: Document) -> Document:
    """What a deployment keeps."""
    return copy.deepcopy({name: document[name] for name in ("api", "routes", "integrations", "authorizers")})


def insert_deployment(
    transaction: Transaction, context: Context, document: Document, *, automatic: bool, description: str = ""
) -> Document:
    """A copy of the document as it is; as it is shown."""
    api, identifier = document["api"]["ApiId"], new_id(6)
    text = "Automatic deployment triggered by changes to the Api configuration" if automatic else description
    made = {
        "DeploymentId": identifier,
        "AutoDeployed": automatic,
        "CreatedDate": today(),
        "DeploymentStatus": "DEPLOYED",
        **({"Description": text} if text else {}),
    }
    spec = {"deployment": made, "snapshot": content(document)}
    path = f"apis/{api}/deployments/{identifier}"
    transaction.insert(new_row(context, HTTP_DEPLOYMENT, identifier, spec, path=path, parent=api))
    return made


def shown(document: Document) -> Document:
    """As an output: times are times."""
    return {name: moment(value) if name in _DATES else value for name, value in document.items()}


def listing(items: list[Document], params: Document) -> Document:
    """A page. Raises BadRequestException."""
    token = params.get("NextToken") or "0"
    limit = params.get("MaxResults") or str(_MOST_SHOWN)
    if not token.isdecimal() or not limit.isdecimal() or not int(limit):
        raise bad_request("Invalid NextToken or MaxResults")
    start, end = int(token), int(token) + min(int(limit), _MOST_SHOWN)
    page: dict[str, Any] = {"Items": [shown(item) for item in items[start:end]]}
    return {**page, "NextToken": str(end)} if end < len(items) else page
