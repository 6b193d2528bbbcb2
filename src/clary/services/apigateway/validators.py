"""Request validators (https://docs.aws.amazon.com/apigateway/latest/api/API_RequestValidator.html)."""

from __future__ import annotations

from typing import Any

from clary.services.apigateway.collections import Collection, offer
from clary.services.apigateway.documents import Document, change, new_id
from clary.services.apigateway.errors import conflict
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context


def _check_unused(document: Document, key: str) -> None:
    for resource in document["resources"].values():
        for method in resource["resourceMethods"].values():
            if method.get("requestValidatorId") == key:
                raise conflict(
                    f"Cannot delete request validator '{key}', is referenced in method request: {resource['path']}"
                )


offer(
    Collection(
        noun="RequestValidator",
        plural="RequestValidators",
        place="validators",
        key_member="requestValidatorId",
        what="Request Validator identifier",
        changeable=("name", "validateRequestBody", "validateRequestParameters"),
        check_unused=_check_unused,
    )
)


def add(document: Document, params: Document) -> Document:
    """A new validator."""
    made = {
        "id": new_id(6),
        "name": params.get("name") or "",
        "validateRequestBody": bool(params.get("validateRequestBody")),
        "validateRequestParameters": bool(params.get("validateRequestParameters")),
    }
    document["validators"][made["id"]] = made
    return made


@SERVICE.operation("CreateRequestValidator")
def create_request_validator(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return change(context, params["restApiId"], lambda document: add(document, params))
