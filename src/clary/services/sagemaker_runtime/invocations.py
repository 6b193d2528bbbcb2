"""InvokeEndpoint (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html)."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from clary.errors import AWSError
from clary.services.sagemaker_runtime.asking import ask
from clary.services.sagemaker_runtime.finding import find
from clary.services.sagemaker_runtime.invocation import EdgeContext, Invocation
from clary.services.sagemaker_runtime.messages import check_headers, output_of, request_of
from clary.services.sagemaker_runtime.noting import count, keep_session, note_captured
from clary.services.sagemaker_runtime.refusals import THROTTLED, check_size, model_error
from clary.services.sagemaker_runtime.service import SERVICE
from clary.serving.client import Request


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
        check_headers(invocation, answer.headers)
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


def mirror(
    context: EdgeContext, invocation: Invocation, request: Request, params: dict[str, Any], *, captured: bool
) -> None:
    """The same request to the shadow variant, beside the answer: nothing waits for it. The sessions of production are
    none of its own."""
    shadow = invocation.variant.shadow
    if shadow is None or invocation.session is not None or not context.mirror.draws(shadow):
        return
    mirrored = invocation.mirrored(shadow)
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
