"""How operations find topics and subscriptions, by their ARNs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError
from clary.identity.denial import denied
from clary.identity.policy import Decision
from clary.services.context import Context
from clary.services.guarding import POLICY
from clary.services.resources import now
from clary.services.sns.errors import invalid, no_subscription, no_topic
from clary.services.sns.names import KIND, SUBSCRIPTION
from clary.store.rows import Page, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_PAGE = 100
_PARTS = 6


def require_topic(context: Context, arn: str, member: str = "TopicArn") -> Row:
    """Raises InvalidParameter, NotFound."""
    return _require(context, arn, member, KIND, no_topic())


def require_open_topic(context: Context, arn: str, member: str) -> Row:
    """One to be published to, another account's too: where that has a policy, it has decided before. Raises
    InvalidParameter, NotFound, AccessDenied."""
    row = context.store.read.by_arn(arn)
    if row is None or row.key.kind != KIND or row.key.account == context.account:
        return require_topic(context, arn, member)
    if not row.spec["Attributes"].get(POLICY):
        decision = Decision("implicitDeny", "resource")
        raise denied("sns", context.call.principal, "sns:Publish", arn, decision)
    return row


def require_subscription(context: Context, arn: str) -> Row:
    """Raises InvalidParameter, NotFound."""
    return _require(context, arn, "SubscriptionArn", SUBSCRIPTION, no_subscription())


def _require(context: Context, arn: str, member: str, kind: str, missing: AWSError) -> Row:
    parts = len(arn.split(":"))
    if parts < _PARTS:
        raise invalid(f"{member} Reason: An ARN must have at least {_PARTS} elements, not {parts}")
    row = context.store.read.by_arn(arn)
    if row is None or row.key.kind != kind or row.key.account != context.account or row.key.region != context.region:
        raise missing
    return row


def subscriptions(context: Context, topic: Row) -> list[Row]:
    """All of a topic, as they were made."""
    return sorted(context.store.read.children(SUBSCRIPTION, topic.key), key=lambda row: row.created)


def page(context: Context, kind: str, token: str | None, parent: str | None = None) -> Page:
    """A hundred, ordered by name. Raises InvalidParameter for a token."""
    query = Query(
        kind, context.account, context.region, "name", descending=False, limit=_PAGE, token=token, parent=parent
    )
    try:
        return context.store.read.page(query)
    except ValueError:
        raise invalid("NextToken") from None


def change(context: Context, row: Row, attributes: Mapping[str, str]) -> None:
    """Set attributes of a topic or a subscription. Raises NotFound where it has just gone."""
    rework(context, row, lambda _there: attributes)


def rework(context: Context, row: Row, made: Callable[[Row], Mapping[str, str]]) -> None:
    """As `change`, to what is made of the row as it stands then. Raises also what `made` raises."""

    def apply(transaction: Transaction) -> None:
        there = transaction.get(row.key)
        if there is None:
            raise no_topic() if row.key.kind == KIND else no_subscription()
        spec: dict[str, Any] = {**there.spec, "Attributes": {**there.spec["Attributes"], **made(there)}}
        transaction.save(replace(there, spec=spec, modified=now()))

    context.store.write(apply)


def made(context: Context, row: Row, wanted: Callable[[Row], None], tags: Mapping[str, str]) -> Row:
    """The new row, or the one that is there, if `wanted` does not mind it."""

    def apply(transaction: Transaction) -> Row:
        there = transaction.by_arn(row.arn)
        if there is not None:
            wanted(there)
            return there
        stored = transaction.insert(row)
        transaction.set_tags(row.arn, tags)
        return stored

    return context.store.write(apply)
