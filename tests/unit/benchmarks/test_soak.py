from __future__ import annotations

import json
from dataclasses import asdict
from xml.etree import ElementTree

import pytest

from benchmarks.soak.crowds import Overload
from benchmarks.soak.drawing import drawn
from benchmarks.soak.series import PROCESSES, Held, Second, Tally
from benchmarks.soak.verdict import Event, Run, checks

LENGTH = 1000
CALM = Held(100.0, 50, 10)


def seconds(last: Held = CALM, answered: int = 200):
    """Every process holds the same until the last tenth, in which the edge holds `last`."""
    return [
        Second(at, answered, 2.0, 9.0, {}, dict.fromkeys(PROCESSES, CALM) | ({"edge": last} if at >= 900 else {}))
        for at in range(LENGTH)
    ]


def burst(**changed):
    """One that is as it should be."""
    return Overload(**{"answered": [0.1, 4.0], "refused": [0.05] * 2000, "recovered": 4.0} | changed)


def run(**changed):
    """One that holds all that is promised."""
    event = Event("updated", 10.0, 12.0, "to <another>")
    given = {"seconds": seconds(), "events": [event], "overloads": [burst()], "wrong": [], "answers": 7}
    return Run(**given | {"steady": (0.0, float(LENGTH))} | changed)


def missed(found: Run) -> list[str]:
    return [str(check) for check in checks(found) if not check.held]


def test_a_run_that_holds_everything():
    assert missed(run()) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"wrong": ["soak-pair at 3.0 s: 500 "]}, "500"),
        ({"events": [Event("scaled", 3.0, 4.0, "AssertionError: no", failed=True)]}, "scaled at 3 s"),
        ({"overloads": []}, "there was none"),
        ({"overloads": [burst(refused=[0.05] * 100)]}, "10 times as much"),
        ({"overloads": [burst(), burst(recovered=5.5)]}, "5.50 s at most"),
        ({"overloads": [burst(answered=[0.1, 11.0])]}, "11.00 s at most"),
        ({"overloads": [burst(refused=[3.0] * 2000)]}, "3.00 s at most"),
        ({"overloads": [burst(others={"500": 1})]}, "nothing but 200 and 429: 500"),
        ({"seconds": seconds(answered=100)}, "100000 requests while it is looked at: 90000"),
        ({"seconds": seconds(Held(117.0, 50, 10))}, "edge has not grown: 100.0 → 117.0 MiB"),
        ({"seconds": seconds(Held(100.0, 67, 10))}, "50 → 67 open files"),
        ({"seconds": seconds(Held(100.0, 50, 19))}, "10 → 19 threads"),
        ({"seconds": [Second(1.0, 10**6, 0.0, 0.0, {}, {})]}, "launcher runs: it was not seen"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_promise_can_be_missed(changed, said):
    assert said in "; ".join(missed(run(**changed)))


def test_growth_is_looked_for_only_while_no_process_is_killed():
    assert missed(run(seconds=seconds(Held(900.0, 50, 10)), steady=(0.0, 900.0), overloads=[burst()])) == []


def test_a_large_process_may_grow_by_its_part():
    large = [
        Second(at, 200, 2.0, 9.0, {}, dict.fromkeys(PROCESSES, Held(500.0 + at / 25, 50, 10))) for at in range(1000)
    ]
    assert missed(run(seconds=large)) == []


def test_a_second_without_answers_has_no_latency():
    tally = Tally()
    tally.took += [0.003, 0.001, 0.002]
    tally.failures["broken"] += 1
    assert tally.closed(1.0, {}) == Second(1.0, 3, 2.0, 3.0, {"broken": 1}, {})
    assert tally.closed(2.0, {}) == Second(2.0, 0, 0.0, 0.0, {}, {})


def test_a_run_is_written_whole_also_where_it_failed():
    failed = run(overloads=[burst(others={"500": 1})], wrong=["503 "])
    assert json.loads(json.dumps(asdict(failed)))["overloads"][0]["others"] == {"500": 1}


def test_the_picture_is_whole_with_gaps_and_what_users_wrote():
    there = seconds()
    there[500] = Second(500.0, 0, 0.0, 0.0, {"broken": 3}, {})
    picture = ElementTree.fromstring(drawn(run(seconds=there)))
    said = [each.text for each in picture.iter() if each.text]
    assert {"requests in a second", "memory, MiB", "control", "updated"} <= set(said)
    assert "updated, 10 s: to <another>" in said
