"""A secret's rotation by its function, step by step, as the secret's row has it: pure
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html).

In the row's state stands, as `rotation`: `enabled`, `function` (ARN), `rules`, `next` and `rotated` (epoch seconds, or
None), and while one is under way `run`: the new version's `token`, its `steps`, which of them it is `at`, how many
`tries` have failed, when the next step is `due`, and whether the function was `asked` for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.keys.secrets import CURRENT, PENDING
from clary.store.rows import Row

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
TRIAL = ("testSecret",)
"""What is asked where nothing is to be rotated yet: whether the function can be."""

PAUSES = (60.0, 120.0, 300.0, 600.0)
"""Seconds before all steps are tried again, with the same version; after the last it is given up."""


def plan(row: Row) -> Mapping[str, Any]:
    """`rotation`; empty where none was ever asked for."""
    return row.state.get("rotation") or {}


def with_plan(row: Row, **members: Any) -> Row:  # noqa: ANN401  what JSON can say
    """The row with these members of its `rotation`."""
    return replace(row, state={**row.state, "rotation": {**plan(row), **members}})


def begun(row: Row, token: str, steps: tuple[str, ...], now: float) -> Row:
    """With a run that is due at once: the version is pending before it has a value, as functions look for it."""
    run = {"token": token, "steps": list(steps), "at": 0, "tries": 0, "due": now, "asked": False}
    return _labelled(with_plan(row, run=run), token)


def hastened(row: Row, now: float) -> Row:
    """A run that waits for its next try is tried at once, all times again; one that is under way goes on."""
    run = plan(row).get("run")
    return row if run is None or run["asked"] else with_plan(row, run={**run, "tries": 0, "due": now})


def request(row: Row) -> str:
    """What the function is asked for now, as a UUID: the same each time that it is asked again."""
    run = plan(row)["run"]
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{row.arn} {run['token']} {run['at']} {run['tries']}"))


def event(row: Row) -> dict[str, str]:
    """What it is sent."""
    run = plan(row)["run"]
    return {"Step": run["steps"][run["at"]], "Token": run["token"], "SecretId": row.arn}


def asked(row: Row) -> Row:
    """It was sent."""
    return with_plan(row, run={**plan(row)["run"], "asked": True})


def answered(row: Row, *, failed: bool, now: float) -> Row:
    """After the step: the next one, another try, or the end. `rotated` says whether it has ended well."""
    run = plan(row)["run"]
    last = run["at"] + 1 == len(run["steps"])
    if tuple(run["steps"]) == TRIAL:
        return _unlabelled(with_plan(row, run=None), run["token"])
    if not failed and not last:
        return with_plan(row, run={**run, "at": run["at"] + 1, "asked": False, "due": now})
    if not failed and row.state["stages"].get(CURRENT) == run["token"]:
        return with_plan(row, run=None, rotated=now)
    return _tried_again(row, run, now)


def _tried_again(row: Row, run: Mapping[str, Any], now: float) -> Row:
    tries = run["tries"] + 1
    if tries > len(PAUSES):
        return with_plan(row, run=None)
    due = now + PAUSES[tries - 1]
    return with_plan(row, run={**run, "at": 0, "asked": False, "tries": tries, "due": due})


def _labelled(row: Row, token: str) -> Row:
    return replace(row, state={**row.state, "stages": {**row.state["stages"], PENDING: token}})


def _unlabelled(row: Row, token: str) -> Row:
    stages = row.state["stages"]
    left = {label: version for label, version in stages.items() if (label, version) != (PENDING, token)}
    return replace(row, state={**row.state, "stages": left})
