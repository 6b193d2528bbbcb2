"""What a PFA document of ours answers: enough of PFA to prove it (http://dmg.org/pfa/docs/library_reference/)."""

from __future__ import annotations

import json
import math
import operator
from typing import Any, Callable, Dict, List, Mapping, Sequence

Json = Any
Symbols = Dict[str, Any]


class Unknown(Exception):
    """The document uses what is not calculated here."""


class Engine:
    """One document."""

    def __init__(self, content: bytes) -> None:
        document = json.loads(content)
        self._cells = {name: cell["init"] for name, cell in document["cells"].items()}
        self._action = document["action"]
        self.fields: List[str] = [field["name"] for field in document["input"]["fields"]]

    def ask(self, row: Mapping[str, float]) -> Any:  # noqa: ANN401 - what the document gives
        """Of one record. Raises Unknown, ArithmeticError, ValueError."""
        return self._do(self._action, {"input": row})

    def _do(self, expressions: Sequence[Json], symbols: Symbols) -> Any:  # noqa: ANN401 - as above
        found = None
        for each in expressions:
            found = self._value(each, symbols)
        return found

    def _value(self, expression: Json, symbols: Symbols) -> Any:  # noqa: ANN401 - as above
        if isinstance(expression, str):
            return _named(expression, symbols)
        if not isinstance(expression, dict):
            return expression
        for word, form in _FORMS.items():
            if word in expression:
                return form(self, expression, symbols)
        [(name, given)] = expression.items()
        if name not in _FUNCTIONS:
            raise Unknown(name)
        return _FUNCTIONS[name](*(self._argument(each, symbols) for each in given))

    def _argument(self, given: Json, symbols: Symbols) -> Any:  # noqa: ANN401 - a value, or a function
        if not isinstance(given, dict) or "params" not in given:
            return self._value(given, symbols)
        names = [name for parameter in given["params"] for name in parameter]
        return lambda *values: self._do(given["do"], {**symbols, **dict(zip(names, values))})  # noqa: B905

    def _let(self, expression: Json, symbols: Symbols) -> None:
        for name, each in expression["let"].items():
            symbols[name] = self._value(each, dict(symbols))

    def _cell(self, expression: Json, symbols: Symbols) -> Any:  # noqa: ANN401 - as above
        return self._at(self._cells[expression["cell"]], expression, symbols)

    def _attribute(self, expression: Json, symbols: Symbols) -> Any:  # noqa: ANN401 - as above
        return self._at(self._value(expression["attr"], symbols), expression, symbols)

    def _at(self, found: Any, expression: Json, symbols: Symbols) -> Any:  # noqa: ANN401 - as above
        for each in expression.get("path", ()):
            found = found[self._value(each, symbols)]
        return found

    def _new(self, expression: Json, symbols: Symbols) -> Any:  # noqa: ANN401 - as above
        new = expression["new"]
        if isinstance(new, list):
            return [self._value(each, symbols) for each in new]
        return {name: self._value(each, symbols) for name, each in new.items()}

    def _if(self, expression: Json, symbols: Symbols) -> Any:  # noqa: ANN401 - as above
        chosen = "then" if self._value(expression["if"], symbols) else "else"
        return self._value(expression[chosen], symbols)


_FORMS: Mapping[str, Callable[[Engine, Json, Symbols], Any]] = {
    "let": Engine._let,
    "cell": Engine._cell,
    "attr": Engine._attribute,
    "new": Engine._new,
    "if": Engine._if,
}


def _named(name: str, symbols: Symbols) -> Any:  # noqa: ANN401 - as above
    """A symbol, and what lies in it: `input.age`."""
    first, *inner = name.split(".")
    found = symbols[first]
    for each in inner:
        found = found[each]
    return found


def _simple_tree(row: Mapping[str, float], tree: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a number, or several
    """http://dmg.org/pfa/docs/library_reference/#fcn_model_tree_simpleTree"""
    node = tree
    while True:
        passes = _COMPARISONS[node["operator"]](row[node["field"]], node["value"])
        [(kind, branch)] = node["pass" if passes else "fail"].items()
        if kind != "TreeNode":
            return branch
        node = branch


def _softmax(margins: Sequence[float]) -> List[float]:
    largest = max(margins)
    powers = [math.exp(each - largest) for each in margins]
    return [each / sum(powers) for each in powers]


def _logit(margin: float) -> float:
    return 1.0 / (1.0 + math.exp(-margin)) if margin > -700 else 0.0


def _reduced(values: Sequence[Any], function: Callable[[Any, Any], Any]) -> Any:  # noqa: ANN401 - as the values are
    found = values[0]
    for each in values[1:]:
        found = function(found, each)
    return found


def _linear(values: Sequence[float], model: Mapping[str, Any]) -> float:
    found: float = model["const"] + sum(each * weight for each, weight in zip(values, model["coeff"]))  # noqa: B905
    return found


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    "==": operator.eq,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **_COMPARISONS,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "min": min,
    "max": max,
    "m.exp": math.exp,
    "m.ln": math.log,
    "m.ln1p": math.log1p,
    "m.sqrt": math.sqrt,
    "m.link.logit": _logit,
    "m.link.softmax": _softmax,
    "a.sum": sum,
    "a.mean": lambda values: sum(values) / len(values),
    "a.argmax": lambda values: values.index(max(values)),
    "a.map": lambda values, function: [function(each) for each in values],
    "a.reduce": _reduced,
    "la.add": lambda one, other: [each + more for each, more in zip(one, other)],  # noqa: B905 - Python 3.8
    "model.reg.linear": _linear,
    "model.tree.simpleTree": _simple_tree,
}
