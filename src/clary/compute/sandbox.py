"""Containers of Linux namespaces, without Docker and without root: the default."""

from __future__ import annotations

import threading
from pathlib import Path

from clary.compute import detect, plan, unconfined
from clary.compute.authority import Authority
from clary.compute.base import Container
from clary.compute.launch import Identity, Launch
from clary.compute.local import LocalBackend
from clary.settings import Settings


class SandboxPlanner:
    """Implements `compute.local.Planner`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._authority = Authority(settings.authority_dir)
        self._lock = threading.Lock()
        self._identity: Identity | None = None

    def check(self) -> None:
        """As the protocol."""
        self._who()

    def plan(self, place: Path, container: Container) -> Launch:
        """As the protocol."""
        who = self._who()
        if self._settings.unconfined:
            return unconfined.launch(place, container, self._settings.endpoint_url)
        return plan.launch(place, container, who, self._authority.current() if container.api else None)

    def _who(self) -> Identity:
        """Found out once, by the first container."""
        with self._lock:
            if self._identity is None:
                self._identity = detect.check(self._settings)
            return self._identity


class SandboxBackend(LocalBackend):
    """Sandboxes only."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, SandboxPlanner(settings))
