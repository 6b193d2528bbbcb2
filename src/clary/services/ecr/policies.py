"""Policies of repositories and of the registry, and what else is said of a registry as a whole. Who may do what is
decided by the callers' own policies: these speak of other accounts, of which there are none here
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.services.context import Context
from clary.services.ecr.errors import invalid, no_registry_policy, no_repository_policy
from clary.services.ecr.names import REGISTRY
from clary.services.ecr.rows import change_repository, named, require_repository
from clary.services.ecr.service import SERVICE
from clary.services.resources import Output, Params, now
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_POLICY = "policyText"


def _check(text: str) -> None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    statements = document.get("Statement") if isinstance(document, dict) else None
    listed = statements if isinstance(statements, list) else [statements]
    if not listed or not all(isinstance(each, dict) and {"Effect", "Principal"} <= set(each) for each in listed):
        raise invalid("PolicyText", "Invalid repository policy provided")


@SERVICE.operation("SetRepositoryPolicy", effect="keeps state")
def set_policy(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException, InvalidParameterException."""
    _check(params["policyText"])
    row = change_repository(
        context, params, lambda row: replace(row, state={**row.state, _POLICY: params["policyText"]})
    )
    return {**named(row.key), "policyText": params["policyText"]}


@SERVICE.operation("GetRepositoryPolicy", effect="keeps state")
def get_policy(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException, RepositoryPolicyNotFoundException."""
    row = require_repository(context, params)
    return {**named(row.key), "policyText": _of(row)}


def _of(row: Row) -> str:
    if _POLICY not in row.state:
        raise no_repository_policy(row.key)
    return str(row.state[_POLICY])


@SERVICE.operation("DeleteRepositoryPolicy", effect="keeps state")
def delete_policy(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException, RepositoryPolicyNotFoundException."""
    deleted: list[str] = []

    def change(row: Row) -> Row:
        deleted.append(_of(row))
        return replace(row, state={name: kept for name, kept in row.state.items() if name != _POLICY})

    row = change_repository(context, params, change)
    return {**named(row.key), "policyText": deleted[0]}


@SERVICE.operation("DescribeRegistry")
def describe_registry(context: Context, _params: Params) -> Output:
    """Nothing is replicated: there is no other region to go to."""
    return {"registryId": context.account, "replicationConfiguration": {"rules": []}}


def _registry_key(context: Context) -> Key:
    return Key(REGISTRY, context.account, context.region, "policy")


@SERVICE.operation("PutRegistryPolicy", effect="keeps state")
def put_registry_policy(context: Context, params: Params) -> Output:
    """Raises InvalidParameterException."""
    _check(params["policyText"])
    key, made = _registry_key(context), now()

    def change(transaction: Transaction) -> None:
        there = transaction.get(key)
        if there is None:
            transaction.insert(Row(key, "", "", made, made, {_POLICY: params["policyText"]}))
        else:
            transaction.save(replace(there, spec={_POLICY: params["policyText"]}, modified=made))

    context.store.write(change)
    return {"registryId": context.account, "policyText": params["policyText"]}


@SERVICE.operation("GetRegistryPolicy", effect="keeps state")
def get_registry_policy(context: Context, _params: Params) -> Output:
    """Raises RegistryPolicyNotFoundException."""
    row = context.store.read.get(_registry_key(context))
    if row is None:
        raise no_registry_policy(context.account)
    return {"registryId": context.account, "policyText": row.spec[_POLICY]}


@SERVICE.operation("DeleteRegistryPolicy", effect="keeps state")
def delete_registry_policy(context: Context, params: Params) -> Output:
    """Raises RegistryPolicyNotFoundException."""
    shown = get_registry_policy(context, params)
    context.store.write(lambda transaction: transaction.delete(_registry_key(context)))
    return dict(shown)
