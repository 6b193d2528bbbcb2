"""Policies, compiled once and asked often: is this action allowed on this resource?

The order is IAM's (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html): an
explicit deny anywhere wins; then the identity's policies, its permissions boundary and its session's policies must each
allow, where they exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from clary.identity.conditions import Condition, Presence, condition
from clary.identity.patterns import Context, MissingValue, has_variable, matching, union

Effect = Literal["allowed", "explicitDeny", "implicitDeny"]

Layer = Literal["identity", "boundary", "session", "resource"]
"""Which kind of policy decided."""

_ACTIONS_KEPT = 4096
"""Actions whose statements a set of policies remembers: more than there are operations, yet bounded."""


class MalformedPolicy(ValueError):
    """The document cannot be compiled; the message is IAM's."""


def listed(value: object) -> list[Any]:
    """Policies write one thing bare and several as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


class ActionMatch:
    """`Action` or `NotAction`: case does not count.

    Nearly all patterns are names or end in their one star: these need no expression, whose compilation is dear.
    """

    def __init__(self, patterns: Sequence[str], *, negated: bool) -> None:
        lowered = [pattern.lower() for pattern in patterns]
        heads = [text[:-1] for text in lowered if text.endswith("*")]
        self._names = frozenset(text for text in lowered if not _wild(text))
        self._prefixes = tuple(head for head in heads if not _wild(head))
        others = [text for text in lowered if _wild(text[:-1]) or text.endswith("?")]
        self._others = union(others, arn=False) if others else None
        self._negated = negated

    def __call__(self, action: str) -> bool:
        text = action.lower()
        found = text in self._names or text.startswith(self._prefixes)
        if not found and self._others is not None:
            found = self._others.fullmatch(text) is not None
        return found is not self._negated


def _wild(text: str) -> bool:
    return "*" in text or "?" in text


class ResourceMatch:
    """`Resource` or `NotResource`; patterns with variables are filled in for each request."""

    def __init__(self, patterns: Sequence[str], *, negated: bool, variables: bool) -> None:
        self.moving = tuple(text for text in patterns if variables and has_variable(text))
        self._fixed = tuple(text for text in patterns if text not in self.moving)
        self._everything = "*" in self._fixed
        self._negated = negated

    def __call__(self, resource: str, context: Callable[[], Context]) -> bool:
        """Raises MissingValue. A right on `*` (operations without a resource) is granted only by patterns of all."""
        return self._found(resource, context) is not self._negated

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        """Compiled when first asked: most statements never are."""
        return union(self._fixed, arn=True)

    def _found(self, resource: str, context: Callable[[], Context]) -> bool:
        if self._everything or (self._fixed and self._expression.fullmatch(resource) is not None):
            return True
        return any(matching(text, context(), arn=True).fullmatch(resource) for text in self.moving)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, compiled. `source` names the policy it stands in."""

    source: str
    source_type: str
    sid: str
    allow: bool
    action: ActionMatch
    resource: ResourceMatch
    conditions: tuple[Condition | Presence, ...]
    principals: Mapping[str, tuple[str, ...]]
    """Of a policy on a resource or a role: kind (`AWS`, `Service`) to what is named; empty for identity policies."""
    other_principals: Mapping[str, tuple[str, ...]]
    """`NotPrincipal`: everybody but these."""
    index: int = 0
    """Which one of its document it is."""


def _conditions(block: Mapping[str, Mapping[str, Any]]) -> tuple[Condition | Presence, ...]:
    return tuple(condition(name, key, values) for name, keys in block.items() for key, values in keys.items())


def _principals(block: Mapping[str, Any] | str | None) -> dict[str, tuple[str, ...]]:
    if block is None:
        return {}
    if isinstance(block, str):
        return {"AWS": (block,)}
    return {kind: tuple(map(str, listed(names))) for kind, names in block.items()}


def _statement(raw: Mapping[str, Any], source: str, source_type: str, index: int, *, variables: bool) -> Statement:
    negated_action, negated_resource = "NotAction" in raw, "NotResource" in raw
    resources = [str(each) for each in listed(raw.get("NotResource" if negated_resource else "Resource", "*"))]
    return Statement(
        source=source,
        source_type=source_type,
        sid=raw.get("Sid", ""),
        allow=raw["Effect"] == "Allow",
        action=ActionMatch(listed(raw.get("NotAction" if negated_action else "Action")), negated=negated_action),
        resource=ResourceMatch(resources, negated=negated_resource, variables=variables),
        conditions=_conditions(raw.get("Condition") or {}),
        principals=_principals(raw.get("Principal")),
        other_principals=_principals(raw.get("NotPrincipal")),
        index=index,
    )


def compile_policy(document: str | Mapping[str, Any], source: str, source_type: str = "") -> tuple[Statement, ...]:
    """The statements of a policy document, JSON or parsed.

    Raises MalformedPolicy where it is no policy at all; `grammar` says more about what is wrong.
    """
    return _compile_text(document if isinstance(document, str) else json.dumps(document), source, source_type)


@lru_cache(maxsize=1024)
def _compile_text(text: str, source: str, source_type: str) -> tuple[Statement, ...]:
    """Kept: most policies are the same after the next change of identities."""
    try:
        parsed = json.loads(text)
        variables = parsed.get("Version") == "2012-10-17"
        return tuple(
            _statement(raw, source, source_type, index, variables=variables)
            for index, raw in enumerate(listed(parsed.get("Statement")))
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedPolicy("Syntax errors in policy.") from error


class Question:
    """May this be done? Condition keys are gathered only when a statement asks for them."""

    __slots__ = ("_context", "_gather", "action", "resource")

    def __init__(self, action: str, resource: str, gather: Callable[[], Context]) -> None:
        self.action = action
        self.resource = resource
        self._gather = gather
        self._context: Context | None = None

    @property
    def contextual(self) -> bool:
        """Whether a condition key was looked at: then the answer holds for this request only."""
        return self._context is not None

    def context(self) -> Context:
        """The condition keys, lower case, with their values."""
        if self._context is None:
            self._context = self._gather()
        return self._context


@dataclass(frozen=True, slots=True)
class Decision:
    """What came out, and the layer and the statement that decided (none where nothing speaks of it)."""

    effect: Effect
    layer: Layer
    statement: Statement | None = None

    @property
    def allowed(self) -> bool:
        """Whether it may be done."""
        return self.effect == "allowed"


def _order(statement: Statement) -> tuple[bool, bool]:
    return statement.allow, bool(statement.conditions or statement.resource.moving)


class PolicySet:
    """All policies of one layer as one list of statements: denials first, then what allows without conditions."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self.statements = tuple(sorted(statements, key=_order))
        self._by_action: dict[str, tuple[Statement, ...]] = {}

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements on this action, found once per action."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(statement for statement in self.statements if statement.action(action))
            if len(self._by_action) >= _ACTIONS_KEPT:
                self._by_action.clear()
            self._by_action[action] = found
        return found

    def decide(self, question: Question, layer: Layer) -> Decision:
        """This layer alone: the first statement that applies."""
        for statement in self.about(question.action):
            if applies(statement, question):
                return Decision("allowed" if statement.allow else "explicitDeny", layer, statement)
        return Decision("implicitDeny", layer)


def applies(statement: Statement, question: Question) -> bool:
    """Whether the statement speaks of this resource under these conditions; its action is known to match."""
    try:
        if not statement.resource(question.resource, question.context):
            return False
        return not statement.conditions or all(each.holds(question.context()) for each in statement.conditions)
    except MissingValue:
        return False


def decide(
    question: Question, identity: PolicySet, boundary: PolicySet | None = None, session: PolicySet | None = None
) -> Decision:
    """All layers together: the first denial, explicit before implicit; else the identity's own decision."""
    decisions = [identity.decide(question, "identity")]
    if boundary is not None:
        decisions.append(boundary.decide(question, "boundary"))
    if session is not None:
        decisions.append(session.decide(question, "session"))
    return first_denial(decisions)


def first_denial(decisions: Sequence[Decision]) -> Decision:
    """Of several layers that must each allow: the first denial, explicit before implicit; else the first decision."""
    for effect in ("explicitDeny", "implicitDeny"):
        for each in decisions:
            if each.effect == effect:
                return each
    return decisions[0]
