"""Who is to be asked: endpoint, component, variant, container, model and session of a request."""

from __future__ import annotations

from typing import Any

from clary.calls import Call
from clary.errors import AWSError, ServiceUnavailable
from clary.services.sagemaker_runtime.components import component_route
from clary.services.sagemaker_runtime.invocation import EdgeContext, Invocation
from clary.services.sagemaker_runtime.refusals import invalid
from clary.services.sagemaker_runtime.service import endpoint_name
from clary.services.sagemaker_runtime.stateful import container_of, variant_of
from clary.serving.chain import Walk
from clary.serving.client import Response
from clary.serving.fleet import Turn
from clary.serving.many_models import Endpoint, ToModel
from clary.serving.router import AT_RANDOM, STRAIGHT, NoReplica, UnknownEndpoint, UnknownVariant, Way
from clary.serving.routes import Route, VariantRoute, component_id, endpoint_id
from clary.serving.ways import InSession


def find(context: EdgeContext, params: dict[str, Any]) -> Invocation:
    """Where the request goes. Raises ValidationError, and ServiceUnavailable where nobody is there."""
    call, name = context.call, endpoint_name(params["EndpointName"])
    account = call.principal.account
    try:
        route = context.router.route(account, call.region, name)
        if route.asynchronous is not None:  # no public source shows AWS's words
            raise invalid(f"Endpoint {name} of account {account} is asynchronous: use InvokeEndpointAsync.")
        _check_unoffered(name, params)
        component = params.get("InferenceComponentName")
        route = component_route(context.router, context.meter, call, route, name, component)
        session, target = params.get("SessionId"), params.get("TargetVariant")
        container = container_of(context.sessions, published(call, name, component), session) if session else ""
        variant = (
            variant_of(route, container, session, target)
            if session and container
            else context.router.variant(route, target)
        )
        positions = _positions(name, variant, params.get("TargetContainerHostname"))
    except UnknownEndpoint:
        raise invalid(f"Endpoint {name} of account {account} not found.") from None
    except UnknownVariant:
        raise invalid(f"Variant {params['TargetVariant']} not found for endpoint {name}.") from None
    except NoReplica:
        raise _nobody(name, route) from None
    way = _way(context, name, variant, params.get("TargetModel"))
    walk, turn = Walk(positions, positions[0]), Turn() if variant.on_demand else None
    if way is not None:
        walk.model = way.at, way.path
    if session and turn:  # no public source shows AWS's words
        raise invalid(f"Endpoint {name} is serverless: it has no stateful sessions.")
    if turn and len(params.get("Body", b"")) > context.settings.limits.serverless_body_bytes:
        raise invalid(f"Request {call.request_id} has oversize body.")
    by: Way[Response] = way or (AT_RANDOM if variant.at_random else STRAIGHT)
    kept = InSession(by, container, session) if session else None
    return Invocation(name, account, call.region, variant, walk, way, component or "", turn, kept or by, kept)


def published(call: Call, name: str, component: str | None) -> str:
    """The name under which the route is published."""
    account, region = call.principal.account, call.region
    return component_id(account, region, component) if component else endpoint_id(account, region, name)


def _way(context: EdgeContext, name: str, variant: VariantRoute, target: str | None) -> ToModel | None:
    """To the model that is asked for, where there are many. For what no address can be, no public source shows AWS's
    words."""
    if variant.many_models_in is None:
        if target is not None:
            raise invalid(f"Endpoint {name} is not a multi-model endpoint and does not support target model header.")
        return None
    call = context.call
    if target is None:
        raise invalid(f"Request {call.request_id} is missing a target model header.")
    below = target.removeprefix("/")  # as SDKs list models below a prefix that does not end with one
    if not {"", ".", ".."}.isdisjoint(below.split("/")):
        raise invalid(f"The target model {target} must be a path below the endpoint's prefix.")
    return context.models.way(Endpoint(call.principal.account, call.region, name), below, variant.many_models_in)


def _nobody(name: str, route: Route) -> AWSError:
    """Of the first no public source shows AWS's words."""
    if route.variants and not any(variant.weight for variant in route.variants):
        return invalid(f"Endpoint {name} has no variant with a weight above 0: name one by TargetVariant.")
    return ServiceUnavailable(f"No replica of endpoint {name} can be reached.")


def _check_unoffered(name: str, params: dict[str, Any]) -> None:
    if "EnableExplanations" in params:  # no public source shows AWS's words
        said = f"Endpoint {name} has nothing that EnableExplanations could be for: it is not offered by Clary."
        raise invalid(said)


def _positions(name: str, variant: VariantRoute, hostname: str | None) -> tuple[int, ...]:
    """The containers that are to be asked, one after the other. No public source shows AWS's words for the errors."""
    if not variant.direct:
        if hostname is not None:
            raise invalid(
                f"Endpoint {name} is not a multi-container endpoint with direct invocation and does not support target "
                "container hostname header."
            )
        return tuple(range(len(variant.hostnames)))
    if hostname is None:
        raise invalid(f"Endpoint {name} is configured for direct invocation: target container hostname is required.")
    if hostname not in variant.hostnames:
        raise invalid(f"Container {hostname} not found for endpoint {name}.")
    return (variant.hostnames.index(hostname),)
