"""When keys and roles were last used: edges note it while they authorise, and say so now and then
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.services.context import Context
from clary.services.iam.entities import ACCESS_KEY, Rows, save
from clary.services.iam.errors import no_such_entity
from clary.services.iam.service import SERVICE
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Store
    from clary.store.transaction import Transaction

_NEVER = "N/A"


def note(store: Store, params: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what an edge has noted: by key id and by role's ARN, when (epoch seconds), which service, which region."""

    def apply(transaction: Transaction) -> None:
        for used in params["uses"]:
            row = _found(transaction, used["account"], used["name"])
            if row is not None and used["at"] > row.state.get("used", {}).get("at", 0.0):
                save_use(transaction, row, used)

    store.write(apply)
    return {}


def _found(rows: Rows, account: str, name: str) -> Row | None:
    return rows.by_arn(name) if name.startswith("arn:") else rows.get(Key(ACCESS_KEY, account, "", name))


def save_use(transaction: Transaction, row: Row, used: Mapping[str, Any]) -> None:
    """Write it into the row."""
    save(transaction, row, used={member: used[member] for member in ("at", "service", "region")})


def _moment(row: Row) -> datetime:
    return datetime.fromtimestamp(int(row.state["used"]["at"]), UTC)


def role_last_used(row: Row) -> dict[str, Any]:
    """The shape `RoleLastUsed`: empty where it never was."""
    return {"LastUsedDate": _moment(row), "Region": row.state["used"]["region"]} if "used" in row.state else {}


def key_last_used(row: Row) -> dict[str, Any]:
    """The shape `AccessKeyLastUsed`."""
    if "used" not in row.state:
        return {"ServiceName": _NEVER, "Region": _NEVER}
    used = row.state["used"]
    return {"LastUsedDate": _moment(row), "ServiceName": used["service"], "Region": used["region"]}


@SERVICE.operation("GetAccessKeyLastUsed")
def get_access_key_last_used(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = context.store.read.get(Key(ACCESS_KEY, context.account, "", params["AccessKeyId"]))
    if row is None:
        raise no_such_entity(f"The Access Key with id {params['AccessKeyId']} cannot be found.")
    return {"UserName": row.spec["UserName"], "AccessKeyLastUsed": key_last_used(row)}
