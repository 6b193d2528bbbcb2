"""Which resource a path asks for."""

from __future__ import annotations

import pytest

from clary.apis.paths import Tree

TREE = Tree((path, path) for path in ("/", "/pets", "/pets/{id}", "/pets/own", "/pets/{id}/toys", "/{proxy+}", "/a b"))


@pytest.mark.parametrize(
    ("path", "resource", "params"),
    [
        ("/", "/", {}),
        ("/pets", "/pets", {}),
        ("/pets/", "/pets", {}),
        ("/pets/own", "/pets/own", {}),
        ("/pets/7", "/pets/{id}", {"id": "7"}),
        ("/pets/a%2Fb", "/pets/{id}", {"id": "a/b"}),
        ("/pets/own/toys", "/pets/{id}/toys", {"id": "own"}),
        ("/pets/7/none", "/{proxy+}", {"proxy": "pets/7/none"}),
        ("/other", "/{proxy+}", {"proxy": "other"}),
        ("/a%20b", "/a b", {}),
    ],
)
def test_the_closest_resource_is_found(path: str, resource: str, params: dict[str, str]) -> None:
    assert TREE.find(path) == (resource, params)


def test_nothing_is_found_where_there_is_nothing() -> None:
    assert Tree([("/a/{x}", "it")]).find("/a") is None
    assert Tree([("/{proxy+}", "it")]).find("/") is None
