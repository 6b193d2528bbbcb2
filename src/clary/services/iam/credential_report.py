"""The report on every user's credentials, as CSV
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.iam.account import account_row, password_policy, set_account
from clary.services.iam.belongings import MFA_DEVICE, SIGNING_CERTIFICATE, belongings
from clary.services.iam.entities import ACCESS_KEY, ACTIVE, USER, Rows, all_of
from clary.services.iam.service import SERVICE
from clary.store.rows import Row

_PER_USER = 2
_NOTHING = "N/A"
_USER = "user arn user_creation_time"
_LOGIN = "enabled last_used last_changed next_rotation"
_KEY = "active last_rotated last_used_date last_used_region last_used_service"
_CERTIFICATE = "active last_rotated"
_COLUMNS = (
    *_USER.split(),
    *(f"password_{name}" for name in _LOGIN.split()),
    "mfa_active",
    *(f"access_key_{number}_{name}" for number in (1, 2) for name in _KEY.split()),
    *(f"cert_{number}_{name}" for number in (1, 2) for name in _CERTIFICATE.split()),
)


def _time(moment: datetime | float) -> str:
    at = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
    return at.isoformat(timespec="seconds")


def _truth(value: object) -> str:
    return "true" if value else "false"


def _password(rows: Rows, user: Row) -> Iterator[str]:
    login = user.state.get("login")
    if not login:
        yield from ("false", _NOTHING, _NOTHING, _NOTHING)
        return
    days = password_policy(rows, user.key.account).get("MaxPasswordAge")
    rotation = _time(login["changed"] + days * 86_400) if days else _NOTHING
    yield from ("true", "no_information", _time(login["changed"]), rotation)


def _key(row: Row | None) -> Iterator[str]:
    if row is None:
        yield from ("false", _NOTHING, _NOTHING, _NOTHING, _NOTHING)
        return
    yield from (_truth(row.status == ACTIVE), _time(row.created))
    used = row.state.get("used")
    yield from (_time(used["at"]), used["region"], used["service"]) if used else (_NOTHING,) * 3


def _certificate(row: Row | None) -> tuple[str, str]:
    return (_truth(row.status == ACTIVE), _time(row.created)) if row else ("false", _NOTHING)


def _two(rows: list[Row]) -> list[Row | None]:
    return [*rows[:_PER_USER], *[None] * (_PER_USER - len(rows))]


def _line(rows: Rows, user: Row) -> list[str]:
    line = [user.spec["UserName"], user.arn, _time(user.created), *_password(rows, user)]
    line.append(_truth(belongings(rows, user, MFA_DEVICE)))
    for key in _two(belongings(rows, user, ACCESS_KEY)):
        line += _key(key)
    for certificate in _two(belongings(rows, user, SIGNING_CERTIFICATE)):
        line += _certificate(certificate)
    return line


def _report(rows: Rows, account: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_line(rows, user) for user in all_of(rows, USER.kind, account))
    return out.getvalue()


@SERVICE.operation("GenerateCredentialReport")
def generate_credential_report(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Made at once, and kept: it says what was true now."""
    kept = {"content": _report(context.store.read, context.account), "at": datetime.now(UTC).timestamp()}
    context.store.write(lambda transaction: set_account(transaction, context.account, report=kept))
    return {"State": "COMPLETE"}


@SERVICE.operation("GetCredentialReport")
def get_credential_report(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    kept = account_row(context.store.read, context.account).get("report")
    if not kept:
        raise AWSError("ReportNotPresent", "The credential report is not present.", status=410)
    generated = datetime.fromtimestamp(int(kept["at"]), UTC)
    return {"Content": kept["content"].encode(), "ReportFormat": "text/csv", "GeneratedTime": generated}
