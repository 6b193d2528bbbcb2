"""Forests in ONNX whose votes are counted as scikit-learn counts them.

The compiler gives each leaf its share of the mean: a twentieth of a vote, in float32. Twenty of them make no whole
number, and where two classes have ten votes each, the one or the other wins by chance. Whole votes add up without any
rounding, and the first of two classes with as many wins, as in scikit-learn.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Tuple

import numpy as np
from onnx import TensorProto, helper, numpy_helper  # type: ignore[import-not-found,unused-ignore]

_FORESTS = "TreeEnsembleClassifier"
_NEAR = 1e-6
"""How far from a whole vote the compiler's rounding may have left one."""

Node = Any
Model = Any


def count_votes(model: Model) -> None:
    """Change an ONNX model: trees that have one vote each give it whole, and the sum is divided."""
    nodes: List[Node] = []
    for node in model.graph.node:
        nodes.append(node)
        if node.op_type == _FORESTS:
            nodes += _counted(model.graph, node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _counted(graph: Any, node: Node) -> List[Node]:  # noqa: ANN401 - onnx's, without types
    attributes = {each.name: each for each in node.attribute}
    trees = len(set(attributes["class_treeids"].ints)) if "class_treeids" in attributes else 1
    if trees == 1 or _is_boosted(attributes):
        return []
    _set_votes(attributes, trees)
    label, mean = node.output
    node.output[:] = [f"{label}_guessed", f"{mean}_votes"]
    graph.initializer.append(numpy_helper.from_array(np.asarray([trees], np.float32), f"{mean}_trees"))
    graph.initializer.append(_labels(attributes, f"{label}_known"))
    return [
        helper.make_node("ArgMax", [f"{mean}_votes"], [f"{label}_first"], axis=1, keepdims=0),
        helper.make_node("Gather", [f"{label}_known", f"{label}_first"], [label]),
        helper.make_node("Div", [f"{mean}_votes", f"{mean}_trees"], [mean]),
    ]


def _labels(attributes: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - onnx's, without types
    """Of the classes: the runtime asks of two only whether the second has more than 0.5."""
    if "classlabels_strings" in attributes:
        texts = list(attributes["classlabels_strings"].strings)
        return helper.make_tensor(name, TensorProto.STRING, [len(texts)], texts)
    numbers = list(attributes["classlabels_int64s"].ints)
    return helper.make_tensor(name, TensorProto.INT64, [len(numbers)], numbers)


def _set_votes(attributes: Mapping[str, Any], trees: int) -> None:
    """Of two classes the compiler names one only: the other has what is left of each vote."""
    named = [attributes[f"class_{name}"] for name in ("treeids", "nodeids", "ids")]
    shares = np.asarray(attributes["class_weights"].floats, np.float64) * trees
    votes = np.where(np.abs(shares - np.round(shares)) < _NEAR, np.round(shares), shares)
    entries = list(zip(*(each.ints for each in named), votes.tolist()))  # noqa: B905 - Python 3.8
    if len(set(named[2].ints)) == 1:
        given = {(tree, node): vote for tree, node, _, vote in entries}
        both = ((leaf, given.get(leaf, 0.0)) for leaf in _leaves(attributes))
        entries = [(*leaf, kind, share) for leaf, vote in both for kind, share in ((0, 1.0 - vote), (1, vote))]
    for place, each in enumerate(named):
        del each.ints[:]
        each.ints.extend(entry[place] for entry in entries)
    del attributes["class_weights"].floats[:]
    attributes["class_weights"].floats.extend(entry[3] for entry in entries)


def _leaves(attributes: Mapping[str, Any]) -> List[Tuple[int, int]]:
    """Tree and node of each."""
    trees, nodes = attributes["nodes_treeids"].ints, attributes["nodes_nodeids"].ints
    modes = attributes["nodes_modes"].strings
    return [(tree, node) for tree, node, mode in zip(trees, nodes, modes) if mode == b"LEAF"]  # noqa: B905


def _is_boosted(attributes: Mapping[str, Any]) -> bool:
    """Its trees' values are no votes."""
    transform = attributes["post_transform"].s if "post_transform" in attributes else b"NONE"
    return bool(transform != b"NONE" or ("base_values" in attributes and attributes["base_values"].floats))
