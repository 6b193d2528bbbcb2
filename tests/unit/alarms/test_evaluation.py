"""When an alarm is in which state: the tables of CloudWatch's own page on missing data, and its sentences."""

import json

import pytest

from clary.alarms.evaluation import Datapoint, datapoints, evaluate, step, stretch
from clary.alarms.reasons import number, reason, reason_data
from clary.alarms.spec import AlarmSpec
from clary.telemetry.series import Point
from clary.telemetry.summary import Summary

NEWEST = 1_732_000_200


def alarm(**members):
    spec = {
        "Namespace": "ns",
        "MetricName": "m",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **members,
    }
    return AlarmSpec.of({name: value for name, value in spec.items() if value is not None})


def retrieved(text, *, good=0.0, bad=5.0):
    """`0 - X`: a datapoint within the threshold, one that is missing, one that breaches it; the newest is the last."""
    values = {"0": good, "X": bad, "-": None}
    marks = text.split()
    return [Datapoint(NEWEST - 60 * age, values[mark], 1.0) for age, mark in enumerate(reversed(marks))]


def state(spec, points):
    verdict = evaluate(spec, points)
    return "retain" if verdict is None else verdict.value


THREE_OF_THREE = {
    "0 - X - X": ("OK", "OK", "OK", "OK"),
    "0 - - - -": ("OK", "OK", "OK", "OK"),
    "- - - - -": ("INSUFFICIENT_DATA", "retain", "ALARM", "OK"),
    "0 X X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "- - X - -": ("ALARM", "retain", "ALARM", "OK"),
    "- - - - X": ("INSUFFICIENT_DATA", "retain", "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0 - X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 0 X 0 X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 - X - -": ("OK", "OK", "ALARM", "OK"),
    "- - - - 0": ("OK", "OK", "ALARM", "OK"),
    "- - - X -": ("ALARM", "retain", "ALARM", "OK"),
    "- - - - X": ("INSUFFICIENT_DATA", "retain", "ALARM", "OK"),
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
TABLES = [(3, table) for table in THREE_OF_THREE.items()] + [(2, table) for table in TWO_OF_THREE.items()]


@pytest.mark.parametrize(
    ("least", "treatment", "points", "expected"),
    [
        (least, treatment, points, expected)
        for least, (points, row) in TABLES
        for treatment, expected in zip(TREATMENTS, row, strict=True)
    ],
)
def test_missing_data_counts_as_the_user_guide_says(least, treatment, points, expected):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html; the rows in which
    only the newest datapoint is there are those of an older edition, to which the newer one's text fits."""
    assert state(alarm(DatapointsToAlarm=least, TreatMissingData=treatment), retrieved(points)) == expected


def test_missing_data_is_missing_unless_something_else_is_said():
    assert state(alarm(), retrieved("- - - - -")) == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("operator", "value", "breaches"),
    [
        ("GreaterThanThreshold", 1.0, False),
        ("GreaterThanThreshold", 1.1, True),
        ("GreaterThanOrEqualToThreshold", 1.0, True),
        ("GreaterThanOrEqualToThreshold", 0.9, False),
        ("LessThanThreshold", 1.0, False),
        ("LessThanThreshold", 0.9, True),
        ("LessThanOrEqualToThreshold", 1.0, True),
        ("LessThanOrEqualToThreshold", 1.1, False),
    ],
)
def test_every_comparison(operator, value, breaches):
    spec = alarm(ComparisonOperator=operator, EvaluationPeriods=1)
    assert state(spec, [Datapoint(NEWEST, value, 1.0)]) == ("ALARM" if breaches else "OK")


def test_percentiles_of_few_samples_may_be_ignored():
    members = {"Statistic": None, "ExtendedStatistic": "p99", "EvaluationPeriods": 1}
    few, enough = [Datapoint(NEWEST, 5.0, 999.0)], [Datapoint(NEWEST, 5.0, 1001.0)]
    ignoring = alarm(**members, EvaluateLowSampleCountPercentile="ignore")
    assert [state(ignoring, few), state(ignoring, enough)] == ["retain", "ALARM"]
    assert state(alarm(**members, EvaluateLowSampleCountPercentile="evaluate"), few) == "ALARM"


@pytest.mark.parametrize(
    ("members", "points", "said"),
    [
        (
            {"EvaluationPeriods": 1, "DatapointsToAlarm": 1},
            "X",
            (
                "Threshold Crossed: 1 out of the last 1 datapoints [5.0 (19/11/24 07:10:00)] was greater than the "
                "threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
            ),
        ),
        (
            {"EvaluationPeriods": 1, "DatapointsToAlarm": 1},
            "0",
            (
                "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (19/11/24 07:10:00)] was not greater than the "
                "threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition)."
            ),
        ),
        (
            {"EvaluationPeriods": 1},
            "X",
            "Threshold Crossed: 1 datapoint [5.0 (19/11/24 07:10:00)] was greater than the threshold (1.0).",
        ),
        (
            {"DatapointsToAlarm": 2},
            "X 0 X",
            (
                "Threshold Crossed: 2 out of the last 3 datapoints [5.0 (19/11/24 07:10:00), 5.0 (19/11/24 07:08:00)] "
                "were greater than the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition)."
            ),
        ),
        (
            {"EvaluationPeriods": 5, "Threshold": 4.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold"},
            "X X X X X",
            (
                "Threshold Crossed: 5 datapoints were greater than or equal to the threshold (4.0). The most recent "
                "datapoints which crossed the threshold: [5.0 (19/11/24 07:10:00), 5.0 (19/11/24 07:09:00), "
                "5.0 (19/11/24 07:08:00), 5.0 (19/11/24 07:07:00), 5.0 (19/11/24 07:06:00)]."
            ),
        ),
        (
            {"EvaluationPeriods": 2, "TreatMissingData": "breaching"},
            "- - - -",
            (
                "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as "
                "[Breaching]."
            ),
        ),
        (
            {"EvaluationPeriods": 1, "TreatMissingData": "notBreaching"},
            "- - -",
            (
                "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
                "[NonBreaching]."
            ),
        ),
        (
            {"TreatMissingData": "breaching", "DatapointsToAlarm": 2},
            "- - - - 0",
            (
                "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as "
                "[Breaching]."
            ),
        ),
        # No public source has this one whole: it is pieced together from several that quote parts of it.
        ({"EvaluationPeriods": 2}, "- - - -", "Insufficient Data: 2 datapoints were unknown."),
    ],
)
def test_reasons_are_cloudwatchs_sentences(members, points, said):
    spec = alarm(**members)
    assert reason(spec, evaluate(spec, retrieved(points))) == said


def test_the_reason_for_programs():
    """As localstack recorded it from AWS (tests/aws/services/cloudwatch, test_put_metric_alarm)."""
    spec = alarm(EvaluationPeriods=1, Unit="Seconds", Threshold=21.0)
    verdict = evaluate(spec, [Datapoint(NEWEST, 21.5, 2.0), Datapoint(NEWEST - 60)])
    assert json.loads(reason_data(spec, verdict, NEWEST + 61.25)) == {
        "version": "1.0",
        "queryDate": "2024-11-19T07:11:01.250+0000",
        "startDate": "2024-11-19T07:10:00.000+0000",
        "unit": "Seconds",
        "statistic": "Average",
        "period": 60,
        "recentDatapoints": [21.5],
        "threshold": 21.0,
        "evaluatedDatapoints": [{"timestamp": "2024-11-19T07:10:00.000+0000", "sampleCount": 2.0, "value": 21.5}],
    }


def test_only_whole_periods_are_looked_at():
    spec = alarm(Period=300, EvaluationPeriods=2)
    assert stretch(spec, NEWEST + 59.9) == range(NEWEST - 1200, NEWEST, 300)
    assert stretch(alarm(Period=10, EvaluationPeriods=1), NEWEST + 19.0) == range(NEWEST - 20, NEWEST + 10, 10)


@pytest.mark.parametrize(("period", "seconds"), [(10, 10), (20, 10), (30, 10), (60, 60), (300, 60), (3600, 300)])
def test_short_periods_are_looked_at_more_often(period, seconds):
    assert step(period) == seconds


def test_without_a_unit_all_units_count():
    spec = alarm(EvaluationPeriods=1)
    wanted = range(NEWEST - 180, NEWEST, 60)
    points = [
        Point(NEWEST - 60, "Count", Summary.of({1.0: 1.0})),
        Point(NEWEST - 60, "Percent", Summary.of({5.0: 3.0})),
    ]
    assert datapoints(spec, wanted, lambda source: points) == [
        Datapoint(NEWEST - 60, 4.0, 4.0),
        Datapoint(NEWEST - 120),
        Datapoint(NEWEST - 180),
    ]


def test_a_percentile_of_a_statistic_set_is_not_known():
    spec = alarm(Statistic=None, ExtendedStatistic="p50", EvaluationPeriods=1)
    points = [Point(NEWEST, "None", Summary.of_set(2.0, 3.0, 1.0, 2.0))]
    assert datapoints(spec, range(NEWEST, NEWEST + 60, 60), lambda source: points) == [Datapoint(NEWEST, None, 2.0)]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0.0"),
        (-3.25, "-3.25"),
        (84.93923823723915, "84.93923823723915"),
        (12_000_000.0, "1.2E7"),
        (0.0005, "5.0E-4"),
        (1e300, "1.0E300"),
    ],
)
def test_numbers_are_written_as_java_does(value, said):
    assert number(value) == said


def test_an_expression_is_watched_as_a_metric_is():
    def metric(id_):
        of = {"Metric": {"Namespace": "ns", "MetricName": id_}, "Period": 60, "Stat": "Sum"}
        return {"Id": id_, "MetricStat": of, "ReturnData": False}

    queries = [metric("errors"), metric("all"), {"Id": "rate", "Expression": "100 * errors / all"}]
    spec = alarm(Metrics=queries, Statistic=None, EvaluationPeriods=1, Threshold=4.0)
    values = {"errors": {NEWEST: 1.0}, "all": {NEWEST: 20.0, NEWEST - 60: 10.0}}

    def read(source):
        found = values[source.metric.name]
        return [Point(at, "None", Summary.of({found[at]: 1.0})) for at in sorted(found)]

    retrieved = datapoints(spec, range(NEWEST - 120, NEWEST + 60, 60), read)
    assert retrieved == [Datapoint(NEWEST, 5.0), Datapoint(NEWEST - 60, 0.0), Datapoint(NEWEST - 120)]
    verdict = evaluate(spec, retrieved)
    assert reason(spec, verdict) == (
        "Threshold Crossed: 1 datapoint [5.0 (19/11/24 07:10:00)] was greater than the threshold (4.0)."
    )
    said = json.loads(reason_data(spec, verdict, NEWEST + 60))
    assert said["evaluatedDatapoints"] == [{"timestamp": "2024-11-19T07:10:00.000+0000", "value": 5.0}]
    assert "statistic" not in said
