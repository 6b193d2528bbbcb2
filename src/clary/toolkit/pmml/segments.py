"""MiningModel (https://dmg.org/pmml/v4-4-1/MultipleModels.html): several models, and how their answers become one."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from clary.toolkit.pmml.columns import DOUBLE, Column, Columns
from clary.toolkit.pmml.predicates import TAGS, Predicate, always_true, predicate
from clary.toolkit.pmml.reading import Element, Invalid
from clary.toolkit.pmml.scoring import Outcome, Score, Target
from clary.toolkit.pmml.trees import TreeScore
from clary.toolkit.pmml.ways import Grove

Array = Any
Kinds = Dict[str, str]


class Part(NamedTuple):
    """A model inside of another one: its outputs are fields for those behind it."""

    score: Callable[[Columns, int], Tuple[Outcome, Columns]]
    outputs: Mapping[str, str]
    """Their kinds."""
    tree: Optional[TreeScore] = None
    """Where it is a tree, and nothing else."""


Maker = Callable[[Element, Kinds], Part]
"""Makes a model of an element."""


class _Segment(NamedTuple):
    everywhere: bool
    ask: Predicate
    part: Part
    weight: float


class _Answer(NamedTuple):
    """What a segment says, and of which rows it was asked."""

    outcome: Outcome
    asked: Array
    weight: float


def mining(element: Element, kinds: Kinds, target: Target, make: Maker) -> Score:
    """Raises Invalid."""
    segmentation = element.only("Segmentation")
    method = segmentation.need("multipleModelMethod")
    treatment = segmentation.get("missingPredictionTreatment", "continue")
    if treatment not in ("continue", "skipSegment"):
        raise Invalid(f"the missingPredictionTreatment {treatment[:40]!r} is not offered")
    chained = method == "modelChain"
    segments = [_segment(each, kinds, make, chained=chained) for each in segmentation.all("Segment")]
    if not segments:
        raise Invalid("Segmentation has no segments")
    if chained:
        return _chain(segments)
    if method == "selectFirst":
        return _first(segments)
    classifies = element.need("functionName") != "regression"
    joins: Mapping[str, Any] = _OF_LABELS if classifies else _OF_NUMBERS
    if method not in joins:
        offered = ", ".join(("modelChain", "selectFirst", *joins))
        raise Invalid(f"the multipleModelMethod {method[:40]!r} is not offered for this: {offered} are")
    join, skips = joins[method], treatment == "skipSegment"

    ask = _asking(segments)

    def score(columns: Columns, count: int) -> Outcome:
        answers = ask(columns, count)
        found: Outcome = join(answers, count, target, skips)
        return found

    return score


def _asking(segments: Sequence[_Segment]) -> Callable[[Columns, int], List[_Answer]]:
    """All segments: one by one, or, where they are plain trees, together."""
    trees = [segment.part.tree for segment in segments if segment.everywhere]
    plain = [tree.ways for tree in trees if tree is not None and tree.ways is not None]
    if len(plain) < len(segments):
        return lambda columns, count: [_asked(segment, columns, count) for segment in segments]
    grove = Grove(plain)
    told = [(tree.told, segment.weight) for tree, segment in zip(trees, segments) if tree is not None]  # noqa: B905

    def ask(columns: Columns, count: int) -> List[_Answer]:
        leaves, asked = grove.leaves(columns, count), np.ones(count, bool)
        return [_Answer(say(leaves[:, place]), asked, weight) for place, (say, weight) in enumerate(told)]

    return ask


def _segment(element: Element, kinds: Kinds, make: Maker, *, chained: bool) -> _Segment:
    asked = element.only(*TAGS)
    models = [child for child in element.children if child.tag not in TAGS and child.tag != "VariableWeight"]
    if len(models) != 1 or element.first("VariableWeight"):
        raise Invalid("a Segment must hold one predicate and one model")
    ask = predicate(asked, kinds)
    part = make(models[0], kinds)
    if chained:
        kinds.update(part.outputs)
    return _Segment(always_true(asked), ask, part, element.number("weight", 1.0))


def _rows(segment: _Segment, columns: Columns, count: int) -> Array:
    if segment.everywhere:
        return np.ones(count, bool)
    return segment.ask(columns, np.arange(count)).true


def _some(columns: Columns, rows: Array) -> Columns:
    return {name: column.take(rows) for name, column in columns.items()}


def _asked(segment: _Segment, columns: Columns, count: int) -> _Answer:
    asked = _rows(segment, columns, count)
    if asked.all():
        return _Answer(segment.part.score(dict(columns), count)[0], asked, segment.weight)
    outcome = segment.part.score(_some(columns, asked), int(asked.sum()))[0]
    return _Answer(_spread(outcome, asked), asked, segment.weight)


def _spread(outcome: Outcome, asked: Array) -> Outcome:
    """As answers for all rows; missing where nothing was asked."""
    return Outcome(
        _spread_column(outcome.value, asked),
        {text: _spread_array(each, asked, 0.0) for text, each in outcome.probabilities.items()},
    )


def _spread_column(column: Column, asked: Array) -> Column:
    empty: Any = "" if column.values.dtype == object else np.nan
    return Column(
        column.kind, _spread_array(column.values, asked, empty), _spread_array(column.missing, asked, value=True)
    )


def _spread_array(values: Array, asked: Array, value: Any) -> Array:  # noqa: ANN401 - of the array's own type
    whole = np.full(len(asked), value, values.dtype)
    whole[asked] = values
    return whole


def _chain(segments: Sequence[_Segment]) -> Score:
    """Each is told what those before it have said; the last one's answer is the answer."""

    def score(columns: Columns, count: int) -> Outcome:
        found: Any = None
        for segment in segments:
            asked = _rows(segment, columns, count)
            some = dict(columns) if asked.all() else _some(columns, asked)
            outcome, outputs = segment.part.score(some, int(asked.sum()))
            columns.update({name: _spread_column(each, asked) for name, each in outputs.items()})
            found = _over(found, _spread(outcome, asked), asked)
        answer: Outcome = found
        return answer

    return score


def _first(segments: Sequence[_Segment]) -> Score:
    """The first whose predicate is true answers."""

    def score(columns: Columns, count: int) -> Outcome:
        found: Any = None
        left = np.ones(count, bool)
        for segment in segments:
            asked = left & _rows(segment, columns, count)
            outcome = segment.part.score(_some(columns, asked), int(asked.sum()))[0]
            found = _over(found, _spread(outcome, asked), asked)
            left = left & ~asked
        answer: Outcome = found
        return answer

    return score


def _over(before: Any, outcome: Outcome, asked: Array) -> Outcome:  # noqa: ANN401 - an Outcome, or None
    """The new answers where there are some."""
    if before is None:
        return outcome
    value = Column(
        outcome.value.kind,
        np.where(asked, outcome.value.values, before.value.values),
        np.where(asked, outcome.value.missing, before.value.missing),
    )
    zeros = np.zeros(len(asked))
    texts = dict.fromkeys([*before.probabilities, *outcome.probabilities])
    new, old = outcome.probabilities, before.probabilities
    return Outcome(value, {each: np.where(asked, new.get(each, zeros), old.get(each, zeros)) for each in texts})


_Weigh = Callable[[Array, Array, Array], Array]
"""Of values (segments, rows), NaN where there are none, weights (segments, 1), and which count: a value a row."""


def _weighed(values: Array, weights: Array, counted: Array) -> Array:
    """A sum, in the segments' order."""
    total = np.zeros(values.shape[1])
    for value, weight, counts in zip(values, weights, counted):  # noqa: B905 - Python 3.8
        total = total + np.where(counts, value * weight, 0.0)
    return total


def _sum(values: Array, _weights: Array, counted: Array) -> Array:
    return _weighed(values, np.ones(len(values)), counted)


def _average(values: Array, _weights: Array, counted: Array) -> Array:
    return _sum(values, _weights, counted) / counted.sum(axis=0)


def _weighted_average(values: Array, weights: Array, counted: Array) -> Array:
    return _weighed(values, weights, counted) / (counted * weights[:, None]).sum(axis=0)


def _with(function: Callable[..., Any]) -> _Weigh:
    def weigh(values: Array, _weights: Array, counted: Array) -> Array:
        return function(np.where(counted, values, np.nan), axis=0)

    return weigh


def _numbers(weigh: _Weigh) -> Any:  # noqa: ANN401 - a join of answers
    def join(answers: List[_Answer], count: int, _target: Target, skips: bool) -> Outcome:
        values = np.stack([answer.outcome.value.values.astype(float) for answer in answers])
        gone = np.stack([answer.outcome.value.missing for answer in answers])
        asked = np.stack([answer.asked for answer in answers])
        weights = np.asarray([answer.weight for answer in answers])
        counted = asked & ~gone
        lost = ~counted.any(axis=0) | (False if skips else (asked & gone).any(axis=0))
        counted = counted | lost  # such rows have no answer: what is calculated for them is not looked at
        values = np.where(np.isnan(values), 0.0, values)
        with np.errstate(all="ignore"):
            return Outcome(Column(DOUBLE, np.where(lost, np.nan, weigh(values, weights, counted)), lost))

    return join


def _mean(*, weighted: bool) -> Any:  # noqa: ANN401 - a join of answers
    """The mean of probabilities."""

    def join(answers: List[_Answer], count: int, target: Target, _skips: bool) -> Outcome:
        if any(not answer.outcome.probabilities for answer in answers):
            raise Invalid("a segment has no probabilities to take the mean of")
        labels = target.labels(text for answer in answers for text in answer.outcome.probabilities)
        table, total = np.zeros((count, len(labels.texts))), np.zeros(count)
        for answer in answers:
            counted = answer.asked & ~answer.outcome.value.missing
            weight = np.where(counted, answer.weight if weighted else 1.0, 0.0)
            total += weight
            for place, text in enumerate(labels.texts):
                if text in answer.outcome.probabilities:
                    table[:, place] += np.where(counted, answer.outcome.probabilities[text], 0.0) * weight
        missing = total == 0
        return labels.most_probable(table / np.where(missing, 1.0, total)[:, None], missing)

    return join


def _votes(*, weighted: bool) -> Any:  # noqa: ANN401 - as above
    def join(answers: List[_Answer], count: int, target: Target, _skips: bool) -> Outcome:
        said = [_texts(answer.outcome.value) for answer in answers]
        order = {str(_text(text, target.kind)): text for text in target.texts}
        voted = dict.fromkeys(text for each in said for text in each if text)
        labels = target.labels(order.get(text, text) for text in voted)
        places = {str(_text(text, target.kind)): place for place, text in enumerate(labels.texts)}
        table = np.zeros((count, len(labels.texts)))
        for answer, texts in zip(answers, said):  # noqa: B905 - Python 3.8
            for row, text in enumerate(texts):
                if text:
                    table[row, places[text]] += answer.weight if weighted else 1.0
        total = table.sum(axis=1)
        if not labels.texts:
            return Outcome(answers[0].outcome.value._replace(missing=np.ones(count, bool)))
        return labels.most_probable(table / np.where(total == 0, 1.0, total)[:, None], total == 0)

    return join


def _texts(column: Column) -> List[str]:
    return ["" if value is None else str(value) for value in column.to_list()]


def _text(text: str, kind: str) -> Any:  # noqa: ANN401 - as a column of such a kind has it
    found = Target("", kind).labels([text]).column(np.zeros(1, int), np.zeros(1, bool))
    return found.to_list()[0]


_OF_NUMBERS: Mapping[str, Any] = {
    "sum": _numbers(_sum),
    "average": _numbers(_average),
    "weightedSum": _numbers(_weighed),
    "weightedAverage": _numbers(_weighted_average),
    "median": _numbers(_with(np.nanmedian)),
    "max": _numbers(_with(np.nanmax)),
}
_OF_LABELS: Mapping[str, Any] = {
    "average": _mean(weighted=False),
    "weightedAverage": _mean(weighted=True),
    "majorityVote": _votes(weighted=False),
    "weightedMajorityVote": _votes(weighted=True),
}
