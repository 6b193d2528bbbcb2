"""The environment of what runs inside: nothing of the server's own, and what AWS sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from clary.compute.base import Mount
from clary.settings import Settings

Identity = Callable[[str, str], Mapping[str, str]]
"""(role ARN, container id) → the variables by which its AWS clients find credentials that refresh
(`AWS_CONTAINER_CREDENTIALS_FULL_URI`, `AWS_CONTAINER_AUTHORIZATION_TOKEN`)."""

INNER_API = "http://127.0.0.1:4599"
"""Where a confined container finds the API, whatever port the server listens on."""

INNER_PROXY = "http://127.0.0.1:3128"
"""Where a confined container finds the way to package indexes."""

CLARY = "/opt/clary"
HOOK = f"{CLARY}/site"

_LOCAL = "127.0.0.1,localhost"

_READ_AT_START = ("PYTHON", "LD_", "OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "CUDA_", "MALLOC_")
"""A process reads variables with these prefixes when it starts or first imports: a warm parent has done so already."""


def needs_cold_start(given: Mapping[str, str]) -> bool:
    """Whether the user's own variables would come too late for a fork of a warm parent."""
    return any(name.startswith(_READ_AT_START) for name in given)


def base(python: Path) -> dict[str, str]:
    """What every container has."""
    return {
        "PATH": f"{python.parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PYTHONPATH": CLARY,
    }


def aws(settings: Settings, region: str, credentials: Mapping[str, str]) -> dict[str, str]:
    """How AWS clients inside find Clary, their region and their role, and everybody the way out."""
    api = settings.endpoint_url if settings.unconfined else INNER_API
    found = {
        "AWS_ENDPOINT_URL": api,
        "S3_ENDPOINT_URL": api,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": f"{HOOK}:{CLARY}",
        **regions(region),
        **credentials,
    }
    return found if settings.unconfined else {**found, **_proxy()}


def regions(region: str) -> dict[str, str]:
    """Both variables: SDKs read one or the other."""
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def _proxy() -> dict[str, str]:
    ways = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), INNER_PROXY) | {"NO_PROXY": _LOCAL}
    return ways | {name.lower(): value for name, value in ways.items()}


def clary_mounts(package: Path, hook: Path) -> tuple[Mount, ...]:
    """The parts of Clary that run inside, read-only: never the server's own modules."""
    inside = ("__init__.py", "toolkit", "formats", "algorithms")
    parts = tuple(Mount(str(package / name), f"{CLARY}/clary/{name}") for name in inside)
    return (*parts, Mount(str(hook), HOOK))
