"""Policies of endpoints
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_PutEndpointPolicy.html): who else may invoke and describe
one, decided together with the caller's own policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError, ValidationError
from clary.identity.grammar import check_resource_policy
from clary.identity.policy import MalformedPolicy, listed
from clary.lifecycles.endpoint import FAILED
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker.endpoints import ENDPOINT
from clary.services.sagemaker.publication import DOCUMENT, key_of, publish
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Reader, View
    from clary.store.transaction import Transaction

_ACTIONS = frozenset(
    f"sagemaker:{name}".lower()
    for name in (
        "DescribeEndpoint",
        "DescribeInferenceComponent",
        "InvokeEndpoint",
        "InvokeEndpointAsync",
        "InvokeEndpointWithResponseStream",
    )
)
"""What a policy may speak of: one on the policy itself could lock its owner out."""


def _require(context: Context, view: Reader | View, params: Params) -> Row:
    row = resources.find(ENDPOINT, context, view, params["EndpointName"])
    if row is None:
        arn = resources.arn_of(ENDPOINT, resources.key_of(ENDPOINT, context, params["EndpointName"]))
        raise AWSError("ResourceNotFound", ENDPOINT.missing(arn).message)
    return row


def _check(text: str, endpoint: Row) -> None:
    """Raises ValidationError where it is no policy, or not one on this endpoint."""
    if not text.isascii():
        raise _invalid("it has characters that are not ASCII.")
    try:
        parsed = check_resource_policy(text)
    except MalformedPolicy as error:
        raise _invalid(str(error)) from None
    for statement in listed(parsed["Statement"]):
        _check_statement(statement, endpoint)


def _check_statement(statement: Mapping[str, Any], endpoint: Row) -> None:
    others = [each for each in listed(statement.get("Action")) if str(each).lower() not in _ACTIONS]
    if "NotAction" in statement or others:
        named = ", ".join(map(str, others)) or "NotAction"
        raise _invalid(f"{named} is no action on an endpoint that a policy can allow or deny.")
    components = f"{endpoint.arn.rpartition(':')[0]}:inference-component/"
    for resource in map(str, listed(statement.get("Resource"))):
        if resource.lower() != endpoint.arn and not resource.lower().startswith(components):
            raise _invalid(f"the resource {resource} is not {endpoint.arn}.")
    if "NotResource" in statement:
        raise _invalid(f"the resource must be {endpoint.arn}.")


def _invalid(reason: str) -> AWSError:
    return ValidationError(f"Invalid resource policy: {reason}")


@SERVICE.operation("PutEndpointPolicy")
def put(context: Context, params: Params) -> Output:
    """In place of the one before. Raises ResourceNotFound, ValidationError."""

    def change(transaction: Transaction) -> Row:
        endpoint = _require(context, transaction, params)
        if endpoint.status == FAILED:
            raise ValidationError(f'Cannot attach a policy to failed endpoint "{endpoint.arn}".')
        _check(params[DOCUMENT], endpoint)
        transaction.delete(key_of(endpoint.key))
        made = resources.now()
        transaction.insert(Row(key_of(endpoint.key), "", "", made, made, {DOCUMENT: params[DOCUMENT]}))
        return endpoint

    endpoint = context.store.write(change)
    publish(context.store.read, context.settings)
    return {"EndpointArn": endpoint.arn}


@SERVICE.operation("GetEndpointPolicy")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound; ValidationError where it has none."""
    endpoint = _require(context, context.store.read, params)
    row = context.store.read.get(key_of(endpoint.key))
    if row is None:
        raise ValidationError(f'Endpoint "{endpoint.arn}" has no resource policy.')
    return {"EndpointName": endpoint.key.name, "EndpointArn": endpoint.arn, DOCUMENT: row.spec[DOCUMENT]}


@SERVICE.operation("DeleteEndpointPolicy")
def delete(context: Context, params: Params) -> Output:
    """Where it has none, that is well, too. Raises ResourceNotFound."""

    def change(transaction: Transaction) -> None:
        transaction.delete(key_of(_require(context, transaction, params).key))

    context.store.write(change)
    publish(context.store.read, context.settings)
    return {}
