"""Rows in a database: everything that Clary was asked for and everything that controllers found.

store = Store(settings.database)
store.read.get(Key("model", account, region, "churn"))
store.write(lambda transaction: transaction.insert(row))
"""

from __future__ import annotations

from clary.store.rows import AlreadyExists, Key, Page, Query, Row, SortBy, Stale
from clary.store.store import Store
from clary.store.transaction import Transaction
from clary.store.view import Reader, View

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
