"""PutCompositeAlarm (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html)."""

from __future__ import annotations

from clary.alarms.composite import child_names
from clary.alarms.rows import COMPOSITE, COMPOSITE_PARENT, key_of
from clary.alarms.rule import BadRule, Rule, alarms, parse
from clary.names import Arn
from clary.services.cloudwatch.alarm_rows import checked_actions, checked_alarm_tags, checked_name, keep
from clary.services.cloudwatch.errors import invalid_alarm
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params

MOST_CHILDREN = 100

_KEPT = ("AlarmName", "AlarmDescription", "AlarmRule")
_NOT_OFFERED = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


@SERVICE.operation("PutCompositeAlarm")
def put_composite_alarm(context: Context, params: Params) -> Output:
    """Evaluated at once, and whenever an alarm that it names changes. Raises ValidationError."""
    for member in _NOT_OFFERED:
        if params.get(member):
            raise invalid_alarm(f"Clary does not offer the suppression of actions ({member}).")
    checked_name(params["AlarmName"])
    _check_children(context, _rule(params["AlarmRule"]))
    spec = {name: params[name] for name in _KEPT if params.get(name) is not None}
    keep(context, {**spec, **checked_actions(params)}, COMPOSITE, checked_alarm_tags(params), COMPOSITE_PARENT)
    return {}


def _rule(text: str) -> Rule:
    if text != text.strip():
        raise invalid_alarm("AlarmRule must not contain leading or trailing whitespace or be null")
    try:
        return parse(text)
    except BadRule as bad:
        raise invalid_alarm(str(bad)) from None


def _check_children(context: Context, rule: Rule) -> None:
    for arn in (each for each in alarms(rule) if each.startswith("arn:")):
        if not _own(context, arn):
            raise invalid_alarm(f"{arn} in the alarm rule is no alarm of this account and Region.")
    names = child_names(rule)
    if len(names) > MOST_CHILDREN:
        raise invalid_alarm(f"AlarmRule must not name more than {MOST_CHILDREN} alarms")
    gone = [name for name in names if context.store.read.get(key_of(context.account, context.region, name)) is None]
    if gone:
        raise invalid_alarm(
            f"Could not save the composite alarm as alarms [{', '.join(gone)}] in the alarm rule do not exist"
        )


def _own(context: Context, text: str) -> bool:
    try:
        arn = Arn.parse(text)
    except ValueError:
        return False
    place = (arn.service, arn.region, arn.account)
    return place == ("cloudwatch", context.region, context.account) and arn.resource.startswith("alarm:")
