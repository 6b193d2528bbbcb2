"""Alarms as their clients configure and read them."""

import json

import pytest

from clary.calls import Call
from clary.services.catalogue import REGISTRY

ARN = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:"
TOPIC = "arn:aws:sns:us-east-1:000000000000:topic"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


@pytest.fixture
def cloudwatch(inner):
    return inner.service("cloudwatch")


def members(name="a", **more):
    given = {
        "AlarmName": name,
        "Namespace": "ns",
        "MetricName": "m",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }
    return {member: value for member, value in given.items() if value is not None}


def put(cloudwatch, name="a", **more):
    cloudwatch.call("PutMetricAlarm", **members(name, **more))


def described(cloudwatch, **params):
    return cloudwatch.call("DescribeAlarms", **params)["MetricAlarms"]


def names(cloudwatch, **params):
    answer = cloudwatch.call("DescribeAlarms", **params)
    return [alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in answer[kind]]


def history(cloudwatch, **params):
    return cloudwatch.call("DescribeAlarmHistory", **params)["AlarmHistoryItems"]


def test_a_new_alarm_is_described_as_it_was_put(cloudwatch):
    dimensions = [{"Name": "InstanceId", "Value": "abc"}]
    put(cloudwatch, Dimensions=dimensions, OKActions=[TOPIC], TreatMissingData="ignore", Unit="Seconds")
    (alarm,) = described(cloudwatch)
    times = [alarm.pop(name) for name in list(alarm) if name.endswith("Timestamp")]
    assert len(times) == 3
    assert alarm == {
        **members(Dimensions=dimensions, OKActions=[TOPIC], TreatMissingData="ignore", Unit="Seconds"),
        "AlarmArn": f"{ARN}a",
        "ActionsEnabled": True,
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
    }


@pytest.mark.parametrize(
    ("changed", "code", "text"),
    [
        ({"ComparisonOperator": None}, "ValidationError", "PutMetricAlarm request should have a valid ComparisonOper"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "ValidationError", "a valid ComparisonOperator parameter"),
        ({"Threshold": None}, "ValidationError", "PutMetricAlarm request should have valid Threshold parameter"),
        ({"EvaluationPeriods": None}, "ValidationError", "should have an EvaluationPeriods parameter"),
        ({"Period": None}, "ValidationError", "PutMetricAlarm request should have a Period parameter"),
        ({"Period": 15}, "ValidationError", "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Statistic": None}, "ValidationError", "PutMetricAlarm request should have a Statistic parameter"),
        ({"ExtendedStatistic": "p90"}, "ValidationError", "with both Statistic and ExtendedStatistic parameters"),
        ({"Statistic": None, "ExtendedStatistic": "xx90"}, "InvalidParameterValue", "ExtendedStatistic"),
        ({"MetricName": None}, "ValidationError", "should have a MetricName parameter"),
        (
            {"DatapointsToAlarm": 2},
            "ValidationError",
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        ),
        ({"EvaluationPeriods": 1441}, "ValidationError", "Metrics cannot be checked across more than a day"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "ValidationError", "checked across more than a week"),
        ({"TreatMissingData": "odd"}, "ValidationError", "Supported values for TreatMissingData are breaching"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "ValidationError", "only for percentile statistics"),
        ({"AlarmActions": ["odd"]}, "ValidationError", "Invalid arn syntax: odd"),
        ({"AlarmName": "a\nb"}, "ValidationError", "AlarmName must not contain ASCII Control characters"),
        ({"Metrics": [{"Id": "e", "Expression": "m2"}]}, "ValidationError", "MetricName should not be set if list of"),
        ({"ThresholdMetricId": "t"}, "ValidationError", "Clary does not offer alarms on anomaly detection"),
        ({"Statistic": "Median"}, "ValidationException", "Member must satisfy enum value set"),
    ],
)  # fmt: skip
def test_alarms_that_are_refused(cloudwatch, changed, code, text):
    """Sentences that begin with "Clary" have no counterpart on AWS; the others have been published by people whom AWS
    has sent them."""
    found, message = cloudwatch.refusal("PutMetricAlarm", **members(**changed))
    assert found == code
    assert text in message


def of_math(*queries):
    return members(**dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period")), Metrics=list(queries))


def metric(id_, period=60, **more):
    of = {"Metric": {"Namespace": "ns", "MetricName": id_}, "Period": period, "Stat": "Sum"}
    return {"Id": id_, "MetricStat": of, "ReturnData": False, **more}


def test_an_alarm_on_an_expression(cloudwatch):
    asked = of_math(metric("m1"), metric("m2"), {"Id": "rate", "Expression": "100 * m1 / m2"})
    cloudwatch.call("PutMetricAlarm", **asked)
    (alarm,) = described(cloudwatch)
    assert alarm["Metrics"] == asked["Metrics"]
    assert not {"MetricName", "Dimensions", "Period"} & set(alarm)
    found = cloudwatch.call("DescribeAlarmsForMetric", Namespace="ns", MetricName="m1")
    assert found["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("queries", "text"),
    [
        ([metric("m1"), {"Id": "e", "Expression": "AVG(m1"}], "Error in expression 'e': the end is not expected"),
        ([metric("m1"), {"Id": "e", "Expression": "m1 / m2"}], "there is no query with the Id m2"),
        ([metric("m1"), {"Id": "e", "Expression": "AVG(m1)"}], "an alarm watches a single time series"),
        ([metric("m1"), {"Id": "e", "Expression": "METRICS()"}], "an alarm watches a single time series"),
        ([metric("m1"), metric("m2")], "Exactly one element of the metrics list should return data."),
        ([metric("m1"), metric("m2", 300, ReturnData=True)], "All metrics of an alarm must have the same period."),
        ([{"Id": "e", "Expression": "TIME_SERIES(1)"}], "has 1 to 10 metrics"),
        ([metric("m1", 15, ReturnData=True)], "Period must be 10, 20, 30 or a multiple of 60"),
        ([metric("m1", AccountId="111111111111", ReturnData=True)], "metrics of other accounts"),
    ],
)
def test_queries_of_alarms_that_are_refused(cloudwatch, queries, text):
    code, message = cloudwatch.refusal("PutMetricAlarm", **of_math(*queries))
    assert code == "ValidationError"
    assert text in message


def test_a_changed_alarm_keeps_its_state_and_its_tags(cloudwatch):
    put(cloudwatch, Tags=[{"Key": "k", "Value": "v"}])
    cloudwatch.call("SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="test")
    put(cloudwatch, Threshold=2.0, Tags=[{"Key": "other", "Value": "v"}])
    (alarm,) = described(cloudwatch)
    assert (alarm["Threshold"], alarm["StateValue"], alarm["StateReason"]) == (2.0, "ALARM", "test")
    tags = cloudwatch.call("ListTagsForResource", ResourceARN=f"{ARN}a")["Tags"]
    assert tags == [{"Key": "k", "Value": "v"}]


def test_alarms_are_found_by_name_state_action_and_type(cloudwatch):
    for name, actions in (("a1", [TOPIC]), ("a2", [FUNCTION]), ("b", [])):
        put(cloudwatch, name, AlarmActions=actions)
    cloudwatch.call("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(a1)")
    cloudwatch.call("SetAlarmState", AlarmName="b", StateValue="OK", StateReason="test")
    assert names(cloudwatch) == ["a1", "a2", "b"]
    assert names(cloudwatch, AlarmNames=["c", "b", "gone"]) == ["b"]
    assert names(cloudwatch, AlarmNames=["c", "b"], AlarmTypes=["CompositeAlarm"]) == ["c"]
    assert names(cloudwatch, AlarmNamePrefix="a") == ["a1", "a2"]
    assert names(cloudwatch, StateValue="OK") == ["b"]
    assert names(cloudwatch, ActionPrefix="arn:aws:lambda") == ["a2"]
    assert names(cloudwatch, AlarmTypes=["CompositeAlarm", "MetricAlarm"]) == ["a1", "a2", "b", "c"]
    assert names(cloudwatch, ChildrenOfAlarmName="c") == ["a1"]
    assert names(cloudwatch, ParentsOfAlarmName="a1") == ["c"]


def test_more_alarms_than_a_page_holds_come_with_a_token(cloudwatch):
    for number in range(5):
        put(cloudwatch, f"a{number}")
    seen, token = [], {}
    while token is not None:
        answer = cloudwatch.call("DescribeAlarms", MaxRecords=2, **token)
        seen.append([alarm["AlarmName"] for alarm in answer["MetricAlarms"]])
        token = {"NextToken": answer["NextToken"]} if "NextToken" in answer else None
    assert seen == [["a0", "a1"], ["a2", "a3"], ["a4"]]
    assert cloudwatch.refusal("DescribeAlarms", NextToken="odd")[0] == "InvalidNextToken"


def test_alarms_of_a_metric(cloudwatch):
    dimensions = [{"Name": "d", "Value": "1"}, {"Name": "c", "Value": "2"}]
    put(cloudwatch, "plain")
    put(cloudwatch, "other", Dimensions=dimensions, Period=300)

    def of_metric(**params):
        found = cloudwatch.call("DescribeAlarmsForMetric", Namespace="ns", MetricName="m", **params)
        return [alarm["AlarmName"] for alarm in found["MetricAlarms"]]

    assert of_metric() == ["plain"]
    assert of_metric(Dimensions=dimensions[::-1]) == ["other"]
    assert of_metric(Dimensions=dimensions, Period=60) == []
    assert of_metric(Statistic="Average", Period=60) == ["plain"]


def test_a_state_that_is_set_is_remembered(cloudwatch, inner):
    put(cloudwatch, AlarmActions=[TOPIC])
    data = json.dumps({"because": 1})
    params = {"AlarmName": "a", "StateValue": "ALARM", "StateReason": "test", "StateReasonData": data}
    cloudwatch.call("SetAlarmState", **params)
    cloudwatch.call("SetAlarmState", **{**params, "StateReason": "again"})
    (alarm,) = described(cloudwatch)
    assert (alarm["StateValue"], alarm["StateReason"], alarm["StateReasonData"]) == ("ALARM", "again", data)
    (item,) = history(cloudwatch, HistoryItemType="StateUpdate")
    assert item["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"
    assert json.loads(item["HistoryData"]) == {
        "version": "1.0",
        "oldState": {"stateValue": "INSUFFICIENT_DATA", "stateReason": "Unchecked: Initial alarm creation"},
        "newState": {"stateValue": "ALARM", "stateReason": "test", "stateReasonData": {"because": 1}},
    }
    assert {key.name for key in inner.woken} == {"a"}


def test_states_that_cannot_be_set(cloudwatch):
    """As localstack recorded them from AWS: the message of ResourceNotFound is empty."""
    given = {"AlarmName": "a", "StateValue": "ALARM", "StateReason": "test"}
    assert cloudwatch.refusal("SetAlarmState", **given) == ("ResourceNotFound", "")
    put(cloudwatch)
    for data in ("{", "[" * 4000):
        assert cloudwatch.refusal("SetAlarmState", **given, StateReasonData=data)[0] == "InvalidFormat"
    code, message = cloudwatch.refusal("SetAlarmState", **{**given, "StateValue": "INVALID"})
    assert code == "ValidationException"  # ValidationError on the wire
    assert "Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy enum" in message


def test_actions_are_switched_off_and_on(cloudwatch):
    put(cloudwatch)
    cloudwatch.call("DisableAlarmActions", AlarmNames=["a", "gone"])
    assert [alarm["ActionsEnabled"] for alarm in described(cloudwatch)] == [False]
    cloudwatch.call("EnableAlarmActions", AlarmNames=["a"])
    assert [alarm["ActionsEnabled"] for alarm in described(cloudwatch)] == [True]


def test_history_outlives_the_alarm(cloudwatch):
    put(cloudwatch)
    put(cloudwatch, Threshold=3.0)
    cloudwatch.call("DeleteAlarms", AlarmNames=["a"])
    items = history(cloudwatch, AlarmName="a", HistoryItemType="ConfigurationUpdate")
    assert [item["HistorySummary"] for item in items] == [
        'Alarm "a" deleted',
        'Alarm "a" updated',
        'Alarm "a" created',
    ]
    assert json.loads(items[1]["HistoryData"])["updatedAlarm"]["threshold"] == 3.0
    assert history(cloudwatch, ScanBy="TimestampAscending", MaxRecords=1)[0]["HistorySummary"] == 'Alarm "a" created'
    assert history(cloudwatch, AlarmName="b") == []
    assert history(cloudwatch, EndDate=items[2]["Timestamp"]) == [items[2]]
    assert history(cloudwatch, StartDate=items[0]["Timestamp"]) == [items[0]]


def test_deleting_is_all_or_nothing(cloudwatch):
    put(cloudwatch)
    assert cloudwatch.refusal("DeleteAlarms", AlarmNames=["a", "gone"]) == ("ResourceNotFound", "")
    assert names(cloudwatch) == ["a"]


def test_an_alarm_that_a_rule_names_is_not_deleted(cloudwatch):
    put(cloudwatch)
    cloudwatch.call("PutCompositeAlarm", AlarmName="c", AlarmRule=f'NOT ALARM("{ARN}a")')
    code, message = cloudwatch.refusal("DeleteAlarms", AlarmNames=["a"])
    assert (code, message) == (
        "ValidationError",
        "Cannot delete a as there are composite alarm(s) depending on it.",
    )
    cloudwatch.call("DeleteAlarms", AlarmNames=["c"])
    cloudwatch.call("DeleteAlarms", AlarmNames=["a"])


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("ALARM(gone) OR OK(lost)", "Could not save the composite alarm as alarms [gone, lost] in the alarm rule"),
        (" TRUE", "AlarmRule must not contain leading or trailing whitespace or be null"),
        ("ALARM(", "Error in AlarmRule at position 6"),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:000000000000:alarm:a)", "is no alarm of this account and Region"),
        ("ALARM(arn:aws:sns:us-east-1:000000000000:a)", "is no alarm of this account and Region"),
    ],
)  # fmt: skip
def test_rules_that_are_refused(cloudwatch, rule, text):
    code, message = cloudwatch.refusal("PutCompositeAlarm", AlarmName="c", AlarmRule=rule)
    assert code == "ValidationError"
    assert text in message


def test_suppression_of_actions_is_refused(cloudwatch):
    code, message = cloudwatch.refusal(
        "PutCompositeAlarm", AlarmName="c", AlarmRule="TRUE", ActionsSuppressor="a", ActionsSuppressorWaitPeriod=1
    )
    assert (code, "Clary does not offer" in message) == ("ValidationError", True)


def test_a_name_is_of_one_type(cloudwatch):
    put(cloudwatch)
    assert cloudwatch.refusal("PutCompositeAlarm", AlarmName="a", AlarmRule="TRUE")[0] == "ValidationError"


def test_tags_of_alarms(cloudwatch):
    put(cloudwatch)
    arn = {"ResourceARN": f"{ARN}a"}
    cloudwatch.call("TagResource", **arn, Tags=[{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}])
    cloudwatch.call("UntagResource", **arn, TagKeys=["b", "gone"])
    assert cloudwatch.call("ListTagsForResource", **arn)["Tags"] == [{"Key": "a", "Value": "2"}]
    cloudwatch.call("DeleteAlarms", AlarmNames=["a"])
    assert cloudwatch.call("ListTagsForResource", **arn)["Tags"] == []
    assert cloudwatch.refusal("TagResource", **arn, Tags=[])[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("operation", "params", "resources"),
    [
        ("PutMetricAlarm", {"AlarmName": "a"}, [f"{ARN}a"]),
        ("SetAlarmState", {"AlarmName": "a"}, [f"{ARN}a"]),
        ("DeleteAlarms", {"AlarmNames": ["a", "b"]}, [f"{ARN}a", f"{ARN}b"]),
        ("DescribeAlarms", {}, [f"{ARN}*"]),
        ("TagResource", {"ResourceARN": f"{ARN}a"}, [f"{ARN}a"]),
        ("DescribeAlarmsForMetric", {}, ["*"]),
        ("EnableAlarmActions", {"AlarmNames": []}, ["arn:aws:cloudwatch:us-east-1:000000000000:alarm:*"]),
    ],
)
def test_rights_are_on_alarms(inner, operation, params, resources):
    call = Call(inner.principal, "cloudwatch", operation, params, "us-east-1")
    needed = REGISTRY.services["cloudwatch"].access(call)
    assert [(access.action, access.resource) for access in needed] == [
        (f"cloudwatch:{operation}", resource) for resource in resources
    ]
