"""When an image is a container engine's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clary.errors import ClaryError
from clary.images.addresses import Address
from clary.images.catalogue import Catalogue, ImageNotFound, RepositoryNotFound
from clary.images.engine import EngineImages
from clary.images.registry import NoRepository

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
OWN = "000000000000.dkr.ecr.us-east-1.amazonaws.com/mine:1"


DIGEST = f"sha256:{'a' * 64}"


class Engine:
    """An engine with some images."""

    def __init__(self, *names: str) -> None:
        self._names = list(names)

    def image(self, name: str) -> dict[str, Any] | None:
        return {"Id": name} if name in self._names else None

    def pull(self, name: str) -> Iterator[str]:
        yield name

    def load(self, archive: Iterator[bytes]) -> Iterator[str]:
        name = b"".join(archive).decode()
        self._names.append(name)
        yield name

    def names(self, repository: str) -> list[str]:
        return [name for name in self._names if name.rpartition(":")[0] == repository]

    def remove_image(self, name: str) -> bool:
        self._names.remove(name)
        return True


class Registry:
    """The own account's, with a repository `mine`."""

    def __init__(self, **tags: str) -> None:
        self.tags = tags

    def owns(self, address: Address) -> bool:
        return address.account == "000000000000"

    def digest(self, address: Address) -> str | None:
        if address.repository != "mine":
            raise NoRepository(address)
        if address.digest:
            return address.digest if address.digest in self.tags.values() else None
        return self.tags.get(address.tag)

    def archive(self, _address: Address, name: str) -> Iterator[bytes]:
        yield name.encode()


def _catalogue(*names: str, only: bool = False) -> Catalogue:
    return Catalogue(engine=EngineImages(lambda: Engine(*names)), only_engine=only)


@pytest.mark.parametrize("name", ["mine", OWN])
def test_what_nothing_else_knows_and_the_engine_has(name: str) -> None:
    image = _catalogue(name).resolve(name)
    assert (image.engine, image.environment) == (name, None)


def test_what_clary_knows_itself_runs_in_a_sandbox() -> None:
    assert not _catalogue(SKLEARN).resolve(SKLEARN).engine


def test_with_an_engine_only_awss_images_are_the_engines_too() -> None:
    assert _catalogue(SKLEARN, only=True).resolve(SKLEARN).engine == SKLEARN
    with pytest.raises(ImageNotFound) as missing:
        _catalogue(only=True).resolve(SKLEARN)
    assert "the engine has no such image" in missing.value.hint


@pytest.mark.parametrize("name", ["mine", OWN])
def test_what_nobody_has(name: str) -> None:
    with pytest.raises(ImageNotFound):
        _catalogue("another").resolve(name)


@pytest.mark.parametrize("name", ["registry.example.com/team/model:3", "localhost:5000/model"])
def test_what_can_be_pulled_is_an_image(name: str) -> None:
    assert _catalogue().resolve(name).engine == name


def test_without_an_engine_that_is_the_reason() -> None:
    def nothing() -> Engine:
        raise ClaryError("No container engine answers on this machine.", "Install Docker.")

    with pytest.raises(ImageNotFound) as missing:
        Catalogue(engine=EngineImages(nothing)).resolve("mine")
    assert "No container engine answers on this machine. Install Docker." in missing.value.hint


def test_an_image_built_later_is_found_then() -> None:
    names: list[str] = []
    catalogue = Catalogue(engine=EngineImages(lambda: Engine(*names)))
    with pytest.raises(ImageNotFound):
        catalogue.resolve("mine")
    names.append("mine")
    assert catalogue.resolve("mine").engine == "mine"


def _registry(engine: Engine, **tags: str) -> tuple[Catalogue, Registry]:
    registry = Registry(**tags)
    return Catalogue(engine=EngineImages(lambda: engine, registry)), registry


def test_a_tag_of_the_registry_means_a_digest_for_ever() -> None:
    catalogue, registry = _registry(Engine(), latest=DIGEST)
    image = catalogue.resolve("000000000000.dkr.ecr.us-east-1.amazonaws.com/mine")
    assert image.uri == f"000000000000.dkr.ecr.us-east-1.amazonaws.com/mine@{DIGEST}"
    assert image.engine == f"000000000000.dkr.ecr.us-east-1.amazonaws.com/mine:sha256-{'a' * 64}"
    registry.tags.clear()
    assert catalogue.resolved(image.uri) == image
    with pytest.raises(ImageNotFound):
        catalogue.resolve(image.uri)


def test_an_image_of_the_registry_is_loaded_and_others_that_are_gone_there_go() -> None:
    repository = OWN.rpartition(":")[0]
    gone, local = f"{repository}:sha256-{'b' * 64}", f"{repository}:of-the-user"
    engine = Engine(gone, local)
    catalogue, _ = _registry(engine, **{"1": DIGEST})
    image = catalogue.resolve(OWN)
    assert catalogue.engine
    assert not catalogue.engine.has(image.engine)
    assert list(catalogue.engine.pull(image)) == [image.engine]
    assert engine.names(repository) == [local, image.engine]


def test_jobs_that_need_the_same_image_at_once_load_it_once() -> None:
    engine = Engine()
    catalogue, _ = _registry(engine, **{"1": DIGEST})
    image, images = catalogue.resolve(OWN), catalogue.engine
    assert images
    with ThreadPoolExecutor(4) as jobs:
        said = list(jobs.map(lambda _: list(images.pull(image)), range(4)))
    assert sorted(said) == [[], [], [], [image.engine]]


def test_what_was_not_pushed_is_not_taken_from_the_engine() -> None:
    catalogue, _ = _registry(Engine(OWN))
    with pytest.raises(ImageNotFound):
        catalogue.resolve(OWN)


def test_a_repository_that_is_not_there_is_named() -> None:
    catalogue, _ = _registry(Engine())
    with pytest.raises(RepositoryNotFound) as missing:
        catalogue.resolve(OWN.replace("mine", "another"))
    assert missing.value.address.repository == "another"


def test_of_the_registry_and_no_engine_to_run_it() -> None:
    def nothing() -> Engine:
        raise ClaryError("No container engine answers on this machine.", "Install Docker.")

    with pytest.raises(ImageNotFound) as missing:
        Catalogue(engine=EngineImages(nothing, Registry(**{"1": DIGEST}))).resolve(OWN)
    assert "No container engine answers on this machine." in missing.value.hint
