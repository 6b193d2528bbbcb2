"""Accounts of the organization: made, listed, closed
(https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html)."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError
from clary.names import random_hex
from clary.services.context import Context
from clary.services.iam.entities import MEMBER, ROLE, SUSPENDED, Rows, insert, member_key, new_row
from clary.services.iam.publication import write
from clary.services.organizations.errors import no_request
from clary.services.organizations.rows import (
    arn_of,
    listed,
    members,
    require_account,
    require_managed,
)
from clary.services.organizations.service import SERVICE
from clary.services.resources import Output, Params, now, present
from clary.services.tags import checked_tags
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

ACTIVE = "ACTIVE"

_REQUEST = "create-account"
"""The kind of the rows that say how each CreateAccount went."""

_SUCCEEDED, _FAILED = "SUCCEEDED", "FAILED"

_CLOSED_BY = "closed_by"
"""In an account's state: the invocation."""

_ROLE = "OrganizationAccountAccessRole"
"""What the management account may assume in a new one, where the request names no other."""

_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@SERVICE.operation("CreateAccount")
def create(context: Context, params: Params) -> Output:
    """The account, and in it a role that the management account may assume to do everything. It is there when this
    returns; an address that another account has is told by the request's status. Raises
    AWSOrganizationsNotInUseException, AccessDeniedException."""
    key, tags = _request_key(context), checked_tags(params.get("Tags") or ())

    def made(transaction: Transaction) -> Row:
        organization = require_managed(context, transaction)
        there = transaction.get(key)
        if there is not None:  # the same call once more
            return there
        taken = any(each.spec["Email"] == params["Email"] for each in transaction.rows(MEMBER))
        account = None if taken else _new_account(context, transaction, organization, params, tags)
        return transaction.insert(_request(key, params, account))

    return {"CreateAccountStatus": _status(write(context, made))}


def _request_key(context: Context) -> Key:
    invocation = context.call.invocation_id
    told = hashlib.sha256(invocation.encode()).hexdigest()[:32] if invocation else random_hex()
    return Key(_REQUEST, context.settings.account_id, "", f"car-{told}")


def _request(key: Key, params: Params, account: str | None) -> Row:
    moment = now()
    told = {"AccountId": account} if account else {"FailureReason": "EMAIL_ALREADY_EXISTS"}
    state = _SUCCEEDED if account else _FAILED
    return Row(key, f"{_REQUEST}/{key.name}", state, moment, moment, {"AccountName": params["AccountName"], **told}, {})


def _new_account(
    context: Context, transaction: Transaction, organization: Row, params: Params, tags: dict[str, str]
) -> str:
    account = _free(context, transaction)
    said = {"Email": params["Email"], "Name": params["AccountName"], "JoinedMethod": "CREATED"}
    row = transaction.insert(member_row(organization, member_key(account), said))
    transaction.set_tags(row.arn, tags)
    insert(transaction, ROLE, _role(organization.key.account, account, params.get("RoleName") or _ROLE), {})
    return account


def _free(context: Context, rows: Rows) -> str:
    """An id that no account has, or had."""
    while True:
        account = f"{1 + secrets.randbelow(9)}{secrets.randbelow(10**11):011}"
        if account != context.settings.account_id and rows.get(member_key(account)) is None:
            return account


def _role(manager: str, account: str, name: str) -> Row:
    principal = {"AWS": f"arn:aws:iam::{manager}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    row = new_row(ROLE, account, {"RoleName": name, "AssumeRolePolicyDocument": trust, "MaxSessionDuration": 3600})
    return replace(row, state={**row.state, "attached": [_ADMINISTRATOR]})


def member_row(organization: Row, key: Key, said: dict[str, Any]) -> Row:
    """Of an account that joins."""
    joined = now()
    return Row(key, arn_of(organization, f"account/{key.name}"), ACTIVE, joined, joined, said, {})


@SERVICE.operation("DescribeCreateAccountStatus")
def describe_status(context: Context, params: Params) -> Output:
    """Raises CreateAccountStatusNotFoundException."""
    require_managed(context)
    key = Key(_REQUEST, context.settings.account_id, "", params["CreateAccountRequestId"])
    row = context.store.read.get(key)
    if row is None:
        raise no_request()
    return {"CreateAccountStatus": _status(row)}


@SERVICE.operation("ListCreateAccountStatus")
def list_statuses(context: Context, params: Params) -> Output:
    """Of the States that are asked for."""
    require_managed(context)
    states = params.get("States")
    wanted = [row for row in context.store.read.rows(_REQUEST) if not states or row.status in states]
    return listed("CreateAccountStatuses", [(_joined(row), _status(row)) for row in wanted], params)


def _joined(row: Row) -> str:
    return f"{row.created.isoformat()} {row.key.name}"


def _status(row: Row) -> Output:
    """The shape `CreateAccountStatus`."""
    times = {"RequestedTimestamp": row.created, "CompletedTimestamp": row.modified}
    return {"Id": row.key.name, "State": row.status, **times, **row.spec}


@SERVICE.operation("ListAccounts")
def list_(context: Context, params: Params) -> Output:
    """All, in the order in which they joined."""
    organization = require_managed(context)
    found = [(_joined(row), shown(organization, row)) for row in members(context)]
    return listed("Accounts", found, params)


@SERVICE.operation("DescribeAccount")
def describe(context: Context, params: Params) -> Output:
    """Raises AccountNotFoundException."""
    organization = require_managed(context)
    row = require_account(context.store.read, member_key(params["AccountId"]))
    return {"Account": shown(organization, row)}


@SERVICE.operation("CloseAccount")
def close(context: Context, params: Params) -> Output:
    """Its users and roles can do nothing from now on; what it has stays. Raises AccountNotFoundException,
    AccountAlreadyClosedException, ConstraintViolationException."""
    mark = context.call.invocation_id

    def closed(transaction: Transaction) -> None:
        organization = require_managed(context, transaction)
        row = require_account(transaction, member_key(params["AccountId"]))
        if row.key.name == organization.key.account:
            raise AWSError("ConstraintViolationException", "You cannot close the management account.")
        if mark and row.state.get(_CLOSED_BY) == mark:  # the same call once more
            return
        if row.status == SUSPENDED:
            raise AWSError("AccountAlreadyClosedException", "You attempted to close an account that is already closed.")
        transaction.save(replace(row, status=SUSPENDED, state={**row.state, _CLOSED_BY: mark}))

    write(context, closed)
    return {}


def shown(organization: Row, row: Row) -> Output:
    """The shape `Account`."""
    path = f"{organization.spec['Id']}/{organization.spec['RootId']}/{row.key.name}/"
    return present(
        {
            **row.spec,
            "Id": row.key.name,
            "Arn": row.arn,
            "Status": row.status,
            "State": row.status,
            "Paths": [path],
            "JoinedTimestamp": row.created,
        }
    )
