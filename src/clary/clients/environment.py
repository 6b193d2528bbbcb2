"""The environment that makes unmodified clients talk to Clary: variables, and the files that some of them name.

Sources: the AWS SDKs' settings reference (https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html) and
what each client was seen to do (docs/clients.md says why each variable is there).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import botocore

from clary.settings import Settings

Shell = Literal["sh", "fish", "json"]

CONFLICTING = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
"""Variables that would be taken before the credentials that refresh, or for another account: unset."""

POLL_SECONDS = 1
"""The delay of boto3's and the CLI's waiters, in place of 30 to 120 s; a waiter takes whole seconds."""

_WAITERS = "sagemaker/2017-07-24/waiters-2.json"
"""Where botocore has its own, too, and a folder of `AWS_DATA_PATH` others."""

_SDK_DEFAULTS = """\
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


@dataclass(frozen=True)
class CredentialsAccess:
    """What a client shows to be given credentials: the session's id, and the token that seals it."""

    session_id: str
    token: str


def hook_dir() -> Path:
    """The folder with the `sitecustomize` that goes to the head of PYTHONPATH."""
    return Path(__file__).parent / "site"


def write_files(settings: Settings) -> Path:
    """Write what the variables point to below the data folder; returns that folder. Safe to repeat."""
    folder = settings.data_dir / "client"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config").write_text(
        f"[default]\nregion = {settings.region}\noutput = json\nendpoint_url = {settings.client_url}\n"
        "s3 =\n    addressing_style = path\n"
    )
    (folder / "credentials").write_text("# Credentials come from AWS_CONTAINER_CREDENTIALS_FULL_URI and refresh.\n")
    (folder / "sagemaker.yaml").write_text(_SDK_DEFAULTS)
    waiters = folder / "models" / _WAITERS
    waiters.parent.mkdir(parents=True, exist_ok=True)
    waiters.write_text(json.dumps(quick_waiters(), indent=1))
    return folder


def quick_waiters() -> dict[str, Any]:
    """SageMaker's waiters with a delay of one second, waiting as long in all as AWS's own do."""
    model: dict[str, Any] = json.loads((Path(botocore.__file__).parent / "data" / _WAITERS).read_text())
    for waiter in model["waiters"].values():
        waiter["maxAttempts"] = waiter["maxAttempts"] * waiter["delay"] // POLL_SECONDS
        waiter["delay"] = POLL_SECONDS
    return model


def variables(
    settings: Settings, access: CredentialsAccess, folder: Path, inherited: Mapping[str, str]
) -> dict[str, str]:
    """What to export. `access` is for the credentials URL; lists such as PYTHONPATH keep what was `inherited`."""
    return {
        "AWS_ENDPOINT_URL": settings.client_url,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_REGION": settings.region,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{settings.endpoint_url}/_clary/credentials/{access.session_id}",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": access.token,
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_DATA_PATH": _first(str(folder / "models"), inherited.get("AWS_DATA_PATH")),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(folder / "sagemaker.yaml"),
        "NO_PROXY": _first("127.0.0.1,localhost", inherited.get("NO_PROXY"), separator=","),
        "no_proxy": _first("127.0.0.1,localhost", inherited.get("no_proxy"), separator=","),
        "PYTHONPATH": _first(str(hook_dir()), inherited.get("PYTHONPATH")),
    }


def _first(ours: str, rest: str | None, separator: str = ":") -> str:
    """`ours` at the head of a list, once."""
    if not rest:
        return ours
    own = ours.split(separator)
    return separator.join([*own, *(entry for entry in rest.split(separator) if entry not in own)])


def render(exported: Mapping[str, str], shell: Shell) -> str:
    """As commands that a shell evaluates, or as JSON."""
    if shell == "json":
        return json.dumps(dict(exported), indent=2)
    if shell == "fish":
        return "\n".join(
            [*(f"set -e {name};" for name in CONFLICTING)]
            + [f"set -gx {name} {shlex.quote(value)};" for name, value in exported.items()]
        )
    return "\n".join(
        [f"unset {' '.join(CONFLICTING)}"] + [f"export {name}={shlex.quote(value)}" for name, value in exported.items()]
    )


def render_unset(exported: Mapping[str, str], inherited: Mapping[str, str], shell: Shell) -> str:
    """What takes the exports back; lists lose our entries and keep the others."""
    lists = {
        name: _without(exported[name], inherited[name]) for name in ("AWS_DATA_PATH", "PYTHONPATH") if name in inherited
    }
    kept = {name: value for name, value in lists.items() if value}
    gone = [name for name in exported if name not in kept and name.lower() != "no_proxy"]
    if shell == "json":
        return json.dumps({"unset": gone, "set": kept}, indent=2)
    if shell == "fish":
        return "\n".join(
            [f"set -e {name};" for name in gone]
            + [f"set -gx {name} {shlex.quote(value)};" for name, value in kept.items()]
        )
    return "\n".join(
        [f"unset {' '.join(gone)}"] + [f"export {name}={shlex.quote(value)}" for name, value in kept.items()]
    )


def _without(ours: str, whole: str) -> str:
    return ":".join(entry for entry in whole.split(":") if entry not in ours.split(":")[:1])
