"""Policies of groups and of accounts: what they say is kept, and nothing is masked, indexed or sent on by them
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutAccountPolicy.html). Indexes make queries
of AWS's faster; what they answer is the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.logs.errors import invalid, no_group
from clary.services.logs.groups import respecify
from clary.services.logs.keeping import checked_document, key_of, listed, put
from clary.services.logs.rows import group_key, milliseconds, require_group
from clary.services.logs.service import SERVICE, group_name
from clary.services.resources import Output, Params, now, present
from clary.store.rows import Row

ACCOUNT_POLICY = "log-account-policy"
PROTECTION, INDEX = "dataProtectionPolicy", "indexPolicy"
"""In a group's spec: `document` and `time` (milliseconds)."""

_MOST_FIELDS = 20
_PAGE = 100


# Of an account


@SERVICE.operation("PutAccountPolicy", effect="keeps state")
def put_account_policy(context: Context, params: Params) -> Output:
    """Raises InvalidParameterException."""
    if params.get("dryRun"):
        raise invalid("Clary does not try account policies out (dryRun).")
    document, kind = checked_document(params["policyDocument"]), params["policyType"]
    if kind == "FIELD_INDEX_POLICY":
        _fields(document)
    spec = {
        "policyName": params["policyName"],
        "policyType": kind,
        "policyDocument": document,
        "scope": params.get("scope") or "ALL",
        "selectionCriteria": params.get("selectionCriteria"),
    }
    return {"accountPolicy": _shown(put(context, ACCOUNT_POLICY, f"{kind}:{params['policyName']}", spec, 0))}


def _shown(row: Row) -> Output:
    return {**row.spec, "lastUpdatedTime": milliseconds(row.modified), "accountId": row.key.account}


@SERVICE.operation("DescribeAccountPolicies")
def describe_account_policies(context: Context, params: Params) -> Output:
    """Of one type, and of one name where it is given. Raises InvalidParameterException."""
    name = params.get("policyName")
    found = listed(context, ACCOUNT_POLICY, params, _PAGE, f"{params['policyType']}:{name or ''}")
    shown = [_shown(row) for row in found.rows if name in (None, row.spec["policyName"])]
    return present({"accountPolicies": shown, "nextToken": found.token})


@SERVICE.operation("DeleteAccountPolicy")
def delete_account_policy(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    key = key_of(context, ACCOUNT_POLICY, f"{params['policyType']}:{params['policyName']}")
    if not context.store.write(lambda transaction: transaction.delete(key)):
        raise AWSError("ResourceNotFoundException", "The specified account policy does not exist.")
    return {}


# Data protection


@SERVICE.operation("PutDataProtectionPolicy", effect="keeps state")
def put_protection(context: Context, params: Params) -> Output:
    """Nothing is masked by it. Raises ResourceNotFoundException, InvalidParameterException."""
    document = checked_document(params["policyDocument"])
    if not {"Name", "Version", "Statement"} <= json.loads(document).keys():
        raise invalid("Invalid data protection policy syntax.")
    kept = _kept(context, params, PROTECTION, document)
    return {"logGroupIdentifier": params["logGroupIdentifier"], **_protection(kept)}


@SERVICE.operation("GetDataProtectionPolicy")
def get_protection(context: Context, params: Params) -> Output:
    """Without a document where there is none. Raises ResourceNotFoundException."""
    kept = require_group(context, params).spec.get(PROTECTION)
    return {"logGroupIdentifier": params["logGroupIdentifier"], **(_protection(kept) if kept else {})}


@SERVICE.operation("DeleteDataProtectionPolicy")
def delete_protection(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return respecify(context, params, **{PROTECTION: None})


def _protection(kept: Params) -> Output:
    return {"policyDocument": kept["document"], "lastUpdatedTime": kept["time"]}


def _kept(context: Context, params: Params, member: str, document: str) -> Params:
    kept = {"document": document, "time": milliseconds(now())}
    respecify(context, params, **{member: kept})
    return kept


# Indexes of fields


@SERVICE.operation("PutIndexPolicy", effect="keeps state")
def put_index(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    document = checked_document(params["policyDocument"])
    _fields(document)
    kept = _kept(context, params, INDEX, document)
    return {"indexPolicy": _index(require_group(context, params), kept)}


@SERVICE.operation("DeleteIndexPolicy")
def delete_index(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return respecify(context, params, **{INDEX: None})


@SERVICE.operation("DescribeIndexPolicies")
def describe_indexes(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return {"indexPolicies": [_index(row, kept) for row, kept in _indexed(context, params)]}


@SERVICE.operation("DescribeFieldIndexes")
def describe_fields(context: Context, params: Params) -> Output:
    """Those that policies name; none has been scanned for. Raises ResourceNotFoundException."""
    asked = params.get("indexCategories")
    if asked and "CUSTOM" not in asked:
        return {"fieldIndexes": []}
    fields = (
        {"logGroupIdentifier": row.arn, "fieldIndexName": name, "type": "FIELD_INDEX", "indexCategory": "CUSTOM"}
        for row, kept in _indexed(context, params)
        for name in _fields(kept["document"])
    )
    return {"fieldIndexes": list(fields)}


def _indexed(context: Context, params: Params) -> Iterator[tuple[Row, Params]]:
    for identifier in params["logGroupIdentifiers"]:
        row = context.store.read.get(group_key(context, group_name({"logGroupIdentifier": identifier})))
        if row is None:
            raise no_group()
        if row.spec.get(INDEX):
            yield row, row.spec[INDEX]


def _index(row: Row, kept: Params) -> Output:
    said = {"logGroupIdentifier": row.arn, "lastUpdateTime": kept["time"], "policyDocument": kept["document"]}
    return {**said, "source": "LOG_GROUP"}


def _fields(document: str) -> list[str]:
    """Raises InvalidParameterException."""
    said: Any = json.loads(document)
    fields = said.get("Fields") or said.get("FieldsV2")
    if not isinstance(fields, list | dict) or not all(isinstance(name, str) and name for name in fields):
        raise invalid("The policy document must name its fields.")
    if not 0 < len(fields) <= _MOST_FIELDS:
        raise invalid(f"A field index policy can name 1 to {_MOST_FIELDS} fields.")
    return list(fields)
