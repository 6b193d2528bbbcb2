"""InvokeEndpointAsync (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html).

No public source shows AWS's words for what is refused here, where nothing else is said.
"""

from __future__ import annotations

import time
import uuid
from pathlib import PurePosixPath
from typing import Any, Protocol

from clary.calls import Call
from clary.errors import AWSError, ServiceUnavailable
from clary.services.sagemaker_runtime.service import SERVICE, endpoint_name
from clary.serving.asynchronous.config import Asynchronous
from clary.serving.asynchronous.requests import AsyncRequest, Owner
from clary.serving.router import Router, UnknownEndpoint
from clary.workload.errors import WorkloadError
from clary.workload.s3uri import join, split

BODY_BYTES = 128_000
"""Of a payload that comes with the request."""

TTL_SECONDS, TIMEOUT_SECONDS = 21_600, 900
"""RequestTTLSeconds and InvocationTimeoutSeconds where the request has none."""

_PASSED_ON = ("ContentType", "Accept", "CustomAttributes")


class Queues(Protocol):
    """What keeps requests (of `serving.asynchronous.work.AsyncWork`, this much is needed here)."""

    async def accept(self, request: AsyncRequest, body: bytes) -> None:
        """Durable when it returns. Raises OSError."""
        ...


class EdgeContext(Protocol):
    """What the operation is given (of `services.context.EdgeContext`, this much is needed here)."""

    @property
    def call(self) -> Call:
        """Who asks, and where."""
        ...

    @property
    def router(self) -> Router:
        """Knows the endpoints."""
        ...

    @property
    def asynchronous(self) -> Queues:
        """Takes requests."""
        ...


@SERVICE.operation("InvokeEndpointAsync", place="edge")
async def invoke_endpoint_async(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Once it is answered the request will be carried out. Raises ValidationError, ServiceUnavailable."""
    name = endpoint_name(params["EndpointName"])
    config = _config(context, name)
    body: bytes = params.get("Body") or b""
    _check_input(body, params.get("InputLocation", ""))
    owner = Owner(context.call.principal.account, context.call.region, name, config.id)
    request = _request(owner, config, params)
    try:
        await context.asynchronous.accept(request, body)
    except OSError as error:
        raise ServiceUnavailable(f"The request cannot be kept: {error.strerror}.") from error
    locations = {"OutputLocation": request.output, "FailureLocation": request.failure}
    return {"InferenceId": request.inference_id, **{name: uri for name, uri in locations.items() if uri}}


def _config(context: EdgeContext, name: str) -> Asynchronous:
    account = context.call.principal.account
    try:
        config = context.router.route(account, context.call.region, name).asynchronous
    except UnknownEndpoint:
        raise _invalid(f"Endpoint {name} of account {account} not found.") from None
    if config is None:
        raise _invalid(f"Endpoint {name} of account {account} is not an asynchronous endpoint: use InvokeEndpoint.")
    return config


def _check_input(body: bytes, uri: str) -> None:
    """The sentence on the body's length is AWS's."""
    if len(body) > BODY_BYTES:
        raise _invalid(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: "
            f"Member must have length less than or equal to {BODY_BYTES}"
        )
    if bool(body) == bool(uri):
        raise _invalid("Body and InputLocation are mutually exclusive: provide exactly one of them.")
    try:
        key = split(uri)[1] if uri else "-"
    except WorkloadError:
        key = ""
    if not key:
        raise _invalid(f"InputLocation {uri} is not a valid S3 URI.")


def _request(owner: Owner, config: Asynchronous, params: dict[str, Any]) -> AsyncRequest:
    id_ = str(uuid.uuid4())
    output, failure = _locations(config, id_, params)
    return AsyncRequest(
        id=id_,
        owner=owner,
        inference_id=params.get("InferenceId") or str(uuid.uuid4()),
        input=params.get("InputLocation", ""),
        output=output,
        failure=failure,
        accepted=time.time(),
        ttl=float(params.get("RequestTTLSeconds", TTL_SECONDS)),
        timeout=float(params.get("InvocationTimeoutSeconds", TIMEOUT_SECONDS)),
        params={member: params[member] for member in _PASSED_ON if params.get(member)},
    )


def _locations(config: Asynchronous, id_: str, params: dict[str, Any]) -> tuple[str, str]:
    """Of the answer, and of what the model says where it fails: never one object, also where both paths are one."""
    name = PurePosixPath(params.get("Filename") or f"{id_}.out")
    below = params.get("S3OutputPathExtension", "").strip("/")
    folders = [below] if below else []
    failure = join(config.failure, *folders, f"{name.stem}-error{name.suffix}") if config.failure else ""
    return join(config.output, *folders, name.name), failure


def _invalid(message: str) -> AWSError:
    return AWSError("ValidationError", message)
