"""What is kept of an answered request: metrics, what is captured of it, and which replica has its session."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from clary.services.sagemaker_runtime.finding import published
from clary.services.sagemaker_runtime.invocation import EdgeContext, Invocation
from clary.services.sagemaker_runtime.stateful import keep
from clary.serving.chain import DEFAULT_TYPE
from clary.serving.many_models import ToModel
from clary.serving.metering import Place
from clary.serving.spool import Exchange
from clary.serving.spool import Place as Captured


def count(context: EdgeContext, invocation: Invocation, status: int, began: float, asked: float) -> None:
    """Metrics of one that is over; `began` and `asked` by `time.perf_counter()`."""
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
        for each in walk.passed:
            context.meter.time_container(place._replace(container=variant.hostnames[each.position]), each.seconds)


def _count_model(context: EdgeContext, place: Place, way: ToModel) -> None:
    context.meter.count_model(place, way.waited)
    loading = way.loading
    if loading is not None and loading.done() and not loading.cancelled() and loading.exception() is None:
        context.meter.count_loading(place, loading.result())


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


def keep_session(context: EdgeContext, invocation: Invocation, headers: Mapping[str, str]) -> None:
    """What an answer's headers say of the session that the request was for."""
    if invocation.session is not None:
        owner = published(context.call, invocation.endpoint, invocation.component)
        keep(context.sessions, owner, invocation.session, headers)
