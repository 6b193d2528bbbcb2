"""What an image address means: AWS's built-in algorithms and framework images, by account and repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from clary.images import scikit_learn, xgboost
from clary.images.accounts import ACCOUNTS
from clary.images.base import Image
from clary.images.pythons import Pythons
from clary.images.releases import Framework, choose
from clary.images.repository import Repository

_ADDRESS = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<domain>[a-z0-9.-]+)"
    r"/(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[A-Za-z0-9._-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?\Z"
)


class ImageNotFound(Exception):
    """No image is known by this address; the message is AWS's, `hint` says what is there instead."""

    def __init__(self, uri: str, hint: str = "") -> None:
        super().__init__(f"Requested image {uri} not found.")
        self.uri = uri
        self.hint = hint


@dataclass(frozen=True)
class Address:
    """An image address in ECR, taken apart."""

    account: str
    region: str
    repository: str
    tag: str
    """`latest` where the address names none."""

    @classmethod
    def parse(cls, uri: str) -> Address | None:
        """None where `uri` is no address in ECR."""
        found = _ADDRESS.match(uri)
        if not found:
            return None
        return cls(found["account"], found["region"], found["repository"], found["tag"] or "latest")


_REPOSITORIES: Mapping[str, Repository] = {
    repository.name: repository for repository in (*scikit_learn.REPOSITORIES, *xgboost.REPOSITORIES)
}


class Catalogue:
    """Image addresses → images. Pure but for a look at which Pythons there are; answers are kept."""

    def __init__(self, pythons: Pythons | None = None) -> None:
        self._pythons = pythons or Pythons()
        self._known: dict[str, Image] = {}

    def resolve(self, uri: str) -> Image:
        """The image that `uri` means. Raises ImageNotFound."""
        if uri not in self._known:
            self._known[uri] = self._resolve(uri)
        return self._known[uri]

    def _resolve(self, uri: str) -> Image:
        address = Address.parse(uri)
        repository = _owned(address)
        if address is None or repository is None:
            raise ImageNotFound(uri, "It is no image of AWS's that Clary runs.")
        name = repository.release(address.tag)
        if name is None:
            raise ImageNotFound(uri, f"Known tags of {address.repository}: {', '.join(repository.tags)}.")
        tag = repository.tags[name]
        choice = choose(repository.framework, tag.version, tag.python, self._has)
        if choice is None:
            raise ImageNotFound(uri, _no_python(repository.framework))
        return repository.image(uri, name, choice)

    def _has(self, python: str) -> bool:
        return self._pythons.find(python) is not None


def _owned(address: Address | None) -> Repository | None:
    """The repository, where the account is AWS's own: an own account's `xgboost` is the user's."""
    if address is None or address.account not in ACCOUNTS.get(address.repository, frozenset()):
        return None
    return _REPOSITORIES[address.repository]


def _no_python(framework: Framework) -> str:
    versions = sorted({python for release in framework.releases for python in release.pythons})
    return f"{framework.distribution} needs one of Python {', '.join(versions)} on this machine."
