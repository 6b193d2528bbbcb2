"""A template that wants too much ends in time, and takes no memory to speak of."""

from __future__ import annotations

import time

import pytest

from clary.velocity import Limits, TemplateError, TooMuch, parse
from clary.velocity.limits import Budget
from clary.velocity.patterns import compiled

LIMITS = Limits(seconds=0.5, characters=100_000)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "#foreach($i in [1..999])#foreach($j in [1..999])#foreach($k in [1..999]).#end#end#end", id="loops"
        ),
        pytest.param("#set($s = 'xxxxxxxxxx')#foreach($i in [1..99])#set($s = \"$s$s\")#end", id="doubled-text"),
        pytest.param("#set($s = 'xxxxxxxxxx')#foreach($i in [1..99])#set($s = $s + $s)#end", id="added-text"),
        pytest.param(
            "#set($s = 'xxxxxxxxxx')#foreach($i in [1..99])#set($s = $s.replace('x','xx'))#end", id="replaced"
        ),
        pytest.param(
            "#set($s = 'xxxxxxxxxx')#foreach($i in [1..99])#set($s = $s.replaceAll('[x]','$0$0'))#end", id="matched"
        ),
        pytest.param("#set($l = [1])#foreach($i in [1..50])#set($l = [$l, $l])#end$l", id="shared-lists"),
        pytest.param(
            "#set($l = 1)#set($k = 1)#foreach($i in [1..50])#set($l = [$l,$l])#set($k = [$k,$k])#end#if($l == $k)#end",
            id="compared",
        ),
        pytest.param("#set($l = [1])#foreach($i in [1..50])$!l.addAll($l)#end", id="doubled-list"),
        pytest.param("#set($l = [])$l.add($l)$l", id="cycle"),
        pytest.param("#set($m = {})$!m.put('m', $m)$m", id="cyclic-map"),
        pytest.param("#macro(m)#m()#m()#end#m()", id="recursion"),
        pytest.param("#set($l = [1..999999999])", id="range"),
        pytest.param("#foreach($i in [1..999])#foreach($j in [1..999])xxxxxxxxxx#end#end", id="output"),
        pytest.param(
            "#foreach($i in [1..900])#set($x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.length())#end",
            id="no-literal-methods",
        ),
        pytest.param("#set($x = 2)#foreach($i in [1..90])#set($x = $x * $x)#end", id="numbers"),
    ],
)
def test_it_is_stopped(text: str) -> None:
    began = time.process_time()
    with pytest.raises(TemplateError):
        parse(text).render({}, LIMITS)
    assert time.process_time() - began < 5


def test_what_others_have_of_the_processors_meanwhile_is_not_the_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    budget, now = Budget(LIMITS), time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + 3600)
    budget.spend(1000)
    with pytest.raises(TooMuch, match="longer than"):
        monkeypatch.setattr(time, "thread_time", lambda: 3600.0)
        budget.spend(1000)


@pytest.mark.parametrize(
    "text", ["(" * 5000, "#if(" + "(" * 5000, "#if(true)" * 3000, "#set($x = " + "[" * 5000, '#set($x = "' * 999]
)
def test_nesting_without_end_is_refused(text: str) -> None:
    try:
        parse(text).render({}, LIMITS)
    except TemplateError as error:
        assert str(error)


def test_a_loop_ends_at_a_thousand_as_on_aws() -> None:
    assert parse("#foreach($i in $l)x#end").render({"l": [0] * 5000}) == "x" * 1000


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(.*)(.*)(.*)(.*)(.*)b", "a{0,200}a{0,200}b", "((a*)*)*b"])
def test_an_expression_that_would_backtrack_for_ever_takes_linear_time(pattern: str) -> None:
    budget = Budget(Limits(steps=50_000_000, seconds=20))
    began = time.process_time()
    assert not compiled(pattern).matches("a" * 300, budget)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "pattern", ["(" * 1500, "((((a{200}){200}){200}){200})", "a" * 5000 + ".", "*", "a{3,1}", "(a", "a)"]
)
def test_an_expression_without_measure_is_refused(pattern: str) -> None:
    with pytest.raises(TemplateError):
        compiled(pattern)


def test_limits_are_of_one_rendering() -> None:
    template = parse("#foreach($i in [1..100])x#end")
    for _ in range(3):
        assert template.render({}, Limits(steps=2000)) == "x" * 100
    with pytest.raises(TooMuch, match="more than 50 steps"):
        template.render({}, Limits(steps=50))
