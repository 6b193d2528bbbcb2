"""The parts of an HTTP API, each with Create, Get, Get all, Update and Delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clary.services.apigateway.documents import Document
from clary.services.apigatewayv2.documents import change, listing, not_found, read, shown
from clary.services.apigatewayv2.service import SERVICE
from clary.services.context import Context


def _unneeded(_document: Document, _key: str) -> None:
    """Anything may go."""


@dataclass(frozen=True)
class Part:
    """One kind of part."""

    noun: str
    """As in the operations' names: `Route`."""
    place: str
    """Where it stands in the document."""
    key_member: str
    create: Callable[[Document, Document], Document]
    """From the document and the request. Raises BadRequestException, ConflictException."""
    update: Callable[[Document, Document, Document], None]
    """Of the document, the part and the request. Raises the same."""
    check_unused: Callable[[Document, str], None] = _unneeded
    """Raises ConflictException where something needs the one that is to be deleted."""


def find(part: Part, document: Document, key: str) -> Document:
    """Raises NotFoundException."""
    found: Document | None = document[part.place].get(key)
    if found is None:
        raise not_found(part.noun, key)
    return found


def offer(part: Part) -> None:
    """Offer the five operations."""

    @SERVICE.operation(f"Create{part.noun}")
    def create(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        return shown(change(context, params["ApiId"], lambda document: part.create(document, params)))

    @SERVICE.operation(f"Get{part.noun}")
    def get(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        return shown(find(part, read(context, params["ApiId"]), params[part.key_member]))

    @SERVICE.operation(f"Get{part.noun}s")
    def get_all(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        return listing(list(read(context, params["ApiId"])[part.place].values()), params)

    @SERVICE.operation(f"Update{part.noun}")
    def update(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        def edit(document: Document) -> Document:
            found = find(part, document, params[part.key_member])
            part.update(document, found, params)
            return found

        return shown(change(context, params["ApiId"], edit))

    @SERVICE.operation(f"Delete{part.noun}")
    def delete(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        def edit(document: Document) -> None:
            find(part, document, params[part.key_member])
            part.check_unused(document, params[part.key_member])
            del document[part.place][params[part.key_member]]

        change(context, params["ApiId"], edit)
        return {}


def asked(params: Document, members: tuple[str, ...]) -> Document:
    """Those members that the request has."""
    return {member: params[member] for member in members if params.get(member) is not None}
