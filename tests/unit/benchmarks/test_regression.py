from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from benchmarks import regression
from benchmarks.figures import RATIOS, Figure, ended
from benchmarks.regression import REFERENCE, Ratio, parsed, read, worse, write

LESS = Ratio(1.0, "×", more=False, tolerance=0.25, command="python -m benchmarks.one")
MORE = Ratio(10.0, "×", more=True, tolerance=0.25, command="python -m benchmarks.two")
PERCENT = Ratio(1.0, "%", more=False, tolerance=0.05, command="python -m benchmarks.three")


@pytest.mark.parametrize(
    ("was", "allowed", "not_allowed"),
    [(LESS, 1.25, 1.26), (MORE, 7.5, 7.4), (PERCENT, 6.0, 6.1)],
    ids=["less is better", "more is better", "a percentage"],
)
def test_a_ratio_may_be_worse_by_its_tolerance(was, allowed, not_allowed):
    assert was.allows(allowed)
    assert not was.allows(not_allowed)


def test_a_worse_ratio_is_named_with_what_it_was_and_the_command():
    found = {"jobs": Ratio(1.5, "×", more=False, tolerance=0.25, command="python -m benchmarks.one"), "rate": MORE}
    [line] = worse(found, {"jobs": LESS, "rate": MORE, "not measured": LESS})
    assert line.startswith("jobs: 1.500 ×, it was 1.000 and may be 1.250 at most (python -m benchmarks.one; ")
    assert worse({"new": LESS}, {}) == []


def test_what_ends_writes_its_ratios_down(tmp_path, monkeypatch):
    noted = tmp_path / "figures"
    monkeypatch.setenv("BENCH_FIGURES", str(noted))
    assert ended(
        [Figure("time", [3.0], 2.0), Figure("over peer A", [1.0, 3.0, 2.0], 5, "×", is_least=True, name="rate")]
    )
    assert not ended([Figure("cost", [1.0], 2.0, "%")])
    found = parsed(noted.read_text().splitlines(), {"rate": MORE})
    assert {name: (each.value, each.unit, each.more, each.tolerance) for name, each in found.items()} == {
        "rate": (2.0, "×", True, 0.25),
        "cost": (1.0, "%", False, regression.TOLERANCE),
    }


def test_the_command_fails_where_a_ratio_is_worse_and_takes_it_over_when_told(tmp_path, monkeypatch, capsys):
    reference, noted = tmp_path / "reference.json", tmp_path / "figures"
    write(reference, {"jobs": LESS, "rate": MORE})
    noted.write_text(json.dumps({"name": "jobs", "value": 2.0, "unit": "×", "more": False, "command": "c"}))
    monkeypatch.setattr(regression, "REFERENCE", reference)
    monkeypatch.setattr(sys, "argv", ["regression", str(noted)])
    assert regression.main() == 1
    assert "✗ jobs: 2.000 ×, it was 1.000" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["regression", str(noted), "--update"])
    assert regression.main() == 0
    monkeypatch.setattr(sys, "argv", ["regression", str(noted)])
    assert regression.main() == 0
    assert read(reference)["rate"] == MORE, "what was not measured stays"


def test_the_committed_reference_is_of_benchmarks_that_are_there():
    ratios = read(REFERENCE)
    assert ratios
    for name, each in ratios.items():
        assert each.unit in RATIOS, name
        module = re.fullmatch(r"python -m benchmarks\.?(\w*)", each.command)
        assert module, each.command
        folder = Path(regression.__file__).parent
        assert (folder / f"{module[1]}.py").exists() or (folder / module[1] / "__main__.py").exists(), each.command
