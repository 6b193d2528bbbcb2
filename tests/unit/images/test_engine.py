"""When an image is a container engine's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clary.errors import ClaryError
from clary.images.catalogue import Catalogue, ImageNotFound
from clary.images.engine import EngineImages

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
OWN = "000000000000.dkr.ecr.us-east-1.amazonaws.com/mine:1"


class Engine:
    """An engine with some images."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def image(self, name: str) -> dict[str, Any] | None:
        return {"Id": name} if name in self._names else None

    def pull(self, name: str) -> Iterator[str]:
        yield name


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
