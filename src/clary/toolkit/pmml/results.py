"""What becomes of a prediction before it is answered (https://dmg.org/pmml/v4-4-1/Targets.html, …/Output.html)."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional

import numpy as np

from clary.toolkit.pmml.columns import DOUBLE, STRING, Column, Columns, cast, constant, constant_of, kind_of, numbers
from clary.toolkit.pmml.expressions import of_parent
from clary.toolkit.pmml.reading import Element, Invalid
from clary.toolkit.pmml.scoring import Outcome, Target

Array = Any
Kinds = Dict[str, str]
Change = Callable[[Column], Column]

_CASTS: Mapping[str, Callable[[Array], Array]] = {
    "round": lambda values: np.floor(values + 0.5),
    "ceiling": np.ceil,
    "floor": np.floor,
}


def changed(model: Element, target: Target, *, regression: bool) -> Optional[Change]:
    """What Targets say of the prediction; None: nothing. Raises Invalid."""
    targets = model.first("Targets")
    found = [] if targets is None else [each for each in targets.all("Target") if _is_of(each, target)]
    if not found:
        return None
    (one,) = found[:1]
    return _calculated(one) if regression else _defaulted(one, target)


def _is_of(element: Element, target: Target) -> bool:
    return element.get("field", target.name) == target.name or not target.name


def _calculated(element: Element) -> Change:
    low, high = element.number("min", float("-inf")), element.number("max", float("inf"))
    factor, plus = element.number("rescaleFactor", 1.0), element.number("rescaleConstant", 0.0)
    whole = element.get("castInteger")
    if whole and whole not in _CASTS:
        raise Invalid(f"Target: castInteger {whole[:40]!r} is not known")
    values = list(element.all("TargetValue"))
    default = values[0].number("defaultValue", float("nan")) if len(values) == 1 else float("nan")

    def change(column: Column) -> Column:
        found = np.clip(np.where(column.missing, default, column.values), low, high) * factor + plus
        return numbers(_CASTS[whole](found) if whole else found)

    return change


def _defaulted(element: Element, target: Target) -> Change:
    """The label that was most frequent stands for no prediction."""
    said = [each for each in element.all("TargetValue") if "priorProbability" in each.attributes]
    if not said:
        return lambda column: column
    most = max(said, key=lambda each: each.number("priorProbability"))
    value = constant_of(most.need("value"), target.kind, "TargetValue")

    def change(column: Column) -> Column:
        whole = constant(value, column.kind, len(column.missing))
        found = np.where(column.missing, whole.values, column.values)
        return Column(column.kind, found, np.zeros_like(column.missing))

    return change


class Output(NamedTuple):
    """An OutputField."""

    name: str
    kind: str
    of: Callable[[Outcome, Columns, int], Column]


def outputs(model: Element, kinds: Kinds, predicted: str) -> List[Output]:
    """The OutputFields, of which later ones may name earlier ones; `predicted` is the kind of the model's value.
    Raises Invalid."""
    element = model.first("Output")
    found: List[Output] = []
    known = dict(kinds)
    for each in () if element is None else element.all("OutputField"):
        one = _output(each, known, predicted)
        known[one.name] = one.kind
        found.append(one)
    return found


def _output(element: Element, kinds: Kinds, predicted: str) -> Output:
    name = element.need("name")
    inner = [child for child in element.children if child.tag not in ("Value", "Decisions")]
    feature = element.get("feature", "transformedValue" if inner else "predictedValue")
    if "segmentId" in element.attributes:
        raise Invalid(f"OutputField {name[:60]!r}: answers of a segment alone are not offered")
    maker = _FEATURES.get(feature)
    if maker is None:
        raise Invalid(f"OutputField {name[:60]!r}: the feature {feature[:40]!r} is not offered: {', '.join(_FEATURES)}")
    made = maker(element, kinds, predicted)
    kind = kind_of(element.get("dataType") or made.kind, f"OutputField {name[:60]!r}")
    return Output(name, kind, lambda outcome, columns, count: cast(made.of(outcome, columns, count), kind))


def _predicted(_element: Element, _kinds: Kinds, predicted: str) -> Output:
    return Output("", predicted, lambda outcome, _columns, _count: outcome.value)


def _transformed(element: Element, kinds: Kinds, _predicted: str) -> Output:
    made = of_parent(element, kinds)
    return Output("", made.kind, lambda _outcome, columns, count: made.of(columns, count))


def _probability(element: Element, _kinds: Kinds, _predicted: str) -> Output:
    """Of a label; without one, of that which is predicted."""
    wanted = element.attributes.get("value")

    def of(outcome: Outcome, _columns: Columns, count: int) -> Column:
        given = outcome.probabilities
        if wanted is None:
            best = np.max(np.stack(list(given.values())), axis=0) if given else np.full(count, np.nan)
            return Column(DOUBLE, best, outcome.value.missing | (not given))
        found = given.get(wanted)
        values = np.full(count, np.nan if not given else 0.0) if found is None else found
        return Column(DOUBLE, values, outcome.value.missing | (not given))

    return Output("", DOUBLE, of)


def _distance(element: Element, _kinds: Kinds, _predicted: str) -> Output:
    """To a cluster; without one named, to the nearest."""
    wanted = element.attributes.get("value")

    def of(outcome: Outcome, _columns: Columns, count: int) -> Column:
        given = outcome.distances
        found = given.get(wanted) if wanted else np.min(np.stack(list(given.values())), axis=0) if given else None
        values = np.full(count, np.nan) if found is None else found
        return Column(DOUBLE, values, outcome.value.missing | (found is None))

    return Output("", DOUBLE, of)


def _cluster(_element: Element, _kinds: Kinds, _predicted: str) -> Output:
    return Output("", STRING, lambda outcome, _columns, _count: outcome.value)


_FEATURES: Mapping[str, Callable[[Element, Kinds, str], Output]] = {
    "predictedValue": _predicted,
    "transformedValue": _transformed,
    "probability": _probability,
    "clusterId": _cluster,
    "clusterAffinity": _distance,
    "affinity": _distance,
}
