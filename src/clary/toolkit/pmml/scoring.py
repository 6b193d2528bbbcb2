"""What every kind of model gives for rows, and how margins become probabilities."""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from clary.toolkit.pmml.columns import STRING, Column, Columns, constant_of, strings
from clary.toolkit.pmml.reading import Invalid

Array = Any


class Outcome(NamedTuple):
    """Of so many rows: a number, a label or a cluster for each, and for labels how probable each is."""

    value: Column
    probabilities: Mapping[str, Array] = {}
    distances: Mapping[str, Array] = {}
    """To each cluster."""


Score = Callable[[Columns, int], Outcome]


class Labels:
    """The labels of a classification, as the file writes them and as answers have them. Raises Invalid."""

    def __init__(self, texts: Sequence[str], kind: str) -> None:
        self.texts = list(texts)
        self.kind = kind
        self._values = [constant_of(text, kind, "a label") for text in self.texts]

    def column(self, places: Array, missing: Array) -> Column:
        """Labels by their places."""
        places = np.where(missing, 0, places)
        if self.kind == STRING:
            return strings([self._values[place] for place in places], missing)
        return Column(self.kind, np.asarray(self._values, float)[places], missing)

    def most_probable(self, table: Array, missing: Array) -> Outcome:
        """Of a table of (rows, labels); of equals the first."""
        value = self.column(np.argmax(table, axis=1), missing)
        return Outcome(value, {text: table[:, place] for place, text in enumerate(self.texts)})


class Target(NamedTuple):
    """What is predicted."""

    name: str
    kind: str
    texts: Tuple[str, ...] = ()
    """Its labels in the dictionary's order."""

    def labels(self, texts: Iterable[str]) -> Labels:
        """In the dictionary's order, then in their own. Raises Invalid."""
        found = dict.fromkeys(texts)
        known = [each for each in self.texts if each in found]
        return Labels(list(dict.fromkeys([*known, *found])), self.kind)


def _sigmoid(margin: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-margin))


def _normal(margin: Array) -> Array:
    return np.asarray([0.5 * math.erfc(-each / math.sqrt(2.0)) for each in margin])


LINKS: Dict[str, Callable[[Array], Array]] = {
    "none": lambda margin: margin,
    "logit": _sigmoid,
    "softmax": _sigmoid,
    "exp": np.exp,
    "probit": _normal,
    "cloglog": lambda margin: 1.0 - np.exp(-np.exp(margin)),
    "loglog": lambda margin: np.exp(-np.exp(-margin)),
    "cauchit": lambda margin: 0.5 + np.arctan(margin) / np.pi,
}
"""What a regression's margin becomes, by the normalization method."""


def probabilities(margins: List[Array], method: str) -> Array:
    """(rows, categories) of the margins of each category (https://dmg.org/pmml/v4-4-1/Regression.html)."""
    table = np.stack(margins, axis=1)
    if method == "softmax":
        powers = np.exp(table - table.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    if method == "simplemax":
        return table / table.sum(axis=1, keepdims=True)
    table = LINKS[method](table.ravel()).reshape(table.shape)
    if table.shape[1] == 2 or method == "none":
        table[:, -1] = 1.0 - table[:, :-1].sum(axis=1)
        return table
    return table / table.sum(axis=1, keepdims=True)


def check_method(method: str, *, classifies: bool) -> None:
    """Raises Invalid."""
    if method not in LINKS and not (classifies and method == "simplemax"):
        raise Invalid(f"the normalizationMethod {method[:40]!r} is not known")
    if classifies and method == "exp":
        raise Invalid("the normalizationMethod exp is for numbers, not for labels")
