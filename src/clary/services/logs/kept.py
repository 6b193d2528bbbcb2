"""Named things of Logs whose effect is only state: query definitions, resource policies, destinations."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError, ValidationError
from clary.names import Arn
from clary.services.context import Context
from clary.services.logs.errors import invalid, invalid_token
from clary.services.logs.filters import limit_exceeded
from clary.services.logs.rows import milliseconds
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, now, page, present
from clary.store.rows import Key, Page, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

DEFINITION = "query-definition"
POLICY = "log-resource-policy"
DESTINATION = "log-destination"

MOST_POLICIES = 10
MOST_DEFINITIONS = 1000
PAGE = 50


def _key(context: Context, kind: str, name: str) -> Key:
    return Key(kind, context.account, context.region, name)


def _arn(context: Context, kind: str, name: str) -> str:
    return str(Arn("logs", context.region, context.account, f"{kind}:{name}"))


def _put(context: Context, kind: str, name: str, spec: dict[str, Any], most: int, noun: str = "") -> Row:
    """A new one, or another in place of it. Raises LimitExceededException."""
    made = now()
    row = Row(_key(context, kind, name), _arn(context, noun or kind, name), "", made, made, present(spec))

    def change(transaction: Transaction) -> Row:
        there = transaction.get(row.key)
        if there is not None:
            return transaction.save(replace(there, spec={**row.spec, **_policy(there)}, modified=made))
        if most and len([each for each in transaction.rows(kind) if _beside(each.key, row.key)]) >= most:
            raise limit_exceeded()
        return transaction.insert(row)

    return context.store.write(change)


def _policy(row: Row) -> dict[str, Any]:
    """A destination's policy stays when its target changes."""
    return {"accessPolicy": row.spec["accessPolicy"]} if "accessPolicy" in row.spec else {}


def _beside(key: Key, other: Key) -> bool:
    return (key.account, key.region) == (other.account, other.region)


def _listed(context: Context, kind: str, params: Params, limit: int, prefix: str | None = None) -> Page:
    query = Query(
        kind=kind,
        account=context.account,
        region=context.region,
        sort_by="name",
        descending=False,
        limit=limit,
        token=params.get("nextToken"),
        name_prefix=prefix,
    )
    try:
        return context.store.read.page(query)
    except ValueError:
        raise invalid_token() from None


def _checked_policy(document: str) -> str:
    try:
        if isinstance(json.loads(document), dict):
            return document
    except (ValueError, RecursionError):
        pass
    raise invalid("Policy document is not valid JSON.")


# Query definitions


@SERVICE.operation("PutQueryDefinition", effect="keeps state")
def put_definition(context: Context, params: Params) -> Output:
    """A new one, or another in place of the one whose id is given. Raises ResourceNotFoundException."""
    given = params.get("queryDefinitionId")
    if given and context.store.read.get(_key(context, DEFINITION, given)) is None:
        raise AWSError("ResourceNotFoundException", f"The query definition {given} does not exist.")
    members = ("name", "queryString", "logGroupNames", "parameters", "queryLanguage")
    row = _put(
        context,
        DEFINITION,
        given or str(uuid.uuid4()),
        {name: params.get(name) for name in members},
        MOST_DEFINITIONS,
    )
    return {"queryDefinitionId": row.key.name}


@SERVICE.operation("DescribeQueryDefinitions")
def describe_definitions(context: Context, params: Params) -> Output:
    """Raises InvalidParameterException."""
    prefix, language = params.get("queryDefinitionNamePrefix", ""), params.get("queryLanguage")
    query = Query(
        kind=DEFINITION,
        account=context.account,
        region=context.region,
        limit=params.get("maxResults", 1000),
        token=params.get("nextToken"),
    )

    def wanted(row: Row) -> bool:
        return row.spec["name"].startswith(prefix) and language in (None, row.spec.get("queryLanguage", "CWLI"))

    try:
        found = page(context, query, wanted)
    except ValidationError:
        raise invalid_token() from None
    shown = [
        {"queryLanguage": "CWLI", **row.spec, "queryDefinitionId": row.key.name,
         "lastModified": milliseconds(row.modified)} for row in found.rows
    ]  # fmt: skip
    return present({"queryDefinitions": shown, "nextToken": found.token})


@SERVICE.operation("DeleteQueryDefinition")
def delete_definition(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    name = params["queryDefinitionId"]
    if not context.store.write(lambda transaction: transaction.delete(_key(context, DEFINITION, name))):
        raise AWSError("ResourceNotFoundException", f"The query definition {name} does not exist.")
    return {"success": True}


# Resource policies


@SERVICE.operation("PutResourcePolicy", effect="keeps state")
def put_policy(context: Context, params: Params) -> Output:
    """Of the account: there are no other accounts and services here that it could let in. Raises
    InvalidParameterException, LimitExceededException."""
    if params.get("resourceArn") or params.get("expectedRevisionId"):
        raise invalid("Clary keeps resource policies of the account only (policyName, policyDocument).")
    if not params.get("policyName") or not params.get("policyDocument"):
        raise invalid("policyName and policyDocument must be specified.")
    spec = {"policyDocument": _checked_policy(params["policyDocument"])}
    return {"resourcePolicy": _shown_policy(_put(context, POLICY, params["policyName"], spec, MOST_POLICIES))}


def _shown_policy(row: Row) -> Output:
    return {
        "policyName": row.key.name,
        **row.spec,
        "lastUpdatedTime": milliseconds(row.modified),
        "policyScope": "ACCOUNT",
    }


@SERVICE.operation("DescribeResourcePolicies")
def describe_policies(context: Context, params: Params) -> Output:
    """Raises InvalidParameterException."""
    if params.get("resourceArn") or params.get("policyScope") == "RESOURCE":
        return {"resourcePolicies": []}
    found = _listed(context, POLICY, params, params.get("limit", PAGE))
    return present({"resourcePolicies": [_shown_policy(row) for row in found.rows], "nextToken": found.token})


@SERVICE.operation("DeleteResourcePolicy")
def delete_policy(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    name = params.get("policyName") or ""
    if not context.store.write(lambda transaction: transaction.delete(_key(context, POLICY, name))):
        raise AWSError("ResourceNotFoundException", f"Policy with name [{name}] does not exist.")
    return {}


# Destinations


@SERVICE.operation("PutDestination", effect="keeps state")
def put_destination(context: Context, params: Params) -> Output:
    """Kept; subscription filters to it are refused, since there is no stream behind it here."""
    spec = {"targetArn": params["targetArn"], "roleArn": params["roleArn"]}
    row = _put(context, DESTINATION, params["destinationName"], spec, 0, "destination")
    if params.get("tags"):
        context.store.write(lambda transaction: transaction.set_tags(row.arn, params["tags"]))
    return {"destination": _shown_destination(row)}


def _shown_destination(row: Row) -> Output:
    return {
        "destinationName": row.key.name,
        **row.spec,
        "arn": row.arn,
        "creationTime": milliseconds(row.created),
    }


@SERVICE.operation("PutDestinationPolicy", effect="keeps state")
def put_destination_policy(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    key, document = _key(context, DESTINATION, params["destinationName"]), _checked_policy(params["accessPolicy"])

    def change(transaction: Transaction) -> None:
        row = transaction.get(key)
        if row is None:
            raise _no_destination()
        transaction.save(replace(row, spec={**row.spec, "accessPolicy": document}))

    context.store.write(change)
    return {}


@SERVICE.operation("DescribeDestinations")
def describe_destinations(context: Context, params: Params) -> Output:
    """Ordered by name. Raises InvalidParameterException."""
    found = _listed(context, DESTINATION, params, params.get("limit", PAGE), params.get("DestinationNamePrefix"))
    return present({"destinations": [_shown_destination(row) for row in found.rows], "nextToken": found.token})


@SERVICE.operation("DeleteDestination")
def delete_destination(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    key = _key(context, DESTINATION, params["destinationName"])
    if not context.store.write(lambda transaction: transaction.delete(key)):
        raise _no_destination()
    return {}


def _no_destination() -> AWSError:
    return AWSError("ResourceNotFoundException", "The specified destination does not exist.")
