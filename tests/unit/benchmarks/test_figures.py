from __future__ import annotations

from benchmarks.figures import Figure, render


def test_smaller_is_better_unless_the_target_is_the_least():
    assert Figure("start", [1.0, 9.0, 2.0], 2.0).met
    assert not Figure("ratio", [14.0], 15, "×", is_least=True).met
    assert Figure("ratio", [15.0], 15, "×", is_least=True).met


def test_a_missed_target_passes_within_its_gate():
    ratio = Figure("ratio", [12.0], 15, "×", is_least=True, gate=10)
    assert (ratio.met, ratio.passed) == (False, True)
    assert not Figure("ratio", [9.9], 15, "×", is_least=True, gate=10).passed
    assert not Figure("start", [3.0], 2.0).passed


def test_line_and_table_say_what_was_wanted():
    ratio = Figure("ratio", [12.0, 11.0, 14.0], 15, "×", is_least=True, gate=10)
    assert ratio.line() == "✗ ratio: 12.000 × (target at least 15, gate 10; 11.000–14.000)"
    assert render([ratio]).splitlines()[2] == "| ratio | 12.000 × | 11.000–14.000 | at least 15, gate 10 × | **no** |"
    assert Figure("start", [0.5], 2.0).line() == "✓ start: 0.500 s (target 2; 0.500–0.500)"
