"""Which resource a path asks for: what is fixed goes before a variable, that before a greedy one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote


class Found(NamedTuple):
    """A resource, and what the path's variables hold."""

    resource: Any
    params: dict[str, str]


@dataclass
class _Node:
    fixed: dict[str, _Node] = field(default_factory=dict)
    variables: list[tuple[str, _Node]] = field(default_factory=list)
    greedy: tuple[str, Any] | None = None
    resource: Any = None


class Tree:
    """The resources of one API by their paths."""

    def __init__(self, resources: Iterable[tuple[str, Any]]) -> None:
        self._root = _Node()
        for path, resource in resources:
            self._add(path, resource)

    def _add(self, path: str, resource: Any) -> None:  # noqa: ANN401 — whatever its owner keeps for a path
        node = self._root
        for part in path.strip("/").split("/") if path.strip("/") else ():
            if part.startswith("{") and part.endswith("+}"):
                node.greedy = (part[1:-2], resource)
                return
            node = _below(node, part)
        node.resource = resource

    def find(self, path: str) -> Found | None:
        """The resource for a path as it is on the wire; one slash at its end is nothing."""
        parts = [unquote(part) for part in path.strip("/").split("/")] if path.strip("/") else []
        return _find(self._root, parts, 0, {})


def _below(node: _Node, part: str) -> _Node:
    if not part.startswith("{"):
        return node.fixed.setdefault(part, _Node())
    name = part[1:-1]
    for known, child in node.variables:
        if known == name:
            return child
    node.variables.append((name, _Node()))
    return node.variables[-1][1]


def _find(node: _Node, parts: list[str], place: int, params: Mapping[str, str]) -> Found | None:
    if place == len(parts):
        return Found(node.resource, dict(params)) if node.resource is not None else None
    part = parts[place]
    child = node.fixed.get(part)
    found = _find(child, parts, place + 1, params) if child else None
    for name, child in node.variables if found is None and part else ():
        found = found or _find(child, parts, place + 1, {**params, name: part})
    if found is None and node.greedy is not None:
        name, resource = node.greedy
        return Found(resource, {**params, name: "/".join(parts[place:])})
    return found
