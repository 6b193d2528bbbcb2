"""Carrying out what filters make of a stream's events: by calling operations, as any client would."""

from __future__ import annotations

import logging
import uuid
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from clary.calls import Call, account_root, service_principal
from clary.errors import AccessDenied, AWSError
from clary.logfilters.deliveries import event_id, payloads
from clary.logfilters.metrics import Counting
from clary.logfilters.rows import METRIC_FILTER
from clary.logsearch.patterns import Pattern, compiled
from clary.names import Arn
from clary.store.rows import Key, Row

Invoke = Callable[[Call], dict[str, Any]]

_LETS_IN = "logs.{}amazonaws.com"

_log = logging.getLogger(__name__)

pattern_of: Callable[[str], Pattern] = lru_cache(maxsize=256)(compiled)
"""A pattern that was checked when its filter was made."""


class Deriving:
    """Does it with `invoke`. What is refused (a function that is gone, or lets nobody in) is dropped with a line in the
    server's log, as on AWS after a while."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke

    def derive(self, group: Key, stream: str, filters: Sequence[Row], events: Sequence[tuple[int, int, str]]) -> None:
        """Of events (a number of their own, time in milliseconds, message) of a stream."""
        counting = Counting()
        for row in filters:
            if row.key.kind == METRIC_FILTER:
                pairs = [(when, message) for _, when, message in events]
                counting.take(pattern_of(row.spec["filterPattern"]), row.spec["metricTransformations"], pairs)
        for params in counting.calls():
            self._call(Call(account_root(group.account), "cloudwatch", "PutMetricData", params, group.region))
        for row in filters:
            if row.key.kind != METRIC_FILTER:
                self._deliver(group, stream, row, events)

    def _deliver(self, group: Key, stream: str, row: Row, events: Sequence[tuple[int, int, str]]) -> None:
        matches, number = pattern_of(row.spec["filterPattern"]).matches, zlib.crc32(stream.encode())
        found = [(event_id(when, number, at), when, message) for at, when, message in events if matches(message)]
        for payload in payloads(group.account, group.name, stream, row.spec["filterName"], found):
            try:
                invoke_function(self._invoke, group, row.spec["destinationArn"], payload)
            except AWSError as error:
                _log.warning("%s: its events are not delivered: %s", row.key.name, error)

    def _call(self, call: Call) -> None:
        """One datum that is refused (a line of a log may say anything) does not keep the others back."""
        try:
            self._invoke(call)
        except AWSError as error:
            data = call.params["MetricData"]
            if len(data) == 1:
                _log.warning("metrics of a log group's filters: %s", error)
                return
            for each in data:
                self._call(replace(call, params={**call.params, "MetricData": [each]}))


def invoke_function(invoke: Invoke, group: Key, arn: str, payload: bytes, kind: str = "Event") -> None:
    """As CloudWatch Logs does, by its own name: in all Regions, or in this one. Raises AWSError."""
    params = {"FunctionName": arn, "InvocationType": kind, "Payload": payload}
    source = f"{Arn('logs', group.region, group.account, f'log-group:{group.name}')}:*"
    for region in ("", f"{group.region}."):
        principal = service_principal(group.account, _LETS_IN.format(region))
        call = Call(principal, "lambda", "Invoke", params, group.region, str(uuid.uuid4()), parent=source)
        try:
            invoke(call)
        except AccessDenied:
            if region:
                raise
        else:
            return
