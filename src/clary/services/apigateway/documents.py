"""An API is one row: its settings, resources, models, authorizers and stages, as a document that changes as a whole. A
deployment is a row of its own, with a copy of all but the stages."""

from __future__ import annotations

import copy
import secrets
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from clary.services.apigateway.errors import bad_request, no_api
from clary.services.apigateway.publication import publish
from clary.services.context import Context
from clary.services.resources import moment, now
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

T = TypeVar("T")
Document = dict[str, Any]

API = "rest-api"
DEPLOYMENT = "rest-deployment"
API_KEY = "rest-api-key"
USAGE_PLAN = "rest-usage-plan"

_LETTERS = string.ascii_lowercase + string.digits
_DATES = ("createdDate", "lastUpdatedDate")
_MOST_SHOWN = 500
_SHOWN = 25


def new_id(letters: int = 10) -> str:
    """An id in API Gateway's style."""
    return "".join(secrets.choice(_LETTERS) for _ in range(letters))


def key_of(context: Context, kind: str, name: str) -> Key:
    """A row's key."""
    return Key(kind, context.account, context.region, name)


def arn_of(region: str, path: str) -> str:
    """`arn:aws:apigateway:REGION::/restapis/ID`: these ARNs name no account."""
    return f"arn:aws:apigateway:{region}::/{path}"


def new_row(context: Context, kind: str, name: str, spec: Document, *, path: str, parent: str = "") -> Row:
    """A row to be inserted."""
    made = now()
    return Row(key_of(context, kind, name), arn_of(context.region, path), "", made, made, spec, parent=parent)


def today() -> int:
    """The time, as documents hold it: whole seconds, as AWS gives them."""
    return int(time.time())


def read(context: Context, api: str) -> Document:
    """The document of an API. Raises NotFoundException."""
    row = context.store.read.get(key_of(context, API, api))
    if row is None:
        raise no_api(context.account, api)
    return dict(row.spec)


def change(context: Context, api: str, edit: Callable[[Document], T], *, live: bool = False) -> T:
    """Change a document; what `edit` raises leaves it as it was. `live`: requests are answered by what is changed.

    Raises NotFoundException.
    """

    def apply(transaction: Transaction) -> T:
        return edit_row(transaction, context, api, edit)

    result = context.store.write(apply)
    if live:
        publish(context.store.read, context.settings)
    return result


def edit_row(transaction: Transaction, context: Context, api: str, edit: Callable[[Document], T]) -> T:
    """The same within a transaction that does more."""
    row = transaction.get(key_of(context, API, api))
    if row is None:
        raise no_api(context.account, api)
    document = copy.deepcopy(dict(row.spec))
    result = edit(document)
    transaction.save(replace(row, spec=document, modified=now()))
    return result


def shown(document: Mapping[str, Any]) -> Document:
    """As an output: times are times."""
    return {name: moment(value) if name in _DATES else value for name, value in document.items()}


def listing(items: list[Document], params: Mapping[str, Any]) -> Document:
    """A page: `position` is the number of the first that is not shown. Raises BadRequestException."""
    limit = min(params.get("limit") or _SHOWN, _MOST_SHOWN)
    position = params.get("position") or "0"
    if not position.isdecimal() or len(position) > 9:
        raise bad_request("Invalid position parameter")
    start = int(position)
    page: Document = {"items": [shown(item) for item in items[start : start + limit]]}
    if start + limit < len(items):
        page["position"] = str(start + limit)
    return page
