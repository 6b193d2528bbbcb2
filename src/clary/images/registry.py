"""What images ask of Clary's own registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from clary.errors import ClaryError
from clary.images.addresses import Address


class NoRepository(ClaryError):
    """The address names a repository of the own account that is not there."""

    def __init__(self, address: Address) -> None:
        super().__init__(f"There is no repository {address.repository} in the registry {address.account}.")
        self.address = address


class Registry(Protocol):
    """The registry, as rows and layers."""

    def owns(self, address: Address) -> bool:
        """Whether the address is in this registry, and nowhere else."""
        ...

    def digest(self, address: Address) -> str | None:
        """The digest of the image that stands there now, or None. Raises NoRepository."""
        ...

    def archive(self, address: Address, name: str) -> Iterator[bytes]:
        """The image with that digest as `docker save` writes it, under `name`, for `docker load`.

        Raises ClaryError where it is not there any more, or is for other machines only; FileNotFoundError.
        """
        ...
