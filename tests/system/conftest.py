"""A really started Clary for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import RunningClary
from tests.system.rest_apis import answering

# Starting one takes five seconds of a processor, emptying it a few hundredths: so there are two for all tests, one that
# is emptied after each test and one that is emptied after each file. Tests may kill and stop them.


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
