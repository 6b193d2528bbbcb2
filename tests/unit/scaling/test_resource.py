"""What is scaled, by its ResourceId."""

from __future__ import annotations

import pytest

from clary.scaling.resource import (
    CONCURRENCY,
    COPIES,
    DIMENSION,
    ScaledComponent,
    ScaledConcurrency,
    ScaledVariant,
    of,
    parse,
)
from clary.scaling.tracking import HIGH, alarm_params
from clary.serving.metering import Meter, Place


def test_variants_and_inference_components_are_told_apart():
    assert parse("endpoint/shop/variant/main") == ScaledVariant("shop", "main")
    assert parse("inference-component/model-1") == ScaledComponent("model-1")
    assert (ScaledVariant.dimension, ScaledComponent.dimension) == (DIMENSION, COPIES)


def test_instances_and_provisioned_concurrency_of_a_variant_are_told_apart_by_their_dimension():
    instances, concurrency = of("endpoint/shop/variant/main", None)
    assert (instances, concurrency) == (ScaledVariant("shop", "main"), ScaledConcurrency("shop", "main"))
    assert of("endpoint/shop/variant/main", CONCURRENCY) == (concurrency,)
    assert (parse(instances.target), parse(concurrency.target)) == (instances, concurrency)
    assert instances.resource_id == concurrency.resource_id
    assert instances != concurrency


@pytest.mark.parametrize("named", ["endpoint/shop", "endpoint/shop/variant/main:provisioned-concurrency", "service/x"])
def test_what_is_no_resource_of_a_clients_is_nothing(named):
    assert of(named, None) == ()


@pytest.mark.parametrize("resource", ["endpoint/shop", "inference-component/", "inference-component/a/b", "service/x"])
def test_nothing_else_is_scaled(resource):
    with pytest.raises(ValueError, match="nothing that is scaled"):
        parse(resource)


def test_copies_are_changed_by_the_component_that_they_are_of():
    operation, params = ScaledComponent("c").request(3)
    assert operation == "UpdateInferenceComponentRuntimeConfig"
    assert params == {"InferenceComponentName": "c", "DesiredRuntimeConfig": {"CopyCount": 3}}


def test_the_metric_of_copies_is_what_edges_report():
    meter = Meter()
    meter.count(Place("000000000000", "us-east-1", "e", "v", component="c"), 4, 200, 0.001, 0.002)
    [(_, _, data)] = meter.take()
    policy = {
        "TargetValue": 5.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"},
    }
    alarm = alarm_params(HIGH, ScaledComponent("c"), policy)
    found = [
        each["Values"]
        for each in data
        if (each["MetricName"], each["Dimensions"]) == (alarm["MetricName"], alarm["Dimensions"])
    ]
    assert found == [[0.25]]
