"""What is reported of a variant, and of a variant in one of its configurations."""

from __future__ import annotations

from clary.serving.metering import Meter, Place

DIMENSIONS = [{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "v"}]
OLD = Place("0", "us-east-1", "e", "v", config="old")
NEW = OLD._replace(config="new")


def of_config(name):
    return [*DIMENSIONS, {"Name": "EndpointConfigName", "Value": name}]


def test_while_two_versions_answer_each_is_counted_and_both_together():
    meter = Meter(lambda: 600.0)
    for place, status in ((OLD, 200), (OLD, 200), (NEW, 500)):
        meter.count(place, 1, status, 0.001, 0.002)
    ((_, _, data),) = meter.take()
    failed = [each for each in data if each["MetricName"] == "Invocation5XXErrors"]
    found = [(each["Dimensions"], dict(zip(each["Values"], each["Counts"], strict=True))) for each in failed]
    assert len(found) == 4
    assert (of_config("old"), {0.0: 2.0}) in found
    assert (of_config("new"), {1.0: 1.0}) in found
    assert [counts for dimensions, counts in found if dimensions == DIMENSIONS] == [{0.0: 2.0}, {1.0: 1.0}]


def test_one_of_several_containers_is_reported_by_its_name_alone():
    meter = Meter(lambda: 600.0)
    meter.count_container(NEW._replace(container="c"), 200, 0.001)
    ((_, _, data),) = meter.take()
    container = {"Name": "ContainerName", "Value": "c"}
    assert {tuple(d["Name"] for d in each["Dimensions"]) for each in data} == {
        ("EndpointName", "VariantName", "ContainerName")
    }
    assert all(container in each["Dimensions"] for each in data)
