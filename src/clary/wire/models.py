"""botocore's service models: the contract that parsing, validation and serialising follow."""

from __future__ import annotations

import gzip
import json
import os
import re
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, Any, TypeAlias

from botocore.loaders import JSONFileLoader, Loader, UnknownServiceError
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel

Shape: TypeAlias = Any
"""One of botocore's shapes (StructureShape, ListShape, …), told apart by `type_name`."""


_MODEL = "service-2"
_PIECE = 2048
"""Characters: `metadata` ends before."""


class _Shipped(Loader):
    """What botocore's folders are called is what it has models of: nobody looks into all four hundred."""

    def list_available_services(self, type_name: str) -> list[str]:
        """The same as botocore's for models of services."""
        return sorted(each.name for each in os.scandir(self.BUILTIN_DATA_PATH) if each.is_dir())


class _Lean(JSONFileLoader):
    """Models without what is only there to be read by people, half of each."""

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401  as botocore's: a model, or None
        """The file of this name, compressed, as botocore is packed, or as it lies in its sources."""
        text = _text(file_path)
        return None if text is None else json.loads(text, object_hook=_without_documentation)


def _text(path: str) -> str | None:
    file = _opened(path)
    if file is None:
        return None
    with file:
        return file.read()


def _opened(path: str) -> IO[str] | None:
    if Path(f"{path}.json.gz").is_file():
        return gzip.open(f"{path}.json.gz", "rt", encoding="utf-8")
    return Path(f"{path}.json").open(encoding="utf-8") if Path(f"{path}.json").is_file() else None


def _without_documentation(found: dict[str, Any]) -> dict[str, Any]:
    """A member of that name is no text."""
    if isinstance(found.get("documentation"), str):
        del found["documentation"]
    return found


@cache
def _loader() -> Loader:
    """Reads only the models that botocore ships: a user's `~/.aws/models` must not change what the server speaks."""
    return _Shipped(
        file_loader=_Lean(), extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False
    )


@cache
def load(service: str) -> ServiceModel:
    """The newest model of `service` (`sagemaker`, `sagemaker-runtime`, `s3`, …), one object per process.

    Raises KeyError where botocore knows no such service.
    """
    try:
        return ServiceModel(_loader().load_service_model(service, _MODEL), service)
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
    return frozenset(_loader().list_available_services(_MODEL))


def outline(service: str) -> ServiceModel:
    """What tells a service's requests from others', without operations and shapes. Raises KeyError as `load`."""
    return ServiceModel({"metadata": _part(service, "metadata"), "operations": {}, "shapes": {}}, service)


def operation_names(service: str) -> tuple[str, ...]:
    """Those of any service, offered or not, in the model's order. Raises KeyError as `load`."""
    return tuple(_part(service, "operations"))


def _part(service: str, name: str) -> dict[str, Any]:
    """One member of a model; what comes behind it, mostly, is not read. Each member begins but once, before the shapes,
    which are most of a model."""
    if service not in known_services():
        raise KeyError(service)
    version = _loader().determine_latest_version(service, _MODEL)
    file = _opened(f"{Loader.BUILTIN_DATA_PATH}/{service}/{version}/{_MODEL}")
    if file is None:
        return {}
    with file:
        return _first(file, re.compile(rf'"{name}"\s*:\s*(?=\{{)'))


def _first(file: IO[str], member: re.Pattern[str]) -> dict[str, Any]:
    """The object behind that name; empty where there is none. Twice as much is read each time that it is not enough."""
    text = ""
    while more := file.read(max(_PIECE, len(text))):
        text += more
        if found := member.search(text):
            with suppress(json.JSONDecodeError):  # it goes on
                part: dict[str, Any] = json.JSONDecoder().raw_decode(text, found.end())[0]
                return part
    return {}
