"""The first role, the first key, and credentials for shells and jobs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from clary.identity.defaults import ROLE_ID, ROLE_NAME, SESSION_NAME, role_arn
from clary.identity.directory import EMPTY
from clary.identity.issuing import role_principal
from clary.identity.published import Identities, identities_path
from clary.identity.sealing import Sealer
from clary.publish import Subscriber
from clary.services.iam.entities import ACCESS_KEY, ROLE, key, new_row
from clary.services.iam.keys import key_row, new_key_id, new_secret
from clary.services.iam.publication import publish
from clary.settings import Settings
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Store
    from clary.store.transaction import Transaction

_POLICIES = (
    "AdministratorAccess",
    "AmazonSageMakerFullAccess",
    "AmazonS3FullAccess",
    "CloudWatchLogsFullAccess",
    "IAMReadOnlyAccess",
)
"""The first allows everything: one user is the whole account. The others stand there for clients that look."""

_SESSION_SECONDS_AT_MOST = 43_200


def credentials_path(settings: Settings) -> Path:
    """The default identity's long-lived key, readable by its owner only."""
    return settings.data_dir / "credentials.json"


def ensure_defaults(store: Store, settings: Settings) -> None:
    """The default role, where it is missing, and the first key, which after a reset is the same again; published."""
    Sealer.of(settings.data_dir)
    given = _kept_key(settings)
    fresh = given or {"access_key_id": new_key_id(), "secret_access_key": new_secret()}
    if given is None:
        _keep_key(settings, fresh)
    store.write(lambda transaction: _fill(transaction, settings, fresh))
    publish(store.read, settings)


def default_credentials(settings: Settings, hours: float = 12.0) -> dict[str, str]:
    """Temporary credentials of the default identity, as a container-credentials document."""
    return role_credentials(settings, role_arn(settings.account_id), SESSION_NAME, hours * 3600)


def role_credentials(settings: Settings, arn: str, session_name: str, seconds: float) -> dict[str, str]:
    """Temporary credentials of a role's session, without asking whether it may be assumed: for jobs, whose role was
    checked when they were created."""
    published = cast("Identities", Subscriber(identities_path(settings.run_dir)).current() or EMPTY)
    principal = role_principal(published, settings.account_id, arn, session_name)
    return Sealer.of(settings.data_dir).issue(principal, seconds).container() | {"RoleArn": arn}


def _trust(account: str) -> str:
    services = ["sagemaker.amazonaws.com", "lambda.amazonaws.com", "apigateway.amazonaws.com"]
    principal = {"Service": services, "AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _role(account: str) -> Row:
    params = {
        "RoleName": ROLE_NAME,
        "Description": "The role of the default identity, and of jobs that are given no other.",
        "AssumeRolePolicyDocument": _trust(account),
        "MaxSessionDuration": _SESSION_SECONDS_AT_MOST,
    }
    row = new_row(ROLE, account, params, identifier=ROLE_ID)
    attached = [f"arn:aws:iam::aws:policy/{name}" for name in _POLICIES]
    return replace(row, state={**row.state, "attached": attached})


def _fill(transaction: Transaction, settings: Settings, access_key: Mapping[str, str]) -> None:
    account = settings.account_id
    if transaction.get(key(ROLE, account, ROLE_NAME)) is None:
        transaction.insert(_role(account))
    wanted = Key(ACCESS_KEY, account, "", access_key["access_key_id"])
    for row in transaction.rows(ACCESS_KEY):
        if not row.parent and row.key != wanted:
            transaction.delete(row.key)  # its secret stood only in a file that is gone, or it was another account's
    if transaction.get(wanted) is None:
        transaction.insert(key_row(account, wanted.name, access_key["secret_access_key"], None))


def _kept_key(settings: Settings) -> dict[str, str] | None:
    try:
        raw: Any = json.loads(credentials_path(settings).read_text())
        return {name: str(raw[name]) for name in ("access_key_id", "secret_access_key")}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _keep_key(settings: Settings, access_key: Mapping[str, str]) -> None:
    """Written before the row: a key that a shell has read is never lost to a crash."""
    path = credentials_path(settings)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(access_key, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
