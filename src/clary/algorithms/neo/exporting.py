"""A model's formula written as PMML or PFA, and asked as the file says: what is not the same is not written."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

import numpy as np

from clary.algorithms.neo import pfa, pmml
from clary.algorithms.neo.compiled import Uncompilable
from clary.algorithms.neo.formulas import Formula, Written, categories_of
from clary.algorithms.neo.pfa_scoring import Engine
from clary.toolkit.pmml.document import PmmlModel
from clary.toolkit.pmml.reading import Invalid
from clary.toolkit.proving import Asked

Array = Any

ONNX, PMML, PFA = "onnx", "pmml", "pfa"
FILES: Mapping[str, str] = {form: f"model.{form}" for form in (ONNX, PMML, PFA)}
_SEED = 48
_MISSING = 0.1
"""Of the values that a model is tried with, where it takes that."""
_WRITERS: Mapping[str, Callable[[Written], bytes]] = {PMML: pmml.content, PFA: pfa.content}


def content(form: str, written: Written) -> bytes:
    """Raises Uncompilable for what the form cannot say."""
    return _WRITERS[form](written)


def asked(form: str, file: bytes, formula: Formula) -> Asked:
    """The file, as it answers. Raises Uncompilable."""
    labels = getattr(formula, "labels", None) or ()
    try:
        return _PmmlFile(file, labels) if form == PMML else _PfaFile(file, labels)
    except Invalid as error:
        raise Uncompilable(f"the file that was written cannot be asked: {error}") from error


def suited(table: Array, formula: Formula) -> Array:
    """Rows to try a formula with: what an encoder does not know is no value."""
    random = np.random.RandomState(_SEED)
    found = table.copy()
    for place, known in categories_of(formula).items():
        found[:, place] = random.choice(np.asarray(known, table.dtype), len(table))
    return found


def with_gaps(table: Array) -> Array:
    """The same rows, some of their values missing."""
    found = table.copy()
    found[np.random.RandomState(_SEED).uniform(size=table.shape) < _MISSING] = np.nan
    return found


class _PmmlFile:
    def __init__(self, file: bytes, labels: Sequence[Any]) -> None:
        self._model = PmmlModel(file)
        self._texts = [str(label).lower() if isinstance(label, bool) else str(label) for label in labels]

    def labels(self, table: Array, kind: Any) -> Array:  # noqa: ANN401 - numpy's types of types differ by version
        return self._model.predict(table).astype(kind)

    def probabilities(self, table: Array) -> Array:
        found = self._model.probabilities(table)
        return np.stack([found[text] for text in self._texts], axis=1)

    def first(self, table: Array) -> Array:
        return self._model.predict(table)


class _PfaFile:
    def __init__(self, file: bytes, labels: Sequence[Any]) -> None:
        self._engine = Engine(file)
        self._texts = [str(label).lower() if isinstance(label, bool) else str(label) for label in labels]

    def _answers(self, table: Array) -> Sequence[Any]:
        fields = self._engine.fields
        return [self._engine.ask(dict(zip(fields, row))) for row in table.astype(float).tolist()]  # noqa: B905

    def labels(self, table: Array, kind: Any) -> Array:  # noqa: ANN401 - as above
        found = [each["label"] if isinstance(each, dict) else each for each in self._answers(table)]
        return np.asarray(found).astype(kind)

    def probabilities(self, table: Array) -> Array:
        return np.asarray([[each["probabilities"][text] for text in self._texts] for each in self._answers(table)])

    def first(self, table: Array) -> Array:
        return np.asarray([each["label"] if isinstance(each, dict) else each for each in self._answers(table)], float)


class Shares:
    """A file of which probabilities are wanted where others' labels are."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.labels = asked.labels
        self.probabilities = self.first = asked.probabilities
