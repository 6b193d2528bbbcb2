"""InvokeEndpointWithResponseStream: the model's answer as it comes
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html).

What goes wrong before the model has begun to answer is an error like InvokeEndpoint's; after that it is the last event
of the stream.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from clary.errors import AWSError
from clary.services.sagemaker_runtime.asking import ask
from clary.services.sagemaker_runtime.finding import find
from clary.services.sagemaker_runtime.invocation import EdgeContext, Invocation
from clary.services.sagemaker_runtime.invocations import mirror
from clary.services.sagemaker_runtime.messages import check_headers, output_of, request_of
from clary.services.sagemaker_runtime.noting import count, keep_session, note_captured
from clary.services.sagemaker_runtime.refusals import THROTTLED, check_size, invalid, model_error
from clary.services.sagemaker_runtime.service import SERVICE
from clary.serving.client import Broken, Request, Response
from clary.serving.ways import Held, Streaming

_SAID_BYTES = 2**16
"""Of the answer of a model that refuses: as much as an error's text may hold, and more."""

_log = logging.getLogger(__name__)


@dataclass
class Course:
    """One stream: how far it has come."""

    began: float
    """`time.perf_counter()`, as the others."""
    asked: float
    due: float
    """The event loop's time at which the model must have sent all."""
    first: float = 0.0
    broken: bool = False
    captured: list[bytes] | None = None
    """What has come so far, where the answer is captured."""
    left: int = 0
    """Bytes that it may still have to be captured."""


@SERVICE.operation("InvokeEndpointWithResponseStream", place="edge")
async def invoke_endpoint_with_response_stream(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """One prediction by one replica, part by part. Raises as InvokeEndpoint."""
    began = time.perf_counter()
    limits = context.settings.limits
    check_size(params.get("Body", b""), limits.invoke_body_bytes)
    invocation = find(context, params)
    if invocation.turn is not None:  # no public source shows AWS's words
        raise invalid(f"Endpoint {invocation.endpoint} is serverless: it has no response streams.")
    request, capture = request_of(params, invocation.way), invocation.variant.capture
    captured = capture is not None and context.recorder.draws(capture)
    mirror(context, invocation, request, params, captured=captured)
    due = asyncio.get_running_loop().time() + limits.stream_seconds
    course = Course(began, time.perf_counter(), due, captured=[] if captured else None, left=limits.invoke_body_bytes)
    held = await _begun(context, invocation, request, course)
    keep_session(context, invocation, held.stream.headers)
    output = output_of(invocation, held.stream.headers)
    return {**output, "Body": _events(context, invocation, params, held, course)}


async def _begun(context: EdgeContext, invocation: Invocation, request: Request, course: Course) -> Held:
    """The replica that has begun to answer. Raises as the operation; what failed is metered."""
    try:
        answer = await ask(context, invocation, request, Streaming(invocation.by, context.router))
        if isinstance(answer, Held) and 200 <= answer.stream.status < 300:
            return _checked(invocation, answer)
        raise await _refused(invocation, answer, course)
    except AWSError as error:
        if error.code != THROTTLED:
            status = error.members.get("OriginalStatusCode", error.status)
            count(context, invocation, status, course.began, course.asked)
        raise


def _checked(invocation: Invocation, answer: Held) -> Held:
    try:
        check_headers(invocation, answer.stream.headers)
    except AWSError:
        answer.close()
        raise
    return answer


async def _refused(invocation: Invocation, answer: Held | Response, course: Course) -> AWSError:
    if isinstance(answer, Response):
        return model_error(invocation, answer.status, answer.body.decode("utf-8", "replace"))
    stream = answer.stream
    try:
        async with asyncio.timeout_at(course.due):
            said = await stream.rest(_SAID_BYTES)
    except (TimeoutError, Broken):
        said = b""
    finally:
        answer.close()
    return model_error(invocation, stream.status, said.decode("utf-8", "replace"))


async def _events(
    context: EdgeContext, invocation: Invocation, params: dict[str, Any], held: Held, course: Course
) -> AsyncGenerator[dict[str, Any], None]:
    """The parts as they come. Raises AWSError (ModelStreamError, InternalStreamFailure)."""
    try:
        while part := await _part(invocation, held, course):
            course.first = course.first or time.perf_counter()
            _take_down(course, part)
            yield {"PayloadPart": {"Bytes": part}}
        _note(context, invocation, params, held, course)
    except AWSError:
        course.broken = True
        raise
    finally:
        held.close()
        _meter(context, invocation, held, course)


async def _part(invocation: Invocation, held: Held, course: Course) -> bytes:
    try:
        async with asyncio.timeout_at(course.due):
            return await held.stream.part()
    except TimeoutError:
        said = f"Your model {invocation.asked} did not complete sending the inference response in the allotted time."
        raise _stream_error("ModelInvocationTimeExceeded", said) from None
    except Broken as error:  # no public source shows AWS's text for this one
        said = f"Your model {invocation.asked} closed the connection before it had sent the whole response: {error}"
        raise _stream_error("StreamBroken", said) from None
    except Exception:  # the answer has begun: the last of its events has to say so
        _log.exception("a stream of endpoint %s failed", invocation.endpoint)
        said = "The stream processing failed because of an unknown error, exception or failure. Try your request again."
        raise AWSError("InternalStreamFailure", said) from None


def _stream_error(code: str, message: str) -> AWSError:
    return AWSError("ModelStreamError", message, members={"ErrorCode": code})


def _take_down(course: Course, part: bytes) -> None:
    """What is longer than an InvokeEndpoint's body may be is not captured."""
    if course.captured is not None:
        course.left -= len(part)
        course.captured.append(part)
        if course.left < 0:
            course.captured = None


def _note(context: EdgeContext, invocation: Invocation, params: dict[str, Any], held: Held, course: Course) -> None:
    if course.captured is not None:
        output = output_of(invocation, held.stream.headers)
        note_captured(context, invocation, params, {**output, "Body": b"".join(course.captured)})


def _meter(context: EdgeContext, invocation: Invocation, held: Held, course: Course) -> None:
    """Also where the client has hung up: the model has done its part until then."""
    count(context, invocation, held.stream.status, course.began, course.asked)
    if course.first:
        first, place = course.first, invocation.place
        context.meter.count_stream(place, first - course.asked, first - course.began, broken=course.broken)
