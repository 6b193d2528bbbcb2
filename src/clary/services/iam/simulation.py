"""What would be allowed (https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from clary.calls import Principal
from clary.identity.directory import Directory
from clary.identity.grammar import check_identity_policy
from clary.identity.policy import MalformedPolicy, PolicySet, Statement, compile_policy
from clary.identity.resources import Guarded
from clary.names import account_of
from clary.services.context import Context
from clary.services.iam.entities import MEMBER
from clary.services.iam.errors import invalid_input, no_such_entity
from clary.services.iam.gathering import identities_of
from clary.services.iam.listing import numbered
from clary.services.iam.service import SERVICE
from clary.services.iam.simulated import Simulation, caller_of, context_keys

_RESOURCE_POLICY = "ResourcePolicy"


def _texts(params: Mapping[str, Any], member: str) -> dict[str, str]:
    """Policies that the request brings, by name. Raises InvalidInput."""
    given: Sequence[str] = params.get(member) or ()
    try:
        for text in given:
            check_identity_policy(text)
    except MalformedPolicy as error:
        raise invalid_input(str(error)) from error
    return {f"{member}.{index}": text for index, text in enumerate(given, 1)}


def _compiled(texts: Mapping[str, str]) -> list[Statement]:
    """Customers' policies are all `IAM Policy` in what AWS answers, those that a request brings too."""
    return [each for name, text in texts.items() for each in compile_policy(text, name, "IAM Policy")]


def _keys(params: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Values by key; no member of an entry is required, and one that names no key says nothing."""
    entries = [entry for entry in params.get("ContextEntries") or () if entry.get("ContextKeyName")]
    return {entry["ContextKeyName"].lower(): tuple(entry.get("ContextKeyValues") or ()) for entry in entries}


def _of_caller(caller: Principal | None) -> dict[str, tuple[str, ...]]:
    """What is known of whoever is simulated."""
    if caller is None:
        return {}
    keys: dict[str, tuple[str, ...]] = {
        "aws:principalarn": (caller.identity,),
        "aws:principalaccount": (caller.account,),
    }
    return keys | ({"aws:username": (caller.arn.rpartition("/")[2],)} if caller.kind == "user" else {})


def _caller(params: Mapping[str, Any]) -> Principal | None:
    """CallerArn; else the principal whose policies are simulated. Raises InvalidInput."""
    source = params.get("PolicySourceArn", "")
    arn = params.get("CallerArn") or (source if ":user/" in source else "")
    if not arn:
        if params.get(_RESOURCE_POLICY):
            raise invalid_input("CallerArn is required when a ResourcePolicy is given.")
        return None
    try:
        return caller_of(arn)
    except ValueError as error:
        raise invalid_input(f"Invalid caller ARN: {arn}") from error


def _resource(params: Mapping[str, Any], caller: Principal | None) -> Guarded | None:
    """The resource's policy. Raises InvalidInput."""
    text = params.get(_RESOURCE_POLICY)
    if not text or caller is None:
        return None
    try:
        json.loads(text)
        statements = compile_policy(text, _RESOURCE_POLICY, "Resource Policy")
    except (MalformedPolicy, ValueError, RecursionError) as error:
        raise invalid_input(f"Invalid Resource Policy: {error}") from error
    owner = params.get("ResourceOwner", "")
    account = account_of(owner) if owner.startswith("arn:") else owner
    return Guarded(account or caller.account, PolicySet(statements))


def _answer(
    params: Mapping[str, Any],
    own: PolicySet,
    boundary: PolicySet | None,
    texts: dict[str, str],
    *,
    organized: bool = False,
) -> Any:  # noqa: ANN401
    if params.get("PolicyExclusionList"):
        raise invalid_input("PolicyExclusionList is not supported by Clary.")
    member = "PermissionsBoundaryPolicyInputList"
    given, caller = _texts(params, member), _caller(params)
    resource = _resource(params, caller)
    texts |= given | ({_RESOURCE_POLICY: params[_RESOURCE_POLICY]} if resource else {})
    bound = PolicySet(_compiled(given)) if given else boundary
    keys = _of_caller(caller) | _keys(params)
    simulation = Simulation(own, bound, keys, texts, resource, caller, organized)
    named = bool(params.get("ResourceArns"))
    asked = product(params["ActionNames"], params.get("ResourceArns") or ["*"])
    return numbered("EvaluationResults", asked, params, lambda pair: simulation.result(*pair, named=named))


def _source(context: Context, params: Mapping[str, Any]) -> tuple[Directory, str]:
    """The policies of whoever is simulated. Raises NoSuchEntity."""
    arn = params["PolicySourceArn"]
    directory = Directory(identities_of(context.store.read, context.account, arn))
    if arn not in directory.identities["subjects"]:
        raise no_such_entity(f"The entity {arn} cannot be found.")
    return directory, arn


def _is_member(context: Context) -> bool:
    """Whether the account belongs to an organization."""
    return any(row.key.name == context.account for row in context.store.read.rows(MEMBER))


@SERVICE.operation("SimulatePrincipalPolicy")
def simulate_principal_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    directory, arn = _source(context, params)
    own, boundary = directory.layers(arn)
    given = _texts(params, "PolicyInputList")
    together = PolicySet([*own.statements, *_compiled(given)])
    answer: dict[str, Any] = _answer(
        params, together, boundary, directory.texts() | given, organized=_is_member(context)
    )
    return answer


@SERVICE.operation("SimulateCustomPolicy")
def simulate_custom_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    given = _texts(params, "PolicyInputList")
    answer: dict[str, Any] = _answer(params, PolicySet(_compiled(given)), None, dict(given))
    return answer


@SERVICE.operation("GetContextKeysForCustomPolicy")
def get_context_keys_for_custom_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return {"ContextKeyNames": context_keys(_compiled(_texts(params, "PolicyInputList")))}


@SERVICE.operation("GetContextKeysForPrincipalPolicy")
def get_context_keys_for_principal_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    directory, arn = _source(context, params)
    statements = [*directory.layers(arn)[0].statements, *_compiled(_texts(params, "PolicyInputList"))]
    return {"ContextKeyNames": context_keys(statements)}
