"""Values of ranges: inside, by their scale, and written as AWS writes them."""

from __future__ import annotations

import math
import random
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from clary.tuning.definitions import definitions
from clary.tuning.parameters import Categorical, Continuous, Integer
from tests.unit.tuning.requests import categorical, continuous, integer, ranges, request

POSITIONS = st.floats(0, 1)


def only(parameters):
    [parameter] = definitions(request(parameters))[0].space.parameters
    return parameter


@given(st.floats(-1e300, 1e300), st.floats(1e-9, 1e300), POSITIONS)
def test_every_value_of_a_linear_range_is_inside(low, width, position):
    high = low + width
    text = Continuous("x", low, high, "Linear").at(position)
    assert low <= float(text) <= high


@given(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300), POSITIONS)
def test_every_value_of_a_logarithmic_range_is_inside(one, other, position):
    low, high = sorted((one, other))
    assert low <= float(Continuous("x", low, high, "Logarithmic").at(position)) <= high


@given(st.floats(0, 0.9999999), st.floats(0, 0.9999999), POSITIONS)
def test_every_value_of_a_reverse_logarithmic_range_is_inside(one, other, position):
    low, high = sorted((one, other))
    assert low <= float(Continuous("x", low, high, "ReverseLogarithmic").at(position)) <= high


@given(st.sampled_from(("Linear", "Logarithmic", "ReverseLogarithmic")), POSITIONS)
def test_a_value_lies_where_it_was_taken_from(scale, position):
    parameter = Continuous("x", 0.01, 0.99, scale)
    assert math.isclose(parameter.place(float(parameter.at(position))), position, abs_tol=1e-9)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1), POSITIONS, st.booleans())
def test_every_value_of_an_integer_range_is_an_integer_inside(one, other, position, logarithmic):
    low, high = sorted((one, other))
    scale = "Logarithmic" if logarithmic and low > 0 else "Linear"
    assert low <= int(Integer("n", low, high, scale).at(position)) <= high


@given(st.lists(st.text(), min_size=1, max_size=30, unique=True), POSITIONS)
def test_every_category_is_given_back_as_it_was(values, position):
    assert Categorical("c", tuple(values)).at(position) in values


def test_all_values_of_an_integer_range_are_as_likely():
    parameter, chance = Integer("n", 1, 4, "Linear"), random.Random(1)
    drawn = [parameter.at(chance.random()) for _ in range(4000)]
    assert all(850 < drawn.count(text) < 1150 for text in "1234")


def test_scales_put_the_middle_where_they_say():
    chance = random.Random(1)
    middle = {
        scale: median(float(Continuous("x", 0.0001, 0.9999, scale).at(chance.random())) for _ in range(2001))
        for scale in ("Linear", "Logarithmic", "ReverseLogarithmic")
    }
    assert abs(middle["Linear"] - 0.5) < 0.05
    assert 0.005 < middle["Logarithmic"] < 0.02
    assert 0.98 < middle["ReverseLogarithmic"] < 0.995


def test_auto_is_logarithmic_where_a_positive_range_spans_orders_of_magnitude():
    assert only(ranges([continuous("x", "1e-5", "1")])).scale == "Logarithmic"
    assert only(ranges([continuous("x", "0.1", "1")])).scale == "Linear"
    assert only(ranges([continuous("x", "0", "1000")])).scale == "Linear"
    assert only(ranges([continuous("x", "-1", "1000")])).scale == "Linear"
    assert only(ranges([], [integer("n", "1", "4000")])).scale == "Logarithmic"
    assert only(ranges([continuous("x", "1e-5", "1", "Linear")])).scale == "Linear"


def test_a_space_counts_its_combinations():
    space = definitions(request(ranges([], [integer("n", "1", "4")], [categorical()])))[0].space
    assert space.count == 12
    assert len({tuple(space.nth(number).items()) for number in range(12)}) == 12
    assert math.isinf(definitions(request())[0].space.count)
    vast = ranges([], [integer(f"n{each}", str(-(2**62)), str(2**62)) for each in range(30)])
    assert math.isinf(definitions(request(vast))[0].space.count)


def test_values_of_other_ranges_are_told_apart():
    space = definitions(request(ranges([continuous("x", "0", "1")], [], [categorical()])))[0].space
    assert space.key({"c": "a", "x": "0.25"}) == ("a", "0.25")
    for other in ({"c": "a", "x": "2"}, {"c": "z", "x": "0.5"}, {"x": "0.5"}, {"c": "a", "x": "much"}):
        assert space.key(other) is None
