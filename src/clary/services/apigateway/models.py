"""Models: JSON schemas of bodies (https://docs.aws.amazon.com/apigateway/latest/api/API_Model.html)."""

from __future__ import annotations

import json
import re
from typing import Any

from clary.services.apigateway.collections import Collection, offer
from clary.services.apigateway.documents import Document, change, new_id, read
from clary.services.apigateway.errors import bad_request, conflict
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context

_NAME = re.compile(r"[A-Za-z0-9]+")
_DRAFT = "http://json-schema.org/draft-04/schema#"
_ERROR = {
    "$schema": _DRAFT,
    "title": "Error Schema",
    "type": "object",
    "properties": {"message": {"type": "string"}},
}


def default_models() -> Document:
    """What every new API has."""
    return {
        "Empty": {
            "id": new_id(6),
            "name": "Empty",
            "description": "This is a default empty schema model",
            "schema": json.dumps({"$schema": _DRAFT, "title": "Empty Schema", "type": "object"}, indent=2),
            "contentType": "application/json",
        },
        "Error": {
            "id": new_id(6),
            "name": "Error",
            "description": "This is a default error schema model",
            "schema": json.dumps(_ERROR, indent=2),
            "contentType": "application/json",
        },
    }


def add(document: Document, params: Document) -> Document:
    """A new model. Raises BadRequestException, ConflictException."""
    name = params["name"]
    if not _NAME.fullmatch(name):
        raise bad_request(f"Model name must be alphanumeric: {name}")
    if name in document["models"]:
        raise conflict("Model name already exists for this REST API")
    members = ("name", "description", "schema", "contentType")
    made = {"id": new_id(6), **{m: params[m] for m in members if params.get(m) is not None}}
    _check(document, made)
    document["models"][name] = made
    return made


def _check(_document: Document, model: Document) -> None:
    schema = model.get("schema") or "{}"
    try:
        found = json.loads(schema)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise bad_request(
            "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]"
        )


def _check_unused(document: Document, name: str) -> None:
    for resource in document["resources"].values():
        for method in resource["resourceMethods"].values():
            users = [method.get("requestModels") or {}]
            users += [each.get("responseModels") or {} for each in method.get("methodResponses", {}).values()]
            if any(name in used.values() for used in users):
                raise conflict(
                    f"Cannot delete model '{name}', is referenced in method request or response: {resource['path']}"
                )


MODELS = Collection(
    noun="Model",
    plural="Models",
    place="models",
    key_member="modelName",
    what="model name",
    changeable=("description", "schema"),
    check=_check,
    check_unused=_check_unused,
)
offer(MODELS)


@SERVICE.operation("CreateModel")
def create_model(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return change(context, params["restApiId"], lambda document: add(document, params))


@SERVICE.operation("GetModelTemplate")
def get_model_template(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """A mapping template that shows the model's members."""
    model = MODELS.find(read(context, params["restApiId"]), params["modelName"])
    schema = json.loads(model.get("schema") or "{}")
    return {"value": "#set($inputRoot = $input.path('$'))\n" + _sketch(schema, "$inputRoot", 0)}


def _sketch(schema: Document, at: str, depth: int) -> str:
    indent = "  " * depth
    if schema.get("type") == "object" and depth < 8:
        lines = [
            f'{indent}  "{name}" : {_sketch(below, f"{at}.{name}", depth + 1).strip()}'
            for name, below in (schema.get("properties") or {}).items()
            if isinstance(below, dict)
        ]
        return f"{indent}{{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if schema.get("type") == "string":
        return f'"{at}"'
    return at
