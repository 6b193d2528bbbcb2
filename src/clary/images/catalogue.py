"""What an image address means: AWS's built-in algorithms and framework images, by account and repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from clary.errors import ClaryError
from clary.images import (
    factorization_machines,
    gradient_boosting,
    huggingface,
    kmeans,
    knn,
    linear_learner,
    neo,
    pca,
    pytorch,
    random_cut_forest,
    retired,
    scikit_learn,
    tensorflow,
    xgboost,
)
from clary.images.accounts import ACCOUNTS
from clary.images.addresses import Address
from clary.images.base import Image
from clary.images.engine import EngineImages
from clary.images.own import OwnImages
from clary.images.pythons import Pythons
from clary.images.registry import NoRepository
from clary.images.releases import Framework, choose
from clary.images.repository import Repository
from clary.images.wheels import Wheels, supplied

_PUSH = "Push it with `clary images push`, or to the registry at Clary's address."


class ImageNotFound(Exception):
    """No image is known by this address; the message is AWS's, `hint` says what is there instead."""

    def __init__(self, uri: str, hint: str = "") -> None:
        super().__init__(f"Requested image {uri} not found.")
        self.uri = uri
        self.hint = hint


class RepositoryNotFound(ImageNotFound):
    """Not even the repository is there, in the own account."""

    def __init__(self, uri: str, address: Address, hint: str) -> None:
        super().__init__(uri, hint)
        self.address = address


REPOSITORIES: Mapping[str, Repository] = {
    repository.name: repository
    for family in (
        factorization_machines,
        gradient_boosting,
        huggingface,
        kmeans,
        knn,
        linear_learner,
        neo,
        pca,
        pytorch,
        random_cut_forest,
        scikit_learn,
        tensorflow,
        xgboost,
    )
    for repository in family.REPOSITORIES
}


class Catalogue:
    """Image addresses → images: AWS's own, whose answers are kept, and the user's (`clary images add`, and installed
    algorithms)."""

    def __init__(
        self,
        pythons: Pythons | None = None,
        own: OwnImages | None = None,
        installed: Callable[[str], Image | None] = lambda _: None,
        wheels: Wheels | None = None,
        engine: EngineImages | None = None,
        only_engine: bool = False,
    ) -> None:
        self._pythons = pythons or Pythons()
        self._own = own
        self._installed = installed
        self._wheels = wheels or Wheels.of(os.environ)
        self.engine = engine
        """The container engine's images, where they may be used."""
        self._only_engine = only_engine
        self._known: dict[str, Image] = {}

    def resolve(self, uri: str) -> Image:
        """The image that `uri` means. One of Clary's registry is named by its digest in the result's `uri`: it stays
        that image when the tag moves on. Raises ImageNotFound."""
        if self._only_engine:
            return self._in_engine(uri, "Clary was started with `--compute docker`, and the engine has no such image.")
        if uri in self._known:
            return self._known[uri]
        address = Address.parse(uri)
        repository = _owned(address)
        if address and repository:
            self._known[uri] = self._of_aws(uri, address, repository)
            return self._known[uri]
        image = (self._own.find(uri) if self._own else None) or self._installed(uri)
        return image or self._in_engine(uri, _advice(address))

    def resolved(self, uri: str) -> Image:
        """As `resolve`, for an address that it gave before: an image that has been started is what it is, whoever
        deletes it or stops the engine meanwhile. Raises ImageNotFound."""
        return (self.engine.registered(uri) if self.engine else None) or self.resolve(uri)

    def _in_engine(self, uri: str, advice: str) -> Image:
        """A real image. Raises ImageNotFound."""
        if self.engine is None:
            raise ImageNotFound(uri, f"{advice} Container engines are not asked with `clary up --compute sandbox`.")
        try:
            image = self.engine.find(uri)
        except NoRepository as none:
            raise RepositoryNotFound(uri, none.address, _PUSH) from None
        except ClaryError as none:
            raise ImageNotFound(uri, f"{advice} {none}") from None
        if image is None:
            raise ImageNotFound(uri, advice)
        return image

    def _of_aws(self, uri: str, address: Address, repository: Repository) -> Image:
        name = repository.release(address.tag)
        if name is None:
            raise ImageNotFound(uri, f"Known tags of {address.repository}: {', '.join(repository.tags)}.")
        tag = repository.tags[name]
        choice = choose(supplied(repository.framework, self._wheels), tag.version, tag.python, self._has)
        if choice is None:
            raise ImageNotFound(uri, _no_python(repository.framework))
        return repository.image(uri, name, choice)

    def _has(self, python: str) -> bool:
        return self._pythons.find(python) is not None


def _owned(address: Address | None) -> Repository | None:
    """The repository, where the account is AWS's own: an own account's `xgboost` is the user's."""
    if address is None or address.account not in ACCOUNTS.get(address.repository, frozenset()):
        return None
    return REPOSITORIES.get(address.repository)


def _advice(address: Address | None) -> str:
    """What to use instead of an image that is not known."""
    if address and address.repository in retired.ADVICE and address.account in ACCOUNTS[address.repository]:
        return retired.ADVICE[address.repository]
    return "Neither AWS's images that Clary runs, nor `clary images list`, nor a container engine know it."


def _no_python(framework: Framework) -> str:
    versions = sorted({python for release in framework.releases for python in release.pythons})
    return f"{framework.distribution} needs one of Python {', '.join(versions)} on this machine."
