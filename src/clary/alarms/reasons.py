"""Why an alarm is in its state, in CloudWatch's words: for a person, and as JSON.

The sentences are those of notifications that people have published; DescribeAlarmHistory's page shows the JSON
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from clary.alarms.evaluation import Datapoint, Verdict
from clary.alarms.spec import ALARM, BREACHING, INSUFFICIENT_DATA, AlarmSpec

CREATED = "Unchecked: Initial alarm creation"

_SHOWN = 5
"""So many datapoints are named one by one at most."""

_PLAIN_BELOW, _PLAIN_FROM = 1e7, 1e-3


def instant(seconds: float) -> str:
    """`2026-11-21T19:00:00.000+0000`."""
    return (
        datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(seconds * 1000) % 1000:03d}+0000"
    )


def reason(spec: AlarmSpec, verdict: Verdict) -> str:
    """One sentence."""
    if verdict.value == INSUFFICIENT_DATA:
        return f"Insufficient Data: {_counted(spec.periods, 'datapoint')} unknown."
    if verdict.filled:
        return _of_gaps(spec, verdict)
    return _of_values(spec, verdict)


def reason_data(spec: AlarmSpec, verdict: Verdict, now: float) -> str:
    """The same for programs."""
    known = [each for each in verdict.evaluated if each.value is not None]
    said: dict[str, Any] = {"version": "1.0", "queryDate": instant(now)}
    if known:
        said["startDate"] = instant(known[-1].at)
    source = spec.source
    if source is not None:
        said |= {**({"unit": source.unit} if source.unit else {}), "statistic": source.statistic_name}
    said |= {
        "period": spec.period,
        "recentDatapoints": [each.value for each in reversed(known)],
        "threshold": spec.threshold,
        "evaluatedDatapoints": [_evaluated(each) for each in verdict.evaluated],
    }
    return json.dumps(said, separators=(",", ":"))


def _evaluated(point: Datapoint) -> dict[str, Any]:
    if point.value is None:
        return {"timestamp": instant(point.at)}
    samples = {"sampleCount": point.samples} if point.samples else {}
    return {"timestamp": instant(point.at), **samples, "value": point.value}


def _of_values(spec: AlarmSpec, verdict: Verdict) -> str:
    count, crossed = len(verdict.deciding), verdict.value == ALARM
    text = f"{count} out of the last {spec.periods} datapoints" if spec.least else f"{count} datapoint{_s(count)}"
    listed = f"[{_listed(verdict.deciding[:_SHOWN])}]"
    verb = f"{'was' if count == 1 else 'were'} {'' if crossed else 'not '}{spec.comparison.words}"
    crossing = f"{verb} the threshold ({number(spec.threshold)})"
    if count < _SHOWN:
        text += f" {listed} {crossing}"
    else:
        text += f" {crossing}. The most recent datapoints which crossed the threshold: {listed}"
    return f"Threshold Crossed: {text}{_minimum(spec, crossed=crossed)}."


def _minimum(spec: AlarmSpec, *, crossed: bool) -> str:
    """Said only where the alarm says how many datapoints it takes."""
    if not spec.least:
        return ""
    needed = spec.least if crossed else spec.periods - spec.least + 1
    move = "OK -> ALARM" if crossed else "ALARM -> OK"
    return f" (minimum {needed} datapoint{_s(needed)} for {move} transition)"


def _of_gaps(spec: AlarmSpec, verdict: Verdict) -> str:
    known = spec.periods - verdict.filled
    received = _counted(known, "datapoint") if known else "no datapoints were"
    treated = "Breaching" if spec.treatment == BREACHING else "NonBreaching"
    return (
        f"Threshold Crossed: {received} received for {spec.periods} period{_s(spec.periods)} and "
        f"{_counted(verdict.filled, 'missing datapoint')} treated as [{treated}]."
    )


def _counted(count: int, noun: str) -> str:
    """`1 datapoint was`, `2 datapoints were`."""
    return f"{count} {noun}{_s(count)} {'was' if count == 1 else 'were'}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _listed(points: Sequence[Datapoint]) -> str:
    return ", ".join(f"{number(each.value or 0.0)} ({_moment(each.at)})" for each in points)


def _moment(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%d/%m/%y %H:%M:%S")


def number(value: float) -> str:
    """As Java writes a double: `5.0`, `1.2E7`."""
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        return repr(float(value))
    mantissa, exponent = f"{Decimal(repr(float(value))).normalize():E}".split("E")
    return f"{float(mantissa)!r}E{int(exponent)}"
