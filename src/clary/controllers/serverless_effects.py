"""Where edges say how many replicas a serverless variant needs: it is written down, and the endpoint's controller makes
it so. Saying it twice is saying it once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from clary.controllers.serverless import asked
from clary.lifecycles.endpoint import DELETED, KIND
from clary.store import Store
from clary.store.rows import Key, Row
from clary.store.transaction import Transaction


class ServerlessReplicas:
    """May be used from any thread."""

    def __init__(self, store: Store, wake: Callable[[Key], None]) -> None:
        self._store = store
        self._wake = wake

    def ask(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """As many replicas of a variant as are `wanted`, without those whose containers are `gone`. An endpoint, a
        configuration or a variant that is not there any more has none: the routes say so."""
        account, region, name = params["endpoint"].split("/", 2)
        key = Key(KIND, account, region, name)

        def change(transaction: Transaction) -> bool:
            row = transaction.get(key)
            wanted = with_asked(row, params) if row else None
            if row is None or wanted is None or wanted.state == row.state:
                return False
            transaction.save(wanted)
            return True

        if self._store.write(change):
            self._wake(key)
        return {}


def with_asked(row: Row, params: Mapping[str, Any]) -> Row | None:
    """The row with what is asked for; None where it has no such variant. The deployment to which requests go counts,
    where both have the same configuration."""
    shifted = bool((row.state.get("rollout") or {}).get("shares"))
    for which in ("next", "current") if shifted else ("current", "next"):
        deployment = row.state.get(which)
        if row.target == DELETED or not deployment or deployment["config"] != params["config"]:
            continue
        variants = [
            asked(variant, params["wanted"], params["gone"])
            if variant["name"] == params["variant"] and "serverless" in variant
            else variant
            for variant in deployment["variants"]
        ]
        return replace(row, state={**row.state, which: {**deployment, "variants": variants}})
    return None
