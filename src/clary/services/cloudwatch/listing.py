"""ListMetrics (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html)."""

from __future__ import annotations

import time

from clary.services.cloudwatch.errors import invalid_token
from clary.services.cloudwatch.names import shown
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, present
from clary.telemetry.series import DAY, HOUR, Wanted

PAGE = 500

_KNOWN = 14 * DAY
_ACTIVE = 3 * HOUR


@SERVICE.operation("ListMetrics")
def list_metrics(context: Context, params: Params) -> Output:
    """Those that had a point within two weeks; with `RecentlyActive`, within three hours."""
    wanted = Wanted(
        namespace=params.get("Namespace"),
        name=params.get("MetricName"),
        dimensions=tuple((each["Name"], each.get("Value")) for each in params.get("Dimensions") or ()),
        since=int(time.time()) - (_ACTIVE if params.get("RecentlyActive") else _KNOWN),
    )
    found, following = context.series.metrics(
        context.account, context.region, wanted, PAGE, _place(params.get("NextToken"))
    )
    owners = [context.account] * len(found) if params.get("IncludeLinkedAccounts") else None
    token = None if following is None else str(following)
    return present({"Metrics": [shown(each) for each in found], "NextToken": token, "OwningAccounts": owners})


def _place(token: str | None) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise invalid_token()
    return int(token)
