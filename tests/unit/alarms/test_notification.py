"""What topics are told of alarms, as AWS's recorded messages have it."""

import json
from datetime import UTC, datetime

import pytest

from clary.alarms.notification import notification, subject
from clary.store.rows import Key, Row

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ARN = "arn:aws:cloudwatch:us-east-1:0:alarm:"
CHANGE = {
    "state": {"value": "ALARM", "reason": "r", "data": "", "timestamp": 0.0},
    "previous": {"value": "OK"},
}
CHILD = {"arn": f"{ARN}a", "state": {"value": "ALARM", "timestamp": "1970-01-01T00:00:00.000+0000"}}
DATA = json.dumps({"triggeringAlarms": [CHILD]})


def row(**spec):
    return Row(Key("alarm", "0", "us-east-1", "c"), f"{ARN}c", "ALARM", AT, AT, spec, {"configured": 0.0})


def test_a_metric_alarm_says_what_it_watches():
    watched = {
        "MetricName": "m",
        "Namespace": "n",
        "Dimensions": [{"Name": "d", "Value": "v"}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 2,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 50.0,
        "Unit": "Percent",
        "TreatMissingData": "ignore",
    }
    said = notification(row(**watched), CHANGE)
    assert said["Trigger"] == {
        **{name: value for name, value in watched.items() if name not in ("Dimensions", "Statistic")},
        "Dimensions": [{"name": "d", "value": "v"}],
        "Statistic": "AVERAGE",
        "StatisticType": "Statistic",
        "EvaluateLowSampleCountPercentile": "",
    }
    assert said["Region"] == "US East (N. Virginia)"
    assert said["AlarmConfigurationUpdatedTimestamp"] == "1970-01-01T00:00:00.000+0000"
    assert subject(row(**watched), CHANGE) == 'ALARM: "c" in US East (N. Virginia)'


def test_a_composite_alarm_says_which_alarm_has_made_it_so():
    said = notification(row(AlarmRule="ALARM(a)"), {**CHANGE, "state": {**CHANGE["state"], "data": DATA}})
    moment = "1970-01-01T00:00:00.000+0000"
    assert said["TriggeringChildren"] == [{"Arn": f"{ARN}a", "State": {"Value": "ALARM", "Timestamp": moment}}]
    assert "Trigger" not in said


@pytest.mark.parametrize("data", ["", "{", "[]", '{"triggeringAlarms":1}', '{"triggeringAlarms":[{"arn":1}]}'])
def test_what_somebody_said_of_a_state_names_no_children(data):
    said = notification(row(AlarmRule="ALARM(a)"), {**CHANGE, "state": {**CHANGE["state"], "data": data}})
    assert "TriggeringChildren" not in said
