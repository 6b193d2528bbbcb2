"""What control answers of hooks: to the command line, which comes by its socket and so as this Clary's user, and to the
edge, for deliveries that it has verified."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clary.control.server import Question
from clary.controllers.control import Controllers
from clary.errors import AWSError, ValidationError
from clary.hooks.hook import Hook, checked, hook_key
from clary.identity.sealed_text import TextSealer
from clary.lifecycles.hook_run import ACTIVE, DELIVERY_KIND, KIND, LIFECYCLE, QUEUED
from clary.names import Arn
from clary.settings import Settings
from clary.store import AlreadyExists, Key, Row, Store
from clary.store.transaction import Transaction

RUNS = 200
"""How many runs of a hook are kept; older ones that have ended are forgotten."""

_SECRET_BYTES = 32


class Hooks:
    """Their answers."""

    def __init__(self, settings: Settings, store: Store, controllers: Controllers) -> None:
        self._settings = settings
        self._store = store
        self._controllers = controllers
        self._sealer = TextSealer.of(settings.data_dir)

    def questions(self) -> Mapping[str, Question]:
        """By name."""
        return {
            "hook-add": self.add,
            "hook-list": self.all,
            "hook-show": self.show,
            "hook-run": self.run,
            "hook-remove": self.remove,
            "hook-deliver": self.deliver,
        }

    def add(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Make one; its secret is told here, and never again. Raises ValidationError."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        spec = checked(params, self._sealer, secret)
        if self._store.read.by_arn(spec["role"]) is None:
            raise ValidationError(f"There is no role {spec['role']}.")
        row = _row(self._key(params["name"]), "hook", ACTIVE, spec, state={"runs": 0})
        try:
            self._store.write(lambda transaction: transaction.insert(row))
        except AlreadyExists:
            raise ValidationError(f"There is a hook {row.key.name} already.") from None
        self._controllers.hooks.publish()
        return {"name": row.key.name, "secret": secret, "image": spec["image"]}

    def all(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        """All, each with its last run."""
        rows = self._store.read.rows("hook")
        return {"hooks": [_shown(row, self._runs(row.key)[-1:]) for row in rows]}

    def show(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """One with its runs, oldest first. Raises ValidationError."""
        row = self._existing(self._store.read.get(self._key(params["name"])), params["name"])
        return _shown(row, self._runs(row.key))

    def run(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A run by hand. Raises ValidationError."""
        return self._begin(params["name"], {"cause": "by hand", "by": "", "pushed": ""}, ())

    def deliver(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A run for a delivery whose signature held. Raises AWSError (409) where it was delivered before: an id is not
        signed, so the body itself must be new too."""
        said = {"cause": "push", "by": params["by"], "pushed": params["commit"]}
        proofs = [f"body/{params['digest']}"]
        if params["id"]:
            proofs.append(f"id/{hashlib.sha256(params['id'].encode()).hexdigest()}")
        return self._begin(params["name"], said, tuple(proofs))

    def remove(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Forget one with its runs; what they have made stays. Raises ValidationError."""
        key = self._key(params["name"])

        def write(transaction: Transaction) -> Row:
            row = self._existing(transaction.get(key), key.name)
            for kind in (KIND, DELIVERY_KIND):
                for child in transaction.children(kind, key):
                    transaction.delete(child.key)
            transaction.delete(key)
            return row

        row = self._store.write(write)
        self._controllers.hooks.remove(Hook.of(row), key)
        return {"name": key.name}

    def _begin(self, name: str, said: Mapping[str, str], proofs: tuple[str, ...]) -> dict[str, Any]:
        key = self._key(name)

        def write(transaction: Transaction) -> int:
            row = self._existing(transaction.get(key), name)
            number: int = row.state["runs"] + 1
            for delivery in _deliveries(transaction, key, proofs, number):
                transaction.insert(delivery)
            transaction.save(replace(row, state={"runs": number}))
            transaction.insert(_run(key, number, said))
            for old in _outlived(transaction.children(KIND, key)):
                transaction.delete(old.key)
            return number

        number = self._store.write(write)
        self._controllers.wake(key)
        return {"run": number, "status": QUEUED}

    def _runs(self, key: Key) -> list[Row]:
        return self._store.read.children(KIND, key)

    def _key(self, name: str) -> Key:
        return hook_key(self._settings.account_id, self._settings.region, name)

    def _existing(self, row: Row | None, name: str) -> Row:
        if row is None:
            raise ValidationError(f"There is no hook {name}.")
        return row


def _row(key: Key, what: str, status: str, spec: Mapping[str, Any], *, parent: str = "", **more: Any) -> Row:  # noqa: ANN401 — a row's own
    now = datetime.fromtimestamp(time.time(), UTC)
    arn = str(Arn("hooks", key.region, key.account, f"{what}/{key.name}", partition="clary"))
    return Row(key, arn, status, now, now, spec, parent=parent, **more)


def _run(hook: Key, number: int, said: Mapping[str, str]) -> Row:
    """Names sort as numbers do."""
    key = replace(hook, kind=KIND, name=f"{hook.name}/{number:09}")
    state = {"times": {QUEUED: time.time()}}
    return _row(key, "run", QUEUED, {"number": number, **said}, parent=hook.name, state=state)


def _deliveries(transaction: Transaction, hook: Key, proofs: tuple[str, ...], number: int) -> Iterator[Row]:
    for proof in proofs:
        key = replace(hook, kind=DELIVERY_KIND, name=f"{hook.name}/{proof}")
        before = transaction.get(key)
        if before is not None:
            raise AWSError("Conflict", f"This was delivered before: it is run {before.spec['run']}.", status=409)
        yield _row(key, "delivery", ACTIVE, {"run": number}, parent=hook.name)


def _outlived(runs: list[Row]) -> list[Row]:
    """What is too old to be kept, of runs oldest first."""
    return [run for run in runs[:-RUNS] if LIFECYCLE.terminal(run.status)]


def _shown(row: Row, runs: list[Row]) -> dict[str, Any]:
    """Without its secrets."""
    hidden = ("secret", "token")
    shown = {name: value for name, value in row.spec.items() if name not in hidden}
    return {
        "name": row.key.name,
        **shown,
        "token": bool(row.spec["token"]),
        "created": row.created.timestamp(),
        "log_group": Hook.of(row).log_group,
        "runs": [{"status": run.status, **run.spec, **run.state} for run in runs],
    }
