"""botocore's service models: the contract that parsing, validation and serialising follow."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, TypeAlias

from botocore.loaders import Loader, UnknownServiceError
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel

Shape: TypeAlias = Any
"""One of botocore's shapes (StructureShape, ListShape, …), told apart by `type_name`."""


@cache
def _loader() -> Loader:
    """Reads only the models that botocore ships: a user's `~/.aws/models` must not change what the server speaks."""
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


@cache
def load(service: str) -> ServiceModel:
    """The newest model of `service` (`sagemaker`, `sagemaker-runtime`, `s3`, …), one object per process.

    Raises KeyError where botocore knows no such service.
    """
    try:
        return ServiceModel(_loader().load_service_model(service, "service-2"), service)
    except UnknownServiceError:
        raise KeyError(service) from None


@lru_cache(maxsize=4096)
def operation(service: str, name: str) -> OperationModel:
    """One operation's model, with its shapes kept. Raises KeyError where the service has no such operation."""
    try:
        return load(service).operation_model(name)
    except OperationNotFoundError:
        raise KeyError(f"{service}.{name}") from None


@cache
def known_services() -> frozenset[str]:
    """Every service that botocore has a model of, offered or not."""
    return frozenset(_loader().list_available_services("service-2"))
