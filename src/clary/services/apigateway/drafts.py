"""An API as it is now, deployed or not: what an edge asks control for when a method is tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.services.apigateway.documents import API
from clary.services.apigateway.errors import no_api
from clary.store import Store
from clary.store.rows import Key


def draft(store: Store, params: Mapping[str, Any]) -> dict[str, Any]:
    """The document. Raises NotFoundException."""
    row = store.read.get(Key(API, params["account"], params["region"], params["api"]))
    if row is None:
        raise no_api(params["account"], params["api"])
    return dict(row.spec)
