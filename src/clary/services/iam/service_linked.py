"""Roles that belong to a service of AWS: made for it, changed and assumed by nobody else
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clary.identity.managed import managed_policies
from clary.names import Arn
from clary.services.context import Context
from clary.services.iam.entities import ROLE, SERVICE_LINKED_PATH, insert, new_row, require
from clary.services.iam.errors import invalid_input, no_such_entity
from clary.services.iam.publication import write
from clary.services.iam.roles import created_role
from clary.services.iam.service import SERVICE
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_HOUR = 3600


_FILE = Path(__file__).with_name("service_linked_roles.tsv")
DELETION = "service-linked-role-deletion"


@dataclass(frozen=True)
class _Linked:
    """What the role of a service is called after `AWSServiceRoleFor`, its policy of AWS's, and whether the account may
    have several of them."""

    name: str
    policy: str
    suffixed: bool = False


@cache
def _known() -> Mapping[str, _Linked]:
    """By service (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html)."""
    lines = (line.split("\t") for line in _FILE.read_text().splitlines())
    return {service: _Linked(name, policy, bool(suffixed)) for service, name, policy, *suffixed in lines}


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _linked(params: Mapping[str, Any]) -> tuple[_Linked, str]:
    """What is known of the service, and the role's name. Raises InvalidInput."""
    service, suffix = params["AWSServiceName"], params.get("CustomSuffix", "")
    linked = _known().get(service)
    if linked is None:
        raise invalid_input(f"Service Linked Role operation for service {service} is not known to Clary.")
    if suffix and not linked.suffixed:
        raise invalid_input(f"Custom suffix is not allowed for {service}")
    return linked, f"AWSServiceRoleFor{linked.name}" + (f"_{suffix}" if suffix else "")


def _attached(policy: str) -> list[str]:
    names = (f"arn:aws:iam::aws:policy/{path}{policy}" for path in ("aws-service-role/", "", "service-role/"))
    return [name for name in names if name in managed_policies()]


@SERVICE.operation("CreateServiceLinkedRole")
def create_service_linked_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    (linked, name), service = _linked(params), params["AWSServiceName"]
    asked = {
        "RoleName": name,
        "Path": f"{SERVICE_LINKED_PATH}{service}/",
        "AssumeRolePolicyDocument": _trust(service),
        "Description": params.get("Description", ""),
        "MaxSessionDuration": _HOUR,
    }
    row = new_row(ROLE, context.account, asked)
    row = replace(row, state={**row.state, "attached": _attached(linked.policy)})

    def change(transaction: Transaction) -> Row:
        if transaction.get(row.key) is not None:
            raise invalid_input(
                f"Service role name {name} has been taken in this account, please try a different suffix."
            )
        return insert(transaction, ROLE, row, {})

    return {"Role": created_role(write(context, change), {})}


@SERVICE.operation("DeleteServiceLinkedRole")
def delete_service_linked_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Nothing here holds such a role: it is deleted before this answers, and the task has succeeded."""

    def change(transaction: Transaction) -> str:
        row = require(transaction, ROLE, context.account, params["RoleName"])
        if not row.spec["Path"].startswith(SERVICE_LINKED_PATH):
            raise invalid_input(f"The role {params['RoleName']} is not a service-linked role.")
        transaction.delete(row.key)
        return transaction.insert(_done(row)).key.name

    return {"DeletionTaskId": write(context, change)}


def _done(role: Row) -> Row:
    """What is remembered of a deletion: its task."""
    place = Key(DELETION, role.key.account, "", f"task{role.spec['Path']}{role.spec['RoleName']}/{uuid.uuid4()}")
    arn, now = str(Arn("iam", "", place.account, f"{DELETION}/{place.name}")), datetime.now(UTC)
    return Row(place, arn, "SUCCEEDED", now, now, {})


@SERVICE.operation("GetServiceLinkedRoleDeletionStatus")
def get_service_linked_role_deletion_status(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    task = context.store.read.get(Key(DELETION, context.account, "", params["DeletionTaskId"]))
    if task is None:
        raise no_such_entity(f"Task {params['DeletionTaskId']} cannot be found.")
    return {"Status": task.status}
