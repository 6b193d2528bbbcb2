"""One rendering: the variables, what has been written so far, and what is left of the limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from clary.velocity.limits import Budget, Limits, TemplateError
from clary.velocity.methods import call, index, member

if TYPE_CHECKING:
    from clary.velocity.template import Macro

Value = Any


class Tool(Protocol):
    """What a template is given that is no value of JSON: `$input`, `$util`."""

    def call(self, name: str, arguments: list[Value], budget: Budget) -> Value:
        """The method's result. Raises TemplateError."""
        ...

    def member(self, name: str) -> Value:
        """The property; None where there is none."""
        ...


class Stop(Exception):
    """#stop: what has been written is all."""


class Break(Exception):
    """#break: the loop ends here."""


class Run:
    """Made for each rendering."""

    def __init__(self, variables: Mapping[str, Value], limits: Limits) -> None:
        self.budget = Budget(limits)
        self.variables: dict[str, Value] = dict(variables)
        self.macros: dict[str, Macro] = {}
        self.depth = 0
        self._out: list[str] = []
        self._length = 0

    @property
    def output(self) -> str:
        """What has been written."""
        return "".join(self._out)

    def write(self, text: str) -> None:
        """Raises TooMuch."""
        self._length += len(text)
        self.budget.room_for(self._length)
        self._out.append(text)

    def apart(self) -> tuple[list[str], int]:
        """Begin an output of its own; what `joined` needs to go back to the one before."""
        before = (self._out, self._length)
        self._out = []
        return before

    def joined(self, before: tuple[list[str], int]) -> str:
        """The text that was written since `apart`."""
        text = self.output
        self._out, self._length = before
        return text

    def member(self, value: Value, name: str) -> Value:
        """`$value.name`."""
        self.budget.spend()
        return value.member(name) if _is_tool(value) else member(value, name)

    def index(self, value: Value, key: Value) -> Value:
        """`$value[key]`."""
        self.budget.spend()
        return None if _is_tool(value) else index(value, key)

    def call(self, value: Value, name: str, arguments: list[Value]) -> Value:
        """`$value.name(…)`. Raises TemplateError."""
        if _is_tool(value):
            self.budget.spend()
            return value.call(name, arguments, self.budget)
        return call(value, name, arguments, self.budget)


_JSON_TYPES = (str, int, float, bool, dict, list, type(None))


def _is_tool(value: Value) -> bool:
    return not isinstance(value, _JSON_TYPES)


def as_number(value: Value) -> int | float:
    """Raises TemplateError where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TemplateError("arithmetic wants numbers")
    return value
