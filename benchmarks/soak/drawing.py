"""A run as a picture that stands alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape

from benchmarks.soak.series import PROCESSES, Second
from benchmarks.soak.verdict import Event, Run
from clary.cli.charts import Scale, duration, grid, line, spanning, text

_WIDTH, _LEFT, _RIGHT, _TOP = 900, 170, 20, 40
_PANEL, _BETWEEN, _LANE = 120, 44, 15
_POINTS = 360
"""At most, across the picture: each stands for the seconds that it covers."""

_STYLE = """\
svg { background: #fff; font: 12px system-ui, sans-serif } text { fill: #222 } .head { font-weight: 600 }
.soft { fill: #666 } polyline { fill: none; stroke-width: 1.4 } .grid { stroke: #e3e5ea; stroke-width: 1 }
.one { stroke: #2563c9; fill: #2563c9 } .two { stroke: #c2571a; fill: #c2571a }
.three { stroke: #2b8a3e; fill: #2b8a3e } .four { stroke: #7048a8; fill: #7048a8 }
polyline.one, polyline.two, polyline.three, polyline.four { fill: none }
text.one, text.two, text.three, text.four { stroke: none } rect { fill: #8a909c } rect.bad { fill: #d02c2c }
@media (prefers-color-scheme: dark) {
  svg { background: #16181d } text { fill: #e6e6e6 } .soft { fill: #9aa0aa } .grid { stroke: #2b2f37 }
  .one { stroke: #6ea0f5; fill: #6ea0f5 } .two { stroke: #f09a5b; fill: #f09a5b }
  .three { stroke: #6fcf83; fill: #6fcf83 } .four { stroke: #b695e6; fill: #b695e6 }
}"""
_CLASSES = ("one", "two", "three", "four")

Series = Mapping[str, Sequence[tuple[float, float]]]
"""Points by name: seconds since the run began, and the value."""


def drawn(run: Run) -> str:
    """SVG: requests, latencies, failures, memory and open files, one below the other, and what was done meanwhile."""
    across = Scale(0, run.seconds[-1].at, _LEFT, _WIDTH - _RIGHT)
    top, parts = _TOP, []
    for title, series in _panels(run.seconds).items():
        parts.append(_panel(title, series, across, top))
        top += _PANEL + _BETWEEN
    lanes = list(dict.fromkeys(event.name for event in run.events))
    parts.append(_lanes(lanes, run.events, across, top))
    bottom = top + len(lanes) * _LANE + 8
    parts.append(_times(across, bottom + 14))
    title = f"Endpoints under load for {duration(run.seconds[-1].at)}, disturbed all the while"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + 28:.0f}" width="{_WIDTH}" role="img" '
        f'aria-label="{escape(title)}"><style>{_STYLE}</style>{text(12, 20, title, "soft")}{"".join(parts)}</svg>\n'
    )


def _panels(seconds: Sequence[Second]) -> dict[str, Series]:
    slow = {"p50": _thinned(seconds, lambda each: each.p50), "p99": _thinned(seconds, lambda each: each.p99, max)}
    return {
        "requests in a second": {"": _thinned(seconds, lambda each: float(each.answered))},
        "milliseconds": {name: [(at, value) for at, value in points if value > 0] for name, points in slow.items()},
        "failures in a second": {"": _thinned(seconds, lambda each: float(sum(each.failures.values())), max)},
        "memory, MiB": _held(seconds, lambda second, name: second.held[name].mib),
        "open files": _held(seconds, lambda second, name: float(second.held[name].files)),
    }


def _held(seconds: Sequence[Second], value: Callable[[Second, str], float]) -> Series:
    return {
        name: _thinned([each for each in seconds if name in each.held], lambda second, name=name: value(second, name))  # type: ignore[misc]
        for name in PROCESSES
    }


def _thinned(
    seconds: Sequence[Second],
    value: Callable[[Second], float],
    of: Callable[[Sequence[float]], float] = lambda values: sum(values) / len(values),
) -> list[tuple[float, float]]:
    """No more points than can be told apart: of so many seconds the mean, or whatever `of` makes of them."""
    step = max(1, -(-len(seconds) // _POINTS))
    groups = (seconds[first : first + step] for first in range(0, len(seconds), step))
    return [(group[0].at, of([value(each) for each in group])) for group in groups]


def _panel(title: str, series: Series, across: Scale, top: float) -> str:
    shown = {name: points for name, points in series.items() if points}
    values = [value for points in shown.values() for _, value in points]
    if not values:
        return text(12, top, title, "head")
    scale = _upward(values, top)
    parts = [text(12, top + 10, title, "head"), grid(scale, _LEFT, _WIDTH - _RIGHT)]
    for number, (name, points) in enumerate(shown.items()):
        css = _CLASSES[number]
        parts.append(line([(across(at), scale(value)) for at, value in points], css, name))
        parts.append(text(12, top + 28 + number * 15, name, css))
    return "".join(parts)


def _upward(values: Sequence[float], top: float) -> Scale:
    """From 0 where that shows enough; else by powers of ten."""
    scale = spanning(values, top + _PANEL, top)
    return scale if scale.is_logarithmic else Scale(0, max(values) * 1.05 or 1.0, top + _PANEL, top)


def _lanes(lanes: Sequence[str], events: Sequence[Event], across: Scale, top: float) -> str:
    names = (text(12, top + number * _LANE + 10, name) for number, name in enumerate(lanes))
    return "".join([*names, *_bars(lanes, events, across, top)])


def _bars(lanes: Sequence[str], events: Sequence[Event], across: Scale, top: float) -> Iterator[str]:
    for event in events:
        left, width = across(event.began), max(1.5, across(event.ended) - across(event.began))
        css = ' class="bad"' if event.failed else ""
        y = top + lanes.index(event.name) * _LANE + 1
        said = escape(f"{event.name}, {event.began:.0f} s: {event.told}")
        yield f'<rect{css} x="{left:.1f}" y="{y}" width="{width:.1f}" height="{_LANE - 4}"><title>{said}</title></rect>'


def _times(across: Scale, y: float) -> str:
    """In minutes, whatever the length."""
    minutes = Scale(across.low, across.high / 60, across.start, across.end)
    return "".join(text(minutes(tick), y, f"{tick:g} min", "soft", "middle") for tick in minutes.ticks(8))
