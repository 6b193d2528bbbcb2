"""Without namespaces, by the user's own word: the same document, its mounts as links, its paths as the host's.

Nothing is separated here. Programs that read `SAGEMAKER_BASE_DIR`, the `SM_*` variables and `SAGEMAKER_BIND_TO_PORT`
run; those with `/opt/ml` or port 8080 written into them do not.
"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

from clary.compute import plan
from clary.compute.base import Container
from clary.compute.launch import API_PORT, OVERLAY, Launch, MountEntry, layer
from clary.errors import ClaryError


def launch(folder: Path, container: Container, api_url: str) -> Launch:
    """The document, and its links made. `api_url` is where the host finds Clary's API. Raises ClaryError for one of
    several hosts."""
    if container.network is not None and len(container.network.hosts) > 1:
        raise ClaryError(
            "Several hosts need a network of their own, which there is not without containers.",
            "Start Clary without `--unconfined`, or ask for one instance.",
        )
    who, port = plan.alone(), _free_port() if container.listens is not None else None
    document = plan.launch(folder, replace(container, api=False, warm=None), who)
    root = document["root"]
    shown = [entry for entry in document["mounts"] if _is_ours(entry["target"], container)]
    copies = [entry for entry in shown if entry["kind"] == OVERLAY or _is_farm(entry, folder)]
    links = {entry["target"]: entry["source"] for entry in shown}
    links |= {entry["target"]: f"{layer(str(folder), number)}/copy" for number, entry in enumerate(copies)}
    for target, source in links.items():
        _link(root, target, source)
    Path(root, "opt/ml").mkdir(parents=True, exist_ok=True)
    moved = _Moved(root, ["/opt/ml", "/opt/clary", *links], api_url)
    document["confined"], document["port"], document["mounts"], document["network"] = False, port, copies, None
    document["argv"] = [moved(word) for word in document["argv"]]
    document["companions"] = [[moved(word) for word in argv] for argv in document["companions"]]
    document["workdir"] = moved(document["workdir"])
    document["env"] = {name: moved(value) for name, value in document["env"].items()} | _told(root, port)
    return document


def _is_farm(entry: MountEntry, folder: Path) -> bool:
    """Read-only data in the container's own folder: links to files that a program without a sandbox could write to."""
    return entry["own"] and Path(entry["source"]).is_relative_to(folder)


def _is_ours(target: str, container: Container) -> bool:
    return target.startswith("/opt/clary/") or target in {mount.target for mount in container.mounts}


def _link(root: str, target: str, source: str) -> None:
    path = Path(root + target)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.symlink_to(source)


def _told(root: str, port: int | None) -> dict[str, str]:
    told = {"SAGEMAKER_BASE_DIR": f"{root}/opt/ml"}
    return told if port is None else {**told, "SAGEMAKER_BIND_TO_PORT": str(port)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Moved:
    """Words of the inside said from the outside: paths below a target, lists of them, the API's address."""

    def __init__(self, root: str, targets: list[str], api_url: str) -> None:
        self._root = root
        self._targets = targets
        self._api_url = api_url

    def __call__(self, word: str) -> str:
        word = word.replace(f"http://127.0.0.1:{API_PORT}", self._api_url)
        return ":".join(self._path(part) for part in word.split(":")) if word.startswith("/") else word

    def _path(self, part: str) -> str:
        below = any(part == target or part.startswith(target + "/") for target in self._targets)
        return self._root + part if below and not part.startswith(os.fspath(self._root)) else part
