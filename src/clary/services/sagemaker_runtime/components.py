"""Requests to inference components
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html)."""

from __future__ import annotations

from clary.calls import Call
from clary.errors import AWSError
from clary.serving.metering import Meter, Place
from clary.serving.router import Router, UnknownEndpoint
from clary.serving.routes import Route

_REQUIRED = (
    "Inference Component Name header is required for endpoints to which you plan to deploy inference components. "
    "Please include Inference Component Name header or consider using SageMaker models."
)
_NOT_ALLOWED = (
    "Inference Component Name header is not allowed for endpoints to which you dont plan to deploy inference "
    "components. Please remove the Inference Component Name header and try again."
)
_NO_CAPACITY = (
    "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress (if "
    "configured) or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API."
)


def component_route(router: Router, meter: Meter, call: Call, route: Route, name: str, component: str | None) -> Route:
    """Who answers a request to the endpoint `name`, whose route this is: the inference component that the request
    names, or, of an endpoint that hosts none, the endpoint itself. Raises ValidationError."""
    if route.hosts_components != (component is not None):
        raise AWSError("ValidationError", _REQUIRED if route.hosts_components else _NOT_ALLOWED)
    if component is None:
        return route
    account, region = call.principal.account, call.region
    try:
        found = router.component(account, region, component, name)
    except UnknownEndpoint:  # no public source shows AWS's words
        said = f"Inference Component {component} of endpoint {name} of account {account} not found."
        raise AWSError("ValidationError", said) from None
    if found.idle:
        meter.count_no_capacity(Place(account, region, name, found.variants[0].name, component=component))
        raise AWSError("ValidationError", _NO_CAPACITY)
    return found
