"""All functions, as control has published them last."""

from __future__ import annotations

import threading
from pathlib import Path

from clary.functions.errors import not_found
from clary.functions.table import FILE, Function, chosen, function_id
from clary.publish import Subscriber


class KnownFunctions:
    """One process's view of them; may be asked from any thread."""

    def __init__(self, run_dir: Path) -> None:
        self._published = Subscriber(run_dir / FILE)
        self._loading = threading.Lock()
        self._functions: dict[str, Function] = {}
        self._urls: dict[str, tuple[Function, str]] = {}
        self.refresh()

    def find(self, account: str, region: str, name: str, qualifier: str = "") -> Function:
        """Raises ResourceNotFoundException's error for a function or a qualifier that is not there."""
        self.refresh()
        function = self._functions.get(function_id(account, region, name))
        if function is None or (qualifier and chosen(function, qualifier, 0.0) is None):
            arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
            raise not_found(f"{arn}:{qualifier}" if qualifier else arn)
        return function

    def by_url(self, url_id: str) -> tuple[Function, str] | None:
        """The function, and the qualifier, of a function URL."""
        self.refresh()
        return self._urls.get(url_id)

    def revisions(self) -> set[str]:
        """Of all versions that there are."""
        return {each.revision for known in self._functions.values() for each in known.versions.values()}

    def refresh(self) -> bool:
        """Read what is published where it is new; whether it was."""
        if not (self._published.changed() or self._loading.locked()):
            return False
        with self._loading:
            if not self._published.changed():
                return False
            self._read()
        return True

    def _read(self) -> None:
        raw = self._published.current().get("functions", {})
        self._functions = {id_: Function.parse(id_, said) for id_, said in raw.items()}
        self._urls = {
            url.id: (function, qualifier)
            for function in self._functions.values()
            for qualifier, url in function.urls.items()
        }
