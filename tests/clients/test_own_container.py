"""The whole path of docs/own-container.md: a folder becomes an image, the image an endpoint, the endpoint a web page.

Once with a container engine (a Dockerfile, the AWS CLI, Podman, ECR), once without (a program image in the sandbox).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from clary.compute.docker_api import Engine
from tests import debian
from tests import engine as engines
from tests.browser import Browser
from tests.clients.conftest import ROOT
from tests.clients.test_docs import blocks, commands
from tests.clients.test_journeys import unindented
from tests.environments import python_of
from tests.running import CLARY, RunningClary, wait_until
from tests.system.rest_apis import ask

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("engine"), pytest.mark.timeout(1500)]

PAGE = "docs/own-container.md"
FOLDER = ROOT / "examples" / "own_container"
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
COMMAND_SECONDS = 600
PREDICTION_SECONDS = 60

PATIENT = {
    "age": 75,
    "anaemia": 0,
    "creatinine_phosphokinase": 582,
    "diabetes": 0,
    "ejection_fraction": 20,
    "high_blood_pressure": 1,
    "platelets": 265000,
    "serum_creatinine": 1.9,
    "serum_sodium": 130,
    "sex": 1,
    "smoking": 0,
    "time": 4,
}
"""The first of the data, who died."""


@pytest.fixture(scope="module")
def predicted(clary: RunningClary) -> str:
    """What the folder as a program image predicts."""
    [add] = [line for line in commands(PAGE) if line.startswith("clary images add")]
    done([str(CLARY), *shlex.split(add)[1:], "--data-dir", str(clary.data_dir)], os.environ, ROOT)
    return predictions(clary, "heart-failure-program:latest", "program")


@pytest.fixture
def beside_an_engine(container_engine: Engine, tmp_path: Path) -> Iterator[RunningClary]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{container_engine.path}")
        with RunningClary(tmp_path / "clary") as clary:
            yield clary
        assert engines.containers(container_engine, clary.data_dir) == []


def done(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> str:
    """What a command prints."""
    run = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )
    assert run.returncode == 0, f"{command}\n{run.stdout}\n{run.stderr}"
    return run.stdout


def by_sdk(clary: RunningClary, program: str, *arguments: str) -> str:
    return done([str(python_of("sdk2")), program, *arguments], clary.environment, FOLDER)


def predictions(clary: RunningClary, image: str, endpoint: str) -> str:
    """What the endpoint says of sixty patients, after it has been trained and deployed."""
    said = by_sdk(clary, "train_and_deploy.py", image, endpoint)
    found = re.search(r"predictions: ([01 ]+)\nright about ([0-9.]+) of \d+ patients", said)
    assert found, said
    assert float(found[2]) > 0.7
    return found[1]


def pushed(clary: RunningClary, folder: Path) -> str:
    """The image of `push.sh`, as users run it; what is special is where Debian and packages come from."""
    base, wheels = debian.base(), debian.wheels(FOLDER / "requirements.txt")
    (folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    environment = podman(clary, folder)
    if subprocess.run(["podman", "image", "exists", BASE], env=environment, check=False).returncode:
        done(["podman", "import", str(base), BASE], environment, folder)
    places = (f"{wheels}:/wheels:ro", f"{folder}/pip.conf:/etc/pip.conf:ro")
    options = ["--http-proxy=false", f"--build-arg=BASE={BASE}", *(f"--volume={place}" for place in places)]
    done([str(FOLDER / "push.sh"), "heart-failure:1", *options], environment, folder)
    return f"{REGISTRY}/heart-failure:1"


BASE = f"localhost/clary-test-debian:{debian.RELEASE}"


def podman(clary: RunningClary, folder: Path) -> dict[str, str]:
    """Of a user whose Podman reaches the composed name as docs/ecr.md says. Layers are kept for the next build."""
    kept = debian.cache()
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{kept}/images"\nrunroot = "{kept}/run"\n'
    )
    (folder / "registries.conf").write_text(f'[[registry]]\nlocation = "{REGISTRY}"\ninsecure = true\n')
    configuration = folder / ".config" / "containers"
    configuration.mkdir(parents=True)
    (configuration / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    return {
        **clary.environment,
        "PATH": f"{python_of('cli').parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "REGISTRY_AUTH_FILE": str(folder / "auth.json"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
        "BUILDAH_ISOLATION": "chroot",
        "HTTP_PROXY": clary.endpoint_url,
        "NO_PROXY": "127.0.0.1",
    }


def published(clary: RunningClary, endpoint: str) -> tuple[str, str]:
    """The addresses of the API and of the page."""
    said = dict(line.split(": ", 1) for line in by_sdk(clary, "publish.py", endpoint).splitlines())
    return said["API"], said["page"]


def asked(api: str) -> Any:
    """What the API says of the patient, to anybody; by the path, because not every resolver knows `*.localhost`."""
    host, _, path = api.removeprefix("http://").partition("/")
    url = f"http://127.0.0.1:{host.rpartition(':')[2]}/{path}"
    page = {"Host": host, "Origin": "http://127.0.0.1:1", "Content_Type": "application/json"}
    allowed = ask(url, "OPTIONS", **page, Access_Control_Request_Method="POST")
    assert allowed.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
    incomplete = ask(url, "POST", b'{"age": 75}', **page)
    assert (incomplete.status, "anaemia" in incomplete.json["message"]) == (400, True)
    answer = ask(url, "POST", json.dumps(PATIENT).encode(), **page)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*"), answer.body
    return answer.json


FILL = """
for (const [name, value] of Object.entries(%s)) {
  const field = document.forms[0].elements[name];
  if (field.type === "checkbox") field.checked = value === 1; else field.value = value;
}
document.querySelector("button").click();
"""


def seen(page: str, folder: Path) -> str:
    """What a visitor reads who types the patient's findings and presses the button."""
    folder.mkdir()
    with Browser(folder) as browser:
        browser.open(page)
        browser.value(FILL % json.dumps(PATIENT))
        read: Callable[[], str] = lambda: browser.value("document.getElementById('said').textContent")  # noqa: E731
        wait_until(lambda: not re.match("No prediction yet|Asking", read()), PREDICTION_SECONDS, "a prediction")
        return read()


def check_page(clary: RunningClary, endpoint: str, folder: Path) -> None:
    api, page = published(clary, endpoint)
    prediction = asked(api)
    assert prediction["died"] == 1
    assert 0.5 < prediction["probability"] <= 1
    percent = f"{100 * prediction['probability']:.1f}"
    assert seen(page, folder / "browser") == f"At risk: the probability of death is {percent} %."


def test_the_page_shows_pieces_of_its_programs_and_names_those_that_are_run_here() -> None:
    programs = ("train_and_deploy.py", "publish.py", "push.sh", "function/predict.py")
    text = "".join(unindented((FOLDER / name).read_text()) for name in programs)
    pieces = [*blocks(PAGE, "python"), *blocks(PAGE, "sh")]
    assert len(pieces) == 4
    assert [piece for piece in pieces if unindented(piece) not in text] == []
    assert [line.replace("examples/own_container/", "") for line in commands(PAGE)] == [
        "clary up --detach",
        'eval "$(clary env)"',
        "push.sh heart-failure:1",
        f"python train_and_deploy.py {REGISTRY}/heart-failure:1 heart-failure",
        "clary images add heart-failure-program:latest --program program --requirements requirements.txt",
        "python train_and_deploy.py heart-failure-program:latest heart-failure",
        "python publish.py heart-failure",
    ]


def test_from_a_folder_to_a_web_page_without_an_engine(clary: RunningClary, predicted: str, tmp_path: Path) -> None:
    check_page(clary, "program", tmp_path)


@pytest.mark.long
def test_from_a_dockerfile_to_a_web_page(beside_an_engine: RunningClary, predicted: str, tmp_path: Path) -> None:
    image = pushed(beside_an_engine, tmp_path)
    assert predictions(beside_an_engine, image, "container") == predicted
    check_page(beside_an_engine, "container", tmp_path)
