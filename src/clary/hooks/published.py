"""What every edge knows of hooks: enough to tell a delivery of theirs from anybody's."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from clary.lifecycles.hook_run import HOOK_KIND
from clary.publish import Publisher
from clary.settings import Settings
from clary.store.rows import Row

FILE = "hooks.json"


class Rows(Protocol):
    """What reads them."""

    def rows(self, kind: str) -> list[Row]:
        """All rows of a kind."""
        ...


def for_secret(name: str) -> str:
    """What a hook's secret is sealed for."""
    return f"hook secret {name}"


def publish(reader: Rows, settings: Settings) -> None:
    """Publish all hooks as they are."""
    _publication(settings.run_dir).publish(reader)


class _Publication:
    """One of two writers at once waits, and then reads what both have written."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._publisher = Publisher(run_dir / FILE)
        self._turn = threading.Lock()

    def publish(self, reader: Rows) -> None:
        with self._turn:
            self._publisher.publish({row.key.name: _shown(row) for row in reader.rows(HOOK_KIND)})


_publication = lru_cache(maxsize=8)(_Publication)


def _shown(row: Row) -> dict[str, Any]:
    return {"secret": row.spec["secret"], "branch": row.spec["branch"]}
