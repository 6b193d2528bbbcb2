"""Linear models and trees as PFA 0.8.1 (http://dmg.org/pfa/docs/document_structure/, …/library_reference/)."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Mapping, Sequence

from clary.algorithms.neo.compiled import Uncompilable
from clary.algorithms.neo.formulas import (
    FIELD,
    LEAF,
    NOWHERE,
    Additive,
    Column,
    Sum,
    Tree,
    Votes,
    Written,
    narrow,
)

Json = Any

_DOUBLES = {"type": "array", "items": "double"}
_DEEPEST = 250
"""Levels of a tree, which are as many objects in objects."""
_INT = 2**31
_FUNCTIONS: Mapping[str, str] = {"pow": "**", "exp": "m.exp", "ln": "m.ln", "ln1p": "m.ln1p", "sqrt": "m.sqrt"}
"""PFA's name where it is another one."""
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9_]")


def content(written: Written) -> bytes:
    """The document: a record of the features in, a number or a label with probabilities out. Raises Uncompilable for
    other models than linear ones and trees."""
    formula = written.formula
    if not isinstance(formula, (Additive, Votes)):
        raise Uncompilable("PFA is written of linear models and of trees only; this one can be had as ONNX or PMML")
    return json.dumps(_Writer(formula, _names(written.names)).document(), separators=(",", ":")).encode()


def _names(names: Sequence[str]) -> List[str]:
    """PFA's names are of letters, digits and underscores."""
    found: List[str] = []
    for name in names:
        plain = _UNNAMEABLE.sub("_", name)
        plain = plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}"
        while plain in found:
            plain += "_"
        found.append(plain)
    return found


class _Writer:
    def __init__(self, formula: Any, names: Sequence[str]) -> None:  # noqa: ANN401 - an Additive, or Votes
        self._formula = formula
        self._names = list(names)
        self._cells: Dict[str, Json] = {}
        self._action: List[Json] = []
        self._derived: Dict[Column, str] = {}
        self._row = "input"
        self._columns = list(names)

    def document(self) -> Json:
        formula = self._formula
        values = [self._value(column) for column in formula.columns]
        if any(column.function != FIELD for column in formula.columns) and self._has_trees():
            self._make_row(values)
        answer = self._votes() if isinstance(formula, Votes) else self._additive(values)
        self._action.append(answer)
        return {
            "name": "Model",
            "input": {"type": "record", "name": "Row", "fields": _doubles(self._names)},
            "output": self._output(),
            "cells": self._cells,
            "action": self._action,
        }

    def _has_trees(self) -> bool:
        formula = self._formula
        return isinstance(formula, Votes) or any(each.trees for each in formula.sums)

    def _make_row(self, values: Sequence[Json]) -> None:
        """Trees ask for fields of a record: one of the columns."""
        self._row, self._columns = "columns", [f"c{place + 1}" for place in range(len(values))]
        kind = {"type": "record", "name": "Columns", "fields": _doubles(self._columns)}
        self._let("columns", {"type": kind, "new": dict(zip(self._columns, values))})  # noqa: B905 - Python 3.8

    def _let(self, name: str, value: Json) -> None:
        self._action.append({"let": {name: value}})

    def _value(self, column: Any) -> Json:  # noqa: ANN401 - a Column, or a number
        if not isinstance(column, Column):
            return column
        if column.function == FIELD:
            return f"input.{self._names[column.arguments[0]]}"
        if column not in self._derived:
            parts = [self._value(each) for each in column.arguments]
            name = f"d{len(self._derived) + 1}"
            self._derived[column] = name
            self._let(name, _applied(column.function, parts))
        return self._derived[column]

    def _additive(self, values: Sequence[Json]) -> Json:
        formula = self._formula
        margins = [self._margin(each, place, values) for place, each in enumerate(formula.sums, 1)]
        if formula.labels is None:
            link = {"identity": None, "exp": "m.exp", "logit": "m.link.logit"}[formula.link]
            return {link: [margins[0]]} if link else margins[0]
        if len(margins) < len(formula.labels):
            margins = [0.0, *margins]
        self._let("margins", _array(margins))
        if formula.link == NOWHERE:
            return self._label("margins")
        if formula.link == "softmax":
            return self._answer({"m.link.softmax": ["margins"]}, "margins")
        each = {"x": "double"}
        self._let("sigmoids", {"a.map": ["margins", _function(each, "double", {"m.link.logit": ["x"]})]})
        self._let("total", {"a.sum": ["sigmoids"]})
        shares = {"a.map": ["sigmoids", _function(each, "double", {"/": ["x", "total"]})]}
        return self._answer(shares, "margins")

    def _margin(self, margin: Sum, place: int, values: Sequence[Json]) -> Json:
        if not margin.trees:
            name = f"linear{place}"
            fields = [{"name": "coeff", "type": _DOUBLES}, {"name": "const", "type": "double"}]
            kind = {"type": "record", "name": "Linear", "fields": fields} if place == 1 else "Linear"
            weights = [weight for _, weight in margin.weights]
            self._cells[name] = {"type": kind, "init": {"coeff": weights, "const": margin.base}}
            chosen = [values[at] for at, _ in margin.weights]
            return {"model.reg.linear": [_array(chosen), {"cell": name}]}
        said = self._said(margin.trees, f"trees{place}", "double", declared=place > 1)
        return {"+": [margin.base, {"a.sum": [said]}]}

    def _votes(self) -> Json:
        formula = self._formula
        kind: Json = "double" if formula.labels is None else _DOUBLES
        said = self._said(formula.trees, "trees", kind, declared=False)
        if formula.labels is None:
            return {"a.mean": [said]}
        added = _function({"x": _DOUBLES, "y": _DOUBLES}, _DOUBLES, {"la.add": ["x", "y"]})
        self._let("votes", {"a.reduce": [said, added]})
        count = float(len(formula.trees))
        return self._answer({"a.map": ["votes", _function({"x": "double"}, "double", {"/": ["x", count]})]}, "shares")

    def _said(self, trees: Sequence[Tree], cell: str, kind: Json, *, declared: bool) -> Json:
        """What each of the trees says, which lie in a cell."""
        items = "TreeNode" if declared else self._node_type(kind)
        init = [self._tree(tree, kind) for tree in trees]
        self._cells[cell] = {"type": {"type": "array", "items": items}, "init": init}
        walk = {"model.tree.simpleTree": [self._row, "tree"]}
        return {"a.map": [{"cell": cell}, _function({"tree": "TreeNode"}, kind, walk)]}

    def _node_type(self, kind: Json) -> Json:
        branch = ["TreeNode", kind]
        return {
            "type": "record",
            "name": "TreeNode",
            "fields": [
                {"name": "field", "type": {"type": "enum", "name": "TreeFields", "symbols": self._columns}},
                {"name": "operator", "type": "string"},
                {"name": "value", "type": "double"},
                {"name": "pass", "type": branch},
                {"name": "fail", "type": branch},
            ],
        }

    def _tree(self, tree: Tree, kind: Json) -> Json:
        """From the leaves up: nothing calls itself."""
        if tree.depth() > _DEEPEST:
            raise Uncompilable(f"a tree has {tree.depth()} levels, more than {_DEEPEST}")
        made: Dict[int, Json] = {}
        for node in reversed(list(tree.reached())):
            if tree.columns[node] == LEAF:
                made[node] = _leaf(tree.values[node], kind)
                continue
            below, above = made.pop(tree.left[node]), made.pop(tree.right[node])
            made[node] = {"TreeNode": self._node(tree, node, below, above)}
        root = made[0]
        return root["TreeNode"] if "TreeNode" in root else self._node(tree, 0, root, root)

    def _node(self, tree: Tree, node: int, below: Json, above: Json) -> Json:
        leaf = tree.columns[node] == LEAF
        return {
            "field": self._columns[0 if leaf else tree.columns[node]],
            "operator": "<" if tree.strict else "<=",
            "value": 0.0 if leaf else narrow(tree.thresholds[node], strict=tree.strict),
            "pass": below,
            "fail": above,
        }

    def _label(self, of: str) -> Json:
        self._cells["labels"] = {
            "type": {"type": "array", "items": _kind_of(self._formula.labels)},
            "init": list(self._formula.labels),
        }
        return {"cell": "labels", "path": [{"a.argmax": [of]}]}

    def _answer(self, shares: Json, chosen: str) -> Json:
        """The label is that of the largest of the numbers that are named: shares of large margins are alike."""
        self._let("shares", shares)
        each = {_text(label): {"attr": "shares", "path": [at]} for at, label in enumerate(self._formula.labels)}
        probabilities = {"type": {"type": "map", "values": "double"}, "new": each}
        return {"type": "Answer", "new": {"label": self._label(chosen), "probabilities": probabilities}}

    def _output(self) -> Json:
        labels = self._formula.labels
        if labels is None:
            return "double"
        if getattr(self._formula, "link", "") == NOWHERE:
            return _kind_of(labels)
        fields = [
            {"name": "label", "type": _kind_of(labels)},
            {"name": "probabilities", "type": {"type": "map", "values": "double"}},
        ]
        return {"type": "record", "name": "Answer", "fields": fields}


def _doubles(names: Sequence[str]) -> Json:
    return [{"name": name, "type": "double"} for name in names]


def _array(values: Sequence[Json]) -> Json:
    return {"type": _DOUBLES, "new": list(values)}


def _function(parameters: Mapping[str, Json], kind: Json, body: Json) -> Json:
    return {"params": [{name: each} for name, each in parameters.items()], "ret": kind, "do": [body]}


def _leaf(values: Sequence[float], kind: Json) -> Json:
    return {"double": values[0]} if kind == "double" else {"array": list(values)}


def _applied(function: str, parts: List[Json]) -> Json:
    if function == "instead":
        return parts[0]  # a record of doubles lacks no value
    if function in ("equal", "above"):
        return {"if": {"==" if function == "equal" else ">": parts}, "then": 1.0, "else": 0.0}
    if function == "sum":
        return {"a.sum": [_array(parts)]}
    return {_FUNCTIONS.get(function, function): parts}


def _kind_of(labels: Sequence[Any]) -> str:
    kinds = {type(label) for label in labels}
    if kinds == {int}:
        return "int" if all(-_INT <= label < _INT for label in labels) else "long"
    found = {str: "string", float: "double", bool: "boolean"}.get(next(iter(kinds)))
    if len(kinds) != 1 or found is None:
        raise Uncompilable(f"labels of {', '.join(sorted(kind.__name__ for kind in kinds))} are not written")
    return found


def _text(label: Any) -> str:  # noqa: ANN401 - a string, a number, a truth value
    return str(label).lower() if isinstance(label, bool) else str(label)
