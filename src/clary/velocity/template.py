"""Templates: text with references and directives
(https://velocity.apache.org/engine/1.7/vtl-reference.html)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from clary.velocity.cursor import Cursor
from clary.velocity.expressions import Expression, Expressions, Reference, truth
from clary.velocity.limits import Limits, TemplateError, TooMuch
from clary.velocity.run import Break, Run, Stop, Value

_TEXT = re.compile(r"[^$#\\]+")
_REST_OF_LINE = re.compile(r"[ \t]*\r?\n")
_DIRECTIVE = re.compile(r"#(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_NEXT_BRANCH = frozenset({"else", "elseif", "end"})
_ANY_LIMITS = Limits()


class Node(Protocol):
    """A piece of a template."""

    def render(self, run: Run) -> None:
        """Write what it comes to. Raises TemplateError."""
        ...


@dataclass(frozen=True)
class Plain:
    """Text as it stands."""

    text: str

    def render(self, run: Run) -> None:
        """Write it."""
        run.write(self.text)


@dataclass(frozen=True)
class Block:
    """Nodes one after another."""

    nodes: tuple[Node, ...]

    def render(self, run: Run) -> None:
        """Write them all."""
        for node in self.nodes:
            run.budget.spend()
            node.render(run)

    def value(self, run: Run) -> Value:
        """As a text: what a string in double quotes comes to."""
        before = run.apart()
        try:
            self.render(run)
        finally:
            text = run.joined(before)
        return run.budget.sized(text)


@dataclass(frozen=True)
class Set:
    """`#set($target = expression)`; a value of null leaves the target as it was (Velocity 1.7)."""

    target: Reference
    expression: Expression

    def render(self, run: Run) -> None:
        """Write nothing."""
        value = self.expression.value(run)
        if value is not None:
            self.target.assign(value, run)


@dataclass(frozen=True)
class If:
    """`#if`, `#elseif`, `#else`."""

    branches: tuple[tuple[Expression, Block], ...]
    otherwise: Block

    def render(self, run: Run) -> None:
        """Write the first branch whose condition holds."""
        for condition, block in self.branches:
            if truth(condition.value(run)):
                block.render(run)
                return
        self.otherwise.render(run)


@dataclass(frozen=True)
class Foreach:
    """`#foreach($name in expression)`."""

    name: str
    over: Expression
    body: Block

    def render(self, run: Run) -> None:
        """Write the body for each element, up to the limit of iterations."""
        items = _elements(self.over.value(run))
        hidden = {name: run.variables.get(name) for name in (self.name, "foreach", "velocityCount")}
        most = min(len(items), run.budget.limits.iterations)
        try:
            self._loop(items[:most], hidden["foreach"], run)
        except Break:
            pass
        finally:
            run.variables.update(hidden)

    def _loop(self, items: Sequence[Value], outer: Value, run: Run) -> None:
        for place, item in enumerate(items):
            run.budget.spend()
            run.variables[self.name] = item
            run.variables["velocityCount"] = place + 1
            run.variables["foreach"] = _position(place, len(items), outer)
            self.body.render(run)


def _position(place: int, length: int, outer: Value) -> dict[str, Value]:
    last = place == length - 1
    there = {"index": place, "count": place + 1, "hasNext": not last, "first": place == 0, "last": last}
    return {**there, "parent": outer}


def _elements(value: Value) -> list[Value]:
    """A map's elements are its values, as in Velocity; what has none is passed over."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


@dataclass(frozen=True)
class Macro:
    """`#macro(name $a $b)`: known from there on."""

    name: str
    parameters: tuple[str, ...]
    body: Block

    def render(self, run: Run) -> None:
        """Remember it."""
        run.macros[self.name] = self


@dataclass(frozen=True)
class MacroCall:
    """`#name(a b)`."""

    name: str
    arguments: tuple[Expression, ...]
    source: str

    def render(self, run: Run) -> None:
        """Write the macro's body; the call's own text where there is no such macro."""
        macro = run.macros.get(self.name)
        if macro is None:
            run.write(self.source)
            return
        given = [argument.value(run) for argument in self.arguments]
        hidden = {name: run.variables.get(name) for name in macro.parameters}
        run.variables.update(dict.fromkeys(macro.parameters) | dict(zip(macro.parameters, given, strict=False)))
        run.depth += 1
        run.budget.deeper(run.depth)
        try:
            macro.body.render(run)
        finally:
            run.depth -= 1
            run.variables.update(hidden)


@dataclass(frozen=True)
class Define:
    """`#define($name) … #end`: the text of the block, made here."""

    name: str
    body: Block

    def render(self, run: Run) -> None:
        """Write nothing."""
        run.variables[self.name] = self.body.value(run)


@dataclass(frozen=True)
class Raise:
    """`#stop` and `#break`."""

    error: Callable[[], Exception]

    def render(self, _: Run) -> None:
        """End the template, or the loop."""
        raise self.error()


class Template:
    """A template that has been read; may be rendered any number of times, in any thread."""

    def __init__(self, root: Block) -> None:
        self._root = root

    def render(self, variables: Mapping[str, Value], limits: Limits = _ANY_LIMITS) -> str:
        """The text. Variables are values of JSON and tools (`run.Tool`); maps among them may be changed.

        Raises TemplateError, TooMuch.
        """
        run = Run(variables, limits)
        try:
            self._root.render(run)
        except (Stop, Break):
            pass
        except RecursionError:
            raise TooMuch("the template goes too deep") from None
        return run.output


class _Parser:
    """Recursive descent over the text."""

    def __init__(self, text: str) -> None:
        self._cursor = Cursor(text)
        self._expressions = Expressions(self._cursor, _interpolated)
        self._directives: dict[str, Callable[[], Node]] = {
            "set": self._set,
            "if": self._if,
            "foreach": self._foreach,
            "macro": self._macro,
            "define": self._define,
            "stop": lambda: Raise(Stop),
            "break": lambda: Raise(Break),
        }

    def parse(self) -> Block:
        block, end = self._block(frozenset())
        if end:
            raise self._cursor.wrong(f"#{end} closes nothing")
        return block

    def _block(self, ends: frozenset[str]) -> tuple[Block, str]:
        """The nodes up to one of the directives that end it, and which that was."""
        nodes: list[Node] = []
        while not self._cursor.done:
            end = self._end(ends)
            if end:
                return Block(tuple(nodes)), end
            nodes.append(self._node())
        if ends:
            raise self._cursor.wrong("the template ends where #end is wanted")
        return Block(tuple(nodes)), ""

    def _end(self, ends: frozenset[str]) -> str:
        if self._cursor.peek() != "#":
            return ""
        found = _DIRECTIVE.match(self._cursor.text, self._cursor.place)
        name = (found[1] or found[2]) if found else ""
        if found is None or name not in _NEXT_BRANCH:
            return ""
        if name not in ends:
            raise self._cursor.wrong(f"#{name} closes nothing")
        self._cursor.place = found.end()
        if name != "elseif":
            self._line_end()
        return name

    def _line_end(self) -> None:
        """A directive that ends its line takes the line's end with it."""
        self._cursor.match(_REST_OF_LINE)

    def _node(self) -> Node:
        cursor = self._cursor
        text = cursor.match(_TEXT)
        if text is not None:
            return Plain(text)
        if cursor.peek() == "\\":
            return self._escaped()
        if cursor.peek() == "$":
            reference = self._expressions.reference()
            if reference is None:
                cursor.take("$")
                return Plain("$")
            return reference
        return self._hash()

    def _escaped(self) -> Node:
        """A backslash before a reference or a directive makes it text."""
        cursor = self._cursor
        cursor.take("\\")
        if cursor.peek() in ("$", "#") and not cursor.done:
            mark = cursor.peek()
            cursor.take(mark)
            return Plain(mark)
        return Plain("\\")

    def _hash(self) -> Node:
        cursor = self._cursor
        if cursor.take("##"):
            cursor.until("\n")
            return Plain("")
        if cursor.take("#*"):
            cursor.until("*#")
            return Plain("")
        if cursor.take("#[["):
            return Plain(cursor.until("]]#"))
        start = cursor.place
        found = _DIRECTIVE.match(cursor.text, start)
        if found is None:
            cursor.take("#")
            return Plain("#")
        cursor.place = found.end()
        return self._directive(found[1] or found[2], start)

    def _directive(self, name: str, start: int) -> Node:
        reader = self._directives.get(name)
        if reader is not None:
            node = reader()
            self._line_end()
            return node
        if name in ("include", "parse", "evaluate"):
            raise self._cursor.wrong(f"#{name} is not offered in mapping templates")
        if not self._cursor.take("("):
            return Plain(self._cursor.text[start : self._cursor.place])
        arguments = self._macro_arguments()
        self._line_end()
        return MacroCall(name, tuple(arguments), self._cursor.text[start : self._cursor.place])

    def _macro_arguments(self) -> list[Expression]:
        """Commas between them are no more than white space."""
        cursor = self._cursor
        arguments: list[Expression] = []
        cursor.space()
        while not cursor.take(")"):
            arguments.append(self._expressions.expression(_VALUES_ONLY))
            cursor.space()
            cursor.take(",")
            cursor.space()
        return arguments

    def _set(self) -> Node:
        self._cursor.expect("(")
        target = self._variable()
        self._cursor.expect("=")
        expression = self._expressions.expression()
        self._cursor.expect(")")
        return Set(target, expression)

    def _variable(self) -> Reference:
        self._cursor.space()
        reference = self._expressions.reference()
        if reference is None:
            raise self._cursor.wrong("expected a variable")
        return reference

    def _condition(self) -> Expression:
        self._cursor.expect("(")
        condition = self._expressions.expression()
        self._cursor.expect(")")
        self._line_end()
        return condition

    def _if(self) -> Node:
        branches: list[tuple[Expression, Block]] = []
        end = "elseif"
        while end == "elseif":
            condition = self._condition()
            block, end = self._block(_NEXT_BRANCH)
            branches.append((condition, block))
        otherwise = self._block(frozenset({"end"}))[0] if end == "else" else Block(())
        return If(tuple(branches), otherwise)

    def _foreach(self) -> Node:
        self._cursor.expect("(")
        name = self._variable().name
        self._cursor.expect("in")
        over = self._expressions.expression()
        self._cursor.expect(")")
        self._line_end()
        return Foreach(name, over, self._block(frozenset({"end"}))[0])

    def _macro(self) -> Node:
        cursor = self._cursor
        cursor.expect("(")
        cursor.space()
        name = cursor.identifier()
        parameters: list[str] = []
        cursor.space()
        while not cursor.take(")"):
            cursor.take(",")
            parameters.append(self._variable().name)
            cursor.space()
        self._line_end()
        return Macro(name, tuple(parameters), self._block(frozenset({"end"}))[0])

    def _define(self) -> Node:
        self._cursor.expect("(")
        name = self._variable().name
        self._cursor.expect(")")
        self._line_end()
        return Define(name, self._block(frozenset({"end"}))[0])


_VALUES_ONLY = 6
"""Below all operators: a macro's arguments are values without any, for white space lies between them."""


def _interpolated(text: str) -> Expression:
    return _Parser(text).parse()


@lru_cache(maxsize=512)
def parse(text: str) -> Template:
    """Raises TemplateError, which says where."""
    try:
        return Template(_Parser(text).parse())
    except RecursionError:
        raise TemplateError("the template is nested too deeply") from None
