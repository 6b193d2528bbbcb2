"""A launch document in the engine's words (https://docs.docker.com/reference/api/engine/, ContainerCreate)."""

# ruff: noqa: PTH103, PTH112, PTH118, PTH120
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os
import resource
import shutil
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional

from clary.compute import ways_out
from clary.compute.launch import OVERLAY, TRUST, EnginePart, Launch, LaunchLimits, layer
from clary.launcher import copying, engine_trust
from clary.launcher.engine_networks import GATEWAY, MEMBER_LABEL, Seat
from clary.launcher.shares import Share

_FEW = 4096

FOLDER_LABEL = "clary.folder"


def opener_of(name: str) -> str:
    """What the container is called that opens the files of another."""
    return f"{name}-files"


def copy_layers(launch: Launch, folder: str) -> None:
    """What the container may change and nobody else shall see changed is copied: engines have no mounts for that."""
    for number, entry in enumerate(launch["mounts"]):
        target = _copy_of(folder, number)
        if entry["kind"] == OVERLAY and not os.path.isdir(target):
            fresh = target + ".new"
            shutil.rmtree(fresh, ignore_errors=True)
            os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
            copying.copy_tree(entry["source"], fresh)
            _open_to_all(fresh)
            os.rename(fresh, target)  # noqa: PTH104


def _copy_of(folder: str, number: int) -> str:
    return os.path.join(layer(folder, number), "copy")


def _open_to_all(path: str) -> None:
    """The user inside need not be the server's, nor root."""
    for place, _, files in os.walk(path):
        os.chmod(place, 0o777)  # noqa: PTH101, S103
        for name in files:
            if not os.path.islink(os.path.join(place, name)):  # noqa: PTH114
                mode = os.stat(os.path.join(place, name)).st_mode  # noqa: PTH116
                os.chmod(os.path.join(place, name), (mode | 0o666) & 0o777)  # noqa: PTH101, S103


def document(
    launch: Launch,
    part: EnginePart,
    folder: str,
    share: Share,
    seat: Seat,
    image: Mapping[str, Any],
    translate: Callable[[str], str],
) -> Dict[str, Any]:
    """What the engine is asked to create; `image` is what it says of the image."""
    made: Dict[str, Any] = {
        "Image": part["image"],
        "Cmd": launch["argv"] or (_arguments(image) if part["runtime_api"] else []),
        "Env": [f"{name}={translate(value)}" for name, value in _environment(launch, seat, image).items()],
        "Hostname": launch["hostname"],
        "Labels": {FOLDER_LABEL: folder},
        "AttachStdout": False,
        "AttachStderr": False,
        "HostConfig": {**_host(launch, part, folder, share), "NetworkMode": seat.network},
    }
    if seat.hosts:
        _place_among(seat, made)
    if part["entrypoint"]:
        made["Entrypoint"] = part["entrypoint"]
    if launch["workdir"]:
        made["WorkingDir"] = launch["workdir"]
    return made


def _place_among(seat: Seat, made: Dict[str, Any]) -> None:
    """Names are found without a server of names, which not every engine has for such a network."""
    made["Labels"][MEMBER_LABEL] = seat.network
    made["HostConfig"]["ExtraHosts"] = list(seat.hosts)
    made["NetworkingConfig"] = {"EndpointsConfig": {seat.network: {"IPAMConfig": {"IPv4Address": seat.address}}}}


def _arguments(image: Mapping[str, Any]) -> List[str]:
    return list((image.get("Config") or {}).get("Cmd") or [])


def _environment(launch: Launch, seat: Seat, image: Mapping[str, Any]) -> Dict[str, str]:
    """What is said besides the image's own. Its search path of Python's modules stays behind ours."""
    held = dict(word.partition("=")[::2] for word in (image.get("Config") or {}).get("Env") or [])
    env = dict(launch["env"])
    paths = [path for path in (env.get("PYTHONPATH"), held.get("PYTHONPATH")) if path]
    if "PYTHONPATH" in env:
        env["PYTHONPATH"] = ":".join(paths)
    if launch.get("aws_names"):
        hosts = [word for host in seat.hosts for word in host.split(":")]
        env.update(ways_out.of_engine({**held, **env}, [GATEWAY, launch["hostname"], *hosts]))
    return env


def _host(launch: Launch, part: EnginePart, folder: str, share: Share) -> Dict[str, Any]:
    limits = launch["limits"]
    host: Dict[str, Any] = {
        "Mounts": list(_mounts(launch, folder)),
        "LogConfig": {"Type": "json-file", "Config": {}},
        "ShmSize": part["shared_memory_bytes"],
        "SecurityOpt": ["label=disable"],
        "Ulimits": list(_ulimits(limits)),
        "DeviceRequests": _devices(share.gpus),
    }
    if limits["memory_bytes"] is not None:
        host["Memory"] = host["MemorySwap"] = limits["memory_bytes"]
    if limits["processes"] is not None:
        host["PidsLimit"] = limits["processes"]
    if share.cores:
        host["CpusetCpus"] = ",".join(map(str, share.cores))
    return host


def _mounts(launch: Launch, folder: str) -> Iterator[Dict[str, Any]]:
    for number, entry in enumerate(launch["mounts"]):
        if entry["devices"]:
            continue
        source = _copy_of(folder, number) if entry["kind"] == OVERLAY else entry["source"]
        yield {"Type": "bind", "Source": source, "Target": entry["target"], "ReadOnly": not entry["writable"]}
    if launch.get("aws_names"):
        yield {"Type": "bind", "Source": engine_trust.path(folder), "Target": TRUST, "ReadOnly": True}


def opening(launch: Launch, part: EnginePart, folder: str) -> Optional[Dict[str, Any]]:
    """A container of the same image that opens to all what the container may have written; None where that is
    nothing."""
    places = [mount for mount in _mounts(launch, folder) if not mount["ReadOnly"]]
    if not places:
        return None
    return {
        "Image": part["image"],
        "User": "0",
        "Entrypoint": ["chmod", "-R", "a+rwX"],
        "Cmd": [mount["Target"] for mount in places],
        "Labels": {FOLDER_LABEL: folder},
        "HostConfig": {"Mounts": places, "NetworkMode": "none", "SecurityOpt": ["label=disable"]},
    }


def _ulimits(limits: LaunchLimits) -> Iterator[Dict[str, Any]]:
    """No more than this process has: where the engine has no more either, it could not set them. All of them are said:
    where only some are, Podman sets others of its own, which it may not be able to."""
    wanted = (
        ("nofile", resource.RLIMIT_NOFILE, limits["open_files"]),
        ("nproc", resource.RLIMIT_NPROC, limits["processes"]),
    )
    for name, number, most in wanted:
        hard = resource.getrlimit(number)[1]
        few = _FEW if most is None else most
        limit = few if hard == resource.RLIM_INFINITY else min(few, hard)
        yield {"Name": name, "Soft": limit, "Hard": limit}
    if limits["file_bytes"] is not None:
        yield {"Name": "fsize", "Soft": limits["file_bytes"], "Hard": limits["file_bytes"]}


def _devices(gpus: List[int]) -> List[Dict[str, Any]]:
    wanted = [str(number) for number in gpus]
    return [{"Driver": "nvidia", "DeviceIDs": wanted, "Capabilities": [["gpu"]]}] if wanted else []
