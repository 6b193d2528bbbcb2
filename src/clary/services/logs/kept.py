"""Named things of Logs whose effect is only state: query definitions, resource policies, destinations."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.errors import AWSError, ValidationError
from clary.services.context import Context
from clary.services.logs.errors import invalid, invalid_token
from clary.services.logs.keeping import checked_document, key_of, listed, put
from clary.services.logs.rows import milliseconds
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, page, present
from clary.store.rows import Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

DEFINITION = "query-definition"
POLICY = "log-resource-policy"
DESTINATION = "log-destination"

MOST_POLICIES = 10
MOST_DEFINITIONS = 1000
PAGE = 50


# Query definitions


@SERVICE.operation("PutQueryDefinition", effect="keeps state")
def put_definition(context: Context, params: Params) -> Output:
    """A new one, or another in place of the one whose id is given. Raises ResourceNotFoundException."""
    given = params.get("queryDefinitionId")
    if given and context.store.read.get(key_of(context, DEFINITION, given)) is None:
        raise AWSError("ResourceNotFoundException", f"The query definition {given} does not exist.")
    members = ("name", "queryString", "logGroupNames", "parameters", "queryLanguage")
    row = put(
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
    if not context.store.write(lambda transaction: transaction.delete(key_of(context, DEFINITION, name))):
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
    spec = {"policyDocument": checked_document(params["policyDocument"])}
    return {"resourcePolicy": _shown_policy(put(context, POLICY, params["policyName"], spec, MOST_POLICIES))}


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
    found = listed(context, POLICY, params, params.get("limit", PAGE))
    return present({"resourcePolicies": [_shown_policy(row) for row in found.rows], "nextToken": found.token})


@SERVICE.operation("DeleteResourcePolicy")
def delete_policy(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    name = params.get("policyName") or ""
    if not context.store.write(lambda transaction: transaction.delete(key_of(context, POLICY, name))):
        raise AWSError("ResourceNotFoundException", f"Policy with name [{name}] does not exist.")
    return {}


# Destinations


@SERVICE.operation("PutDestination", effect="keeps state")
def put_destination(context: Context, params: Params) -> Output:
    """Kept; subscription filters to it are refused, since there is no stream behind it here."""
    spec = {"targetArn": params["targetArn"], "roleArn": params["roleArn"]}
    row = put(context, DESTINATION, params["destinationName"], spec, 0, "destination")
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
    key, document = key_of(context, DESTINATION, params["destinationName"]), checked_document(params["accessPolicy"])

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
    found = listed(context, DESTINATION, params, params.get("limit", PAGE), params.get("DestinationNamePrefix"))
    return present({"destinations": [_shown_destination(row) for row in found.rows], "nextToken": found.token})


@SERVICE.operation("DeleteDestination")
def delete_destination(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    key = key_of(context, DESTINATION, params["destinationName"])
    if not context.store.write(lambda transaction: transaction.delete(key)):
        raise _no_destination()
    return {}


def _no_destination() -> AWSError:
    return AWSError("ResourceNotFoundException", "The specified destination does not exist.")
