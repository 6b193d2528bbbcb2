"""What is compiled does the same as its source: rules of which mypyc's compiler says nothing (docs/decisions/0063).

That all else is the same is shown by `tests/soak/test_compiled.py`, with the wheel itself.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "src"
HOOKS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]
MODULES: list[str] = HOOKS["custom"]["modules"]
FREE = {"Protocol", "NamedTuple"}
"""What derives from these may be derived from by anybody."""


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_awaited_where_an_exception_is_handled(module):
    """The exception would be the thread's until then, and every one raised meanwhile would hold it as its context."""
    found = [node for part in _handling(_tree(SOURCES / module)) for node in ast.walk(part) if _waits(node)]
    assert not [f"{module}:{node.lineno}" for node in found]


@pytest.mark.parametrize("module", MODULES)
def test_no_name_holds_exceptions_of_two_kinds(module):
    """The second would raise `TypeError: … object expected`: a function's variable has one type."""
    functions = [node for node in ast.walk(_tree(SOURCES / module)) if isinstance(node, _FUNCTIONS)]
    assert not [f"{module}:{function.name}" for function in functions if _twice_named(function)]


def test_nothing_else_derives_from_compiled_classes():
    """It could not be instantiated: `TypeError: interpreted classes cannot inherit from compiled`; exceptions could,
    but for those that call what they have overridden."""
    closed = {f"{_name(module)}.{name}" for module in MODULES for name in _closed(_tree(SOURCES / module))}
    of_them = re.compile(rf"^class .*\b({'|'.join(name.rpartition('.')[2] for name in closed)})\b", re.MULTILINE)
    others = [file for file in SOURCES.rglob("*.py") if str(file.relative_to(SOURCES)) not in MODULES]
    others = [file for file in others if of_them.search(file.read_text())]
    found = {f"{file.relative_to(SOURCES)}: {base}" for file in others for base in _bases(_tree(file)) & closed}
    assert not found


def test_no_test_sets_what_is_written_into_the_code_that_uses_it():
    """A `Final` is: what is set in its stead would count for the source alone."""
    final = {f"{_name(module)}.{name}" for module in MODULES for name in _final(_tree(SOURCES / module))}
    files = [file for file in (ROOT / "tests").rglob("*.py") if "setattr" in file.read_text()]
    assert not {f"{file.relative_to(ROOT)}: {name}" for file in files for name in _set(_tree(file)) & final}


def test_the_rules_find_what_they_forbid():
    handled = ast.parse("async def f():\n try:\n  g()\n except OSError:\n  await h()")
    left = ast.parse("async def f():\n try:\n  g()\n finally:\n  await h()")
    assert all(any(map(_waits, ast.walk(part))) for tree in (handled, left) for part in _handling(tree))
    assert "clary.serving.router.Straight" in _bases(
        ast.parse("from clary.serving.router import Straight as S\nclass A(S): ...")
    )
    assert _closed(ast.parse("class A: ...\nclass B(A): ...\nclass E(OSError): ...\nclass F(E): ...")) == {
        "A",
        "B",
        "E",
        "F",
    }
    twice = "def f():\n try:\n  g()\n except OSError as e:\n  h(e)\n except {} as e:\n  h(e)"
    assert [_twice_named(ast.parse(twice.format(kind))) for kind in ("OSError", "KeyError")] == [False, True]
    assert _final(ast.parse("A: Final = 1\nB: Final[int] = 1\nC: int = 1\nD = 1")) == {"A", "B"}
    setting = (
        'from clary.serving import client as c\nmonkeypatch.setattr(c, "A", 2)\nmonkeypatch.setattr(other, "B", 2)'
    )
    assert _set(ast.parse(setting)) == {"clary.serving.client.A"}


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _twice_named(function: ast.AST) -> bool:
    """Whether one name is given to exceptions of different types."""
    kinds: dict[str, set[str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.ExceptHandler) and node.name and node.type:
            kinds.setdefault(node.name, set()).add(ast.unparse(node.type))
    return any(len(each) > 1 for each in kinds.values())


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


def _name(module: str) -> str:
    return module.removesuffix(".py").replace("/", ".")


def _handling(tree: ast.AST) -> Iterator[ast.stmt]:
    """What runs while an exception is handled, or may be."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            yield from node.finalbody
            for handler in node.handlers:
                yield from handler.body
        elif isinstance(node, ast.AsyncWith):
            yield node


def _waits(node: ast.AST) -> bool:
    return isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.AsyncWith | ast.AsyncFor)


def _closed(tree: ast.Module) -> set[str]:
    """Classes of a compiled module that are the compiler's own."""
    free, closed = set(FREE), set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = {_word(base).rpartition(".")[2] for base in node.bases} - {"object"}
            (free if bases & free else closed).add(node.name)
    return closed


def _imported(tree: ast.Module) -> dict[str, str]:
    """Full names, by those that a module knows them by."""
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in froms for alias in node.names}


def _bases(tree: ast.Module) -> set[str]:
    """The full names of what a module's classes derive from, where it imports it."""
    imported = _imported(tree)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    words = [_word(base).split(".", 1) for node in classes for base in node.bases]
    return {".".join([imported[first], *rest]) for first, *rest in words if first in imported}


def _final(tree: ast.Module) -> set[str]:
    """A module's constants that are declared so."""
    declared = [node for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    return {ast.unparse(node.target) for node in declared if _word(node.annotation) == "Final"}


def _set(tree: ast.Module) -> set[str]:
    """The full names of what a test sets in modules that it imports."""
    imported = _imported(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) > 1]
    setting = [node.args for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr == "setattr"]
    named = [(ast.unparse(where), what.value) for where, what, *_ in setting if isinstance(what, ast.Constant)]
    return {f"{imported[where]}.{name}" for where, name in named if where in imported}


def _word(base: ast.expr) -> str:
    """A base class as it is written, without its parameters."""
    return ast.unparse(base.value if isinstance(base, ast.Subscript) else base)
