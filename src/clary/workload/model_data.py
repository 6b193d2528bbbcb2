"""A model's data on its way into a container: ModelDataUrl, ModelDataSource
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clary.names import model_name
from clary.objects.model import ObjectInfo
from clary.workload.bundle import Bundle, make_folder
from clary.workload.children import unpack_archive
from clary.workload.download import Ended, download_prefix, find
from clary.workload.errors import NotAllowed, WorkloadError, room_for
from clary.workload.s3uri import join, split
from clary.workload.storage import RoleStorage


def fetch_model(
    storage: RoleStorage, definition: Mapping[str, Any], bundle: Bundle, ended: Ended, position: int = 0
) -> None:
    """Lay the model of a container definition out in `bundle.model`; nothing where it has none. `position` is that of
    the definition in its model.

    Raises WorkloadError where it is not there, is no archive, or the role may not read it; Cancelled.
    """
    uri, packed = _place(definition)
    if not uri:
        return
    try:
        _fetch(storage, uri, bundle, packed, ended)
    except NotAllowed as error:
        raise WorkloadError(f"{_cannot_download(definition, position, uri)} {error.reason}") from None


def fetch_target(storage: RoleStorage, definition: Mapping[str, Any], bundle: Bundle, target: str) -> None:
    """Lay one of many models out as /opt/ml/models/NAME/model: it is there as a whole, or not at all.

    Raises WorkloadError where there is none, it is no archive, or the role may not read it.
    """
    name, uri = model_name(target), join(definition["ModelDataUrl"], target)
    bundle.scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=bundle.scratch) as scratch:
        archive, fresh = Path(scratch) / "model.tar.gz", Path(scratch) / name
        try:
            with room_for("Model data download"):
                storage.copy_to(_found_target(storage, uri), archive)
        except NotAllowed as error:
            raise WorkloadError(f"{_no_target(uri)} {error.reason}") from None
        make_folder(fresh)
        make_folder(fresh / "model")
        unpack_archive(archive, fresh / "model", uri)
        fresh.rename(bundle.models / name)


def _found_target(storage: RoleStorage, uri: str) -> ObjectInfo:
    bucket, key = split(uri)
    info = storage.head(bucket, key) if storage.has_bucket(bucket) else None
    if info is None:
        raise WorkloadError(_no_target(uri))
    return info


def _no_target(uri: str) -> str:
    """AWS's words, as its forums show them."""
    bucket, key = split(uri)
    return (
        f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that there is an object located "
        "at the URL and that the role passed to CreateModel has permissions to download the model."
    )


def _place(definition: Mapping[str, Any]) -> tuple[str, bool]:
    """Where a container's model is, empty where it has none, and whether that is an archive."""
    source = definition.get("ModelDataSource", {}).get("S3DataSource")
    if source:
        return source["S3Uri"], source.get("CompressionType") != "None"
    return definition.get("ModelDataUrl") or "", True


def _fetch(storage: RoleStorage, uri: str, bundle: Bundle, packed: bool, ended: Ended) -> None:
    if not packed:
        if not download_prefix(storage, uri, bundle.model, ended):
            raise WorkloadError(f"ClientError: Could not find model data at {uri}.")
        return
    bundle.scratch.mkdir(exist_ok=True)
    archive = bundle.scratch / "model.tar.gz"
    storage.copy_to(find(storage, uri), archive)
    unpack_archive(archive, bundle.model, uri)
    archive.unlink()


def _cannot_download(definition: Mapping[str, Any], position: int, uri: str) -> str:
    name = definition.get("ContainerHostname") or f"container_{position + 1}"
    return (
        f'Failed to download model data for container "{name}" from URL: "{uri}". Please ensure that there is an '
        "object located at the URL and that the role passed to CreateModel has permissions to download the object."
    )
