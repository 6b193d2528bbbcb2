"""What the registry at the edge asks about uploads of layers: ECR has operations for all else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.objects.store import ObjectStore
from clary.services.ecr.names import REPOSITORY
from clary.services.ecr.uploads import abandon, received
from clary.store import Key, Store


def upload(store: Store, params: Mapping[str, Any]) -> dict[str, Any]:
    """How many bytes there are; None where there is no such upload."""
    return {"received": received(store, _repository(params), params["upload"])}


def abandon_upload(store: Store, objects: ObjectStore, params: Mapping[str, Any]) -> dict[str, Any]:
    """Drop it; whether it was there."""
    return {"there": abandon(store, objects, _repository(params), params["upload"])}


def _repository(params: Mapping[str, Any]) -> Key:
    return Key(REPOSITORY, params["account"], params["region"], params["repository"])
