"""Rows in a database: everything that Clary was asked for and everything that controllers found.

store = Store(settings.database)
store.read.get(Key("model", account, region, "churn"))
store.write(lambda transaction: transaction.insert(row))

What needs SQLAlchemy (half a second and 25 MB) is loaded when it is first asked for: the edge knows rows, no database.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from clary.store.rows import AlreadyExists, Key, Page, Query, Row, SortBy, Stale

if TYPE_CHECKING:
    from clary.store.store import Store
    from clary.store.transaction import Transaction
    from clary.store.view import Reader, View

_LATER = {"Reader": "view", "Store": "store", "Transaction": "transaction", "View": "view"}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)


__all__ = [
    "AlreadyExists",
    "Key",
    "Page",
    "Query",
    "Reader",
    "Row",
    "SortBy",
    "Stale",
    "Store",
    "Transaction",
    "View",
]
