"""The table as a picture that stands alone: requests in a second, a group of bars for each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.serving.measuring import Cell, Measured
from clary.cli.charts import Scale, text

_WIDTH, _LEFT, _RIGHT, _TOP = 760, 270, 70, 34
_BAR, _GAP, _BETWEEN = 15, 3, 40
_STYLE = """\
svg { background: #fff; font: 12px system-ui, sans-serif } text { fill: #222 } .head { font-weight: 600 }
rect { fill: #a3a8b3 } rect.own { fill: #2563c9 } .soft { fill: #666 }
@media (prefers-color-scheme: dark) {
  svg { background: #16181d } text { fill: #e6e6e6 } rect { fill: #5d6370 } rect.own { fill: #6ea0f5 }
  .soft { fill: #9aa0aa }
}"""


def drawn(servers: Mapping[str, Measured], cells: Sequence[Cell], own: str) -> str:
    """SVG; `own` is the server to be seen at once."""
    step = len(servers) * (_BAR + _GAP) + _BETWEEN
    groups = [
        _group(cell, {title: each.median(cell).per_second for title, each in servers.items()}, _TOP + place * step, own)
        for place, cell in enumerate(cells)
    ]
    height = _TOP + len(cells) * step
    title = "Requests in a second, one row each; every group has a scale of its own"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img" '
        f'aria-label="{escape(title)}"><style>{_STYLE}</style>{text(12, 20, title, "soft")}{"".join(groups)}</svg>\n'
    )


def _group(cell: Cell, rates: Mapping[str, float], top: float, own: str) -> str:
    scale = Scale(0, max(rates.values()), _LEFT, _WIDTH - _RIGHT)
    bars = [
        _bar(title, rate, scale, top + 22 + number * (_BAR + _GAP), "own" if title == own else "")
        for number, (title, rate) in enumerate(rates.items())
    ]
    return text(12, top + 14, str(cell), "head") + "".join(bars)


def _bar(title: str, rate: float, scale: Scale, top: float, css: str) -> str:
    end, base = scale(rate), top + _BAR - 3
    return (
        text(_LEFT - 8, base, title, anchor="end")
        + f'<rect class="{css}" x="{_LEFT}" y="{top:.1f}" width="{end - _LEFT:.1f}" height="{_BAR}"/>'
        + text(end + 6, base, f"{rate:,.0f}")
    )
