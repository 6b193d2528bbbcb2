"""InvokeEndpoint (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, cast

from clary.calls import Call
from clary.errors import AWSError, ServiceUnavailable
from clary.services.sagemaker_runtime.components import component_route
from clary.services.sagemaker_runtime.service import SERVICE, endpoint_name, log_group_arn
from clary.services.sagemaker_runtime.stateful import closed, container_of, keep, variant_of
from clary.serving.chain import DEFAULT_TYPE, Walk
from clary.serving.client import Broken, Request, Response
from clary.serving.fleet import CannotStart, Turn
from clary.serving.many_models import TARGET_HEADER, CannotLoad, Endpoint, Models, ToModel
from clary.serving.metering import Meter, Place
from clary.serving.mirror import Mirror
from clary.serving.recorder import Recorder
from clary.serving.router import (
    AT_RANDOM,
    STRAIGHT,
    Answer,
    NoReplica,
    Overloaded,
    Router,
    UnknownEndpoint,
    UnknownVariant,
    Way,
)
from clary.serving.routes import VariantRoute, component_id, endpoint_id
from clary.serving.serverless import Serverless, Throttled
from clary.serving.sessions import Sessions
from clary.serving.spool import Exchange
from clary.serving.spool import Place as Captured
from clary.serving.ways import InSession
from clary.settings import Settings
from clary.within import within

_PATH = "/invocations"
_MESSAGE_CHARACTERS = 4096

_FORWARDED = (
    ("Accept", "Accept"),
    ("CustomAttributes", "X-Amzn-SageMaker-Custom-Attributes"),
    ("InferenceId", "X-Amzn-SageMaker-Inference-Id"),
    ("SessionId", "X-Amzn-SageMaker-Session-Id"),
)
THROTTLED = "ThrottlingException"

_RETURNED = (
    ("content-type", "ContentType"),
    ("x-amzn-sagemaker-custom-attributes", "CustomAttributes"),
    ("x-amzn-sagemaker-new-session-id", "NewSessionId"),
    ("x-amzn-sagemaker-closed-session-id", "ClosedSessionId"),
)


class EdgeContext(Protocol):
    """What an operation at the edge is given (of `services.context.EdgeContext`, this much is needed here)."""

    @property
    def call(self) -> Call:
        """Who asks, and where."""
        ...

    @property
    def settings(self) -> Settings:
        """The limits of invocations."""
        ...

    @property
    def meter(self) -> Meter:
        """Counts what is asked."""
        ...

    @property
    def mirror(self) -> Mirror:
        """Carries what goes to shadow variants."""
        ...

    @property
    def models(self) -> Models:
        """Requests to many models."""
        ...

    @property
    def recorder(self) -> Recorder:
        """Takes what is captured."""
        ...

    @property
    def router(self) -> Router:
        """The way to the replicas."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Which replica has which session."""
        ...

    @property
    def serverless(self) -> Serverless:
        """The way to replicas that are there only for requests."""
        ...


class Invocation(NamedTuple):
    """Where a request went: what the texts of its errors name."""

    endpoint: str
    account: str
    region: str
    variant: VariantRoute
    walk: Walk
    way: ToModel | None = None
    """To one of many models."""
    component: str = ""
    """The inference component that is asked; empty where the endpoint itself is."""
    turn: Turn | None = None
    """With a serverless variant."""
    by: Way[Response] = STRAIGHT
    """How one of the replicas is chosen, and asked."""
    session: InSession | None = None
    """What that is for a request of a session, or for a new one."""

    @property
    def asked(self) -> str:
        """The container that was asked last."""
        return self.variant.hostnames[self.walk.at]

    @property
    def log_group(self) -> str:
        """The log group of what is asked."""
        if self.component:
            return self.variant.log_group
        return f"/aws/sagemaker/Endpoints/{self.endpoint}"

    @property
    def place(self) -> Place:
        """What is metered."""
        variant = self.variant
        return Place(
            self.account, self.region, self.endpoint, variant.name, config=variant.config, component=self.component
        )


@SERVICE.operation("InvokeEndpoint", place="edge")
async def invoke_endpoint(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """One prediction by one replica. Raises ValidationError, ModelError, ServiceUnavailable and 413."""
    began = time.perf_counter()
    check_size(params.get("Body", b""), context.settings.limits.invoke_body_bytes)
    invocation = find(context, params)
    request, capture = request_of(params, invocation.way), invocation.variant.capture
    captured = capture is not None and context.recorder.draws(capture)
    mirror(context, invocation, request, params, captured=captured)
    return await _answer(context, invocation, request, params, began, captured=captured)


async def _answer(
    context: EdgeContext,
    invocation: Invocation,
    request: Request,
    params: dict[str, Any],
    began: float,
    *,
    captured: bool,
) -> dict[str, Any]:
    """The variant's answer, metered, and captured where it is to be. Raises as the operation."""
    asked = time.perf_counter()
    try:
        answer = await ask(context, invocation, request, invocation.by)
    except AWSError as error:
        if error.code == THROTTLED:
            raise
        count(context, invocation, error.members.get("OriginalStatusCode", error.status), began, asked)
        raise
    count(context, invocation, answer.status, began, asked)
    if not 200 <= answer.status < 300:
        raise model_error(invocation, answer.status, answer.body.decode("utf-8", "replace"))
    keep_session(context, invocation, answer.headers)
    output = output_of(invocation, answer.headers)
    output["Body"] = answer.body
    if captured:
        note_captured(context, invocation, params, output)
    return output


def keep_session(context: EdgeContext, invocation: Invocation, headers: Mapping[str, str]) -> None:
    """What an answer's headers say of the session that the request was for."""
    if invocation.session is not None:
        owner = _published(context.call, invocation.endpoint, invocation.component)
        keep(context.sessions, owner, invocation.session, headers)


def mirror(
    context: EdgeContext, invocation: Invocation, request: Request, params: dict[str, Any], *, captured: bool
) -> None:
    """The same request to the shadow variant, beside the answer: nothing waits for it. The sessions of production are
    none of its own."""
    shadow = invocation.variant.shadow
    if shadow is None or invocation.session is not None or not context.mirror.draws(shadow):
        return
    mirrored = invocation._replace(variant=shadow, walk=Walk(invocation.walk.positions, 0))
    place = mirrored.place
    if not context.mirror.send(
        place, len(request.body), lambda: _unseen(context, mirrored, request, params, captured=captured)
    ):
        context.meter.count_dropped(place)


async def _unseen(
    context: EdgeContext, invocation: Invocation, request: Request, params: dict[str, Any], *, captured: bool
) -> None:
    """A shadow's answer; also that there is none is only metered."""
    with suppress(AWSError):
        await _answer(context, invocation, request, params, time.perf_counter(), captured=captured)


def note_captured(context: EdgeContext, invocation: Invocation, params: dict[str, Any], output: dict[str, Any]) -> None:
    """Data capture, of what was answered well. No public source says what AWS does with errors of the model: they have
    no prediction that a monitor could look at."""
    variant, capture = invocation.variant, invocation.variant.capture
    if capture is None:
        return
    place = Captured(
        invocation.account, invocation.region, invocation.endpoint, variant.name, variant.log_group, capture
    )
    exchange = Exchange(
        context.call.request_id or secrets.token_hex(16),
        params.get("InferenceId", ""),
        params.get("CustomAttributes", ""),
        params.get("ContentType") or DEFAULT_TYPE,
        output["ContentType"],
        params.get("Body", b"") if capture.input else b"",
        output["Body"] if capture.output else b"",
    )
    context.recorder.note(place, exchange)


def count(context: EdgeContext, invocation: Invocation, status: int, began: float, asked: float) -> None:
    told = time.perf_counter()
    variant, walk, place = invocation.variant, invocation.walk, invocation.place
    awaited = invocation.way or invocation.turn
    waited = awaited.waited if awaited else 0.0
    instances = None if invocation.turn else len(variant.targets)
    context.meter.count(place, instances, status, told - asked - waited, told - began)
    if invocation.turn is not None:
        context.meter.count_turn(place, invocation.turn)
    if invocation.way is not None:
        _count_model(context, place, invocation.way)
    if variant.direct:
        context.meter.count_container(place._replace(container=invocation.asked), status, told - asked)
    elif len(variant.hostnames) > 1:
        for position, seconds in walk.passed:
            context.meter.time_container(place._replace(container=variant.hostnames[position]), seconds)


def _count_model(context: EdgeContext, place: Place, way: ToModel) -> None:
    context.meter.count_model(place, way.waited)
    loading = way.loading
    if loading is not None and loading.done() and not loading.cancelled() and loading.exception() is None:
        context.meter.count_loading(place, loading.result())


async def ask(context: EdgeContext, invocation: Invocation, request: Request, way: Way[Answer]) -> Answer:
    """What a replica answers by this way. Raises as the operation."""
    try:
        if invocation.turn is not None:
            return cast("Answer", await _ask_serverless(context, invocation, invocation.turn, request))
        with within(context.settings.limits.invoke_seconds):
            return await context.router.ask(invocation.variant, request, invocation.walk, way)
    except TimeoutError:
        raise timed_out(invocation) from None
    except CannotStart as error:  # no public source shows what AWS answers
        raise model_error(invocation, 0, error.said) from None
    except CannotLoad as error:
        raise model_error(invocation, error.status, error.said) from None
    except Overloaded:
        said = f"Rate exceeded: as many requests as can be answered in time wait for variant {invocation.variant.name}."
        raise AWSError(THROTTLED, said, status=429) from None
    except NoReplica:
        if invocation.session is not None and invocation.session.container:
            raise closed(invocation.session.session) from None
        raise ServiceUnavailable(f"No replica of variant {invocation.variant.name} can be reached.") from None
    except Broken as error:
        raise model_error(invocation, 0, f"the container closed the connection: {error}") from error
    except ValueError as error:
        raise invalid(f"A header cannot be forwarded: {error}") from None


async def _ask_serverless(context: EdgeContext, invocation: Invocation, turn: Turn, request: Request) -> Response:
    """Raises ThrottlingException with AWS's status; AWS sends no text with it."""
    endpoint = endpoint_id(invocation.account, invocation.region, invocation.endpoint)
    try:
        return await context.serverless.ask(endpoint, invocation.variant.name, request, invocation.walk, turn)
    except Throttled:
        raise AWSError(THROTTLED, "Rate exceeded", status=400) from None


def check_size(body: bytes, limit: int) -> None:
    if len(body) > limit:
        raise AWSError("413", f"HTTP content length exceeded {limit} bytes.", status=413)


def find(context: EdgeContext, params: dict[str, Any]) -> Invocation:
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
        container = container_of(context.sessions, _published(call, name, component), session) if session else ""
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
        raise ServiceUnavailable(f"No replica of endpoint {name} can be reached.") from None
    way = _way(context, Endpoint(account, call.region, name), variant, params.get("TargetModel"))
    walk, turn = Walk(positions, positions[0]), Turn() if variant.on_demand else None
    if session and turn:  # no public source shows AWS's words
        raise invalid(f"Endpoint {name} is serverless: it has no stateful sessions.")
    by: Way[Response] = way or (AT_RANDOM if variant.at_random else STRAIGHT)
    kept = InSession(by, container, session) if session else None
    return Invocation(name, account, call.region, variant, walk, way, component or "", turn, kept or by, kept)


def _published(call: Call, name: str, component: str | None) -> str:
    """The name under which the route is published."""
    account, region = call.principal.account, call.region
    return component_id(account, region, component) if component else endpoint_id(account, region, name)


def _way(context: EdgeContext, endpoint: Endpoint, variant: VariantRoute, target: str | None) -> ToModel | None:
    """To the model that is asked for, where there are many. For what no address can be, no public source shows AWS's
    words."""
    if not variant.many_models:
        if target is not None:
            raise invalid(
                f"Endpoint {endpoint.name} is not a multi-model endpoint and does not support target model header."
            )
        return None
    if target is None:
        raise invalid(f"Request {context.call.request_id} is missing a target model header.")
    below = target.removeprefix("/")  # as SDKs list models below a prefix that does not end with one
    if not {"", ".", ".."}.isdisjoint(below.split("/")):
        raise invalid(f"The target model {target} must be a path below the endpoint's prefix.")
    return context.models.way(endpoint, below)


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


def request_of(params: dict[str, Any], way: ToModel | None) -> Request:
    headers = {"Content-Type": params.get("ContentType") or DEFAULT_TYPE}
    headers.update((header, params[member]) for member, header in _FORWARDED if params.get(member))
    if way is not None:
        headers[TARGET_HEADER] = way.target
    return Request("POST", way.path if way else _PATH, headers, params.get("Body", b""))


def output_of(invocation: Invocation, headers: Mapping[str, str]) -> dict[str, Any]:
    """What an answer's headers say of it, its body left out."""
    output: dict[str, Any] = {member: headers[header] for header, member in _RETURNED if header in headers}
    output.setdefault("ContentType", DEFAULT_TYPE)
    output["InvokedProductionVariant"] = invocation.variant.name
    return output


def invalid(message: str) -> AWSError:
    return AWSError("ValidationError", message)


def timed_out(invocation: Invocation) -> AWSError:
    """The code of a model that is still being loaded is AWS's, and has SDKs try again; its text is shown nowhere."""
    if invocation.way is not None and invocation.way.waiting:
        still = f"The model {invocation.way.target} is not loaded yet. Please try again."
        return AWSError("ModelNotReadyException", still, status=429)
    text = (
        f"Your invocation timed out while waiting for a response from container {invocation.asked}. "
        "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
    )
    return model_error(invocation, 0, text)


def model_error(invocation: Invocation, status: int, said: str) -> AWSError:
    said = said[:_MESSAGE_CHARACTERS]
    side = "client" if 400 <= status < 500 else "server"
    message = (
        f'Received {side} error ({status}) from {invocation.asked} with message "{said}". '
        f"See {_console(invocation)} in account {invocation.account} for more information."
    )
    members = {
        "OriginalStatusCode": status,
        "OriginalMessage": said,
        "LogStreamArn": log_group_arn(invocation.region, invocation.account, invocation.log_group),
    }
    return AWSError("ModelError", message, status=424, members=members)


def _console(invocation: Invocation) -> str:
    region = invocation.region
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#logEventViewer:group={invocation.log_group}"
    )
