"""The parts of an API that are kept by an id or a name and need no more than Get, Get all, Update and Delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clary.services.apigateway.documents import Document, change, listing, read
from clary.services.apigateway.errors import not_found
from clary.services.apigateway.patching import output_shape, patch
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context


def _unchecked(_document: Document, _found: Document) -> None:
    """Whatever the model allows."""


@dataclass(frozen=True)
class Collection:
    """One such part."""

    noun: str
    """As in the operations' names: `Model`."""
    plural: str
    place: str
    """Where it stands in the document."""
    key_member: str
    """The member of a request that says which one."""
    what: str
    """What an error says is invalid: `Authorizer identifier`."""
    changeable: tuple[str, ...]
    """What Update may change."""
    check: Callable[[Document, Document], None] = _unchecked
    """Of the whole document and the one that was changed. Raises BadRequestException."""
    check_unused: Callable[[Document, str], None] | None = None
    """Raises ConflictException where something needs the one that is to be deleted."""

    def find(self, document: Document, key: str) -> Document:
        """Raises NotFoundException."""
        found: Document | None = document[self.place].get(key)
        if found is None:
            raise not_found(self.what)
        return found


def offer(collection: Collection) -> None:
    """Offer the four operations."""

    @SERVICE.operation(f"Get{collection.noun}")
    def get(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        return collection.find(read(context, params["restApiId"]), params[collection.key_member])

    @SERVICE.operation(f"Get{collection.plural}")
    def get_all(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        return listing(list(read(context, params["restApiId"])[collection.place].values()), params)

    @SERVICE.operation(f"Update{collection.noun}")
    def update(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        def edit(document: Document) -> Document:
            found = collection.find(document, params[collection.key_member])
            shape = output_shape("apigateway", f"Get{collection.noun}")
            patch(found, params.get("patchOperations") or (), shape, collection.changeable)
            collection.check(document, found)
            return found

        return change(context, params["restApiId"], edit)

    @SERVICE.operation(f"Delete{collection.noun}")
    def delete(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        def edit(document: Document) -> None:
            key = params[collection.key_member]
            collection.find(document, key)
            if collection.check_unused:
                collection.check_unused(document, key)
            del document[collection.place][key]

        change(context, params["restApiId"], edit)
        return {}
