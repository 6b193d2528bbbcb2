"""Scalable targets, policies, scheduled actions and activities as rows.

A target is below its endpoint or inference component; policies, scheduled actions and activities are below their
target, whose row's name is the resource's `target`. Activities outlive their target.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from clary.lifecycles.endpoint import Variant, production_of
from clary.names import Arn, random_hex
from clary.scaling.resource import NAMESPACE, ScaledComponent, parse
from clary.store.rows import Key, Query, Row

if TYPE_CHECKING:
    from clary.store.transaction import Transaction

TARGET_KIND = "scalable-target"
POLICY_KIND = "scaling-policy"
SCHEDULED_KIND = "scheduled-scaling"
ACTIVITY_KIND = "scaling-activity"

STEP, TRACKING = "StepScaling", "TargetTrackingScaling"

PENDING, IN_PROGRESS, SUCCESSFUL, OVERRIDDEN, FAILED = "Pending", "InProgress", "Successful", "Overridden", "Failed"

ENDPOINT = "endpoint"
"""In a target's state: when its endpoint was made (epoch seconds), which tells it from a later one of its name."""

TRIGGERS = "triggers"
"""In a target's state: what alarms have asked for and is not decided yet, by the policy's name."""

HEARD = "heard"
"""In a target's state: the last change of each alarm that was heard, so that none counts twice."""

UNDER_WAY = "under_way"
"""In a target's state: the activity that goes on."""

COOLDOWN = "cooldown"
"""In a target's state: what the last scaling leaves behind for a while."""

OUT_OF_BOUNDS = "out_of_bounds"
"""In a target's state: whether new bounds are to be enforced."""

NOT_SCALED = "not_scaled"
"""In a target's state: why the last alarm had no effect; the same is not recorded again each minute."""

KEPT = timedelta(weeks=6)
"""AWS keeps activities so long."""

_FORGOTTEN_AT_ONCE = 10


def target_key(account: str, region: str, name: str) -> Key:
    """Of a scalable target; `name` is its resource's `target`."""
    return Key(TARGET_KIND, account, region, name)


def target_of(row: Row) -> Key:
    """The key of the target that a policy, a scheduled action or an activity is below."""
    return target_key(row.key.account, row.key.region, row.parent)


def below(kind: str, target: Key, name: str) -> Key:
    """Of a policy or a scheduled action of a target."""
    return Key(kind, target.account, target.region, f"{target.name}:{name}")


def activity_key(target: Key, name: str) -> Key:
    """Of an activity of a target."""
    return Key(ACTIVITY_KIND, target.account, target.region, name)


def endpoint_key(target: Key) -> Key:
    """Of the endpoint, or the inference component, that a target is of."""
    resource = parse(target.name)
    return Key(resource.kind, target.account, target.region, resource.deployed)


def scaled(endpoint: Row, target: Key) -> Variant | None:
    """The variant that a target is of, as it serves or, at first, is to; None where the endpoint has no such one. An
    inference component has one variant, its copies."""
    resource, deployment = parse(target.name), endpoint.state.get("current") or endpoint.state.get("next")
    whole = isinstance(resource, ScaledComponent)
    return next((each for each in production_of(deployment) if whole or each["name"] == resource.name), None)


def new_target_arn(key: Key) -> str:
    """`arn:aws:application-autoscaling:REGION:ACCOUNT:scalable-target/ID`."""
    return str(Arn("application-autoscaling", key.region, key.account, f"scalable-target/{random_hex(18)}"))


def new_policy_arn(target: Key, name: str) -> str:
    """`arn:aws:autoscaling:REGION:ACCOUNT:scalingPolicy:ID:resource/sagemaker/…:policyName/NAME`."""
    return _arn(target, "scalingPolicy", "policyName", name)


def new_scheduled_arn(target: Key, name: str) -> str:
    """`arn:aws:autoscaling:REGION:ACCOUNT:scheduledAction:ID:resource/sagemaker/…:scheduledActionName/NAME`."""
    return _arn(target, "scheduledAction", "scheduledActionName", name)


def _arn(target: Key, kind: str, member: str, name: str) -> str:
    resource = f"{kind}:{uuid.uuid4()}:resource/{NAMESPACE}/{parse(target.name).resource_id}:{member}/{name}"
    return str(Arn("autoscaling", target.region, target.account, resource))


def begun(transaction: Transaction, target: Key, status: str, said: Mapping[str, Any], now: float) -> Row:
    """A new activity: `said` has its Description and Cause, and StatusMessage, NotScaledReasons or `ended` (epoch
    seconds) as far as known. Activities of long ago are forgotten for it."""
    made, unique = datetime.fromtimestamp(now, UTC), str(uuid.uuid4())
    key = activity_key(target, f"{int(now * 1e6):017d}-{unique}")
    row = Row(key, "", status, made, made, {"ActivityId": unique, **said}, parent=target.name)
    stored = transaction.insert(row)
    _forget(transaction, key, made - KEPT)
    return stored


def told(transaction: Transaction, key: Key, status: str, said: Mapping[str, Any], now: float) -> None:
    """An activity goes on; where it was forgotten meanwhile, nothing happens."""
    row = transaction.get(key)
    if row is not None:
        spec = {**row.spec, **said}
        transaction.save(replace(row, status=status, spec=spec, modified=datetime.fromtimestamp(now, UTC)))


def _forget(transaction: Transaction, of: Key, before: datetime) -> None:
    query = Query(of.kind, of.account, of.region, descending=False, limit=_FORGOTTEN_AT_ONCE, created_before=before)
    for row in transaction.page(query).rows:
        transaction.delete(row.key)
