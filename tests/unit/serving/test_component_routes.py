"""Which route answers a request that names an inference component, or none."""

from __future__ import annotations

import pytest

from clary.calls import Call, Principal
from clary.errors import AWSError
from clary.services.sagemaker_runtime.components import component_route
from clary.serving.metering import Meter
from clary.serving.router import Router, UnknownEndpoint
from clary.serving.routes import Route, RouteTable, Target, VariantRoute, component_id, endpoint_id

ACCOUNT, REGION = "123456789012", "us-east-1"
ARN = f"arn:aws:iam::{ACCOUNT}:root"
CALL = Call(Principal("root", ACCOUNT, ARN, ARN, ACCOUNT), "sagemaker-runtime", "InvokeEndpoint", {}, REGION)
ANSWERS = (VariantRoute("v", 1.0, (Target(("c1",)),)),)
EMPTY = (VariantRoute("v", 1.0, ()),)


@pytest.fixture
async def router(tmp_path, servers):
    RouteTable(tmp_path).replace(
        {
            endpoint_id(ACCOUNT, REGION, "hosts"): Route(EMPTY, hosts_components=True),
            endpoint_id(ACCOUNT, REGION, "other"): Route(EMPTY, hosts_components=True),
            endpoint_id(ACCOUNT, REGION, "classic"): Route(ANSWERS),
            component_id(ACCOUNT, REGION, "one"): Route(ANSWERS, endpoint="hosts"),
            component_id(ACCOUNT, REGION, "idle"): Route(EMPTY, endpoint="hosts", idle=True),
        }
    )
    made = Router(tmp_path, servers.dial)
    yield made
    made.close()


def asked(router, endpoint, component=None, meter=None):
    route = router.route(ACCOUNT, REGION, endpoint)
    return component_route(router, meter or Meter(), CALL, route, endpoint, component)


async def test_a_component_answers_through_its_endpoint(router):
    assert asked(router, "hosts", "one").variants == ANSWERS
    assert asked(router, "classic").variants == ANSWERS


@pytest.mark.parametrize(
    ("endpoint", "component", "said"),
    [
        ("hosts", None, "Inference Component Name header is required for endpoints to which you plan to deploy"),
        ("classic", "one", "Inference Component Name header is not allowed for endpoints to which you dont plan"),
        ("other", "one", "Inference Component one of endpoint other"),
        ("hosts", "none", "Inference Component none of endpoint hosts"),
        ("hosts", "idle", "Inference Component has no capacity to process this request."),
    ],
)
async def test_what_cannot_answer_is_refused_in_awss_words(router, endpoint, component, said):
    with pytest.raises(AWSError, match=said) as refused:
        asked(router, endpoint, component)
    assert refused.value.code == "ValidationError"


async def test_a_request_to_a_component_without_copies_is_counted(router):
    meter = Meter()
    with pytest.raises(AWSError, match="no capacity"):
        asked(router, "hosts", "idle", meter)
    [(_, _, data)] = meter.take()
    counted = {
        (each["MetricName"], tuple(dimension["Name"] for dimension in each["Dimensions"])): sum(each["Counts"])
        for each in data
    }
    assert counted["NoCapacityInvocationFailures", ("InferenceComponentName",)] == 1


async def test_a_component_is_no_endpoint(router):
    with pytest.raises(UnknownEndpoint):
        router.route(ACCOUNT, REGION, "one")
