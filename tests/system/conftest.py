"""A really started Clary for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clary.compute.docker_api import Engine
from tests import engine as engines
from tests.running import RunningClary
from tests.system.rest_apis import answering

# Starting one takes five seconds of a processor, emptying it a few hundredths: so there are three for all tests, one
# that is emptied after each test, one that is emptied after each file, and such a one beside a container engine. Tests
# may kill and stop them.


@pytest.fixture(scope="session")
def _of_one_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    with RunningClary(tmp_path_factory.mktemp("clary"), "--allow-reset") as running:
        yield running


@pytest.fixture
def clary(_of_one_test: RunningClary) -> Iterator[RunningClary]:
    """Empty, and the test's own."""
    yield _of_one_test
    _of_one_test.reset()


@pytest.fixture(scope="session")
def backend() -> Iterator[int]:
    """The port of an HTTP server on this machine, which API Gateway may ask."""
    with answering() as port:
        yield port


@pytest.fixture(scope="session")
def _of_one_file(tmp_path_factory: pytest.TempPathFactory, backend: int) -> Iterator[RunningClary]:
    options = ("--cores", "2", "--overcommit", "2", "--http-target", f"127.0.0.1:{backend}")
    with RunningClary(tmp_path_factory.mktemp("clary"), "--allow-reset", *options) as running:
        yield running


@pytest.fixture(scope="module")
def shared(_of_one_file: RunningClary) -> Iterator[RunningClary]:
    """One for all tests of a file, empty at its beginning, as large on every machine."""
    yield _of_one_file
    _of_one_file.reset()


@pytest.fixture(scope="module")
def _by_engine(container_engine: Engine) -> Iterator[None]:
    """This process and what it starts use that engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{container_engine.path}")
        yield


@pytest.fixture(scope="session")
def _beside_engine(container_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    clary = RunningClary(tmp_path_factory.mktemp("clary"), "--allow-reset")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{container_engine.path}")
        clary.up()
    yield clary
    clary.run("down", "--all", check=False)


@pytest.fixture(scope="module")
def beside_engine(_by_engine: None, _beside_engine: RunningClary, container_engine: Engine) -> Iterator[RunningClary]:
    """One for all tests of a file whose containers are the engine's, empty at its beginning."""
    yield _beside_engine
    _beside_engine.reset()
    assert engines.containers(container_engine, _beside_engine.data_dir) == []
