"""Requests to a built-in algorithm's model, computed together (`toolkit/server/batching.py`)."""

from __future__ import annotations

from typing import Any, List, Mapping, NamedTuple, Optional, Protocol, Sequence

import numpy as np
from scipy import sparse

from clary.algorithms.base.algorithm import Model
from clary.algorithms.base.answers import Row
from clary.toolkit.server.batching import Rows
from clary.toolkit.server.message import Request, Response

Array = Any

_ROWS = 12
_SEED = 20
_VERBOSE: Mapping[str, str] = {"verbose": "true"}


class Question(NamedTuple):
    """What one request asks: examples (n, features), and the parameters of the content type that it wants."""

    features: Array
    parameters: Mapping[str, str]


class Asked(Protocol):
    """A service whose model is asked."""

    def question(self, request: Request) -> Question:
        """Raises Refused."""
        ...

    def write(self, prediction: Sequence[Row], request: Request) -> Response:
        """The rows of one request as its answer. Raises Refused."""
        ...


class Together:
    """Several requests to one model. Sparse examples are asked alone: what they cost depends on what is in them."""

    def __init__(self, service: Asked, model: Model) -> None:
        self._service = service
        self._model = model
        self.write = service.write

    def read(self, request: Request) -> Optional[Rows]:
        """Only those are computed together that want the same of an answer."""
        asked = self._service.question(request)
        if sparse.issparse(asked.features) or not len(asked.features):
            return None
        return Rows((asked.features.dtype.name, *sorted(asked.parameters.items())), len(asked.features), asked)

    def predict(self, data: Sequence[Question]) -> List[Sequence[Row]]:
        """Raises ValueError where the model does not give one row for each example."""
        rows = self._model.answer(np.concatenate([asked.features for asked in data]), data[0].parameters)
        ends = np.cumsum([len(asked.features) for asked in data]).tolist()
        if len(rows) != ends[-1]:
            raise ValueError("the model does not give one row for each example")
        return [rows[end - len(asked.features) : end] for asked, end in zip(data, ends)]  # noqa: B905 - Python 3.8


def row_wise(model: Model) -> bool:
    """Whether the model says of a table, to the last digit, what it says of its rows: tried on random ones of several
    magnitudes."""
    random = np.random.RandomState(_SEED)
    table = random.normal(size=(_ROWS, model.features)) * 10.0 ** random.uniform(-2, 3, (_ROWS, 1))
    return all(_same(model, table, parameters) for parameters in ({}, _VERBOSE))


def _same(model: Model, table: Array, parameters: Mapping[str, str]) -> bool:
    whole = list(model.answer(table, parameters))
    alone = [row for place in range(len(table)) for row in model.answer(table[place : place + 1], parameters)]
    part = list(model.answer(table[: _ROWS // 2], parameters))
    return repr(alone) == repr(whole) and repr(part) == repr(whole[: _ROWS // 2])
