"""What every server here is: something to start, to ask for one row, and to read an answer of."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.serving import messages
from benchmarks.serving.models import Models

NEAR = 1e-5
"""How far a probability may be from `predict_proba`'s, since some servers read rows in single precision."""
_CHECKED = 50


class WrongAnswer(Exception):
    """A server does not predict what the model does, or refuses to."""


class Started(Protocol):
    """A server that answers."""

    @property
    def port(self) -> int:
        """On 127.0.0.1."""
        ...

    def request(self, model: str, row: str) -> bytes:
        """A request for one row's prediction, which may be used for the next minutes."""
        ...

    def risk(self, model: str, body: bytes) -> float:
        """The probability of the second class, from an answer's body."""
        ...


class Server(Protocol):
    """A kind of server, in one setting."""

    @property
    def title(self) -> str:
        """For the table; settings of one server have the same title."""
        ...

    @property
    def setting(self) -> str:
        """Empty where there is only one."""
        ...

    def started(self, models: Models, folder: Path) -> AbstractContextManager[Started]:
        """Serving all models, until the block ends; `folder` is empty, and its own."""
        ...


@dataclass(frozen=True)
class Asked:
    """One request and what came back."""

    status: int
    body: bytes


def ask(server: Started, model: str, row: str) -> Asked:
    """One prediction."""
    return Asked(*messages.answer(server.port, server.request(model, row)))


def check(server: Started, models: Models, model: str) -> None:
    """Ask for rows one by one, and compare with `predict_proba`. Raises WrongAnswer."""
    for row, right in zip(models.rows[:_CHECKED], models.right[model], strict=False):
        asked = ask(server, model, row)
        if asked.status != 200:
            raise WrongAnswer(f"{model}: {asked.status} {asked.body[:500]!r}")
        found = server.risk(model, asked.body)
        if abs(found - right) > NEAR:
            raise WrongAnswer(f"{model}: {found} instead of {right} for {row}")
