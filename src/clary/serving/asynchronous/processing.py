"""One request on its way from its input to its outcome: fetched, asked, written."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from clary.errors import AWSError
from clary.serving.asynchronous import notifications
from clary.serving.asynchronous.backlog import Asked
from clary.serving.asynchronous.config import ON_ERROR, ON_SUCCESS, Asynchronous
from clary.serving.asynchronous.effects import Effects, Input, patiently
from clary.serving.asynchronous.metering import AsyncMeter
from clary.serving.asynchronous.requests import AsyncRequest, Letter, RequestFiles
from clary.serving.chain import DEFAULT_TYPE, Walk
from clary.serving.client import AnswerTooLarge, Broken, Request, Response
from clary.serving.metering import Place
from clary.serving.router import Router
from clary.serving.routes import VariantRoute
from clary.within import within

MOST_DEATHS = 3
"""A request in whose processing a container has ended so often is not given to another: it may be the cause."""

_SAID_CHARACTERS = 4096
_PLAIN = "text/plain"


class Died(Exception):
    """The container ended, or broke the connection, without an answer."""


class Failed(Exception):
    """There is nothing more to be done for the request."""

    def __init__(
        self, reason: str, *, metric: str = "", content: bytes | None = None, kind: str = _PLAIN, said: str = ""
    ) -> None:
        """`content`: what the model has answered; `said`: for the log, where that is more than the reason."""
        super().__init__(reason)
        self.reason = reason
        self.metric = metric
        self.content = content
        self.kind = kind
        self.said = said or reason


@dataclass(frozen=True)
class Processing:
    """For all requests of one edge."""

    router: Router
    effects: Effects
    files: RequestFiles
    meter: AsyncMeter

    async def carry_out(
        self, request: AsyncRequest, config: Asynchronous, variant: VariantRoute, asked: Asked
    ) -> AsyncRequest:
        """The request as it is when its outcome is written: with what is to be said of it.

        Raises NoReplica where nobody can be asked now, Died where whoever was asked has ended.
        """
        place = _place(request, variant)
        self.meter.took(place, "TimeInBacklog", time.time() - request.accepted)
        try:
            answer = await self._ask(request, config, variant, asked)
            kind = answer.headers.get("content-type", DEFAULT_TYPE)
            await self._put(request, config, request.output, answer.body, kind, place)
        except Failed as failure:
            return await self.fail(request, config, variant, failure)
        included = answer.body if ON_SUCCESS in config.included else None
        text = notifications.completed(request, time.time(), kind, included)
        return _over(request, place, config, config.success_topic, text)

    async def fail(
        self, request: AsyncRequest, config: Asynchronous, variant: VariantRoute, failure: Failed
    ) -> AsyncRequest:
        """The request as it is when its failure is written."""
        place = _place(request, variant)
        self.meter.count(place, "InvocationFailures")
        if failure.metric:
            self.meter.count(place, failure.metric)
        await self._write_failure(request, config, failure, place.variant)
        now = time.time()
        await self.effects.log(request.owner, place.variant, notifications.log_line(request, now, failure.said))
        included = failure.content if ON_ERROR in config.included else None
        text = notifications.failed(request, now, failure.reason, included)
        return _over(request, place, config, config.error_topic, text)

    async def tell(self, request: AsyncRequest) -> None:
        """Send what is to be said of it. Who may not be told is not told, as on AWS."""
        letter = request.letter
        if letter is None:
            return
        try:
            await patiently(lambda: self.effects.publish(request.owner, letter))
        except AWSError as error:
            self.meter.count(_told(request), "NotificationFailures")
            said = f"Unable to notify {letter.topic}: {error.message}"
            await self.effects.log(request.owner, request.variant, notifications.log_line(request, time.time(), said))

    def count(self, request: AsyncRequest) -> None:
        """One that is over."""
        self.meter.processed(_told(request), time.time() - request.accepted)

    async def _ask(self, request: AsyncRequest, config: Asynchronous, variant: VariantRoute, asked: Asked) -> Response:
        """The model's answer. Raises Failed, NoReplica, Died."""
        place = _place(request, variant)
        given = await self._input(request, config, place)
        positions = tuple(range(len(variant.hostnames)))
        walk, began = Walk(positions, positions[0]), time.perf_counter()
        try:
            with within(request.timeout):
                answer = await self.router.ask(variant, _request(request, given), walk, asked)
        except TimeoutError:
            raise Failed(_late(variant.hostnames[walk.at])) from None
        except AnswerTooLarge as error:
            raise Failed(f"ClientError: The response of the model cannot be taken: {error}") from None
        except Broken as error:
            raise Died(str(error)) from None
        except ValueError as error:
            raise Failed(f"ClientError: A header cannot be forwarded: {error}") from None
        self.meter.answered(place, answer.status, time.perf_counter() - began)
        if not 200 <= answer.status < 300:
            raise _model_error(answer, variant.hostnames[walk.at])
        return answer

    async def _input(self, request: AsyncRequest, config: Asynchronous, place: Place) -> Input:
        """Raises Failed."""
        if not request.input:
            return Input(self.files.body(request))
        began = time.perf_counter()
        try:
            given = await patiently(lambda: self.effects.fetch(request.owner, config.role, request.input))
        except AWSError as error:
            raise _unloaded("download the request from", request.input, error.message, "RequestDownload") from None
        self.meter.took(place, "RequestDownloadLatency", time.perf_counter() - began)
        return given

    async def _put(
        self, request: AsyncRequest, config: Asynchronous, uri: str, content: bytes, kind: str, place: Place
    ) -> None:
        """Raises Failed."""
        began = time.perf_counter()
        try:
            await patiently(lambda: self.effects.put(request.owner, config, uri, content, kind))
        except AWSError as error:
            raise _unloaded("upload the response to", uri, error.message, "ResponseUpload") from None
        self.meter.took(place, "ResponseUploadLatency", time.perf_counter() - began)

    async def _write_failure(self, request: AsyncRequest, config: Asynchronous, failure: Failed, variant: str) -> None:
        """What the model has said; else the reason, so that who waits for either object does not wait for ever."""
        if not request.failure:
            return
        content = failure.reason.encode() if failure.content is None else failure.content
        try:
            await patiently(lambda: self.effects.put(request.owner, config, request.failure, content, failure.kind))
        except AWSError as error:
            said = f"Unable to upload the failure to {request.failure}: {error.message}"
            await self.effects.log(request.owner, variant, notifications.log_line(request, time.time(), said))


def expiry(request: AsyncRequest) -> Failed:
    """Of one that has waited for too long. No public source shows AWS's words."""
    text = f"ClientError: The request has expired: it was in the queue for more than {request.ttl:.0f} seconds."
    return Failed(text, metric="ExpiredRequests")


def killer(error: Died) -> Failed:
    """Of one that no container has outlived."""
    text = f"ClientError: The container ended {MOST_DEATHS} times while it processed the request: {error}"
    return Failed(text)


def _request(request: AsyncRequest, given: Input) -> Request:
    """The object's type is the request's where that names none: the SageMaker SDK says it nowhere else."""
    params = request.params
    headers = {"Content-Type": params.get("ContentType") or given.kind or DEFAULT_TYPE}
    if params.get("Accept"):
        headers["Accept"] = params["Accept"]
    if params.get("CustomAttributes"):
        headers["X-Amzn-SageMaker-Custom-Attributes"] = params["CustomAttributes"]
    headers["X-Amzn-SageMaker-Inference-Id"] = request.inference_id
    return Request("POST", "/invocations", headers, given.content)


def _place(request: AsyncRequest, variant: VariantRoute) -> Place:
    owner = request.owner
    return Place(owner.account, owner.region, owner.endpoint, variant.name, config=variant.config)


def _told(request: AsyncRequest) -> Place:
    owner = request.owner
    return Place(owner.account, owner.region, owner.endpoint, request.variant)


def _over(request: AsyncRequest, place: Place, config: Asynchronous, topic: str, text: str) -> AsyncRequest:
    letter = Letter(topic, config.role, text) if topic else None
    return replace(request, variant=place.variant, letter=letter)


def _unloaded(what: str, uri: str, why: str, metric: str) -> Failed:
    """No public source shows AWS's words."""
    return Failed(f"ClientError: Unable to {what} {uri}: {why}", metric=f"{metric}Failures")


def _late(container: str) -> str:
    return (
        f"ClientError: Your invocation timed out while waiting for a response from container {container}. "
        "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
    )


def _model_error(answer: Response, container: str) -> Failed:
    side = "client" if 400 <= answer.status < 500 else "server"
    text = answer.body.decode("utf-8", "replace")[:_SAID_CHARACTERS]
    return Failed(
        f"ClientError: Received {side} error ({answer.status}) from model. "
        "See the SageMaker Endpoint logs in your account for more information.",
        content=answer.body,
        kind=answer.headers.get("content-type", DEFAULT_TYPE),
        said=f'Received {side} error ({answer.status}) from {container} with message "{text}"',
    )
