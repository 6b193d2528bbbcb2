"""One simulated question: the policies that are given, and what they say together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.calls import Principal
from clary.identity.patterns import Context as Keys
from clary.identity.patterns import variables
from clary.identity.policy import Decision, PolicySet, Question, Statement, applies, first_denial
from clary.identity.positions import statements as positions
from clary.identity.principals import named
from clary.identity.resources import Guarded, said, together


def asked_keys(statement: Statement) -> Iterator[str]:
    """The condition keys that a statement looks at, its variables' included, as they are written."""
    for condition in statement.conditions:
        yield condition.name
        for text in condition.wanted:
            yield from variables(text)
    for text in statement.resource.moving:
        yield from variables(text)


@dataclass(frozen=True)
class Simulation:
    """The policies and the condition keys that are given."""

    own: PolicySet
    boundary: PolicySet | None
    keys: Keys
    texts: Mapping[str, str]
    """The documents, by the name of their source."""
    resource: Guarded | None = None
    """A resource's policy, and whose it is."""
    caller: Principal | None = None
    """Who asks, where there is a resource's policy."""
    organized: bool = False
    """Whether whoever is simulated belongs to an organization."""

    def result(self, action: str, resource: str, *, named: bool) -> dict[str, Any]:
        """The shape `EvaluationResult`; `named` where the request names resources."""
        question = Question(action, resource, lambda: self.keys)
        decision = self._decision(question)
        matched, missing = self._matched(question, decision), self._missing(action)
        out: dict[str, Any] = {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": decision.effect,
            "MatchedStatements": matched,
            "MissingContextValues": missing,
            **self._details(question),
        }
        if named:
            out["ResourceSpecificResults"] = [
                {
                    "EvalResourceName": resource,
                    "EvalResourceDecision": decision.effect,
                    "MatchedStatements": matched,
                    "MissingContextValues": missing,
                }
            ]
        return out

    def _layers(self, question: Question) -> list[Decision]:
        layers = [self.own.decide(question, "identity")]
        if self.boundary is not None:
            layers.append(self.boundary.decide(question, "boundary"))
        return layers

    def _decision(self, question: Question) -> Decision:
        if self.resource is None or self.caller is None:
            return first_denial(self._layers(question))
        return together(self.resource, question, self.caller, self._layers(question))

    def _details(self, question: Question) -> dict[str, Any]:
        """What the boundary says, and, between two accounts, each side."""
        out: dict[str, Any] = {"EvalDecisionDetails": {}}
        if self.organized:
            out["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": True}  # no policy of its own bounds anybody
        if self.boundary is not None:
            passed = self.boundary.decide(question, "boundary").allowed
            out["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": passed}
        if self.resource is not None and self.caller is not None and self.caller.account != self.resource.account:
            answer = said(self.resource, question, self.caller)
            theirs = "explicitDeny" if answer.denied else "allowed" if answer.allowed else "implicitDeny"
            mine = self.own.decide(question, "identity").effect
            out["EvalDecisionDetails"] = {"IAM Policy": mine, "Resource Policy": theirs}
        return out

    def _sets(self) -> list[PolicySet]:
        every = (self.own, self.boundary, self.resource.policy if self.resource else None)
        return [each for each in every if each is not None]

    def _missing(self, action: str) -> list[str]:
        found = (key for layer in self._sets() for each in layer.about(action) for key in asked_keys(each))
        return sorted({key for key in found if key.lower() not in self.keys})

    def _matched(self, question: Question, decision: Decision) -> list[dict[str, Any]]:
        """The statements that made it so: denials alone where there is one."""
        if decision.effect == "implicitDeny":
            return []
        wanted = decision.effect == "allowed"
        layers = self._allowing() if wanted else self._sets()
        found = (each for layer in layers for each in layer.about(question.action))
        return [
            self._shown(each)
            for each in found
            if each.allow == wanted and self._speaks(each) and applies(each, question)
        ]

    def _allowing(self) -> list[PolicySet]:
        """A boundary allows nothing by itself."""
        return [each for each in self._sets() if each is not self.boundary]

    def _speaks(self, statement: Statement) -> bool:
        """A statement of a resource's policy is about whom it names."""
        if not statement.principals and not statement.other_principals:
            return True
        return self.caller is not None and named(statement, self.caller) != "none"

    def _shown(self, statement: Statement) -> dict[str, Any]:
        """The shape `Statement`."""
        begin, end = positions(self.texts[statement.source])[statement.index]
        name = statement.source
        name = name.rpartition(":policy/" if name.startswith("arn:") else ":")[2]  # inline: `ACCOUNT:user/NAME/POLICY`
        return {
            "SourcePolicyId": name.replace("/", "_"),
            "SourcePolicyType": statement.source_type or "none",
            "StartPosition": begin,
            "EndPosition": end,
        }


def caller_of(arn: str) -> Principal:
    """Who has an ARN, of a user, a role, a session or an account. Raises ValueError."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] not in ("iam", "sts"):
        raise ValueError(arn)
    kind, _, name = parts[5].partition("/")
    if kind == "root":
        return Principal("root", parts[4], arn, arn, parts[4])
    if kind == "user":
        return Principal("user", parts[4], arn, arn, "")
    if kind == "federated-user":
        return Principal("federated-user", parts[4], arn, arn, f"{parts[4]}:{name}")
    role = name.partition("/")[0] if kind == "assumed-role" else name
    return Principal("assumed-role", parts[4], arn, f"arn:{parts[1]}:iam::{parts[4]}:role/{role}", "")


def context_keys(statements: Sequence[Statement]) -> list[str]:
    """What GetContextKeysFor… answers."""
    return sorted({key for each in statements for key in asked_keys(each)})
