"""Names of images, taken apart."""

from __future__ import annotations

import pytest

from clary.compute.references import Reference

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("registry.example.com/team/model:3", ("registry.example.com", "team/model", "3", "")),
        ("registry.example.com:5000/model", ("registry.example.com:5000", "model", "", "")),
        ("localhost/a", ("localhost", "a", "", "")),
        ("[::1]:5000/a__b/c-d.e", ("[::1]:5000", "a__b/c-d.e", "", "")),
        (f"127.0.0.1:80/a:1@{DIGEST}", ("127.0.0.1:80", "a", "1", DIGEST)),
        ("docker.io/busybox", ("docker.io", "library/busybox", "", "")),
        ("index.docker.io/team/model", ("docker.io", "team/model", "", "")),
    ],
)
def test_what_an_engine_looks_for_at_a_host(name: str, found: tuple[str, ...]) -> None:
    reference = Reference.parse(name)
    assert reference
    assert (reference.host, reference.path, reference.tag, reference.digest) == found


@pytest.mark.parametrize(
    "name",
    [
        "model",
        "team/model:1",
        "https://registry.example.com/model",
        "me@registry.example.com/model",
        "registry.example.com\n.example.org/model",
        "registry.example.com/../model",
        "registry.example.com//model",
        "registry.example.com/Model",
        "registry.example.com/model:1\n",
        "-x.example.com/model",
        "",
    ],
)
def test_what_is_at_no_host_of_its_own(name: str) -> None:
    assert Reference.parse(name) is None


def test_what_a_login_may_be_for() -> None:
    reference = Reference.parse("registry.example.com:5000/team/part/model:1")
    assert reference
    assert reference.places == (
        "registry.example.com:5000/team/part/model",
        "registry.example.com:5000/team/part",
        "registry.example.com:5000/team",
        "registry.example.com:5000",
    )
