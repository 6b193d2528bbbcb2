"""Which login an image is pulled with."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from clary.compute.login_files import Login
from clary.compute.logins import Found, Logins

IMAGE = "registry.example.com/team/model:3"
HUB = "docker.io/team/model"
MINE = Login("me", "pass:word")

Write = Callable[[str, Any], Path]


def _auth(username: str = "me", password: str = "pass:word") -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Of a user whose files are all below one folder."""
    return {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run"), "PATH": str(tmp_path / "bin")}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, document: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        return path

    return write


@pytest.fixture
def helper(write: Write) -> Callable[[str, str], None]:
    """A credential helper of that name: a shell script."""

    def put(name: str, script: str) -> None:
        write(f"bin/docker-credential-{name}", f"#!/bin/sh\n{script}\n".encode()).chmod(0o755)

    return put


@pytest.mark.parametrize(
    ("image", "auths", "login"),
    [
        (IMAGE, {"registry.example.com": _auth()}, MINE),
        (IMAGE, {"https://registry.example.com": _auth()}, MINE),
        (IMAGE, {"https://registry.example.com/v2/": _auth()}, MINE),
        (IMAGE, {"registry.example.com/v1/": _auth()}, MINE),
        (IMAGE, {"registry.example.com/team": _auth()}, MINE),
        (IMAGE, {"registry.example.com/team/model": _auth()}, MINE),
        (
            IMAGE,
            {"registry.example.com/team": _auth("team"), "registry.example.com": _auth()},
            Login("team", "pass:word"),
        ),
        (IMAGE, {"registry.example.com/team": {}, "registry.example.com": _auth()}, MINE),
        (IMAGE, {"https://registry.example.com": _auth("old"), "registry.example.com": _auth()}, MINE),
        (IMAGE, {"registry.example.com": _auth(), "https://registry.example.com": _auth("old")}, MINE),
        (IMAGE, {"registry.example.com": {"username": "me", "password": "pass:word"}}, MINE),
        (IMAGE, {"registry.example.com": {**_auth("0000", ""), "identitytoken": "t"}}, Login(token="t")),
        (IMAGE, {"registry.example.com": _auth(password="pass:word\0")}, MINE),
        (HUB, {"https://index.docker.io/v1/": _auth()}, MINE),
        (HUB, {"docker.io": _auth()}, MINE),
        (HUB, {"index.docker.io/v1/": _auth()}, MINE),
        ("index.docker.io/team/model", {"docker.io/team": _auth()}, MINE),
        ("registry.example.com:5000/a", {"registry.example.com:5000": _auth()}, MINE),
    ],
)
def test_the_login_for_an_image(
    image: str, auths: Mapping[str, Any], login: Login, environ: dict[str, str], write: Write
) -> None:
    path = write(".docker/config.json", {"auths": auths})
    found = Logins(environ).find(image)
    assert (found.login, found.file, found.complaints) == (login, str(path), ())


@pytest.mark.parametrize(
    ("image", "key"),
    [
        (IMAGE, "example.com"),
        (IMAGE, "registry.example.com.example.org"),
        (IMAGE, "registry.example.com:5000"),
        (IMAGE, "registry.example.com/other"),
        (IMAGE, "registry.example.com/tea"),
        (IMAGE, "registry.example.com/team/model:3"),
        (IMAGE, "ftp://registry.example.com"),
        (IMAGE, "https://registry.example.com@example.org"),
        (IMAGE, "*.example.com"),
        (IMAGE, ""),
        (HUB, "hub.docker.com"),
        ("registry.example.com:5000/a", "registry.example.com"),
        ("team/model", "docker.io"),
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com/mine", "amazonaws.com"),
    ],
)
def test_the_login_of_another_registry_is_nobodys_business(
    image: str, key: str, environ: dict[str, str], write: Write
) -> None:
    write(".docker/config.json", {"auths": {key: _auth()}})
    assert Logins(environ).find(image).login is None


def test_files_are_asked_in_podmans_order(environ: dict[str, str], write: Write) -> None:
    """containers-auth.json(5)."""
    names = ("named.json", "run/containers/auth.json", ".config/containers/auth.json", ".docker/config.json")
    paths = [write(name, {"auths": {"registry.example.com": _auth(name)}}) for name in names]
    logins = Logins(environ)
    assert logins.find(IMAGE).file == str(paths[1])
    environ["REGISTRY_AUTH_FILE"] = str(paths[0])
    for path in (paths[0], *paths[2:]):
        found = logins.find(IMAGE)
        assert (found.file, found.login) == (str(path), Login(str(path.relative_to(environ["HOME"])), "pass:word"))
        path.unlink()
    assert (logins.find(IMAGE).login, logins.find(IMAGE).complaints) == (None, ())


def test_folders_that_the_environment_names(environ: dict[str, str], write: Write) -> None:
    docker = write("d/config.json", {"auths": {"registry.example.com": _auth()}})
    podman = write("c/containers/auth.json", {"auths": {"registry.example.com": _auth()}})
    environ |= {"DOCKER_CONFIG": str(docker.parent), "XDG_CONFIG_HOME": str(podman.parents[1])}
    assert Logins(environ).find(IMAGE).file == str(podman)
    podman.unlink()
    assert Logins(environ).find(IMAGE).file == str(docker)


def test_a_login_counts_from_when_it_is_made_until_it_is_gone(environ: dict[str, str], write: Write) -> None:
    logins = Logins(environ)
    assert logins.find(IMAGE).login is None
    path = write(".docker/config.json", {"auths": {"registry.example.com": _auth()}})
    assert logins.find(IMAGE).login == MINE
    path.write_text("{}")
    assert logins.find(IMAGE).login is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "it has not the form of such a file"),
        ({"auths": []}, "it has not the form of such a file"),
        ({"credsStore": 1}, "it has not the form of such a file"),
        ({"credHelpers": {"registry.example.com": 1}}, "`credHelpers` does not name a program"),
        ({"auths": {"registry.example.com": "x"}}, "its login for registry.example.com cannot be understood"),
        ({"auths": {"registry.example.com": {"auth": "?"}}}, "its login for registry.example.com cannot be understood"),
        ({"auths": {"registry.example.com": {"auth": 1}}}, "its login for registry.example.com cannot be understood"),
        (
            {"auths": {"registry.example.com": {"auth": base64.b64encode(b"SECRET").decode()}}},
            "its login for registry.example.com cannot be understood",
        ),
        (
            {"auths": {"registry.example.com": {"auth": base64.b64encode(b"me:\xff").decode()}}},
            "its login for registry.example.com cannot be understood",
        ),
    ],
    ids=lambda value: None,
)
def test_a_file_that_cannot_be_used_is_named_and_the_next_one_read(
    content: Any, why: str, environ: dict[str, str], write: Write
) -> None:
    path = write("run/containers/auth.json", content)
    found = Logins(environ).find(IMAGE)
    assert (found.login, found.complaints) == (None, (f"{path} is not used: {why}.",))
    write(".docker/config.json", {"auths": {"registry.example.com": _auth()}})
    assert Logins(environ).find(IMAGE).login == MINE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(environ: dict[str, str], write: Write) -> None:
    path = write(".docker/config.json", {})
    path.chmod(0)
    assert Logins(environ).find(IMAGE).complaints == (f"{path} is not used: it cannot be read (Permission denied).",)


def test_what_is_no_file_is_not_waited_for(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "run/containers").mkdir(parents=True)
    os.mkfifo(tmp_path / "run/containers/auth.json")
    [said] = Logins(environ).find(IMAGE).complaints
    assert said.endswith("auth.json is not used: it is no file.")


def test_what_is_wrong_with_other_registries_does_not_matter(environ: dict[str, str], write: Write) -> None:
    auths = {"other.example.com": {"auth": "?"}, "empty.example.com": None, "registry.example.com": _auth()}
    write(".docker/config.json", {"auths": auths, "credHelpers": {"other.example.com": "../other"}})
    assert Logins(environ).find(IMAGE).login == MINE


ANSWERS = """\
read registry
[ "$1 $registry" = "get registry.example.com" ] || exit 7
echo '{"ServerURL": "registry.example.com", "Username": "me", "Secret": "pass:word"}'"""


def test_a_program_for_one_registry_is_asked_instead_of_the_file(
    environ: dict[str, str], write: Write, helper: Callable[[str, str], None]
) -> None:
    helper(
        "keyring",
        ANSWERS.replace("read registry", 'registry=$(while IFS= read -r l || [ "$l" ]; do echo "$l"; l=; done)'),
    )
    document = {"credHelpers": {"registry.example.com": "keyring"}, "auths": {"registry.example.com": _auth("file")}}
    write("run/containers/auth.json", document)
    found = Logins(environ).find(IMAGE)
    assert (found.login, found.complaints) == (MINE, ())


def test_a_program_for_all_registries_is_asked_where_the_file_says_nothing(
    environ: dict[str, str], write: Write, helper: Callable[[str, str], None]
) -> None:
    helper("keyring", ANSWERS.replace("[ ", "true || [ "))
    auths = {"registry.example.com": {}, "other.example.com": _auth("file")}
    write(".docker/config.json", {"auths": auths, "credsStore": "keyring"})
    assert Logins(environ).find(IMAGE).login == MINE
    assert Logins(environ).find("other.example.com/a").login == Login("file", "pass:word")
    write(".docker/config.json", {"credsStore": "keyring", "credHelpers": {"registry.example.com": ""}})
    assert Logins(environ).find(IMAGE) == Found("registry.example.com")


def test_a_program_knows_docker_hub_by_its_address(
    environ: dict[str, str], write: Write, helper: Callable[[str, str], None], tmp_path: Path
) -> None:
    helper(
        "hub",
        f'IFS= read -r asked; echo "$asked" > {tmp_path}/asked; echo \'{{"Username": "<token>", "Secret": "t"}}\'',
    )
    write(".docker/config.json", {"credsStore": "hub"})
    assert Logins(environ).find(HUB).login == Login(token="t")
    assert (tmp_path / "asked").read_text() == "https://index.docker.io/v1/\n"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo SECRET; exit 3", "docker-credential-x, which it names, ended with exit code 3"),
        ("echo SECRET", "docker-credential-x, which it names, gave an answer that cannot be understood"),
        ("echo '[]'", "docker-credential-x, which it names, gave an answer that cannot be understood"),
        (
            """echo '{"Username": "SECRET"}'""",
            "docker-credential-x, which it names, gave an answer that cannot be understood",
        ),
        ("echo credentials not found in native keychain; exit 1", ""),
        ("""echo '{"Username": "", "Secret": ""}'""", ""),
    ],
    ids=["exit code", "no JSON", "no object", "no secret", "not found", "empty"],
)
def test_a_program_that_has_no_login(
    script: str, why: str, environ: dict[str, str], write: Write, helper: Callable[[str, str], None]
) -> None:
    helper("x", script)
    path = write(".docker/config.json", {"credsStore": "x"})
    found = Logins(environ).find(IMAGE)
    assert (found.login, found.complaints) == (None, (f"{path} is not used: {why}.",) if why else ())


@pytest.mark.parametrize("name", ["../x", "/bin/sh", "x y", ".", "..", "x\n", "a/b", "ü"])
def test_a_program_is_named_by_no_path(name: str, environ: dict[str, str], write: Write) -> None:
    write(".docker/config.json", {"credHelpers": {"registry.example.com": name}})
    [said] = Logins(environ).find(IMAGE).complaints
    assert said.endswith("is not used: it names a credential helper by what is no name of one.")


def test_a_program_that_is_not_installed(environ: dict[str, str], write: Write) -> None:
    write(".docker/config.json", {"credsStore": "desktop"})
    [said] = Logins(environ).find(IMAGE).complaints
    assert said.endswith("is not used: docker-credential-desktop, which it names, is not in the PATH.")


def test_nothing_prints_a_login() -> None:
    assert "pass" not in repr(MINE)
    assert "t0ken" not in repr(Login(token="t0ken"))
