"""Scalable targets as their controllers bring them on, with real alarms, on a real store: nothing is scaled twice."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clary.alarms.rows import KIND as ALARM_KIND
from clary.controllers.alarm_effects import AlarmController
from clary.controllers.loop import Again
from clary.controllers.scaling import LASTS_SECONDS
from clary.controllers.scaling_actions import ScaleByPolicy
from clary.controllers.scaling_effects import ScalingController
from clary.controllers.scaling_schedule import ScheduleController
from clary.errors import AWSError, ServiceUnavailable
from clary.scaling.resource import CONCURRENCY, DIMENSION, ScaledVariant
from clary.scaling.rows import SCHEDULED_KIND, TARGET_KIND, target_key
from clary.scaling.tracking import HIGH, alarm_params
from clary.serving.metering import Meter, Place
from clary.store.rows import Key, Row, Stale
from clary.telemetry.series import Datum, Metric
from clary.telemetry.summary import Summary

ACCOUNT, REGION = "000000000000", "us-east-1"
ENDPOINT = Key("endpoint", ACCOUNT, REGION, "shop")
RESOURCE = "endpoint/shop/variant/main"
NAMED = {"ServiceNamespace": "sagemaker", "ResourceId": RESOURCE, "ScalableDimension": DIMENSION}
TRACK = {
    "TargetValue": 100.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}
ADD_ONE = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    "Cooldown": 0,
}
CHANGES = "UpdateEndpointWeightsAndCapacities"


class Clock:
    """A time that stands still until it is put forward."""

    def __init__(self):
        self.now = datetime.now(UTC).timestamp() // 60 * 60

    def time(self):
        return self.now


class World:
    """An endpoint that has a row and no containers, and what scales it."""

    def __init__(self, inner, monkeypatch):
        self.inner, self.clock, self.asked, self.dies = inner, Clock(), [], ""
        for module in ("alarm_effects", "scaling_effects", "scaling_actions", "scaling_schedule"):
            monkeypatch.setattr(f"clary.controllers.{module}.time", self.clock)
        for module in ("alarm_rows", "alarms"):
            monkeypatch.setattr(f"clary.services.cloudwatch.{module}.time", self.clock)
        self.endpoint()
        self.start()

    def endpoint(self, count=1, **more):
        variant = {"name": "main", "weight": 1.0, "desired_count": count, "replicas": [], **more}
        state = {"current": {"config": "c", "variants": [variant]}, "next": None}
        made = datetime.now(UTC)
        row = Row(ENDPOINT, "arn:endpoint", "InService", made, made, {}, state, target="InService")
        self.inner.store.write(lambda transaction: transaction.insert(row))

    def start(self):
        store, wake = self.inner.store, self.inner.woken.append
        scaling = ScaleByPolicy(store, wake)
        self.controllers = {
            TARGET_KIND: ScalingController(store, self.invoke),
            SCHEDULED_KIND: ScheduleController(store, wake),
            ALARM_KIND: AlarmController(store, self.inner.series, {"autoscaling": scaling}, wake),
        }
        for controller in self.controllers.values():
            self.inner.woken += controller.resume()

    def invoke(self, call):
        """The inner door, in front of which control may die."""
        self.asked.append(call.operation)
        if self.dies == f"before {call.operation}":
            raise ServiceUnavailable("killed")
        answer = self.inner.door(call)
        if self.dies == f"after {call.operation}":
            raise ServiceUnavailable("killed")
        return answer

    def call(self, operation, **params):
        named = {} if operation.startswith("Describe") else NAMED
        return self.inner("application-autoscaling", operation, **{**named, **params})

    def register(self, least=1, most=4, **more):
        self.call("RegisterScalableTarget", MinCapacity=least, MaxCapacity=most, **more)
        self.settle()

    def step_policy(self, **config):
        arn = self.call(
            "PutScalingPolicy",
            PolicyName="steps",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={**ADD_ONE, **config},
        )["PolicyARN"]
        self.inner(
            "cloudwatch",
            "PutMetricAlarm",
            AlarmName="slow",
            Namespace="ns",
            MetricName="m",
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=10.0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
            AlarmActions=[arn],
        )
        self.settle()

    def alarm(self, name="slow", value="ALARM", points=()):
        data = {"StateReasonData": json.dumps({"recentDatapoints": list(points)})} if points else {}
        self.inner(
            "cloudwatch", "SetAlarmState", AlarmName=name, StateValue=value, StateReason=str(self.clock.now), **data
        )
        self.settle()

    def settle(self):
        """Reconcile whatever was woken; the endpoint does as it is told."""
        while self.inner.woken:
            key = self.inner.woken.pop(0)
            controller = self.controllers.get(key.kind)
            if key.kind == ALARM_KIND:
                controller.announce(key)
            if controller:
                with suppress(Again, Stale):
                    controller.reconcile(key)
            if key == ENDPOINT:
                self.fulfil()

    def fulfil(self):
        row = self.row()
        if row is not None and row.state["next"]:
            state = {**row.state, "current": row.state["next"], "next": None}
            self.inner.store.write(lambda transaction: transaction.save(replace(row, status="InService", state=state)))
            self.inner.woken += self.controllers[TARGET_KIND].targets_of(ENDPOINT)

    def row(self):
        return self.inner.store.read.get(ENDPOINT)

    def count(self):
        return self.row().state["current"]["variants"][0]["desired_count"]

    def restart(self):
        """Whoever died is started again."""
        self.dies = ""
        self.start()
        self.settle()

    def busy(self, status):
        row = self.row()
        self.inner.store.write(lambda transaction: transaction.save(replace(row, status=status)))
        self.inner.woken.append(target_key(ACCOUNT, REGION, RESOURCE))
        self.settle()

    def activities(self, **params):
        found = self.call("DescribeScalingActivities", ServiceNamespace="sagemaker", **params)
        return found["ScalingActivities"]


@pytest.fixture
def world(inner, monkeypatch):
    return World(inner, monkeypatch)


def test_new_bounds_are_enforced_with_awss_words(world):
    world.register(least=2)
    assert world.count() == 2
    [activity] = world.activities(ResourceId=RESOURCE)
    assert activity["Cause"] == "minimum capacity was set to 2"
    assert activity["Description"] == "Setting desired instance count to 2."
    assert activity["StatusMessage"] == (
        "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker."
    )
    assert activity["StatusCode"] == "Successful"
    assert activity["EndTime"] >= activity["StartTime"]


def test_provisioned_concurrency_is_scaled_by_its_utilization(world, monkeypatch):
    world.inner.store.write(lambda transaction: transaction.delete(ENDPOINT))
    world.endpoint(serverless={"memory_mb": 1024, "max_concurrency": 8, "provisioned": 2, "failures": 0, "said": ""})
    with pytest.raises(AWSError, match="no instance count that can be scaled"):
        world.register()
    monkeypatch.setitem(NAMED, "ScalableDimension", CONCURRENCY)
    world.register(most=6)
    utilization = {"PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"}
    made = track(world, "tracks", {"TargetValue": 0.5, "PredefinedMetricSpecification": utilization})
    high = made["Alarms"][0]["AlarmName"]
    (alarm,) = world.inner("cloudwatch", "DescribeAlarms", AlarmNames=[high])["MetricAlarms"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("ServerlessProvisionedConcurrencyUtilization", "Average")
    world.alarm(high, points=[1.0, 1.0, 1.0])
    (variant,) = world.row().state["current"]["variants"]
    assert variant["serverless"]["provisioned"] == 4
    for operation in ("DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScalingActivities"):
        (found,) = next(iter(world.call(operation, ServiceNamespace="sagemaker").values()))
        assert (found["ResourceId"], found["ScalableDimension"]) == (RESOURCE, CONCURRENCY)
    of_instances = {"ResourceId": RESOURCE, "ScalableDimension": DIMENSION}
    assert not world.activities(**of_instances)
    assert world.activities(ResourceId=RESOURCE)


def test_target_tracking_scales_by_the_two_alarms_that_it_has(world):
    world.register()
    config = {**TRACK, "ScaleOutCooldown": 0, "ScaleInCooldown": 0}
    made = track(world, "tracks", config)
    high, low = (alarm["AlarmName"] for alarm in made["Alarms"])
    alarms = world.inner("cloudwatch", "DescribeAlarms", AlarmNames=[high, low])["MetricAlarms"]
    kept = [(alarm["EvaluationPeriods"], alarm["Threshold"], alarm["ComparisonOperator"]) for alarm in alarms]
    assert kept == [(3, 100.0, "GreaterThanThreshold"), (15, 90.0, "LessThanThreshold")]
    world.alarm(high, points=[101.0, 110.0, 280.0])
    assert world.count() == 3
    world.clock.now += 1
    world.alarm(high, "OK")
    world.alarm(low, points=[10.0] * 15)
    assert world.count() == 1
    assert [each["Cause"] for each in world.activities()] == [
        f"monitor alarm {low} in state ALARM triggered policy tracks",
        f"monitor alarm {high} in state ALARM triggered policy tracks",
    ]
    assert [each["Alarms"] for each in policies(world)] == [made["Alarms"]]
    world.call("DeleteScalingPolicy", PolicyName="tracks")
    assert not world.inner("cloudwatch", "DescribeAlarms")["MetricAlarms"]


def track(world, name, config):
    return world.call(
        "PutScalingPolicy",
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=config,
    )


def policies(world):
    return world.call("DescribeScalingPolicies", ServiceNamespace="sagemaker")["ScalingPolicies"]


def test_a_policy_that_is_put_again_has_the_same_alarms(world):
    world.register()
    asked = {"PolicyName": "tracks", "PolicyType": "TargetTrackingScaling"}
    first = world.call("PutScalingPolicy", TargetTrackingScalingPolicyConfiguration=TRACK, **asked)
    again = world.call(
        "PutScalingPolicy", TargetTrackingScalingPolicyConfiguration={**TRACK, "TargetValue": 7}, **asked
    )
    assert again == first
    found = world.inner("cloudwatch", "DescribeAlarms", AlarmNamePrefix="TargetTracking-")["MetricAlarms"]
    assert sorted(alarm["Threshold"] for alarm in found) == [6.3, 7.0]


def test_instances_go_only_when_all_policies_that_track_would_let_them(world):
    world.register(least=1)
    world.inner.store.write(lambda t: t.delete(ENDPOINT))
    world.endpoint(count=3)
    world.register()
    own = {"Namespace": "ns", "MetricName": "m", "Statistic": "Average"}
    lows = []
    for name, spec in (("a", TRACK), ("b", {"TargetValue": 5.0, "CustomizedMetricSpecification": own})):
        made = track(world, name, {**spec, "ScaleInCooldown": 0})
        lows.append(made["Alarms"][1]["AlarmName"])
    world.settle()
    world.alarm(lows[0])
    assert world.count() == 3
    world.alarm(lows[1])
    assert world.count() == 2


def test_an_alarm_that_stays_calls_again_each_minute_and_no_oftener(world):
    world.register(most=10)
    world.step_policy()
    world.alarm()
    assert world.count() == 2
    counts = []
    for seconds in (20, 20, 20, 60, 60):
        world.clock.now += seconds
        world.inner.woken.append(Key(ALARM_KIND, ACCOUNT, REGION, "slow"))
        world.settle()
        counts.append(world.count())
    assert counts == [2, 2, 2, 3, 4]


def test_an_alarm_that_calls_again_tells_what_its_metric_is_now(world):
    world.register(most=10)
    low = {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1}
    world.step_policy(StepAdjustments=[low, {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 3}])
    counts = []
    for value in (15.0, 40.0):
        minute = int(world.clock.now)
        datum = Datum(Metric("ns", "m"), minute, "None", Summary.of({value: 1.0}), 60)
        world.inner.series.put(ACCOUNT, REGION, [datum], minute)
        world.clock.now += 60
        for seconds in (15, -15):
            world.clock.now += seconds
            world.inner.woken.append(Key(ALARM_KIND, ACCOUNT, REGION, "slow"))
            world.settle()
        counts.append(world.count())
    assert counts == [2, 5]


@pytest.mark.parametrize("moment", [f"before {CHANGES}", f"after {CHANGES}"])
def test_control_killed_around_the_change_scales_once(world, moment):
    world.register()
    world.step_policy()
    world.dies = moment
    world.alarm()
    world.restart()
    assert world.count() == 2
    assert world.asked.count(CHANGES) >= 2
    assert [each["StatusCode"] for each in world.activities()] == ["Successful"]


def test_a_change_of_an_alarm_that_is_heard_twice_counts_once(world, monkeypatch):
    """Control was killed after the action, before that was written down."""
    world.register()
    world.step_policy()
    written = AlarmController._carry_out

    def killed(controller, watch):
        pending = watch.row.state.get("pending")
        if pending:
            for arn in pending[0]["actions"]:
                controller._act(watch.row, arn, pending[0])
        return False

    monkeypatch.setattr(AlarmController, "_carry_out", killed)
    world.alarm()
    monkeypatch.setattr(AlarmController, "_carry_out", written)
    world.restart()
    assert world.count() == 2


def test_an_endpoint_that_is_updating_is_waited_for(world):
    world.register()
    world.step_policy()
    world.busy("Updating")
    world.alarm()
    assert world.count() == 1
    world.busy("InService")
    assert world.count() == 2


def test_what_an_alarm_said_long_ago_holds_no_more(world):
    world.register()
    world.step_policy()
    world.busy("Updating")
    world.alarm()
    world.clock.now += LASTS_SECONDS + 1
    world.busy("InService")
    assert world.count() == 1


def test_at_the_maximum_it_says_so_once(world):
    world.register(most=1)
    world.step_policy()
    for value in ("ALARM", "OK", "ALARM"):
        world.clock.now += 1
        world.alarm(value=value)
    assert world.activities() == []
    [activity] = world.activities(IncludeNotScaledActivities=True)
    assert activity["Description"] == "Attempting to scale due to alarm triggered"
    assert activity["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 1}]
    assert activity["StatusCode"] == "Failed"


def test_a_change_that_is_refused_is_a_failed_activity(world):
    world.register(least=1_000_000, most=1_000_000)
    [activity] = world.activities()
    assert activity["StatusCode"] == "Failed"
    assert activity["StatusMessage"].startswith(
        "Failed to set desired instance count to 1000000. Reason: The account-level service limit"
    )
    assert world.count() == 1


def test_a_deleted_endpoint_takes_everything_with_it(world):
    world.register()
    world.step_policy()
    track(world, "tracks", TRACK)
    world.inner.store.write(lambda transaction: transaction.delete(ENDPOINT))
    world.inner.woken += world.controllers[TARGET_KIND].targets_of(ENDPOINT)
    world.settle()
    assert not world.call("DescribeScalableTargets", ServiceNamespace="sagemaker")["ScalableTargets"]
    assert not policies(world)
    left = world.inner("cloudwatch", "DescribeAlarms")["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in left] == ["slow"]


def test_a_scheduled_action_sets_bounds_when_it_is_due(world):
    world.register()
    world.call(
        "PutScheduledAction",
        ScheduledActionName="noon",
        Schedule="rate(1 minute)",
        ScalableTargetAction={"MinCapacity": 3, "MaxCapacity": 5},
    )
    world.settle()
    assert world.count() == 1
    world.clock.now += 121
    world.restart()
    assert world.count() == 3
    [target] = world.call("DescribeScalableTargets", ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 5)
    causes = [each["Cause"] for each in world.activities()]
    assert sorted(causes) == ["minimum capacity was set to 3", "scheduled action name noon was triggered"]


def test_a_suspended_schedule_does_nothing(world):
    world.register(SuspendedState={"ScheduledScalingSuspended": True})
    world.call(
        "PutScheduledAction",
        ScheduledActionName="noon",
        Schedule="rate(1 minute)",
        ScalableTargetAction={"MinCapacity": 3},
    )
    world.clock.now += 121
    world.restart()
    assert world.count() == 1
    assert not world.activities()


def test_rubbish_in_a_state_that_was_set_scales_by_one(world):
    world.register(most=10)
    world.step_policy()
    rubbish = ["NaN", '["1e999"]', '{"recentDatapoints": [NaN, 1e999, "x", null]}', "[]", "7"]
    for count, data in enumerate(rubbish, 2):
        world.clock.now += 1
        world.alarm(value="OK")
        asked = {"AlarmName": "slow", "StateValue": "ALARM", "StateReason": "r", "StateReasonData": data}
        world.inner("cloudwatch", "SetAlarmState", **asked)
        world.settle()
        assert world.count() == count


def test_an_alarm_that_its_user_needs_stays_when_its_target_goes(world):
    world.register()
    high = track(world, "tracks", TRACK)["Alarms"][0]["AlarmName"]
    world.inner("cloudwatch", "PutCompositeAlarm", AlarmName="mine", AlarmRule=f'ALARM("{high}")')
    world.call("DeregisterScalableTarget")
    left = world.inner("cloudwatch", "DescribeAlarms")["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in left] == [high]


def test_an_activity_of_a_target_that_goes_is_over(world):
    world.register()
    world.step_policy()
    world.dies = f"before {CHANGES}"
    world.alarm()
    [activity] = world.activities()
    assert activity["StatusCode"] == "Pending"
    world.call("DeregisterScalableTarget")
    [activity] = world.activities()
    assert activity["StatusCode"] == "Overridden"
    assert activity["EndTime"]


def test_a_rollback_that_has_failed_ends_what_is_under_way(world):
    world.register()
    world.step_policy()
    world.dies = f"before {CHANGES}"
    world.alarm()
    world.dies = ""
    world.busy("UpdateRollbackFailed")
    [activity] = world.activities()
    assert activity["StatusCode"] == "Failed"
    assert activity["StatusMessage"].startswith("Failed to set desired instance count to 2. Reason: ")


def test_the_metric_that_is_tracked_is_what_edges_report(world):
    meter = Meter(world.clock.time)
    meter.count(Place(ACCOUNT, REGION, "shop", "main", config="c"), 2, 200, 0.001, 0.002)
    [(_, _, data)] = meter.take()
    alarm = alarm_params(HIGH, ScaledVariant("shop", "main"), TRACK)
    assert alarm["Namespace"] == "AWS/SageMaker"
    found = [
        each for each in data if (each["MetricName"], each["Dimensions"]) == (alarm["MetricName"], alarm["Dimensions"])
    ]
    assert [each["Values"] for each in found] == [[0.5]]
