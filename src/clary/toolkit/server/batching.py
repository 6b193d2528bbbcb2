"""Requests that came while the model was computing are computed together, where no row's answer depends on the rows
beside it (docs/decisions/0036-requests-that-wait-are-computed-together.md).

Nobody waits for company: a request that finds the model free is computed alone, at once.
"""

from __future__ import annotations

import logging
from typing import Any, Callable, Dict, Hashable, Iterator, List, NamedTuple, Optional, Protocol, Sequence

from clary.toolkit.server.message import Request, Response

MOST_REQUESTS = 256
"""Computed together."""
MOST_ROWS = 1024
MOST_BYTES = 2**20
"""Of bodies: whoever brings as much by itself gains nothing by company."""

_INVOCATIONS = "/invocations"

logger = logging.getLogger("sagemaker-inference")

Data = Any
Alone = Callable[[Request], Response]
"""Answers one request by itself; raises nothing."""


class Rows(NamedTuple):
    """What one request asks about."""

    kind: Hashable
    """Only requests of one kind are computed together: of as many columns, of the same type."""
    number: int
    data: Data


class RowWise(Protocol):
    """A model whose requests can be computed together: `invoke`, in three parts."""

    def read(self, request: Request) -> Optional[Rows]:
        """None where the request is to be computed alone; so is one for which this raises."""
        ...

    def predict(self, data: Sequence[Data]) -> Sequence[Data]:
        """The prediction of each request, in their order."""
        ...

    def write(self, prediction: Data, request: Request) -> Response:
        """One request's answer."""
        ...


class EachAlone:
    """A service whose requests are each computed by themselves."""

    def row_wise(self) -> Optional[RowWise]:
        """None: nothing is known of how its answers depend on rows."""
        return None


def answers(model: RowWise, requests: Sequence[Request], alone: Alone) -> List[Response]:
    """The answer of each request, as `alone` would have given it.

    What cannot be read is answered alone. Where the model refuses what it is given together, each is asked alone: one
    bad row spoils no other's answer, and gets the very error that it would have got.
    """
    read = [_read(model, request) for request in requests]
    found: Dict[int, Response] = {}
    for places in _groups(read):
        found.update(_together(model, requests, read, places))
    return [found[place] if place in found else alone(request) for place, request in enumerate(requests)]


def _read(model: RowWise, request: Request) -> Optional[Rows]:
    if request.path != _INVOCATIONS:
        return None
    try:
        return model.read(request)
    except Exception:  # whatever it is, asking alone says it
        return None


def _groups(read: Sequence[Optional[Rows]]) -> Iterator[List[int]]:
    """Places of requests that are computed together, two at least."""
    open_: Dict[Hashable, List[int]] = {}
    counts: Dict[Hashable, int] = {}
    for place, rows in enumerate(read):
        if rows is None:
            continue
        if counts.get(rows.kind, 0) + rows.number > MOST_ROWS and rows.kind in open_:
            yield from _worth(open_.pop(rows.kind))
            counts[rows.kind] = 0
        open_.setdefault(rows.kind, []).append(place)
        counts[rows.kind] = counts.get(rows.kind, 0) + rows.number
    for places in open_.values():
        yield from _worth(places)


def _worth(places: List[int]) -> Iterator[List[int]]:
    if len(places) > 1:
        yield places


def _together(
    model: RowWise, requests: Sequence[Request], read: Sequence[Optional[Rows]], places: Sequence[int]
) -> Dict[int, Response]:
    given = [rows.data for rows in (read[place] for place in places) if rows is not None]
    try:
        predictions = model.predict(given)
    except Exception as error:  # one of them may be to blame: asked alone, each gets its own answer
        logger.info("%d requests could not be computed together (%s); each is computed alone.", len(places), error)
        return {}
    found: Dict[int, Response] = {}
    for place, prediction in zip(places, predictions):  # noqa: B905 - Python 3.8
        response = _write(model, prediction, requests[place])
        if response is not None:
            found[place] = response
    return found


def _write(model: RowWise, prediction: Data, request: Request) -> Optional[Response]:
    try:
        response = model.write(prediction, request)
    except Exception:  # as in `_read`
        return None
    return response if response.parts is None else None  # what comes part by part is asked alone
