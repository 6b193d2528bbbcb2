"""How many requests each model has at once, as a metric of every ten seconds."""

from __future__ import annotations

from datetime import UTC, datetime

from clary.scaling.resource import ScaledComponent, ScaledVariant
from clary.scaling.tracking import HIGH, LOW, alarm_params
from clary.serving.concurrency import REMEMBERED, Concurrency
from clary.serving.routes import OnDemand, Route, Target, VariantRoute

OF_VARIANT = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
OF_COMPONENT = "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"


class World:
    """Routes, what their replicas have to do, and the time; of a component beside an endpoint."""

    def __init__(self, **more):
        targets = (Target(("c1",)), Target(("c2",)))
        self.variant = VariantRoute("v", 1.0, targets, **more)
        self.published = {
            "000000000000/us-east-1/e": Route((self.variant,)),
            "000000000000/us-east-1/inference-component/c": Route((self.variant,), endpoint="host"),
        }
        self.now = 1000.0
        self.waiting = [(0, 0), (0, 0)]

    def routes(self):
        return self.published

    def loads(self, variant):
        assert variant is self.variant
        return self.waiting


def found(meter):
    """Values and how often each came, by metric and second."""
    return {
        (each["MetricName"], each["Timestamp"].timestamp(), len(each["Dimensions"])): (each["Values"], each["Counts"])
        for _, _, data in meter.take()
        for each in data
    }


def test_every_second_counts_of_ten_and_every_replica():
    world = World()
    meter = Concurrency(world, lambda: world.now)
    for world.now, waiting in ((1000.0, 3), (1001.0, 1), (1010.0, 1)):
        world.waiting = [(waiting, 0), (1, 0)]
        meter.look()
    datapoints = found(meter)
    assert datapoints["ConcurrentRequestsPerModel", 1000.0, 2] == ([3.0, 1.0], [1.0, 3.0])
    assert datapoints["ConcurrentRequestsPerModel", 1010.0, 2] == ([1.0], [2.0])
    assert datapoints["ConcurrentRequestsPerCopy", 1010.0, 1] == ([1.0], [2.0])
    assert not found(meter)


def test_who_is_new_or_was_asked_between_two_looks_has_zeros_for_a_time_and_nothing_after_it():
    world = World()
    meter = Concurrency(world, lambda: world.now)
    for answers, began in ((0, 1000.0), (7, 5001.0)):
        world.waiting = [(0, answers), (0, 0)]
        for world.now in (began, began + REMEMBERED - 1):
            meter.look()
            [values] = {tuple(values) for values, _ in found(meter).values()}
            assert values == (0.0,)
        world.now += 1
        meter.look()
        assert not found(meter)


def test_replicas_on_demand_have_another_metric():
    world = World(on_demand=OnDemand(1, 0, 0))
    world.waiting = [(1, 0)]
    meter = Concurrency(world, lambda: world.now)
    meter.look()
    assert not found(meter)


def test_what_is_reported_is_what_alarms_of_high_resolution_look_at():
    world = World()
    world.waiting = [(1, 0)]
    meter = Concurrency(world, lambda: world.now)
    meter.look()
    [(account, region, data)] = meter.take()
    assert (account, region) == ("000000000000", "us-east-1")
    for resource, predefined in ((ScaledVariant("e", "v"), OF_VARIANT), (ScaledComponent("c"), OF_COMPONENT)):
        policy = {"TargetValue": 5.0, "PredefinedMetricSpecification": {"PredefinedMetricType": predefined}}
        high, low = (alarm_params(which, resource, policy) for which in (HIGH, LOW))
        assert (high["Period"], high["EvaluationPeriods"], high["Statistic"]) == (10, 3, "Average")
        assert (low["EvaluationPeriods"], low["Threshold"]) == (90, 4.5)
        [datum] = [
            each
            for each in data
            if (each["MetricName"], each["Dimensions"]) == (high["MetricName"], high["Dimensions"])
        ]
        assert (datum["StorageResolution"], datum["Timestamp"]) == (1, datetime.fromtimestamp(1000, UTC))
