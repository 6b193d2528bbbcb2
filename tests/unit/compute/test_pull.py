"""What an engine is asked for an image, and what is said where a registry refuses it. The engines here answer in the
words of Docker Engine and of Podman; Podman itself is tried in tests/system/test_other_registries.py."""

from __future__ import annotations

import base64
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from clary.compute.docker_api import EngineError
from clary.compute.docker_images import ImageStore
from clary.compute.logins import Logins

HOST = "registry.example.com"
LOGIN = "as the user who runs Clary."
DOCKER_DENIED = (
    f"pull access denied for {HOST}/model, repository does not exist or may require 'docker login': denied: requested "
    "access to the resource is denied"
)
PODMAN_DENIED = (
    f"initializing source docker://{HOST}/model:1: reading manifest 1 in {HOST}/model: unauthorized: authentication "
    "required"
)


class Engine(socketserver.ThreadingUnixStreamServer):
    """Notes what it is asked, and answers with `answer`."""

    daemon_threads = True

    def __init__(self, path: str) -> None:
        super().__init__(path, Handler)
        self.status = 200
        self.answer: list[object] = []
        self.asked: list[dict[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    server: Engine

    def do_POST(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.server.asked.append({**query, "login": self.headers.get("X-Registry-Auth", "")})
        self.send_response(self.server.status)
        self.end_headers()
        for said in self.server.answer:
            self.wfile.write(json.dumps(said).encode() + b"\r\n")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(str(tmp_path / "sock")) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def images(engine: Engine, tmp_path: Path) -> ImageStore:
    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    return ImageStore(str(engine.server_address), Logins(environ))


def _log_in(tmp_path: Path, entry: object) -> Path:
    path = tmp_path / ".docker" / "config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"auths": {HOST: entry}}))
    return path


def _auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (_auth("me:pass?>word"), {"username": "me", "password": "pass?>word", "serveraddress": HOST}),
        ({**_auth("0000:"), "identitytoken": "t"}, {"identitytoken": "t", "serveraddress": HOST}),
    ],
    ids=["password", "token"],
)
def test_a_login_is_handed_to_the_engine(
    entry: object, told: object, engine: Engine, images: ImageStore, tmp_path: Path
) -> None:
    _log_in(tmp_path, entry)
    engine.answer = [{"status": "Pulling", "id": "1"}, {"status": "Downloading", "progressDetail": {"current": 1}}]
    assert list(images.pull(f"{HOST}/model:1")) == ["Pulling"]
    [asked] = engine.asked
    assert json.loads(base64.urlsafe_b64decode(asked["login"])) == told


@pytest.mark.parametrize("name", ["other.example.com/model:1", "000000000000.dkr.ecr.us-east-1.amazonaws.com/a:1"])
def test_another_registry_hears_of_no_login(name: str, engine: Engine, images: ImageStore, tmp_path: Path) -> None:
    _log_in(tmp_path, _auth("me:password"))
    assert list(images.pull(name)) == []
    assert engine.asked == [{"fromImage": name, "login": ""}]


@pytest.mark.parametrize(
    ("name", "tag"),
    [(f"{HOST}/model", "latest"), (f"{HOST}/model:1", None), (f"{HOST}/model@sha256:{'a' * 64}", None)],
    ids=["neither", "tag", "digest"],
)
def test_one_image_is_pulled_and_not_all_tags(name: str, tag: str | None, engine: Engine, images: ImageStore) -> None:
    list(images.pull(name))
    assert (engine.asked[0]["fromImage"], engine.asked[0].get("tag")) == (name, tag)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (404, {"message": DOCKER_DENIED}),
        (500, {"message": f'Head "https://{HOST}/v2/model/manifests/1": no basic auth credentials'}),
        (200, {"error": PODMAN_DENIED, "errorDetail": {"message": PODMAN_DENIED}}),
        (200, {"error": "unable to retrieve auth token: invalid username/password: unauthorized"}),
    ],
    ids=["docker", "docker basic", "podman", "podman bearer"],
)
def test_who_is_refused_reads_what_to_do(
    status: int, answer: object, engine: Engine, images: ImageStore, tmp_path: Path
) -> None:
    engine.status, engine.answer = status, [answer]
    command = f"Log in by `docker login {HOST}` or `podman login {HOST}` {LOGIN}"
    with pytest.raises(EngineError) as refused:
        list(images.pull(f"{HOST}/model:1"))
    assert str(refused.value).startswith(f"There is no login for {HOST}. {command} The engine said: ")
    path = _log_in(tmp_path, _auth("me:password"))
    with pytest.raises(EngineError) as refused:
        list(images.pull(f"{HOST}/model:1"))
    assert str(refused.value).startswith(f"{HOST} has refused the login in {path}. {command} The engine said: ")


def test_a_file_that_cannot_be_used_is_in_the_log_and_in_the_reason(
    engine: Engine, images: ImageStore, tmp_path: Path
) -> None:
    path = _log_in(tmp_path, {})
    path.write_text('{"auths": SECRET')
    said = f"{path} is not used: it is not JSON."
    assert list(images.pull(f"{HOST}/model:1")) == [said]
    engine.answer = [{"error": PODMAN_DENIED}]
    with pytest.raises(EngineError, match=f"There is no login for {HOST}. {path} is not used: it is not JSON. Log in"):
        list(images.pull(f"{HOST}/model:1"))


@pytest.mark.parametrize("words", ["no such host", "open /var/lib/docker: permission denied", "manifest unknown"])
def test_what_no_login_mends_is_said_as_it_is(words: str, engine: Engine, images: ImageStore) -> None:
    engine.answer = [{"error": words}]
    with pytest.raises(EngineError) as refused:
        list(images.pull(f"{HOST}/model:1"))
    assert str(refused.value) == words


def test_a_registry_that_answers_with_the_password_is_not_repeated(
    engine: Engine, images: ImageStore, tmp_path: Path
) -> None:
    basic = base64.b64encode(b"me:hunter2").decode()
    _log_in(tmp_path, {"auth": basic})
    engine.answer = [{"error": f"unauthorized: Basic {basic} is not hunter3, but hunter2"}]
    with pytest.raises(EngineError) as refused:
        list(images.pull(f"{HOST}/model:1"))
    assert str(refused.value).endswith("unauthorized: Basic *** is not hunter3, but ***")
