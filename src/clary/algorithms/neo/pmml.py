"""Formulas as PMML 4.4 (https://dmg.org/pmml/v4-4-1/GeneralStructure.html)."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple
from xml.sax.saxutils import escape, quoteattr

from clary.algorithms.neo.compiled import Uncompilable
from clary.algorithms.neo.formulas import (
    FIELD,
    LEAF,
    NOWHERE,
    Additive,
    Centres,
    Column,
    Formula,
    Mean,
    Sum,
    Tree,
    Votes,
    Written,
    fields_of,
    has_trees,
    narrow,
)

_VERSION = "4.4"
_NAMESPACE = "http://www.dmg.org/PMML-4_4"
_DEEPEST = 250
"""Levels of a tree: readers, ours too, have limits."""
_FUNCTIONS: Mapping[str, str] = {"above": "greaterThan"}
"""PMML's name where it is another one."""
_LINKS: Mapping[str, str] = {"identity": "none", "exp": "exp", "logit": "logit"}

Text = Iterator[str]


def content(written: Written) -> bytes:
    """The file. Raises Uncompilable for what PMML has no word for."""
    return "\n".join(_Writer(written).lines()).encode() + b"\n"


class _Writer:
    def __init__(self, written: Written) -> None:
        self._formula = written.formula
        self._names = list(written.names)
        if len(set(self._names)) < len(self._names):
            raise Uncompilable("two features have the same name")
        self._kind = "float" if has_trees(written.formula) else "double"
        self._target = self._free("y")
        self._derived: Dict[Column, str] = {}
        self._fields: List[str] = []

    def lines(self) -> Text:
        model = list(self._model(self._formula, outermost=True))
        yield '<?xml version="1.0" encoding="UTF-8"?>'
        yield f'<PMML xmlns="{_NAMESPACE}" version="{_VERSION}">'
        yield '<Header><Application name="Clary"/></Header>'
        yield from self._dictionary()
        if self._fields:
            yield "<TransformationDictionary>"
            yield from self._fields
            yield "</TransformationDictionary>"
        yield from model
        yield "</PMML>"

    def _free(self, name: str) -> str:
        """A name that no feature has."""
        while name in self._names:
            name += "_"
        return name

    def _dictionary(self) -> Text:
        yield "<DataDictionary>"
        for name in self._names:
            yield f'<DataField name={quoteattr(name)} optype="continuous" dataType="{self._kind}"/>'
        labels = getattr(self._formula, "labels", None)
        name = quoteattr(self._target)
        if labels is not None:
            yield f'<DataField name={name} optype="categorical" dataType="{_kind_of(labels)}">'
            yield from (f"<Value value={quoteattr(_text(label))}/>" for label in labels)
            yield "</DataField>"
        elif not isinstance(self._formula, Centres):
            yield f'<DataField name={name} optype="continuous" dataType="double"/>'
        yield "</DataDictionary>"

    def _schema(self, columns: Sequence[Column], *, outermost: bool, also: Sequence[str] = ()) -> Text:
        """The outermost model names all fields: rows are given in their order."""
        yield "<MiningSchema>"
        places = range(len(self._names)) if outermost else fields_of(columns)
        yield from (
            f"<MiningField name={quoteattr(name)}/>" for name in [*(self._names[each] for each in places), *also]
        )
        if outermost and not isinstance(self._formula, Centres):
            yield f'<MiningField name={quoteattr(self._target)} usageType="target"/>'
        yield "</MiningSchema>"

    def _outputs(self, labels: Sequence[Any]) -> Text:
        yield "<Output>"
        for label in labels:
            text = _text(label)
            name = quoteattr(f"probability({text})")
            said = f'optype="continuous" dataType="double" feature="probability" value={quoteattr(text)}'
            yield f"<OutputField name={name} {said}/>"
        yield "</Output>"

    def _model(self, formula: Formula, *, outermost: bool) -> Text:
        if isinstance(formula, Additive):
            return self._additive(formula, outermost=outermost)
        if isinstance(formula, Votes):
            return self._votes(formula, outermost=outermost)
        return self._mean(formula, outermost=outermost) if isinstance(formula, Mean) else self._centres(formula)

    def _mean(self, formula: Mean, *, outermost: bool) -> Text:
        columns = [column for part in formula.parts for column in getattr(part, "columns", ())]
        yield f'<MiningModel functionName="{_function(formula.labels)}">'
        yield from self._schema(columns, outermost=outermost)
        if formula.labels is not None and outermost:
            yield from self._outputs(formula.labels)
        yield '<Segmentation multipleModelMethod="weightedAverage">'
        for place, (part, weight) in enumerate(zip(formula.parts, formula.weights), 1):  # noqa: B905 - Python 3.8
            yield f'<Segment id="{place}" weight="{weight!r}"><True/>'
            yield from self._model(part, outermost=False)
            yield "</Segment>"
        yield "</Segmentation></MiningModel>"

    def _additive(self, formula: Additive, *, outermost: bool) -> Text:
        plain = not any(each.trees for each in formula.sums)
        if plain and formula.link != "ovr":
            yield from self._regression(formula, outermost=outermost)
            return
        if formula.link == "identity":
            yield from self._total(
                formula, formula.sums[0], self._base(formula.sums[0], outermost), outermost=outermost
            )
            return
        yield f'<MiningModel functionName="{_function(formula.labels)}">'
        yield from self._schema(formula.columns, outermost=outermost)
        if formula.labels is not None and outermost and formula.link != NOWHERE:
            yield from self._outputs(formula.labels)
        yield '<Segmentation multipleModelMethod="modelChain">'
        names = [self._free(f"margin{place + 1}") for place in range(len(formula.sums))]
        for name, each in zip(names, formula.sums):  # noqa: B905 - Python 3.8
            yield f'<Segment id="{name}"><True/>'
            output = f'<OutputField name="{name}" optype="continuous" dataType="double" feature="predictedValue"/>'
            yield from self._margin(formula, each, f"<Output>{output}</Output>")
            yield "</Segment>"
        yield '<Segment id="link"><True/>'
        yield from self._last(formula, names)
        yield "</Segment></Segmentation></MiningModel>"

    def _base(self, margin: Sum, outermost: bool) -> str:
        field = f"field={quoteattr(self._target)} " if outermost else ""
        return f'<Targets><Target {field}rescaleConstant="{margin.base!r}"/></Targets>'

    def _margin(self, formula: Additive, margin: Sum, extra: str) -> Text:
        """What is added by trees; or, of one against the others, a sigmoid of a sum."""
        if formula.link != "ovr":
            yield from self._total(formula, margin, extra, outermost=False)
            return
        yield '<RegressionModel functionName="regression" normalizationMethod="logit">'
        yield from self._schema(formula.columns, outermost=False)
        yield extra
        yield from self._table(formula.columns, margin)
        yield "</RegressionModel>"

    def _total(self, formula: Additive, margin: Sum, extra: str, *, outermost: bool) -> Text:
        columns = [formula.columns[place] for tree in margin.trees for place in tree.used()]
        yield '<MiningModel functionName="regression">'
        yield from self._schema(columns, outermost=outermost)
        yield extra
        yield '<Segmentation multipleModelMethod="sum">'
        for place, tree in enumerate(margin.trees, 1):
            yield f'<Segment id="{place}"><True/>'
            yield from self._tree(formula.columns, tree, None, outermost=False)
            yield "</Segment>"
        yield "</Segmentation></MiningModel>"

    def _last(self, formula: Additive, names: Sequence[str]) -> Text:
        """From margins to the answer."""
        method, labels = _method(formula), formula.labels
        yield f'<RegressionModel functionName="{_function(labels)}" normalizationMethod="{method}">'
        yield from self._schema((), outermost=False, also=names)
        sums = [
            Sum(0.0 if formula.link == "ovr" else each.base, ((place, 1.0),)) for place, each in enumerate(formula.sums)
        ]
        yield from self._tables(sums, labels, names)
        yield "</RegressionModel>"

    def _regression(self, formula: Additive, *, outermost: bool) -> Text:
        labels = formula.labels
        yield f'<RegressionModel functionName="{_function(labels)}" normalizationMethod="{_method(formula)}">'
        yield from self._schema(formula.columns, outermost=outermost)
        if labels is not None and outermost and formula.link != NOWHERE:
            yield from self._outputs(labels)
        names = [self._name(column) for column in formula.columns]
        yield from self._tables(formula.sums, labels, names)
        yield "</RegressionModel>"

    def _tables(self, sums: Sequence[Sum], labels: Optional[Sequence[Any]], names: Sequence[str]) -> Text:
        if labels is None:
            yield from _table(names, sums[0], "")
            return
        margins = [Sum(0.0), *sums] if len(sums) < len(labels) else sums
        for label, margin in zip(labels, margins):  # noqa: B905 - Python 3.8
            yield from _table(names, margin, f" targetCategory={quoteattr(_text(label))}")

    def _table(self, columns: Sequence[Column], margin: Sum) -> Text:
        return _table([self._name(column) for column in columns], margin, "")

    def _votes(self, formula: Votes, *, outermost: bool) -> Text:
        if len(formula.trees) == 1:
            yield from self._tree(formula.columns, formula.trees[0], formula.labels, outermost=outermost)
            return
        columns = [formula.columns[place] for tree in formula.trees for place in tree.used()]
        yield f'<MiningModel functionName="{_function(formula.labels)}">'
        yield from self._schema(columns, outermost=outermost)
        if formula.labels is not None and outermost:
            yield from self._outputs(formula.labels)
        yield '<Segmentation multipleModelMethod="average">'
        for place, tree in enumerate(formula.trees, 1):
            yield f'<Segment id="{place}"><True/>'
            yield from self._tree(formula.columns, tree, formula.labels, outermost=False)
            yield "</Segment>"
        yield "</Segmentation></MiningModel>"

    def _tree(self, columns: Sequence[Column], tree: Tree, labels: Optional[Sequence[Any]], *, outermost: bool) -> Text:
        if tree.depth() > _DEEPEST:
            raise Uncompilable(f"a tree has {tree.depth()} levels, PMML's readers take {_DEEPEST}")
        strategy = "none" if tree.missing_left is None else "defaultChild"
        said = f'missingValueStrategy="{strategy}" splitCharacteristic="binarySplit"'
        yield f'<TreeModel functionName="{_function(labels)}" {said}>'
        yield from self._schema([columns[place] for place in tree.used()], outermost=outermost)
        if labels is not None and outermost:
            yield from self._outputs(labels)
        names = {place: quoteattr(self._name(columns[place])) for place in tree.used()}
        yield from _nodes(tree, names, labels)
        yield "</TreeModel>"

    def _centres(self, formula: Centres) -> Text:
        yield (
            '<ClusteringModel functionName="clustering" modelClass="centerBased" '
            f'numberOfClusters="{len(formula.centres)}">'
        )
        yield from self._schema(formula.columns, outermost=True)
        output = '<OutputField name="cluster" optype="categorical" dataType="integer" feature="predictedValue"/>'
        yield f"<Output>{output}</Output>"
        yield '<ComparisonMeasure kind="distance"><squaredEuclidean/></ComparisonMeasure>'
        for column in formula.columns:
            yield f'<ClusteringField field={quoteattr(self._name(column))} compareFunction="absDiff"/>'
        for place, centre in enumerate(formula.centres):
            numbers = " ".join(repr(float(each)) for each in centre)
            yield f'<Cluster id="{place}"><Array n="{len(centre)}" type="real">{numbers}</Array></Cluster>'
        yield "</ClusteringModel>"

    def _name(self, column: Column) -> str:
        """What a column is called in the file: a field, or one that is derived of others."""
        if column.function == FIELD:
            place: int = column.arguments[0]
            return self._names[place]
        if column in self._derived:
            return self._derived[column]
        parts = [
            f"<FieldRef field={quoteattr(self._name(each))}/>" if isinstance(each, Column) else _constant(each)
            for each in column.arguments
        ]
        name = self._derived[column] = self._free(f"d{len(self._derived) + 1}")
        body = _applied(column, parts)
        self._fields.append(
            f'<DerivedField name="{name}" optype="continuous" dataType="{self._kind}">{body}</DerivedField>'
        )
        return name


def _applied(column: Column, parts: List[str]) -> str:
    if column.function == "instead":
        missing = f'<Apply function="isMissing">{parts[0]}</Apply>'
        return f'<Apply function="if">{missing}{parts[1]}{parts[0]}</Apply>'
    if column.function in ("equal", "above"):
        condition = f'<Apply function="{_FUNCTIONS.get(column.function, column.function)}">{"".join(parts)}</Apply>'
        return f'<Apply function="if">{condition}{_constant(1)}{_constant(0)}</Apply>'
    return f'<Apply function="{column.function}">{"".join(parts)}</Apply>'


def _constant(value: float) -> str:
    return f'<Constant dataType="double">{escape(repr(float(value)))}</Constant>'


def _table(names: Sequence[str], margin: Sum, category: str) -> Text:
    yield f'<RegressionTable intercept="{margin.base!r}"{category}>'
    for place, weight in margin.weights:
        yield f'<NumericPredictor name={quoteattr(names[place])} coefficient="{weight!r}"/>'
    yield "</RegressionTable>"


def _method(formula: Additive) -> str:
    if formula.labels is None:
        return _LINKS[formula.link]
    return "simplemax" if formula.link == "ovr" else "softmax"


def _nodes(tree: Tree, names: Mapping[int, str], labels: Optional[Sequence[Any]]) -> Text:
    """Without calling itself: a tree may be deep. A node waits with its predicate; None closes the one before."""
    waiting: List[Optional[Tuple[int, str]]] = [(0, "<True/>")]
    while waiting:
        each = waiting.pop()
        if each is None:
            yield "</Node>"
            continue
        node, predicate = each
        if tree.columns[node] == LEAF:
            yield f'<Node id="{node}" {_answer(tree.values[node], labels, predicate)}</Node>'
            continue
        left, right = tree.left[node], tree.right[node]
        default = "" if tree.missing_left is None else f' defaultChild="{left if tree.missing_left[node] else right}"'
        yield f'<Node id="{node}"{default}>{predicate}'
        less, more = ("lessThan", "greaterOrEqual") if tree.strict else ("lessOrEqual", "greaterThan")
        value = repr(narrow(tree.thresholds[node], strict=tree.strict))
        field = names[tree.columns[node]]
        said = [f'<SimplePredicate field={field} operator="{each}" value="{value}"/>' for each in (less, more)]
        waiting += [None, (right, said[1]), (left, said[0])]


def _answer(values: Sequence[float], labels: Optional[Sequence[Any]], predicate: str) -> str:
    if labels is None:
        return f'score="{values[0]!r}">{predicate}'
    best = max(range(len(labels)), key=values.__getitem__)
    shares = "".join(
        f'<ScoreDistribution value={quoteattr(_text(label))} recordCount="{value!r}" probability="{value!r}"/>'
        for label, value in zip(labels, values)  # noqa: B905 - Python 3.8
    )
    return f"score={quoteattr(_text(labels[best]))}>{predicate}{shares}"


def _function(labels: Optional[Sequence[Any]]) -> str:
    return "regression" if labels is None else "classification"


def _kind_of(labels: Sequence[Any]) -> str:
    kinds = {type(label) for label in labels}
    found = {str: "string", int: "integer", float: "double", bool: "boolean"}.get(next(iter(kinds)))
    if len(kinds) != 1 or found is None:
        raise Uncompilable(f"labels of {', '.join(sorted(kind.__name__ for kind in kinds))} are not written")
    return found


def _text(label: Any) -> str:  # noqa: ANN401 - a string, a number, a truth value
    return str(label).lower() if isinstance(label, bool) else str(label)
