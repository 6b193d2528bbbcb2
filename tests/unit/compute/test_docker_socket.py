"""Which engine is asked, and what is said where none is."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from clary.compute import docker_socket
from clary.errors import ClaryError


def test_the_engine_that_docker_host_names(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        listener.listen()
        assert docker_socket.find({"DOCKER_HOST": f"unix://{tmp_path}/sock"}) == f"{tmp_path}/sock"


def test_no_other_is_asked_then(tmp_path: Path) -> None:
    with pytest.raises(ClaryError, match="which DOCKER_HOST names"):
        docker_socket.find({"DOCKER_HOST": f"unix://{tmp_path}/sock"})


def test_a_file_is_no_engine(tmp_path: Path) -> None:
    (tmp_path / "sock").write_text("")
    with pytest.raises(ClaryError, match="No container engine answers at"):
        docker_socket.find({"DOCKER_HOST": f"unix://{tmp_path}/sock"})


def test_an_engine_elsewhere_cannot_see_this_machines_files() -> None:
    with pytest.raises(ClaryError, match="an engine on this machine"):
        docker_socket.find({"DOCKER_HOST": "tcp://192.0.2.1:2375"})


def test_the_users_own_engine_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "podman").mkdir()
    monkeypatch.setattr(docker_socket, "_SYSTEM", ())
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "podman" / "podman.sock"))
        listener.listen()
        assert docker_socket.find({"XDG_RUNTIME_DIR": str(tmp_path)}) == f"{tmp_path}/podman/podman.sock"
    with pytest.raises(ClaryError, match="No container engine answers on this machine"):
        docker_socket.find({"XDG_RUNTIME_DIR": str(tmp_path)})
