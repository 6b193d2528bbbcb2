"""A model of any kind, made of its element: its fields, its calculation, its outputs."""

from __future__ import annotations

import functools
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from clary.toolkit.pmml.clusters import clustering
from clary.toolkit.pmml.columns import DOUBLE, STRING, Columns
from clary.toolkit.pmml.expressions import Derived, derived
from clary.toolkit.pmml.fields import Field, Taken, given, schema, taken
from clary.toolkit.pmml.reading import Element, Invalid
from clary.toolkit.pmml.regression import regression
from clary.toolkit.pmml.results import Change, Output, changed, outputs
from clary.toolkit.pmml.scoring import Outcome, Score, Target
from clary.toolkit.pmml.segments import Part, mining
from clary.toolkit.pmml.trees import TreeScore, tree

Array = Any
Kinds = Dict[str, str]
TAGS = ("RegressionModel", "TreeModel", "MiningModel", "ClusteringModel")
_FUNCTIONS = ("regression", "classification", "clustering")
_OTHERS = ("Model", "Network", "Scorecard", "Baseline")
"""How PMML's other models are called."""


class Model(NamedTuple):
    """One that can be asked."""

    inputs: Tuple[str, ...]
    """The fields that it takes."""
    target: Target
    outputs: Tuple[Output, ...]
    function: str
    taken: Tuple[Taken, ...]
    derived: Tuple[Derived, ...]
    score: Score
    change: Optional[Change]

    def ask(self, columns: Columns, count: int) -> Tuple[Outcome, Columns]:
        """The answer for so many rows, and the outputs by their names; `columns` are changed. Raises Unanswerable."""
        columns.update({each.field.name: given(each, columns) for each in self.taken})
        for each in self.derived:
            each.add(columns, count)
        outcome = self.score(columns, count)
        if self.change:
            outcome = outcome._replace(value=self.change(outcome.value))
        return outcome, self._told(outcome, columns, count)

    def _told(self, outcome: Outcome, columns: Columns, count: int) -> Columns:
        found: Columns = {}
        known = {**columns, self.target.name: outcome.value} if self.target.name else dict(columns)
        for output in self.outputs:
            found[output.name] = known[output.name] = output.of(outcome, known, count)
        return found


class Makers:
    """Makes models of elements, with the dictionary that they share."""

    def __init__(
        self, fields: Mapping[str, Field], texts: Mapping[str, Sequence[str]], shared: Sequence[Element]
    ) -> None:
        """`texts`: the values of each field as the file writes them; `shared`: DerivedFields of the dictionary."""
        self._fields = fields
        self._texts = texts
        self._shared = shared

    def outermost(self, element: Element) -> Model:
        """Raises Invalid."""
        active, _ = schema(element)
        kinds = {}
        for each in active:
            name = each.need("name")
            if name not in self._fields:
                raise Invalid(f"MiningField {name[:60]!r} is not in the dictionary")
            kinds[name] = self._fields[name].kind
        return self._model(element, kinds, self._fields, self._shared, Target("", STRING))

    def _inner(self, outer: Target, element: Element, kinds: Kinds) -> Part:
        model = self._model(element, dict(kinds), {}, (), outer)
        alone = not (model.taken or model.derived or model.change or model.outputs)
        score = model.score if alone and isinstance(model.score, TreeScore) else None
        return Part(model.ask, {output.name: output.kind for output in model.outputs}, score)

    def _model(
        self,
        element: Element,
        kinds: Kinds,
        fields: Mapping[str, Field],
        shared: Sequence[Element],
        outer: Target,
    ) -> Model:
        function = element.get("functionName")
        if element.tag not in TAGS or function not in _FUNCTIONS:
            what = f"{element.tag[:40]} of {function[:40]}" if element.tag in TAGS else element.tag[:40]
            raise Invalid(f"{what} is not offered: {', '.join(TAGS)} for {', '.join(_FUNCTIONS)} are")
        active, name = schema(element)
        inputs = tuple(each.need("name") for each in active)
        asked = [taken(each, _field(each.need("name"), kinds, fields)) for each in active]
        local = element.first("LocalTransformations")
        made = derived([*shared, *(() if local is None else local.all("DerivedField"))], kinds)
        target = self._target(name or "", function, outer)
        score = self._score(element, kinds, target)
        known = {**kinds, **({target.name: target.kind} if target.name else {})}
        change = changed(element, target, regression=function == "regression")
        told = tuple(outputs(element, known, target.kind))
        return Model(
            inputs, target, told, function, tuple(each for each in asked if not each.plain), tuple(made), score, change
        )

    def _target(self, name: str, function: str, outer: Target) -> Target:
        """A model inside of another one predicts what that one does, unless it says something else."""
        declared = self._fields.get(name)
        if function == "regression":
            return Target(name, DOUBLE)
        if function == "clustering":
            return Target(name, STRING)
        if declared is None:
            return Target(name, outer.kind, outer.texts)
        return Target(name, declared.kind, tuple(self._texts[name]))

    def _score(self, element: Element, kinds: Kinds, target: Target) -> Score:
        if element.tag == "RegressionModel":
            return regression(element, kinds, target)
        if element.tag == "TreeModel":
            return tree(element, kinds, target)
        if element.tag == "ClusteringModel":
            return clustering(element, kinds)
        return mining(element, kinds, target, functools.partial(self._inner, target))


def _field(name: str, kinds: Kinds, declared: Mapping[str, Field]) -> Field:
    """What the dictionary declares holds for the outermost model: inside, any value may come."""
    if name not in kinds:
        raise Invalid(f"MiningField {name[:60]!r} is no field")
    nothing: Any = frozenset()
    return declared.get(name) or Field(name, kinds[name], nothing, nothing, nothing, ())


def elements(root: Element) -> List[Element]:
    """The models of a file."""
    return [child for child in root.children if child.tag in TAGS or any(child.tag.endswith(each) for each in _OTHERS)]
