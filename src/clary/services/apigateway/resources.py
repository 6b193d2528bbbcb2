"""Resources: the tree of paths (https://docs.aws.amazon.com/apigateway/latest/api/API_Resource.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from clary.services.apigateway.documents import Document, change, listing, new_id, read
from clary.services.apigateway.errors import bad_request, conflict, not_found
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context

_PART = re.compile(r"[a-zA-Z0-9._:$*~-]+|\{[a-zA-Z0-9._-]+\+?\}")


def resource(document: Mapping[str, Any], identifier: str) -> Document:
    """Raises NotFoundException."""
    found: Document | None = document["resources"].get(identifier)
    if found is None:
        raise not_found("Resource identifier")
    return found


def shown(found: Document, *, methods: bool = True) -> Document:
    """As an output; a resource without methods shows none. In lists, methods are empty unless they are asked for."""
    out = {name: value for name, value in found.items() if name != "resourceMethods"}
    there = found["resourceMethods"]
    return {**out, "resourceMethods": there if methods else {name: {} for name in there}} if there else out


def add(document: Document, parent: Document, part: str) -> Document:
    """A new resource below another. Raises BadRequestException, ConflictException."""
    check_part(part)
    siblings = _children(document, parent["id"])
    if any(each["pathPart"] == part for each in siblings):
        raise conflict(f"Another resource with the same parent already has this name: {part}")
    if _variable(part) and (other := next((e["pathPart"] for e in siblings if _variable(e["pathPart"])), None)):
        raise bad_request(
            f"A sibling ({other}) of this resource already has a variable path part -- only one is allowed"
        )
    if parent.get("pathPart", "").endswith("+}"):
        raise bad_request(f"Cannot create a child of a resource with a greedy path variable: {parent['pathPart']}")
    made = {
        "id": new_id(6),
        "parentId": parent["id"],
        "pathPart": part,
        "path": f"{parent['path'].rstrip('/')}/{part}",
        "resourceMethods": {},
    }
    document["resources"][made["id"]] = made
    return made


def check_part(part: str) -> None:
    """Raises BadRequestException."""
    if not _PART.fullmatch(part):
        raise bad_request(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the "
            "beginning and the end."
        )


def _variable(part: str) -> bool:
    return part.startswith("{")


def _children(document: Document, parent: str) -> list[Document]:
    return [each for each in document["resources"].values() if each.get("parentId") == parent]


@SERVICE.operation("CreateResource")
def create_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> Document:
        return add(document, resource(document, params["parentId"]), params["pathPart"])

    return shown(change(context, params["restApiId"], edit))


@SERVICE.operation("GetResource")
def get_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    found = resource(read(context, params["restApiId"]), params["resourceId"])
    return shown(found, methods="methods" in (params.get("embed") or ()))


@SERVICE.operation("GetResources")
def get_resources(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    methods = "methods" in (params.get("embed") or ())
    found = sorted(read(context, params["restApiId"])["resources"].values(), key=lambda each: each["path"])
    return listing([shown(each, methods=methods) for each in found], params)


@SERVICE.operation("UpdateResource")
def update_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Give a resource another name or another parent."""

    def edit(document: Document) -> Document:
        found = resource(document, params["resourceId"])
        for operation in params.get("patchOperations") or ():
            _move(document, found, operation.get("path", ""), operation.get("value") or "")
        return found

    return shown(change(context, params["restApiId"], edit))


def _move(document: Document, found: Document, path: str, value: str) -> None:
    if "parentId" not in found or path not in ("/pathPart", "/parentId"):
        raise bad_request(
            f"Invalid patch path  '{path}' specified for op 'replace'. Must be one of: [/parentId, /pathPart]"
        )
    wanted = {**found, path[1:]: value}
    check_part(wanted["pathPart"])
    parent = resource(document, wanted["parentId"])
    if _is_below(document, parent, found["id"]):
        raise bad_request("Resources cannot be cyclical.")
    if any(each["pathPart"] == wanted["pathPart"] for each in _children(document, parent["id"]) if each is not found):
        raise conflict(f"Another resource with the same parent already has this name: {wanted['pathPart']}")
    found.update(wanted)
    _repath(document, found, parent)


def _is_below(document: Document, found: Document, ancestor: str) -> bool:
    while found["id"] != ancestor:
        if "parentId" not in found:
            return False
        found = document["resources"][found["parentId"]]
    return True


def _repath(document: Document, found: Document, parent: Document) -> None:
    found["path"] = f"{parent['path'].rstrip('/')}/{found['pathPart']}"
    for child in _children(document, found["id"]):
        _repath(document, child, found)


@SERVICE.operation("DeleteResource")
def delete_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """With everything below it."""

    def edit(document: Document) -> None:
        found = resource(document, params["resourceId"])
        if "parentId" not in found:
            raise bad_request("Root resource cannot be deleted")
        _remove(document, found)

    change(context, params["restApiId"], edit)
    return {}


def _remove(document: Document, found: Document) -> None:
    for child in _children(document, found["id"]):
        _remove(document, child)
    del document["resources"][found["id"]]
