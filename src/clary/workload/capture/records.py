"""A captured request as AWS writes it, and the key of the object that holds it.

{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"1,2","encoding":"CSV"},
"endpointOutput":{…}},"eventMetadata":{"eventId":"…","inferenceTime":"2026-11-21T08:15:02Z"},"eventVersion":"0"}

DESTINATION/ENDPOINT/VARIANT/2026/11/21/08/15-02-318-….jsonl
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from clary.serving.capture import Capture
from clary.serving.spool import Place, Record

_ID_PARTS = (8, 12, 16, 20)
"""Where a UUID has its hyphens."""


def line(record: Record) -> bytes:
    """One line of an object, its end included."""
    capture, exchange = record.place.capture, record.exchange
    data = {}
    if capture.input:
        data["endpointInput"] = _side("INPUT", exchange.input_type, exchange.input, capture)
    if capture.output:
        data["endpointOutput"] = _side("OUTPUT", exchange.output_type, exchange.output, capture)
    document = {"captureData": data, "eventMetadata": _metadata(record), "eventVersion": "0"}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _metadata(record: Record) -> dict[str, Any]:
    """Custom attributes are a list, as Model Monitor's own processing reads them."""
    exchange = record.exchange
    found: dict[str, Any] = {"eventId": _uuid(exchange.event_id)}
    if exchange.custom_attributes:
        found["customAttributes"] = [exchange.custom_attributes]
    if exchange.inference_id:
        found["inferenceId"] = exchange.inference_id
    found["inferenceTime"] = f"{_utc(record.seconds):%Y-%m-%dT%H:%M:%SZ}"
    return found


def _side(mode: str, content_type: str, body: bytes, capture: Capture) -> dict[str, str]:
    data, encoding = encoded(body, content_type, capture)
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def encoded(body: bytes, content_type: str, capture: Capture) -> tuple[str, str]:
    """A body as text, and how: as it is where its content type (parameters do not count) is among those listed, else in
    base64. So is what is listed but no UTF-8: no line of JSON could hold it otherwise."""
    encoding = _encoding(content_type.partition(";")[0].strip().lower(), capture)
    if encoding:
        try:
            return body.decode(), encoding
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), "BASE64"


def _encoding(media_type: str, capture: Capture) -> str:
    if any(media_type == listed.lower() for listed in capture.csv):
        return "CSV"
    return "JSON" if any(media_type == listed.lower() for listed in capture.json) else ""


def hour(seconds: float) -> str:
    """The hour, in UTC, in which a request was answered: the folder of its record."""
    return f"{_utc(seconds):%Y/%m/%d/%H}"


def name(place: Place, first: float, id_: str) -> str:
    """An object's key below its destination; `first` is the time of its first record."""
    began = _utc(first)
    stamp = f"{began:%M-%S}-{began.microsecond // 1000:03}"
    return f"{place.endpoint}/{place.variant}/{hour(first)}/{stamp}-{id_}.jsonl"


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _uuid(id_: str) -> str:
    """32 hexadecimal digits as a UUID; anything else as it is."""
    if len(id_) != 32:
        return id_
    starts, ends = (0, *_ID_PARTS), (*_ID_PARTS, len(id_))
    return "-".join(id_[start:end] for start, end in zip(starts, ends, strict=True))
