"""Scaling activities
(https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-activities.html)."""

from __future__ import annotations

from clary.scaling.rows import ACTIVITY_KIND, KEPT
from clary.services.applicationautoscaling.places import listed, named, parents_of, query_of
from clary.services.applicationautoscaling.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, moment, now, present
from clary.store.rows import Row

_SAID = ("ActivityId", "Description", "Cause", "StatusMessage", "NotScaledReasons")


@SERVICE.operation("DescribeScalingActivities")
def describe(context: Context, params: Params) -> Output:
    """Of six weeks, the newest first; those that did not scale where they are asked for. Raises ValidationError,
    InvalidNextTokenException."""
    parents, since = parents_of(params), now() - KEPT
    everything = bool(params.get("IncludeNotScaledActivities"))

    def wanted(row: Row) -> bool:
        scaled = "NotScaledReasons" not in row.spec
        return row.parent in parents and (everything or scaled) and row.created >= since

    query = query_of(context, ACTIVITY_KIND, newest_first=True)
    return listed(context, params, query, "ScalingActivities", _shown, wanted)


def _shown(row: Row) -> Output:
    said = {name: row.spec.get(name) for name in _SAID}
    times = {"StartTime": row.created, "EndTime": moment(row.spec.get("ended"))}
    return present({**named(row.parent), **said, **times, "StatusCode": row.status})
