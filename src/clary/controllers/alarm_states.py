"""The states of CloudWatch's alarms, asked for by calling DescribeAlarms as any client would."""

from __future__ import annotations

from collections.abc import Sequence

from clary.calls import Call, account_root
from clary.controllers.hook_effects import Acting
from clary.controllers.logs import Invoke
from clary.controllers.rollout import Alarms, Unreadable
from clary.errors import AWSError
from clary.store.rows import Key

_LATER = frozenset({"ServiceUnavailable", "ThrottlingException", "InternalFailure"})
_TYPES = ("MetricAlarm", "CompositeAlarm")


class AlarmStates:
    """Reads alarms for whoever must go by them."""

    def __init__(self, invoke: Invoke, acting: Acting) -> None:
        self._invoke = invoke
        self._acting = acting

    def read(self, owner: Key, role: str, names: Sequence[str]) -> Alarms | None:
        """The state of each that is there, as `role` may see it (as the account itself where there is none); None where
        they cannot be asked for just now."""
        principal = self._acting(role, owner.name) if role else account_root(owner.account)
        params = {"AlarmNames": list(names), "AlarmTypes": list(_TYPES)}
        try:
            found = self._invoke(Call(principal, "cloudwatch", "DescribeAlarms", params, owner.region))
        except AWSError as error:
            return None if error.code in _LATER else Unreadable(error.message)
        alarms = [alarm for kind in _TYPES for alarm in found.get(f"{kind}s", ())]
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}
