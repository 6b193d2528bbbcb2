"""A captured request as AWS writes it, and the key of the object that holds it.

{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"1,2","encoding":"CSV"},
"endpointOutput":{…}},"eventMetadata":{"eventId":"…","inferenceTime":"2026-11-21T08:15:02Z"},"eventVersion":"0"}

DESTINATION/ENDPOINT/VARIANT/2026/11/21/08/15-02-318-….jsonl
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from functools import lru_cache

from clary.serving.capture import Capture
from clary.serving.spool import Place, Record

_REMEMBERED = 64
"""Hours, seconds and content types repeat in the records of one file."""

_text = json.JSONEncoder(ensure_ascii=False).encode
"""A string in JSON. Records are put together from such: an object of objects takes three times as long."""


def line(record: Record) -> bytes:
    """One line of an object, its end included."""
    capture, exchange = record.place.capture, record.exchange
    sides = []
    if capture.input:
        sides.append(f'"endpointInput":{_side("INPUT", exchange.input_type, exchange.input, capture)}')
    if capture.output:
        sides.append(f'"endpointOutput":{_side("OUTPUT", exchange.output_type, exchange.output, capture)}')
    data, metadata = ",".join(sides), _metadata(record)
    return f'{{"captureData":{{{data}}},"eventMetadata":{metadata},"eventVersion":"0"}}\n'.encode()


def _metadata(record: Record) -> str:
    """Custom attributes are a list, as Model Monitor's own processing reads them."""
    exchange = record.exchange
    custom = f',"customAttributes":[{_text(exchange.custom_attributes)}]' if exchange.custom_attributes else ""
    inference = f',"inferenceId":{_text(exchange.inference_id)}' if exchange.inference_id else ""
    moment = _moment(int(record.seconds))
    return f'{{"eventId":{_text(_uuid(exchange.event_id))}{custom}{inference},"inferenceTime":"{moment}"}}'


def _side(mode: str, content_type: str, body: bytes, capture: Capture) -> str:
    data, encoding = encoded(body, content_type, capture)
    type_, text = _text(content_type), _text(data)
    return f'{{"observedContentType":{type_},"mode":"{mode}","data":{text},"encoding":"{encoding}"}}'


def encoded(body: bytes, content_type: str, capture: Capture) -> tuple[str, str]:
    """A body as text, and how: as it is where its content type (parameters do not count) is among those listed, else in
    base64. So is what is listed but no UTF-8: no line of JSON could hold it otherwise."""
    encoding = _encoding(content_type, capture.csv, capture.json)
    if encoding:
        try:
            return body.decode(), encoding
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), "BASE64"


@lru_cache(_REMEMBERED)
def _encoding(content_type: str, csv: tuple[str, ...], json_: tuple[str, ...]) -> str:
    media_type = content_type.partition(";")[0].strip().lower()
    if any(media_type == listed.lower() for listed in csv):
        return "CSV"
    return "JSON" if any(media_type == listed.lower() for listed in json_) else ""


def hour(seconds: float) -> str:
    """The hour, in UTC, in which a request was answered: the folder of its record."""
    return _hour(int(seconds // 3600))


@lru_cache(_REMEMBERED)
def _hour(hours: int) -> str:
    return f"{_utc(hours * 3600):%Y/%m/%d/%H}"


@lru_cache(_REMEMBERED)
def _moment(seconds: int) -> str:
    return f"{_utc(seconds):%Y-%m-%dT%H:%M:%SZ}"


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
    return f"{id_[:8]}-{id_[8:12]}-{id_[12:16]}-{id_[16:20]}-{id_[20:]}"
