"""Sums of what APIs have answered, as CloudWatch's data."""

from __future__ import annotations

from clary.apis.metering import ApiMeter, Place

REST = Place("000000000000", "us-east-1", ("ApiName", "houses"), "prod")
HTTP = Place("000000000000", "us-east-1", ("ApiId", "abc"), "$default")


def taken(meter: ApiMeter) -> dict[tuple[str, int], dict[float, float]]:
    """Values and how often they came, by the metric's name and the number of its dimensions."""
    data = [datum for _, _, data in meter.take() for datum in data]
    return {
        (datum["MetricName"], len(datum["Dimensions"])): dict(zip(datum["Values"], datum["Counts"], strict=True))
        for datum in data
    }


def test_errors_are_shares_of_all_requests() -> None:
    meter = ApiMeter(lambda: 120.0)
    for status in (200, 200, 404, 502):
        meter.count(REST, status, 0.0123, None)
    found = taken(meter)
    for dimensions in (1, 2):
        assert found["Count", dimensions] == {1.0: 4.0}
        assert found["4XXError", dimensions] == {0.0: 3.0, 1.0: 1.0}
        assert found["5XXError", dimensions] == {0.0: 3.0, 1.0: 1.0}
        assert found["Latency", dimensions] == {12.0: 4.0}
    assert ("IntegrationLatency", 1) not in found
    assert taken(meter) == {}


def test_http_apis_have_names_of_their_own_and_integrations_their_time() -> None:
    meter = ApiMeter(lambda: 120.0)
    meter.count(HTTP, 503, 0.5, 0.4567)
    found = taken(meter)
    assert found["5xx", 2] == {1.0: 1.0}
    assert found["IntegrationLatency", 1] == {460.0: 1.0}
