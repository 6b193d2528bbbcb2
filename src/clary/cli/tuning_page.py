"""A tuning as one page of HTML that needs nothing from anywhere, in light and in dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from clary.cli import charts
from clary.cli.tuning_jobs import Axis, Job, Tuning

_WIDTH, _HEIGHT = 880.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 70.0, 24.0, 16.0, 44.0
_AXIS_SPACE = 130.0
_LAST_AXIS_SPACE = 90.0
_SHADES = 6
"""Colours from the worst sixth of the jobs to the best."""

_STYLE = """
:root { color-scheme: light dark; --paper: #fcfcfb; --ink: #1d1f23; --soft: #5d636e; --rule: #dfe1e6; --accent: #1746a2;
  --bad: #b3391b; --s0: #c9d6ea; --s1: #a5bde0; --s2: #7c9fd3; --s3: #527fc3; --s4: #2c5fac; --s5: #0d357f; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171b; --ink: #e8e9ec; --soft: #a0a6b2; --rule: #33373f;
  --accent: #8fb6ff; --bad: #ff9478; --s0: #2b3a54; --s1: #37507c; --s2: #466aa8; --s3: #5f8bd2; --s4: #8db4ef;
  --s5: #d3e4ff; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 58rem; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .3rem; }
p { color: var(--soft); margin: .2rem 0 .8rem; } .failure { color: var(--bad); } .wide { overflow-x: auto; }
.best { border-left: 4px solid var(--accent); margin: 1.2rem 0; padding: .1rem 0 .1rem 1rem; }
.best strong { font-size: 1.6rem; font-variant-numeric: tabular-nums; } .best p { margin: 0; }
svg { display: block; height: auto; } .fit { overflow-x: auto; } .fit > svg { max-width: 100%; min-width: 36rem; }
svg text { fill: var(--soft); font-size: 12px; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
svg text.name { fill: var(--ink); font-weight: 600; }
polyline { fill: none; } .grid { stroke: var(--rule); } .axis { stroke: var(--soft); }
.steps { stroke: var(--accent); stroke-width: 2.5; }
.job { fill: var(--s3); } .early { fill: var(--paper); stroke: var(--s3); stroke-width: 1.5; }
.record { fill: var(--accent); } .lost { fill: none; stroke: var(--bad); stroke-width: 1.5; }
.way { stroke-width: 1.6; opacity: .85; } .way.none { stroke: var(--bad); stroke-dasharray: 3 4; opacity: .5; }
.way:hover, .way.top { stroke-width: 3.5; opacity: 1; }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); } .s3 { stroke: var(--s3); }
.s4 { stroke: var(--s4); } .s5 { stroke: var(--s5); }
.key { display: flex; gap: 1.2rem; flex-wrap: wrap; color: var(--soft); font-size: .85rem; align-items: center; }
.key svg { display: inline; vertical-align: middle; margin-right: .35rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--rule); padding: .3rem .8rem .3rem 0; text-align: left; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } tr.top td { color: var(--accent); font-weight: 600; }
"""


def page(tuning: Tuning) -> str:
    """The whole page."""
    body = "".join((_heading(tuning), _progress(tuning), _objectives(tuning), _coordinates(tuning), _table(tuning)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(tuning.name)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _heading(tuning: Tuning) -> str:
    aim = "maximized" if tuning.maximize else "minimized"
    said = f"{tuning.status} · {tuning.strategy} · {len(tuning.jobs)} training jobs · {tuning.metric} is {aim}"
    failure = f'<p class="failure">{escape(tuning.failure)}</p>' if tuning.failure else ""
    return f"<h1>{escape(tuning.name)}</h1><p>{escape(said)}</p>{failure}{_best(tuning)}"


def _best(tuning: Tuning) -> str:
    best = tuning.best
    if best is None or best.objective is None:
        return "<p>No training job has an objective yet.</p>"
    values = ", ".join(f"{name} = {charts.short(value)}" for name, value in best.values.items())
    return (
        f'<div class="best"><strong>{charts.number(best.objective)}</strong>'
        f"<p>{escape(best.name)}</p><p>{escape(values)}</p></div>"
    )


def _progress(tuning: Tuning) -> str:
    """Best so far over time."""
    records: list[Job] = []
    ended = [job for job in tuning.jobs if job.ended is not None and job.objective is not None]
    for job in sorted(ended, key=lambda job: job.ended or 0.0):
        if not records or tuning.better(job, records[-1]):
            records.append(job)
    if not records:
        return ""
    x = charts.Scale(0.0, max(job.ended or 0.0 for job in tuning.jobs), _LEFT, _WIDTH - _RIGHT)
    y = _heights(records)
    points = [(x(job.ended or 0.0), y(job.objective or 0.0)) for job in records]
    dots = (charts.dot(*point, "record", _told(tuning, job)) for point, job in zip(points, records, strict=True))
    ticks = (charts.text(x(tick), _HEIGHT - 22, charts.duration(tick), anchor="middle") for tick in x.ticks(8))
    drawn = _framed(tuning, y, "since the tuning began", charts.stairs(points, _WIDTH - _RIGHT, "steps"), *dots, *ticks)
    return _section("Best so far", f"The best {tuning.metric} known at each time.", drawn)


def _objectives(tuning: Tuning) -> str:
    """Objective per job."""
    known = [job for job in tuning.jobs if job.objective is not None]
    if not known:
        return ""
    x = charts.Scale(1.0, max(2.0, float(len(tuning.jobs))), _LEFT + 10, _WIDTH - _RIGHT)
    y = _heights(known)
    marks = (_mark(tuning, job, x(job.number), y) for job in tuning.jobs)
    ticks = (
        charts.text(x(tick), _HEIGHT - 22, f"{tick:.0f}", anchor="middle") for tick in x.ticks(10) if tick % 1 == 0
    )
    return _section(
        "Each training job",
        "In the order in which they were started.",
        _framed(tuning, y, "training job", *marks, *ticks),
        _KEY,
    )


def _mark(tuning: Tuning, job: Job, x: float, y: charts.Scale) -> str:
    told = _told(tuning, job)
    if job.objective is not None:
        css = "record" if job in tuning.records else "early" if job.status == "Stopped" else "job"
        return charts.dot(x, y(job.objective), css, told, 5 if css == "record" else 4)
    return charts.cross(x, _HEIGHT - _BOTTOM, "lost", told) if job.ended is not None else ""


def _example(css: str, words: str) -> str:
    shape = charts.cross(7, 7, css, "") if css == "lost" else charts.dot(7, 7, css, "")
    return f"<span>{charts.picture(14, 14, words, shape)}{words}</span>"


_KEY = '<div class="key">{}</div>'.format(
    "".join(
        (
            _example("record", "better than all before it"),
            _example("job", "completed"),
            _example("early", "stopped"),
            _example("lost", "no objective"),
        )
    )
)


def _coordinates(tuning: Tuning) -> str:
    """Parallel coordinates of the hyperparameters, coloured by the objective."""
    known = [job for job in tuning.jobs if job.objective is not None]
    if not known or not tuning.axes:
        return ""
    top, bottom = _TOP + 28, _HEIGHT - 20
    between = max(_AXIS_SPACE, (_WIDTH - _LEFT - _LAST_AXIS_SPACE) / len(tuning.axes))
    places = [_LEFT + number * between for number in range(len(tuning.axes) + 1)]
    scales = [*(_axis_scale(axis, top, bottom) for axis in tuning.axes), _last_scale(tuning, known, top, bottom)]
    ordered = sorted(known, key=lambda job: job.objective or 0.0, reverse=not tuning.maximize)
    lost = [job for job in tuning.jobs if job.objective is None and job.ended is not None]
    ways = [_way(tuning, job, "none", places, scales) for job in lost]
    ways += [_way(tuning, job, _shade(place, len(ordered)), places, scales) for place, job in enumerate(ordered)]
    names = [*(axis.name for axis in tuning.axes), tuning.metric]
    axes = [_axis(name, x, scale) for name, x, scale in zip(names, places, scales, strict=True)]
    drawn = charts.picture(places[-1] + _LAST_AXIS_SPACE, _HEIGHT, "Hyperparameters of all training jobs", *ways, *axes)
    return _section(
        "Hyperparameters",
        "One line for each training job, the stronger its colour the better its objective; the best is the thick one.",
        f'<div class="wide">{drawn}</div>',
        fit=False,
    )


class _Steps:
    """A scale of categories, one below the other."""

    def __init__(self, categories: Sequence[str], start: float, end: float) -> None:
        self._categories = categories
        self._scale = charts.Scale(0.0, len(categories) - 1.0, start, end)

    def place(self, value: str) -> float | None:
        return self._scale(float(self._categories.index(value))) if value in self._categories else None

    def ticks(self) -> list[tuple[float, str]]:
        return [(self._scale(float(place)), category) for place, category in enumerate(self._categories)]


class _Numbers:
    """A scale of numbers."""

    def __init__(self, scale: charts.Scale, is_whole: bool = False) -> None:
        self._scale = scale
        self._is_whole = is_whole

    def place(self, value: str) -> float | None:
        try:
            return self._scale(float(value))
        except ValueError:
            return None

    def ticks(self) -> list[tuple[float, str]]:
        ticks = (tick for tick in self._scale.ticks() if not self._is_whole or tick == round(tick))
        return [(self._scale(tick), charts.number(tick)) for tick in ticks]


_AxisScale = _Steps | _Numbers


def _axis_scale(axis: Axis, top: float, bottom: float) -> _AxisScale:
    if axis.categories:
        return _Steps(axis.categories, bottom, top)
    return _Numbers(charts.Scale(axis.low, axis.high, bottom, top, axis.is_logarithmic), axis.is_whole)


def _last_scale(tuning: Tuning, known: Sequence[Job], top: float, bottom: float) -> _AxisScale:
    """The objective's, the best at the top."""
    ends = (bottom, top) if tuning.maximize else (top, bottom)
    return _Numbers(charts.spanning([job.objective or 0.0 for job in known], *ends))


def _axis(name: str, x: float, scale: _AxisScale) -> str:
    ticks = "".join(charts.text(x + 7, y + 4, charts.short(words)) for y, words in scale.ticks())
    upright = charts.line([(x, _TOP + 28), (x, _HEIGHT - 20)], "axis")
    return upright + ticks + charts.text(x, _TOP + 8, charts.short(name, 18), "name", "middle")


def _way(tuning: Tuning, job: Job, shade: str, places: Sequence[float], scales: Sequence[_AxisScale]) -> str:
    texts = [
        *(job.values.get(axis.name) for axis in tuning.axes),
        None if job.objective is None else str(job.objective),
    ]
    points = [
        (x, y)
        for x, scale, words in zip(places, scales, texts, strict=True)
        if words is not None and (y := scale.place(words)) is not None
    ]
    best = " top" if job == tuning.best else ""
    return charts.line(points, f"way {shade}{best}", _told(tuning, job))


def _shade(place: int, count: int) -> str:
    return f"s{min(_SHADES - 1, place * _SHADES // max(1, count))}"


def _heights(known: Sequence[Job]) -> charts.Scale:
    return charts.spanning([job.objective or 0.0 for job in known], _HEIGHT - _BOTTOM, _TOP)


def _framed(tuning: Tuning, y: charts.Scale, below: str, *parts: str) -> str:
    """A picture with the objective upwards and something to the right."""
    words = charts.text((_LEFT + _WIDTH) / 2, _HEIGHT - 4, below, anchor="middle")
    return charts.picture(
        _WIDTH, _HEIGHT, f"{tuning.metric}, {below}", charts.grid(y, _LEFT, _WIDTH - _RIGHT), *parts, words
    )


def _section(title: str, words: str, *parts: str, fit: bool = True) -> str:
    return f"<h2>{escape(title)}</h2><p>{escape(words)}</p><div{' class=fit' if fit else ''}>{''.join(parts)}</div>"


def _told(tuning: Tuning, job: Job) -> str:
    """What is read where the pointer rests."""
    found = f"{tuning.metric} = {charts.number(job.objective)}" if job.objective is not None else "no objective"
    values = "\n".join(f"{name} = {charts.short(value)}" for name, value in job.values.items())
    return f"{job.number}. {job.name}\n{job.status}, {found}\n{values}"


def _table(tuning: Tuning) -> str:
    names = [axis.name for axis in tuning.axes]
    heads = ["", "training job", "status", tuning.metric, "time", *names]
    best = tuning.best
    rows = "".join(_row(job, names, "top" if job == best else "") for job in tuning.jobs)
    titles = "".join(f"<th>{escape(head)}</th>" for head in heads)
    return f'<h2>All training jobs</h2><div class="wide"><table><tr>{titles}</tr>{rows}</table></div>'


def _row(job: Job, names: Sequence[str], css: str) -> str:
    objective = "–" if job.objective is None else charts.number(job.objective)
    took = "–" if job.took is None else charts.duration(job.took)
    cells = [
        str(job.number),
        job.name,
        job.status,
        objective,
        took,
        *(charts.short(job.values.get(name, "")) for name in names),
    ]
    return f'<tr class="{css}">{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
