"""The environment of what runs inside: how AWS clients there find Clary, their region, and their role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from clary.compute.base import Mount
from clary.compute.launch import API_PORT

Identity = Callable[[str, str], Mapping[str, str]]
"""(role ARN, container id) → the variables by which its AWS clients find credentials that refresh
(`AWS_CONTAINER_CREDENTIALS_FULL_URI`, `AWS_CONTAINER_AUTHORIZATION_TOKEN`)."""

API = f"http://127.0.0.1:{API_PORT}"
"""Where a container finds the API, whatever port the server listens on."""

_HOOK = "/opt/clary/site"


def aws(credentials: Mapping[str, str]) -> dict[str, str]:
    """For a container that is not isolated."""
    return {
        "AWS_ENDPOINT_URL": API,
        "S3_ENDPOINT_URL": API,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": _HOOK,
        **credentials,
    }


def regions(region: str) -> dict[str, str]:
    """Both variables: SDKs read one or the other."""
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def hook_mount(hook: Path) -> Mount:
    """The start-up hook of `clary env`, for every Python that runs inside."""
    return Mount(str(hook), _HOOK)
