"""Metric math: the examples of the user guide, and what it refuses
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html)."""

import pytest

from clary.metricmath import BadExpression, Graph, Series, evaluation, parse

STEP, START = 60, 1_732_000_200
GAP = None


def series(*values, label=""):
    return Series(STEP, {START + STEP * n: float(v) for n, v in enumerate(values) if v is not GAP}, label)


def values(found, length):
    return [found.points.get(START + STEP * n) for n in range(length)]


def graph(expressions, moments=5, **metrics):
    parsed = {id_: parse(text) for id_, text in expressions.items()}
    read = {id_: (lambda found=found: found) for id_, found in metrics.items()}
    return Graph(read, parsed, lambda period: range(START, START + STEP * moments, period), STEP)


def result(text, length=4, **metrics):
    [found] = graph({"e": text}, length, **metrics).series("e")
    return values(found, length)


METRIC1, METRIC2 = series(30, 20, 0, 0), series(20, GAP, 20, GAP)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metric1 < metric2", [0, 0, 1, 0]),
        ("metric1 >= 30", [1, 0, 0, 0]),
        ("(metric1 > 15 AND metric2 > 15)", [1, 0, 0, 0]),
        ("metric1 > 15 && metric2 > 15 || metric1 == 0", [1, 0, 1, 1]),
        ("metric1 + metric2", [50, 20, 20, 0]),
        ("metric1 / metric2", [1.5, GAP, 0, GAP]),
        ("100 * metric1 / (metric1 + metric2)", [60, 100, 0, GAP]),
        ("-metric1 + 2 ^ 3 * 2", [-14, -4, 16, 16]),
        ("-2 ^ 2 + metric1", [26, 16, -4, -4]),
        ("2 ^ 3 ^ 2 + metric1 * 0", [512, 512, 512, 512]),
        ("metric1 - AVG(metric1)", [17.5, 7.5, -12.5, -12.5]),
        ("metric1 / PERIOD(metric1)", [0.5, 1 / 3, 0, 0]),
        ("metric1 * 0 + STDDEV(metric2) + MIN(metric1) + MAX(metric2) + DATAPOINT_COUNT(metric2)", [22, 22, 22, 22]),
        ("SUM([metric1, metric2])", [50, 20, 20, 0]),
        ("AVG([metric1, metric2])", [25, 10, 10, 0]),
        ("MAX([metric1, metric2])", [30, 20, 20, 0]),
        ("DATAPOINT_COUNT(METRICS())", [2, 1, 2, 1]),
        ("SUM(METRICS('2')) / METRIC_COUNT(METRICS())", [10, GAP, 10, GAP]),
        ("SUM(100 / [metric1, metric2])", [100 / 30 + 5, 5, 5, GAP]),
        ("DIFF(metric1)", [GAP, -10, -20, 0]),
        ("DIFF_TIME(metric2)", [GAP, GAP, 120, GAP]),
        ("RATE(metric1) * 60", [GAP, -10, -20, 0]),
        ("RUNNING_SUM(metric1)", [30, 50, 50, 50]),
        ("ABS(-metric1)", [30, 20, 0, 0]),
        ("CEIL(metric1 / 7) - FLOOR(metric1 / 7)", [1, 1, 0, 0]),
        ("LOG10(metric1 + 70)", [2, pytest.approx(1.954, abs=1e-3), pytest.approx(1.845, abs=1e-3)] * 1
         + [pytest.approx(1.845, abs=1e-3)]),
        ("LOG(metric1)", [pytest.approx(3.401, abs=1e-3), pytest.approx(2.996, abs=1e-3), GAP, GAP]),
        ("FILL(metric2, 7)", [20, 7, 20, 7]),
        ("FILL(metric2, REPEAT)", [20, 20, 20, 20]),
        ("FILL(metric2, LINEAR)", [20, 20, 20, GAP]),
        ("FILL(metric2, metric1)", [20, 20, 20, 0]),
        ("TIME_SERIES(MAX(metric1))", [30, 30, 30, 30]),
        ("FIRST(SORT(METRICS(), SUM, DESC))", [30, 20, 0, 0]),
        ("LAST(SORT(METRICS(), AVG, ASC))", [20, GAP, 20, GAP]),
        ("FIRST(SLICE(SORT(METRICS(), MAX, DESC), 1))", [20, GAP, 20, GAP]),
        ("FIRST(REMOVE_EMPTY([metric1 / 0, metric2]))", [20, GAP, 20, GAP]),
        ("MINUTE(metric1)", [10, 11, 12, 13]),
        ("HOUR(metric2) + DAY(metric2) * 100 + DATE(metric2) * 0", [207] * 4),
        ("YEAR(metric1) * 100 + MONTH(metric1)", [202411] * 4),
        ("EPOCH(metric1)", [START, START + 60, START + 120, START + 180]),
        ("IF(metric1 < 25, metric1)", [GAP, 20, 0, 0]),
        ("IF(metric1 < 25, 10, 2)", [2, 10, 10, 10]),
        ("IF(1, metric1, metric2)", [30, 20, 0, 0]),
        ("IF(0, metric1)", [GAP] * 4),
    ],
)  # fmt: skip
def test_expressions(text, expected):
    assert result(text, metric1=METRIC1, metric2=METRIC2) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, GAP, GAP]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, GAP, GAP]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, GAP]),
    ],
)
def test_the_tables_of_if(text, expected):
    three = {
        "metric1": series(1, 1, 0, 0, GAP),
        "metric2": series(30, GAP, 0, 0, 30),
        "metric3": series(0, 0, 20, GAP, 20),
    }
    assert result(text, 5, **three) == expected


def test_expressions_build_on_one_another():
    made = graph({"rate": "100 * errors / all", "high": "rate > 5"}, errors=series(1, 3), all=series(10, 100))
    assert values(made.series("high")[0], 2) == [1, 0]


def test_an_array_keeps_the_labels_of_its_series():
    made = graph({"e": "METRICS() * 2"}, a=series(1, label="one"), b=series(2, label="two"))
    assert [(each.label, values(each, 1)) for each in made.series("e")] == [("one", [2]), ("two", [4])]


def test_only_metrics_that_are_used_are_read():
    def unread():
        raise AssertionError

    made = Graph({"a": lambda: series(1), "b": unread}, {"e": parse("a + 1")}, lambda period: range(0), STEP)
    assert values(made.series("e")[0], 1) == [2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the end is not expected at position 0"),
        ("m +", "the end is not expected"),
        ("m m", "'m' is not expected at position 2"),
        ("(m", "the end is not expected"),
        ("m $ 2", "'\\$' is not expected at position 1"),
        ("NOSUCH(m)", "Function 'NOSUCH' not found"),
        ("gone + 1", "there is no query with the Id gone"),
        ("AVG(m)", "the result is a scalar"),
        ("ABS(1)", "the arguments of ABS"),
        ("ABS(m, m)", "the arguments of ABS"),
        ("FILL(m, UP)", "UP is no value"),
        ("SORT(METRICS(), STDDEV, ASC)", "the arguments of SORT"),
        ("SLICE([m], AVG(m / 0))", "the arguments of SLICE"),
        ("PERIOD(e)", "the arguments of PERIOD"),
        ("IF(m)", "the arguments of IF"),
        ("[m, 1]", "a scalar stands where a time series is needed"),
        ("m + 'text'", "text is no value"),
        ("e + 1", "e -> e depend on one another"),
        ("m + slow", "different periods"),
        ("[m, m] + [m]", "different lengths"),
        ("(" * 600 + "m" + ")" * 600, "nested at most"),
        ("-" * 600 + "m", "nested at most"),
        ("m" * 3000, "at most 2048 characters"),
    ],
)
def test_what_means_nothing_says_why(text, why):
    with pytest.raises(BadExpression, match=why):
        graph({"e": text}, m=series(1), slow=Series(300)).series("e")


def test_arrays_do_not_grow_without_end():
    with pytest.raises(BadExpression, match="at most 500 time series"):
        graph({"many": f"[{','.join('m' * 400)}]", "e": "[many, many]"}, m=series(1)).series("e")


def test_too_many_moments_are_refused():
    made = Graph({}, {"e": parse("TIME_SERIES(1)")}, lambda period: range(0, 10**9, period), 1)
    with pytest.raises(BadExpression, match="at most 100800 datapoints"):
        made.series("e")


def test_numbers_that_are_too_large_are_dropped():
    assert result("m ^ 9999 + 1", 1, m=series(10)) == [GAP]
    assert result("m * 0 + SUM(m)", 2, m=series(1e308, 1e308)) == [GAP, GAP]


def test_what_is_too_deep_is_refused():
    deep = {"e0": "m" + "+m" * 1000, **{f"e{number}": f"e{number - 1} + 1" for number in range(1, 500)}}
    with pytest.raises(BadExpression, match="too deep"):
        graph(deep, m=series(1)).series("e499")


def test_a_request_that_would_keep_everybody_waiting_is_refused(monkeypatch):
    monkeypatch.setattr(evaluation, "MOST_CALCULATED", 99)
    made = graph({"e": "m" + "+m" * 10}, 10, m=series(*range(10)))
    with pytest.raises(BadExpression, match="more than 99 datapoints"):
        made.series("e")


def test_many_metrics_are_added():
    assert result("m" + "+m" * 400, 1, m=series(1)) == [401]
