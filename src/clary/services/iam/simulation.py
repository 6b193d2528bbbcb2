"""What would be allowed (https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from clary.identity.directory import Directory
from clary.identity.grammar import check_identity_policy
from clary.identity.patterns import Context as Keys
from clary.identity.policy import Decision, MalformedPolicy, PolicySet, Question, Statement, compile_policy, decide
from clary.services.context import Context
from clary.services.iam.errors import invalid_input, no_such_entity
from clary.services.iam.gathering import identities_of
from clary.services.iam.listing import numbered
from clary.services.iam.service import SERVICE


@dataclass(frozen=True)
class _Simulation:
    """The policies and the condition keys that are given."""

    own: PolicySet
    boundary: PolicySet | None
    keys: Keys

    def result(self, action: str, resource: str) -> dict[str, Any]:
        """The shape `EvaluationResult`."""
        decision = decide(Question(action, resource, lambda: self.keys), self.own, self.boundary)
        out: dict[str, Any] = {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": decision.effect,
            "MatchedStatements": _matched(decision),
            "MissingContextValues": sorted(set(self._missing(action))),
        }
        if self.boundary is not None:
            passed = decision.layer != "boundary"
            out["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": passed}
        return out

    def _missing(self, action: str) -> Iterator[str]:
        layers = [self.own] if self.boundary is None else [self.own, self.boundary]
        for statement in (each for layer in layers for each in layer.about(action)):
            yield from (each.key for each in statement.conditions if each.key not in self.keys)


def _matched(decision: Decision) -> list[dict[str, Any]]:
    statement = decision.statement
    if statement is None:
        return []
    name = statement.source.rpartition(":policy/")[2] if statement.source.startswith("arn:") else statement.source
    return [{"SourcePolicyId": name.replace("/", "_"), "SourcePolicyType": statement.source_type or "none"}]


def _given(params: Mapping[str, Any], member: str) -> list[Statement]:
    """Policies that the request brings. Raises InvalidInput."""
    try:
        for text in params.get(member) or ():
            check_identity_policy(text)
    except MalformedPolicy as error:
        raise invalid_input(str(error)) from error
    texts: Sequence[str] = params.get(member) or ()
    return [
        each for index, text in enumerate(texts, 1) for each in compile_policy(text, f"PolicyInputList.{index}", "none")
    ]


def _keys(params: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Values by key; no member of an entry is required, and one that names no key says nothing."""
    entries = [entry for entry in params.get("ContextEntries") or () if entry.get("ContextKeyName")]
    return {entry["ContextKeyName"].lower(): tuple(entry.get("ContextKeyValues") or ()) for entry in entries}


def _answer(params: Mapping[str, Any], simulation: _Simulation) -> dict[str, Any]:
    if "ResourcePolicy" in params:
        raise invalid_input("Simulating a ResourcePolicy is not supported by Clary.")
    asked = product(params["ActionNames"], params.get("ResourceArns") or ["*"])
    return numbered("EvaluationResults", asked, params, lambda pair: simulation.result(*pair))


def _given_boundary(params: Mapping[str, Any]) -> PolicySet | None:
    member = "PermissionsBoundaryPolicyInputList"
    return PolicySet(_given(params, member)) if params.get(member) else None


@SERVICE.operation("SimulatePrincipalPolicy")
def simulate_principal_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    arn = params["PolicySourceArn"]
    directory = Directory(identities_of(context.store.read, context.call.principal.account, arn))
    if arn not in directory.identities["subjects"]:
        raise no_such_entity(f"The entity {arn} cannot be found.")
    own, boundary = directory.layers(arn)
    together = PolicySet([*own.statements, *_given(params, "PolicyInputList")])
    return _answer(params, _Simulation(together, _given_boundary(params) or boundary, _keys(params)))


@SERVICE.operation("SimulateCustomPolicy")
def simulate_custom_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    own = PolicySet(_given(params, "PolicyInputList"))
    return _answer(params, _Simulation(own, _given_boundary(params), _keys(params)))
