"""When a metric alarm is in which state: a pure function of datapoints
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from clary.alarms.spec import ALARM, BREACHING, IGNORE, INSUFFICIENT_DATA, NOT_BREACHING, OK, AlarmSpec, Source
from clary.metricmath import BadExpression, Graph, Series
from clary.telemetry.series import Point
from clary.telemetry.summary import merged

_RESOLUTIONS = ((60, 10), (3600, 60))
_SLOWEST = 300


@dataclass(frozen=True)
class Datapoint:
    """One period of a metric; `value` is None where nothing is known of it."""

    at: int
    """The second at which it begins."""
    value: float | None = None
    samples: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The state that an alarm ought to be in, and what that follows from."""

    value: str
    evaluated: tuple[Datapoint, ...]
    """Newest first, those that are missing too, as far as they were needed."""
    deciding: tuple[Datapoint, ...] = ()
    """Of these the ones that crossed the threshold, or did not, newest first."""
    filled: int = 0
    """How many missing datapoints counted as breaching, or not breaching."""


def step(period: int) -> int:
    """Seconds between two evaluations: AWS looks at high-resolution alarms every ten seconds, at others each minute;
    those of hours are looked at more rarely here."""
    return next((seconds for below, seconds in _RESOLUTIONS if period < below), _SLOWEST)


def stretch(spec: AlarmSpec, now: float) -> range:
    """The whole periods that are looked at. They end at the newest whole step, not at multiples of the period."""
    seconds = step(spec.period)
    end = int(now) // seconds * seconds
    return range(end - spec.reach * spec.period, end, spec.period)


def datapoints(spec: AlarmSpec, wanted: range, read: Callable[[Source], Sequence[Point]]) -> list[Datapoint]:
    """One for each period, newest first. Where no unit was asked for, whatever unit counts."""
    source = spec.source
    found = _calculated(spec, wanted, read) if source is None else _measured(source, read)
    return [found.get(at) or Datapoint(at) for at in reversed(wanted)]


def _measured(source: Source, read: Callable[[Source], Sequence[Point]]) -> dict[int, Datapoint]:
    found = {}
    for at, group in groupby(read(source), lambda point: point.at):
        summary = merged(point.summary for point in group)
        found[at] = Datapoint(at, source.statistic(summary), summary.count)
    return found


def _calculated(spec: AlarmSpec, wanted: range, read: Callable[[Source], Sequence[Point]]) -> dict[int, Datapoint]:
    """An expression that gives no series of values gives no datapoints."""

    def series(source: Source) -> Series:
        measured = _measured(source, read).values()
        return Series(source.period, {each.at: each.value for each in measured if each.value is not None}, source.label)

    metrics = {source.id: partial(series, source) for source in spec.sources}
    try:
        found = Graph(metrics, spec.expressions, lambda _: wanted, spec.period).value(spec.watched)
    except BadExpression:
        return {}
    return {at: Datapoint(at, value) for at, value in found.points.items()} if isinstance(found, Series) else {}


def evaluate(spec: AlarmSpec, retrieved: Sequence[Datapoint]) -> Verdict | None:
    """The state that follows from the datapoints, newest first; None where the alarm stays as it is."""
    real = [each for each in retrieved if each.value is not None]
    if any(each.samples < spec.samples for each in real[: spec.periods]):
        return None
    if len(real) >= spec.periods:
        return _known(spec, tuple(real[: spec.periods]))
    evaluated = tuple(sorted([*real, *_gaps(spec, retrieved, len(real))], key=lambda each: -each.at))
    if spec.treatment in (BREACHING, NOT_BREACHING):
        return _filled(spec, evaluated, real)
    return _open(spec, retrieved, evaluated, real)


def _gaps(spec: AlarmSpec, retrieved: Sequence[Datapoint], known: int) -> list[Datapoint]:
    """The newest missing datapoints, as few as are needed."""
    return [each for each in retrieved if each.value is None][: spec.periods - known]


def _breaching(spec: AlarmSpec, of: Sequence[Datapoint]) -> tuple[Datapoint, ...]:
    breaches = spec.comparison.breaches
    return tuple(each for each in of if each.value is not None and breaches(each.value, spec.threshold))


def _known(spec: AlarmSpec, evaluated: tuple[Datapoint, ...]) -> Verdict:
    """There is as much data as is needed, or what there is decides."""
    breaching = _breaching(spec, evaluated)
    if len(breaching) >= spec.to_alarm:
        return Verdict(ALARM, evaluated, breaching)
    return Verdict(OK, evaluated, tuple(each for each in evaluated if each.value is not None and each not in breaching))


def _filled(spec: AlarmSpec, evaluated: tuple[Datapoint, ...], real: Sequence[Datapoint]) -> Verdict:
    gaps = spec.periods - len(real)
    breaching = len(_breaching(spec, real)) + (gaps if spec.treatment == BREACHING else 0)
    return Verdict(ALARM if breaching >= spec.to_alarm else OK, evaluated, (), gaps)


def _open(
    spec: AlarmSpec, retrieved: Sequence[Datapoint], evaluated: tuple[Datapoint, ...], real: Sequence[Datapoint]
) -> Verdict | None:
    """Missing data is missing. What there is decides where it is enough, or where a part of it does not breach."""
    breaching = _breaching(spec, real)
    if len(breaching) >= spec.to_alarm or len(breaching) < len(real):
        return _known(spec, evaluated)
    if spec.treatment == IGNORE:
        return None
    if breaching and _age(retrieved, breaching[-1]) >= spec.to_alarm:
        return Verdict(ALARM, evaluated, breaching)
    return Verdict(INSUFFICIENT_DATA, evaluated)


def _age(retrieved: Sequence[Datapoint], of: Datapoint) -> int:
    """In periods; the newest is of age 1. An alarm whose data stops is not to be raised before its time."""
    return list(retrieved).index(of) + 1
