"""Alarms as their controller brings them on: on a real store and real series, at times that the test says."""

import json
import time
from datetime import UTC, datetime

import pytest

from clary.alarms.rows import HISTORY_KIND, PENDING, State, key_of, moved
from clary.controllers.alarm import next_look
from clary.controllers.alarm_effects import AlarmController
from clary.errors import AWSError
from clary.store.rows import Query
from clary.telemetry.series import Datum, Metric
from clary.telemetry.summary import Summary

ACCOUNT, REGION = "000000000000", "us-east-1"
SCALE = "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:one"
TOPIC = "arn:aws:sns:us-east-1:000000000000:topic"


class Clock:
    """A time that stands still until it is put forward."""

    def __init__(self):
        self.now = 1_732_000_200.0

    def time(self):
        return self.now


class Scaling:
    """Carries actions out, or fails."""

    repeats = False

    def __init__(self):
        self.calls = []
        self.error = None

    def __call__(self, action):
        self.calls.append((action.arn, action.change["state"]["value"]))
        if self.error:
            raise self.error


class World:
    """An alarm controller, and the operations beside it."""

    def __init__(self, inner, monkeypatch):
        self.inner, self.clock, self.scaling = inner, Clock(), Scaling()
        for module in ("controllers.alarm_effects", "services.cloudwatch.alarm_rows", "services.cloudwatch.alarms"):
            monkeypatch.setattr(f"clary.{module}.time", self.clock)
        self.start()

    def start(self):
        self.controller = AlarmController(
            self.inner.store, self.inner.series, {"autoscaling": self.scaling}, self.inner.woken.append
        )
        self.controller.resume()

    def put(self, name="a", **more):
        params = {
            "AlarmName": name,
            "Namespace": "ns",
            "MetricName": "m",
            "Statistic": "Average",
            "Period": 10,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **more,
        }
        self.call("PutMetricAlarm", **{name: value for name, value in params.items() if value is not None})

    def call(self, operation, **params):
        answer = self.inner("cloudwatch", operation, **params)
        self.settle()
        return answer

    def settle(self):
        """Reconcile whatever was woken; the pauses that are wanted, by name."""
        pauses = {}
        while self.inner.woken:
            key = self.inner.woken.pop(0)
            self.controller.announce(key)
            pauses[key.name] = self.controller.reconcile(key)
        return pauses

    def datum(self, value):
        now = int(self.clock.now)
        self.inner.series.put(
            ACCOUNT, REGION, [Datum(Metric("ns", "m"), now, "None", Summary.of({value: 1.0}), 1)], now
        )

    def forward(self, seconds, *names):
        self.clock.now += seconds
        for name in names or ("a",):
            self.controller.reconcile(key_of(ACCOUNT, REGION, name))
        self.settle()

    def state(self, name="a"):
        return self.inner.store.read.get(key_of(ACCOUNT, REGION, name)).status

    def history(self, kind):
        query = Query(HISTORY_KIND, ACCOUNT, REGION, statuses=(kind,), descending=False)
        return [row.spec["summary"] for row in self.inner.store.read.page(query).rows]


@pytest.fixture
def world(inner, monkeypatch):
    return World(inner, monkeypatch)


def test_a_metric_alarm_follows_its_metric(world):
    world.put()
    assert world.state() == "INSUFFICIENT_DATA"
    world.datum(5.0)
    world.forward(12)
    assert world.state() == "ALARM"
    world.datum(0.5)
    world.forward(10)
    assert world.state() == "OK"
    world.forward(60)
    assert world.state() == "INSUFFICIENT_DATA"
    assert world.history("StateUpdate") == [
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to INSUFFICIENT_DATA",
    ]


def test_an_alarm_on_an_expression_follows_its_metrics(world):
    of = {"Metric": {"Namespace": "ns", "MetricName": "m"}, "Period": 10, "Stat": "Sum"}
    queries = [{"Id": "m1", "MetricStat": of, "ReturnData": False}, {"Id": "e", "Expression": "m1 * 10"}]
    without = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    world.put(Metrics=queries, Threshold=10.0, **without)
    world.datum(1.5)
    world.forward(12)
    assert world.state() == "ALARM"


def test_a_new_alarm_is_evaluated_at_once(world):
    world.datum(5.0)
    world.clock.now += 12
    world.put()
    assert world.state() == "ALARM"


def test_a_new_configuration_is_evaluated_at_once(world):
    world.datum(5.0)
    world.clock.now += 12
    world.put()
    world.put(Threshold=10.0)
    assert world.state() == "OK"


def test_a_state_that_was_set_lasts_until_the_next_look(world):
    world.put(Period=60)
    world.call("SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="test")
    world.forward(1)
    assert world.state() == "ALARM"
    world.forward(60)
    assert world.state() == "INSUFFICIENT_DATA"


def test_a_state_that_was_set_outlives_a_start_of_control(world):
    world.put(Period=60)
    world.call("SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="test")
    world.start()
    world.forward(1)
    assert world.state() == "ALARM"
    world.forward(60)
    assert world.state() == "INSUFFICIENT_DATA"


def test_nothing_is_read_of_an_alarm_that_stays_as_it_is(world, monkeypatch):
    world.put()
    monkeypatch.setattr(world.controller, "_store", None)
    world.forward(10)
    world.forward(10)


def test_an_alarm_that_was_deleted_is_looked_at_no_more(world):
    world.put()
    world.call("DeleteAlarms", AlarmNames=["a"])
    assert world.controller.reconcile(key_of(ACCOUNT, REGION, "a")) is None


def test_actions_are_carried_out_once_for_each_change(world):
    world.put(AlarmActions=[SCALE, TOPIC], OKActions=[SCALE])
    world.datum(5.0)
    world.forward(12)
    world.forward(10)
    assert world.scaling.calls == [(SCALE, "ALARM")]
    assert world.history("Action") == [
        f"Successfully executed action {SCALE}",
        f'Failed to execute action {TOPIC}. Received error: "Clary does not carry out actions of sns."',
    ]
    world.call("SetAlarmState", AlarmName="a", StateValue="OK", StateReason="test")
    assert world.scaling.calls[1:] == [(SCALE, "OK")]


def test_an_action_that_fails_is_remembered(world):
    world.scaling.error = AWSError("ValidationError", "No such policy")
    world.put(AlarmActions=[SCALE])
    world.call("SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="test")
    assert world.history("Action") == [f'Failed to execute action {SCALE}. Received error: "No such policy"']


def test_disabled_actions_are_not_carried_out(world):
    world.put(AlarmActions=[SCALE], ActionsEnabled=False)
    world.call("SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="test")
    assert world.scaling.calls == []
    assert world.history("StateUpdate") == ["Alarm updated from INSUFFICIENT_DATA to ALARM"]


def test_control_dies_between_a_change_and_its_actions(world):
    world.put(AlarmActions=[SCALE])
    key = key_of(ACCOUNT, REGION, "a")

    def change(transaction):
        moved(transaction, transaction.get(key), State("ALARM", "test"), world.clock.now)

    world.inner.store.write(change)
    world.start()
    world.controller.reconcile(key)
    assert world.scaling.calls == [(SCALE, "ALARM")]
    assert world.inner.store.read.get(key).state[PENDING] == []


def test_some_actions_are_repeated_while_the_alarm_stays_in_its_state(world):
    world.scaling.repeats = True
    world.put(AlarmActions=[SCALE], TreatMissingData="ignore")
    world.datum(5.0)
    for _ in range(13):
        world.forward(10)
    assert world.scaling.calls == [(SCALE, "ALARM")] * 3


def test_a_composite_alarm_follows_its_alarms(world):
    world.put("a")
    world.put("b", Threshold=10.0)
    world.call("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(a) AND NOT ALARM(b)", AlarmActions=[SCALE])
    world.call("PutCompositeAlarm", AlarmName="d", AlarmRule="ALARM(c)")
    assert [world.state("c"), world.state("d")] == ["OK", "OK"]
    world.datum(5.0)
    world.forward(12, "a", "b")
    assert [world.state("c"), world.state("d")] == ["ALARM", "ALARM"]
    assert world.scaling.calls == [(SCALE, "ALARM")]
    world.datum(50.0)
    world.forward(10, "a", "b")
    assert [world.state("c"), world.state("d")] == ["OK", "OK"]


def test_a_composite_alarm_that_was_set_waits_for_a_change(world):
    world.put("a")
    world.call("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(a)")
    world.call("SetAlarmState", AlarmName="c", StateValue="ALARM", StateReason="test")
    assert world.state("c") == "ALARM"
    world.call("SetAlarmState", AlarmName="a", StateValue="OK", StateReason="test")
    assert world.state("c") == "OK"


def test_a_new_rule_is_evaluated_at_once(world):
    world.call("PutCompositeAlarm", AlarmName="c", AlarmRule="TRUE")
    assert world.state("c") == "ALARM"
    world.call("PutCompositeAlarm", AlarmName="c", AlarmRule="FALSE")
    assert world.state("c") == "OK"


def test_alarms_that_depend_on_themselves_stay_as_they_are(world):
    world.call("PutCompositeAlarm", AlarmName="c", AlarmRule="TRUE")
    world.call("PutCompositeAlarm", AlarmName="d", AlarmRule="NOT ALARM(c)")
    world.call("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(d)")
    assert [world.state("c"), world.state("d")] == ["ALARM", "OK"]


def test_a_child_that_changed_while_control_was_away_is_seen(world):
    world.put("a")
    world.call("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(a)")
    world.inner("cloudwatch", "SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="test")
    world.inner.woken.clear()
    world.start()
    world.forward(0.1, "a", "c")
    assert world.state("c") == "ALARM"


def test_what_the_history_of_an_action_holds(world):
    world.put(AlarmActions=[SCALE])
    world.call("SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="test")
    (item,) = world.call("DescribeAlarmHistory", HistoryItemType="Action")["AlarmHistoryItems"]
    assert item["Timestamp"] == datetime.fromtimestamp(world.clock.now, UTC)
    assert json.loads(item["HistoryData"]) == {
        "actionState": "Succeeded",
        "stateUpdateTimestamp": int(world.clock.now * 1000),
        "notificationResource": SCALE,
        "publishedMessage": None,
        "error": None,
    }


def test_history_of_more_than_thirty_days_is_forgotten(world):
    world.put()
    world.clock.now += 31 * 86_400
    world.call("SetAlarmState", AlarmName="a", StateValue="OK", StateReason="test")
    assert world.history("ConfigurationUpdate") == []


@pytest.mark.parametrize(("period", "earliest", "latest"), [(10, 1.0, 2.0), (60, 6.0, 12.0), (3600, 30.0, 60.0)])
def test_looks_are_spread_soon_after_a_step(period, earliest, latest):
    looks = {next_look(f"alarm-{number}", period, 1_732_000_200.0) - 1_732_000_200.0 for number in range(200)}
    assert earliest <= min(looks) < max(looks) <= latest
    assert len(looks) == 10


def test_a_look_is_followed_by_the_next_step():
    now = time.time()
    first = next_look("a", 60, now)
    assert next_look("a", 60, first) == pytest.approx(first + 60)
