"""XGBoost's models as ONNX, PMML or PFA, read from the JSON that XGBoost itself writes of any of them
(https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html).

The sum of a row's trees begins with the base score and goes on in their order, as XGBoost's: its first tree is a leaf
that holds the base score. The margins are so, bit by bit, the same.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple

import numpy as np
from onnx import TensorProto, helper  # type: ignore[import-not-found,unused-ignore]

from clary.algorithms.neo import booster_formulas, early, exporting
from clary.algorithms.neo.compiled import Compiled, Uncompilable, check_columns, only_file
from clary.algorithms.neo.saved_boosters import Document, Tree, base_margins, groups_of, kind_of, trees_of
from clary.algorithms.xgboost.bodies import Features
from clary.toolkit import proving, samples
from clary.toolkit.sessions import Session

_OPERATORS = (("", 17), ("ai.onnx.ml", 3))
_REPRESENTATION = 8
"""Of the file: every runtime since 2022 reads it."""

Array = Any
Nodes = List[Any]


def from_folder(folder: Path, shapes: Mapping[str, Any], form: str = exporting.ONNX) -> Compiled:
    """The model of a folder. Raises Uncompilable."""
    model = early.load(only_file(folder, "an XGBoost model", usual="xgboost-model"))
    if not hasattr(model.booster, "save_raw"):
        raise Uncompilable("the file holds no booster of XGBoost's")
    document = json.loads(model.booster.save_raw(raw_format="json"))
    columns = int(document["learner"]["learner_model_param"]["num_feature"])
    check_columns(shapes, columns)
    content, asked = _written(document, form)
    table = _rows(document, columns)
    if form != exporting.PFA:  # it has no word for what is missing
        table = exporting.with_gaps(table)
    wanted = model.predict(Features(table, "csv"))
    try:
        return Compiled(content, proving.numbers(wanted, asked, table))
    except proving.Refused as refused:
        raise Uncompilable(f"the compiled model is not the same: {refused}") from refused


def _written(document: Document, form: str) -> Tuple[bytes, proving.Asked]:
    """The file, and what it answers."""
    if form == exporting.ONNX:
        content = compiled(document)
        return content, Session(content)
    written = booster_formulas.written(document)
    content = exporting.content(form, written)
    asked = exporting.asked(form, content, written.formula)
    shares = document["learner"]["objective"]["name"] == "multi:softprob"
    return content, exporting.Shares(asked) if shares else asked


def compiled(document: Document) -> bytes:
    """ONNX that takes float32 (rows, features), missing values as NaN, and gives what XGBoost's `predict` gives. Raises
    Uncompilable."""
    learner = document["learner"]
    kind, groups = kind_of(learner), groups_of(learner)
    parameters = learner["learner_model_param"]
    base = base_margins(parameters["base_score"], groups, kind)
    nodes = [*_margins(learner, groups, base), *_OUTPUTS[kind](groups)]
    columns = int(parameters["num_feature"])
    shape = [None, groups] if kind == "softprob" or (kind == "identity" and groups > 1) else [None]
    graph = helper.make_graph(
        nodes,
        "xgboost",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, columns])],
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*each) for each in _OPERATORS])
    model.ir_version = _REPRESENTATION
    content: bytes = model.SerializeToString()
    return content


def _margins(learner: Document, groups: int, base: Sequence[float]) -> Nodes:
    booster = learner["gradient_booster"]
    if booster["name"] == "gblinear":
        return _linear(booster["model"]["weights"], groups, base)
    return [_ensemble(trees_of(learner), groups, base)]


def _ensemble(trees: Iterator[Tree], groups: int, base: Sequence[float]) -> Any:  # noqa: ANN401 - onnx's, without types
    attributes: Dict[str, List[Any]] = {name: [] for name in _ATTRIBUTES}
    _add_node(attributes, (0, 0, 0, "LEAF", 0.0, 0, 0, 0))
    for group, margin in enumerate(base):
        _add_leaf(attributes, (0, 0, group, margin))
    for number, tree in enumerate(trees, 1):
        _add_tree(attributes, number, tree)
    return helper.make_node(
        "TreeEnsembleRegressor",
        ["input"],
        ["margins"],
        domain="ai.onnx.ml",
        n_targets=groups,
        aggregate_function="SUM",
        post_transform="NONE",
        **attributes,
    )


_OF_NODES = tuple(
    f"nodes_{name}"
    for name in (
        *("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids"),
        "missing_value_tracks_true",
    )
)
_OF_LEAVES = tuple(f"target_{name}" for name in ("treeids", "nodeids", "ids", "weights"))
_ATTRIBUTES = (*_OF_NODES, *_OF_LEAVES)


def _add_node(attributes: Dict[str, List[Any]], values: Tuple[Any, ...]) -> None:
    for name, value in zip(_OF_NODES, values):  # noqa: B905 - Python 3.8
        attributes[name].append(value)


def _add_leaf(attributes: Dict[str, List[Any]], values: Tuple[Any, ...]) -> None:
    for name, value in zip(_OF_LEAVES, values):  # noqa: B905 - Python 3.8
        attributes[name].append(value)


def _add_tree(attributes: Dict[str, List[Any]], number: int, tree: Tree) -> None:
    """The nodes that can be reached: those that were pruned stand in the document still."""
    document = tree.document
    left, right = document["left_children"], document["right_children"]
    waiting = [0]
    while waiting:
        node = waiting.pop()
        value = document["split_conditions"][node]
        if left[node] < 0:
            _add_node(attributes, (number, node, 0, "LEAF", 0.0, 0, 0, 0))
            leaf = np.float32(value) * np.float32(tree.weight)
            _add_leaf(attributes, (number, node, tree.group, float(leaf)))
            continue
        default = int(document["default_left"][node])
        feature = document["split_indices"][node]
        _add_node(attributes, (number, node, feature, "BRANCH_LT", value, left[node], right[node], default))
        waiting += [right[node], left[node]]


def _linear(weights: Sequence[float], groups: int, base: Sequence[float]) -> Nodes:
    """`gblinear`: a missing value counts as 0. The last row of the weights is the bias."""
    table = np.asarray(weights, np.float32).reshape(-1, groups)
    bias = table[-1] + np.asarray(base, np.float32)
    return [
        _constant("zero", np.zeros(1, np.float32)),
        _constant("weights", table[:-1]),
        _constant("bias", bias),
        helper.make_node("IsNaN", ["input"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "input"], ["known"]),
        helper.make_node("MatMul", ["known", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["margins"]),
    ]


def _constant(name: str, value: Array) -> Any:  # noqa: ANN401 - onnx's, without types
    kind = TensorProto.INT64 if value.dtype == np.int64 else TensorProto.FLOAT
    tensor = helper.make_tensor(name, kind, value.shape, value.ravel().tolist())
    return helper.make_node("Constant", [], [name], value=tensor)


def _flat(source: str) -> Nodes:
    return [_constant("all", np.asarray([-1], np.int64)), helper.make_node("Reshape", [source, "all"], ["prediction"])]


def _identity(groups: int) -> Nodes:
    return [helper.make_node("Identity", ["margins"], ["prediction"])] if groups > 1 else _flat("margins")


def _by(operator: str) -> Callable[[int], Nodes]:
    return lambda _groups: [helper.make_node(operator, ["margins"], ["values"]), *_flat("values")]


def _hinge(_groups: int) -> Nodes:
    return [
        _constant("zero_margin", np.zeros(1, np.float32)),
        helper.make_node("Greater", ["margins", "zero_margin"], ["above"]),
        helper.make_node("Cast", ["above"], ["values"], to=TensorProto.FLOAT),
        *_flat("values"),
    ]


def _softmax(_groups: int) -> Nodes:
    return [
        helper.make_node("ArgMax", ["margins"], ["classes"], axis=1, keepdims=0),
        helper.make_node("Cast", ["classes"], ["prediction"], to=TensorProto.FLOAT),
    ]


def _softprob(_groups: int) -> Nodes:
    return [helper.make_node("Softmax", ["margins"], ["prediction"], axis=1)]


_OUTPUTS: Mapping[str, Callable[[int], Nodes]] = {
    "identity": _identity,
    "sigmoid": _by("Sigmoid"),
    "exp": _by("Exp"),
    "hinge": _hinge,
    "softmax": _softmax,
    "softprob": _softprob,
}


def _rows(document: Document, columns: int) -> Array:
    """Rows on and beside the thresholds."""
    values: Dict[int, List[float]] = {}
    learner = document["learner"]
    for tree in trees_of(learner) if learner["gradient_booster"]["name"] != "gblinear" else ():
        for node, feature in enumerate(tree.document["split_indices"]):
            threshold = tree.document["split_conditions"][node]
            if tree.document["left_children"][node] >= 0 and math.isfinite(threshold):
                values.setdefault(feature, []).append(threshold)
    return samples.drawn(values, columns, proving.ROWS)
