"""Receipt handles: which message of which queue, and which of its receptions."""

from __future__ import annotations

import base64
import json

from clary.queues.model import Place
from clary.services.sqs.errors import invalid_receipt
from clary.services.sqs.queue import Queue

_GREATEST = 2**63 - 1


def handle(place: Place) -> str:
    """Opaque, as on AWS."""
    text = json.dumps([place.queue, place.number, place.receipt], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def place_of(queue: Queue, given: str) -> Place:
    """The inverse of `handle`. Raises ReceiptHandleIsInvalid, for another queue's as well."""
    try:
        name, number, receipt = json.loads(base64.urlsafe_b64decode(given.encode()))
    except (ValueError, TypeError, RecursionError):
        raise invalid_receipt(given) from None
    if name != queue.id or not _is_number(number) or not isinstance(receipt, str):
        raise invalid_receipt(given)
    return Place(name, number, receipt)


def _is_number(value: object) -> bool:
    """That a database can look for."""
    return isinstance(value, int) and 0 < value <= _GREATEST
