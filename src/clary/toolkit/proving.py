"""Whether a file gives the answers of the model that it was made of, on rows that nobody sent."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

ROWS = 2000
MOST_DIFFERENCE = 1e-5
"""Of a probability; of other numbers, in relation to the largest of them where that is above 1."""
_ALONE = 64
"""Of them are asked one by one as well."""

Array = Any
Model = Any


class Asked(Protocol):
    """A file, ready to be asked."""

    def labels(self, table: Array, kind: Any) -> Array:  # noqa: ANN401 - numpy's types of types differ by version
        """What a classifier predicts for rows of float32, in its own type."""
        ...

    def probabilities(self, table: Array) -> Array:
        """(rows, classes)."""
        ...

    def first(self, table: Array) -> Array:
        """What any model predicts."""
        ...


class Refused(Exception):
    """The compiled model does not give the model's answers."""


class Proof(NamedTuple):
    """What was compared: labels were the same, and numbers as far apart."""

    rows: int
    labels: int
    """Different ones; 0 where the model gives none."""
    difference: float
    """The largest, of probabilities or other numbers."""
    kind: str
    """Of these numbers: `float64`."""


def labels(model: Model, session: Asked, table: Array) -> Proof:
    """Raises Refused where labels differ anywhere, or probabilities by more than MOST_DIFFERENCE."""
    wanted = model.predict(table)
    found = session.labels(table, wanted.dtype)
    if found.shape != wanted.shape or not bool(np.all(found == wanted)):
        raise Refused(f"{int(np.sum(found != wanted))} of {len(table)} labels differ")
    if any(session.labels(table[place : place + 1], wanted.dtype)[0] != wanted[place] for place in range(_ALONE)):
        raise Refused("a row alone has another label")
    probabilities = model.predict_proba(table) if hasattr(model, "predict_proba") else np.zeros((0, 0))
    difference = float(np.max(np.abs(session.probabilities(table) - probabilities))) if len(probabilities) else 0.0
    if not difference <= MOST_DIFFERENCE:
        raise Refused(f"probabilities differ by {difference:.2g}")
    return Proof(len(table), len(np.unique(wanted)), difference, probabilities.dtype.name)


def numbers(wanted: Array, session: Asked, table: Array) -> Proof:
    """`wanted` are the model's, a row's in each of its rows. Raises Refused where they differ by more than
    MOST_DIFFERENCE, or a row alone has others than among many."""
    found = session.first(table)
    if found.size != wanted.size or len(found) != len(wanted):
        raise Refused(f"answers of shape {found.shape} stand for answers of shape {wanted.shape}")
    found = found.reshape(wanted.shape)
    difference = float(np.max(np.abs(found.astype(float) - wanted))) if wanted.size else 0.0
    if not difference <= MOST_DIFFERENCE * max(1.0, float(np.max(np.abs(wanted)))):
        raise Refused(f"numbers differ by {difference:.2g}")
    alone = [session.first(table[place : place + 1]).reshape(wanted[:1].shape) for place in range(_ALONE)]
    if not np.allclose(np.concatenate(alone), found[:_ALONE], rtol=MOST_DIFFERENCE, atol=MOST_DIFFERENCE):
        raise Refused("a row alone has another answer")
    return Proof(len(table), 0, difference, wanted.dtype.name)
