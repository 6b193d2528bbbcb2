"""botocore's service models: the contract that parsing, validation and serialising follow."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from botocore.loaders import JSONFileLoader, Loader, UnknownServiceError
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel

Shape: TypeAlias = Any
"""One of botocore's shapes (StructureShape, ListShape, …), told apart by `type_name`."""


_MODEL = "service-2"


class _Lean(JSONFileLoader):
    """Models without what is only there to be read by people, half of each."""

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401  as botocore's: a model, or None
        """The file of this name, compressed, as botocore is packed, or as it lies in its sources."""
        text = _text(file_path)
        return None if text is None else json.loads(text, object_hook=_without_documentation)


def _text(path: str) -> str | None:
    for name, opened in ((f"{path}.json.gz", gzip.open), (f"{path}.json", open)):
        if Path(name).is_file():
            with opened(name, "rb") as file:
                return file.read().decode()
    return None


def _without_documentation(found: dict[str, Any]) -> dict[str, Any]:
    """A member of that name is no text."""
    if isinstance(found.get("documentation"), str):
        del found["documentation"]
    return found


@cache
def _loader() -> Loader:
    """Reads only the models that botocore ships: a user's `~/.aws/models` must not change what the server speaks."""
    return Loader(
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
    """One member of a model; its shapes, most of it, are not read. Each member begins but once, before the shapes."""
    if service not in known_services():
        raise KeyError(service)
    version = _loader().determine_latest_version(service, _MODEL)
    text = _text(f"{Loader.BUILTIN_DATA_PATH}/{service}/{version}/{_MODEL}") or ""
    found = re.search(rf'"{name}"\s*:\s*(?=\{{)', text)
    part: dict[str, Any] = json.JSONDecoder().raw_decode(text, found.end())[0] if found else {}
    return part
