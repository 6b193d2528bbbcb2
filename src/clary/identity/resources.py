"""Policies on resources, and what follows of them together with the caller's own.

The order is IAM's (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html): a denial
anywhere wins. Within one account either side may allow; a caller of another account needs both; nobody's and services'
calls are decided by the resource's policy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

from clary.calls import Access, Call, Principal
from clary.identity.policy import (
    Decision,
    MalformedPolicy,
    PolicySet,
    Question,
    Statement,
    applies,
    compile_policy,
    first_denial,
)
from clary.identity.principals import Named, is_service, named, stronger
from clary.names import account_of

SERVICES = ("s3", "sqs", "sns", "sagemaker")
"""Those that publish policies of resources."""

_S3 = "arn:aws:s3:::"

Grantee = Literal["nobody", "everyone", "account"]

Grants = Callable[[Call, Access], Grantee]
"""To whom an ACL grants a right that no policy gives, of whom the caller is one. Raises AWSError where there is nothing
that a right could be on."""


class Published(TypedDict):
    """What is published of one resource, by its ARN; one that is not named belongs to the account of this Clary and has
    no policy."""

    account: str
    policy: NotRequired[str]
    """The document as JSON."""
    closed: NotRequired[bool]
    """The policy lets in nobody from elsewhere: it is public, and RestrictPublicBuckets holds."""
    grants: NotRequired[bool]
    """ACLs count here too."""
    alone: NotRequired[bool]
    """Nobody gets in whom the policy does not let in, callers of the own account neither: KMS's keys are so."""


class Document(TypedDict):
    """All that one service publishes."""

    resources: dict[str, Published]


def resources_path(run_dir: Path, service: str) -> Path:
    """Where a service publishes them."""
    return run_dir / f"resources-{service}.json"


_CALLERS_KEPT = 1024
"""Callers and actions of whom one resource remembers which statements are about them."""

_Caller = tuple[str, str, str, str]


@dataclass(frozen=True)
class Guarded:
    """A resource that is somebody's, with its policy, compiled."""

    account: str
    policy: PolicySet
    closed: bool = False
    grants: bool = False
    alone: bool = False
    _about: dict[_Caller, tuple[tuple[Statement, Named], ...]] = field(default_factory=dict)

    def about(self, action: str, principal: Principal) -> tuple[tuple[Statement, Named], ...]:
        """The statements on this action that name the principal, and how; found once for each."""
        asked = (action, principal.arn, principal.identity, principal.user_id)
        found = self._about.get(asked)
        if found is None:
            named_by = ((statement, named(statement, principal)) for statement in self.policy.about(action))
            found = tuple((statement, how) for statement, how in named_by if how != "none")
            if len(self._about) >= _CALLERS_KEPT:
                self._about.clear()
            self._about[asked] = found
        return found


class Resources:
    """All that are published, compiled when they are first asked for."""

    def __init__(self, published: Mapping[str, Published], account: str) -> None:
        self._published = published
        self._plain = Guarded(account, PolicySet(()))
        self._compiled: dict[str, Guarded] = {}

    def find(self, arn: str) -> Guarded | None:
        """What is known of the resource, an object being in its bucket's care. None where its owner alone decides, of
        whom nothing is known either: the ARN says whose it is, or it is not there yet."""
        bucket = arn.startswith(_S3)
        key = arn.partition("/")[0] if bucket else arn
        found = self._compiled.get(key)
        if found is None:
            published = self._published.get(key)
            if published is None:
                return self._plain if bucket else None
            found = self._compiled[key] = _guarded(key, published)
        return found

    def account_of(self, arn: str) -> str:
        """Whose the resource is; empty where that is the caller's business."""
        found = self.find(arn)
        if found is not None:
            return found.account
        return account_of(arn)


def _guarded(arn: str, published: Published) -> Guarded:
    text = published.get("policy")
    try:
        statements = compile_policy(text, arn, "Resource Policy") if text else ()
    except MalformedPolicy:  # kept by a service that looks at its policies less closely: it lets nobody in
        statements = ()
    closed, grants, alone = (published.get(name, False) for name in ("closed", "grants", "alone"))
    return Guarded(published["account"], PolicySet(statements), bool(closed), bool(grants), bool(alone))


@dataclass(frozen=True, slots=True)
class Said:
    """What a resource's policy says to one question: a denial, or how it lets the caller in."""

    denied: Statement | None = None
    allowed: Statement | None = None
    way: Named = "none"


def said(guarded: Guarded, question: Question, principal: Principal) -> Said:
    """The policy alone."""
    way: Named = "none"
    by: Statement | None = None
    for statement, how in guarded.about(question.action, principal):
        if (statement.allow and stronger(way, how) == way) or not applies(statement, question):
            continue
        if not statement.allow:
            return Said(denied=statement)
        way, by = stronger(way, how), statement
    if guarded.closed and principal.account != guarded.account and not is_service(principal):
        return Said()
    return Said(allowed=by, way=way)


def together(guarded: Guarded, question: Question, principal: Principal, own: Sequence[Decision] | None) -> Decision:
    """The decision. `own` are those of the caller's policies, its boundary's and its session's, the first one first;
    None where it has none: nobody, and services."""
    answer = said(guarded, question, principal)
    if answer.denied is not None and not _keeps_its_bucket(guarded, question, principal):
        return Decision("explicitDeny", "resource", answer.denied)
    by_resource = _by_resource(answer)
    if own is None:
        return by_resource
    if any(each.effect == "explicitDeny" for each in own):
        return first_denial(own)
    if principal.account != guarded.account:
        return first_denial([*own, by_resource])
    if guarded.alone and answer.way == "none":
        return by_resource
    return _within_one_account(own, answer, by_resource)


def _by_resource(answer: Said) -> Decision:
    return Decision("allowed" if answer.allowed else "implicitDeny", "resource", answer.allowed)


def _within_one_account(own: Sequence[Decision], answer: Said, by_resource: Decision) -> Decision:
    """Named directly nothing else is needed; a role that is named still keeps to its boundary and its session's
    policies; an account that is named leaves it to its own policies."""
    if answer.way == "principal":
        return by_resource
    if answer.way == "role":
        limits = own[1:]
        return first_denial([by_resource, *limits])
    return first_denial(own)


_ALWAYS = frozenset({"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})


def _keeps_its_bucket(guarded: Guarded, question: Question, principal: Principal) -> bool:
    """The root of the owner's account can always read, replace and delete a bucket's policy."""
    owner = principal.kind == "root" and not is_service(principal) and principal.account == guarded.account
    return owner and question.action in _ALWAYS
