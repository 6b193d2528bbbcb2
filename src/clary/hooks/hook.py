"""A hook: which branch of which repository becomes which image, and what follows on it. And its runs' names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from clary.errors import ValidationError
from clary.hooks import repository, steps
from clary.hooks.published import for_secret
from clary.hooks.repository import Repository
from clary.hooks.steps import Steps
from clary.identity.sealed_text import TextSealer
from clary.lifecycles.hook_run import HOOK_KIND
from clary.names import random_hex
from clary.store.rows import Key, Row

LOG_GROUP = "/clary/hooks"

_NAME = re.compile(r"[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,39}\Z")
"""Jobs, models and configurations are called after it: of their 63 characters the rest is for number and id."""
_REPOSITORY = re.compile(r"(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]*))?\Z")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+\Z")
_PYTHON = re.compile(r"(?:3\.\d{1,2})?\Z")


@dataclass(frozen=True)
class Hook:
    """A hook as it was added. Secrets are sealed."""

    name: str
    account: str
    region: str
    repository: str
    branch: str
    folder: str
    """Within the repository: what the image is made of."""
    requirements: str
    """A file within the repository; empty: `requirements.txt` of the folder, where it has one."""
    python: str
    """`3.11`; empty: the one that Clary runs on."""
    image: str
    """`NAME:TAG`: what the newest image is called."""
    role: str
    """With whose rights it trains and deploys."""
    steps: Steps
    secret: str
    """Sealed: what forges sign with."""
    token: str
    """Sealed: what git logs in with; empty where it needs nothing."""
    local: bool
    """Whether the repository may lie on this machine."""

    @classmethod
    def of(cls, row: Row) -> Hook:
        """From its row."""
        return cls(name=row.key.name, account=row.key.account, region=row.key.region, **row.spec)

    def source(self, sealer: TextSealer) -> Repository:
        """Where to fetch from. Raises BadToken."""
        token = sealer.open(self.token, _for_token(self.name)) if self.token else ""
        return Repository(self.repository, self.branch, token, self.local)

    @property
    def log_group(self) -> str:
        """Where its runs' lines go, a stream for each."""
        return f"{LOG_GROUP}/{self.name}"

    def image_of(self, commit: str) -> str:
        """`NAME:git-…`: the image of one commit, which never means another."""
        return f"{self.image.partition(':')[0]}:git-{commit[:12]}"

    def address(self, image: str) -> str:
        """An image's name as jobs and models take it."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com/{image}"


def hook_key(account: str, region: str, name: str) -> Key:
    """A hook's row."""
    return Key(HOOK_KIND, account, region, name)


def unique_name(name: str, number: int) -> str:
    """What a run's job, model and configuration are called."""
    return f"{name}-{number}-{random_hex(4)}"


def checked(said: Mapping[str, Any], sealer: TextSealer, secret: str) -> dict[str, Any]:
    """A hook's spec from what `clary hooks add` was told. Raises ValidationError in words for whoever typed it."""
    name = str(said["name"])
    if not _NAME.match(name):
        raise ValidationError(f"{name!r} is no name of a hook: up to 40 letters, digits and single hyphens.")
    repository.check(Repository(said["repository"], said["branch"], said["token"], said["local"]))
    if not _ROLE.match(said["role"]):
        raise ValidationError(f"{said['role']!r} is no ARN of a role.")
    if not _PYTHON.match(said["python"]):
        raise ValidationError(f"{said['python']!r} is no version of Python.")
    return {
        "repository": said["repository"],
        "branch": said["branch"],
        "folder": within(said["folder"]),
        "requirements": within(said["requirements"]) if said["requirements"] else "",
        "python": said["python"],
        "image": _image(said["image"]),
        "role": said["role"],
        "steps": dict(steps.checked(said["steps"], said["role"])),
        "secret": sealer.seal(secret, for_secret(name)),
        "token": sealer.seal(said["token"], _for_token(name)) if said["token"] else "",
        "local": bool(said["local"]),
    }


def _for_token(name: str) -> str:
    return f"hook token {name}"


def _image(said: str) -> str:
    found = _REPOSITORY.match(said)
    if not found:
        raise ValidationError(f"{said!r} is no name of an image. Names look like `churn:latest`.")
    return f"{found['repository']}:{found['tag'] or 'latest'}"


def within(said: str) -> str:
    """A path within the repository. Raises ValidationError."""
    path = PurePosixPath(said)
    if path.is_absolute() or ".." in path.parts:
        raise ValidationError(f"{said!r} is no path within the repository.")
    return str(path)
