"""A tuning's pictures: whole, safe, without a network."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from clary.cli import charts
from clary.cli.show import table
from clary.cli.tuning_jobs import Axis, Job, Tuning
from clary.cli.tuning_page import page

AXES = (Axis("eta", (), 0.001, 1.0, True), Axis("depth", (), 1, 12, is_whole=True), Axis("method", ("auto", "hist")))


def job(number, objective, status="Completed", ended=None, **values):
    tuned = {"eta": "0.123456789", "depth": "6", "method": "hist", **values}
    return Job(number, f"t-{number:03}", "", status, objective, tuned, number * 2.0 if ended is None else ended, 1.5)


def tuning(*jobs, name="t", metric="validation:rmse", maximize=False, axes=AXES, **more):
    return Tuning(name, "Completed", "Bayesian", metric, maximize, jobs, axes, **more)


SOME = (job(1, 5.0), job(2, 3.0), job(3, None, "Failed"), job(4, 4.0, "Stopped"), job(5, 2.5))


def pictures(html):
    """Every SVG of a page, as a tree: that it can be read says that nothing got out of its quotes."""
    return [ElementTree.fromstring(found) for found in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]


class Texts(HTMLParser):
    """Which elements there are, and what is read."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.words = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)

    def handle_data(self, data):
        self.words += data


def test_a_page_shows_progress_jobs_and_hyperparameters():
    html = page(tuning(*SOME))
    assert all(each in html for each in ("Best so far", "Each training job", "Hyperparameters", "<strong>2.5</strong>"))
    ways = re.findall(r'class="way (\w+)( top)?"', html)
    assert [shade for shade, _ in ways] == ["none", "s0", "s1", "s3", "s4"]  # the worst first, the best above all
    assert [bool(top) for _, top in ways] == [False, False, False, False, True]
    assert html.count("<tr") == 6
    assert len(pictures(html)) == 3 + 4  # and the four signs of the key


def test_a_page_needs_nothing_from_anywhere():
    html = page(tuning(*SOME))
    assert not re.search(r"https?:|src=|@import|url\(|<script|<link", html)
    assert "prefers-color-scheme: dark" in html


@pytest.mark.parametrize("jobs", [(), (job(1, None, "Failed"),), (job(1, 2.0),), (job(1, 0.0), job(2, 0.0))])
def test_a_tuning_with_little_to_show(jobs):
    html = page(tuning(*jobs, failure="All training jobs failed."))
    assert "All training jobs failed." in html
    assert ("No training job has an objective yet." in html) == all(each.objective is None for each in jobs)


def test_names_that_look_like_html_are_only_names():
    foul = "<script>alert('x')</script>\"&"
    odd = Axis(foul, (foul, "other"))
    html = page(tuning(job(1, 1.0, **{foul: foul}), job(2, 2.0), name=foul, metric=foul, axes=(odd,), failure=foul))
    found = Texts(html)
    assert "script" not in found.elements
    assert foul in found.words
    assert pictures(html)


def test_values_that_are_not_of_the_ranges_are_left_out():
    html = page(tuning(job(1, 1.0, eta="much", method="none"), job(2, 2.0)))
    assert pictures(html)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8), st.booleans())
def test_any_objectives_can_be_drawn(objectives, maximize):
    html = page(tuning(*(job(number, value) for number, value in enumerate(objectives, 1)), maximize=maximize))
    places = [float(place) for place in re.findall(r'\bc[xy]="([-0-9.]+)"', html)]
    assert places
    assert all(0 <= place <= 880 for place in places)


def test_ticks_are_round_and_on_their_scale():
    assert charts.Scale(0, 10, 0, 100).ticks() == [0, 2, 4, 6, 8, 10]
    assert charts.Scale(0.001, 1, 0, 100, is_logarithmic=True).ticks() == pytest.approx([0.001, 0.01, 0.1, 1])
    assert charts.Scale(2, 2, 0, 100).ticks() == [2]
    assert charts.Scale(2, 2, 0, 100)(2) == 50


def test_the_terminal_shows_the_best_so_far():
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table(tuning(*SOME)))
    lines = [line.split() for line in console.export_text().splitlines()]
    assert [line[4] for line in lines[1:]] == ["5", "3", "3", "3", "2.5"]
    assert lines[3][1:4] == ["t-003", "Failed", "–"]
    assert "0.1235" in lines[1]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("0.123456789", "0.1235"),
        ("1000000", "1000000"),
        ("1e400", "1e400"),
        ("x" * 256, "x" * 23 + "…"),
        ("a\x1b[2Jb\u202ec", "a\ufffd[2Jb\ufffdc"),
    ],
    ids=["fraction", "integer", "beyond floats", "long", "escapes"],
)
def test_values_are_short_and_nothing_but_read(words, shown):
    assert charts.short(words) == shown


def test_names_in_the_terminal_are_only_names():
    shown = io.StringIO()
    hostile = tuning(job(1, 0.5, eta="\x1b]0;pwned\x07"), metric="rm\x1b[8mse")
    Console(file=shown, width=200).print(table(hostile))
    assert "\x1b" not in shown.getvalue() and "\x07" not in shown.getvalue()
