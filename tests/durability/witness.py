"""What clients were told, and what may therefore be there: of each name one state, or several where a call was lost."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Hashable, Sequence
from random import Random
from typing import Any, Protocol, TypeVar

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError  # noqa: A004

from tests.running import RunningClary

T = TypeVar("T")

PAUSE = 0.02
"""Seconds, of a player that has nothing to do, or was told nothing."""


class Doubtful(Exception):
    """Nobody knows whether the call was carried out."""


class Idle(Exception):
    """There is nothing of which this can be asked now."""


def answered(call: Callable[..., Any], **params: Any) -> Any:
    """The answer. Raises Doubtful where there was none, or 503; AssertionError for any other error of ours."""
    try:
        return call(**params)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status < 500 or status == 503, error
        if status == 503:
            raise Doubtful(str(error)) from error
        raise
    except (HTTPClientError, ConnectionError, IncompleteReadError) as error:
        raise Doubtful(str(error)) from error


def digest(data: bytes) -> str:
    """How contents are compared and shown."""
    return hashlib.sha256(data).hexdigest()[:16]


class Register:
    """One name. A call that was lost leaves two states that it may have; once one was seen, it has that one."""

    def __init__(self, name: str, first: Hashable = None) -> None:
        self.name = name
        self.allowed: list[Hashable] = [first]
        self.lost = False

    @property
    def state(self) -> Any:
        """The only one, where nothing was lost."""
        [state] = self.allowed
        return state

    def becomes(self, state: Hashable, call: Callable[..., Any], **params: Any) -> Any:
        """The answer to a call that makes the name be so. Raises Doubtful."""
        try:
            answer = answered(call, **params)
        except Doubtful:
            self.allowed.append(state)
            self.lost = True
            raise
        self.allowed = [state]
        return answer

    def is_(self, found: Hashable) -> None:
        """That is what was seen. AssertionError where it cannot be."""
        assert found in self.allowed, f"{self.name} is {found}, and was acknowledged as {self.allowed}"
        self.allowed, self.lost = [found], False


class Player(Protocol):
    """A client that changes things of its own, and knows what it was told of each."""

    def steps(self) -> Sequence[Callable[[], None]]:
        """What it may do next. Each raises Doubtful, and Idle where all that it could change is in doubt."""
        ...

    def check(self) -> None:
        """All that it has is as it was told. Nothing else is under way."""
        ...


class Hand:
    """What every player has: a Clary, chance, and names in which nothing is in doubt."""

    def __init__(self, clary: RunningClary, seed: str) -> None:
        self.clary = clary
        self.chance = Random(seed)
        self._number = 0

    def fresh(self) -> str:
        """A text that nobody has had before."""
        self._number += 1
        return f"{self._number}-{self.chance.randrange(10**12)}"

    def any_of(self, those: Sequence[T]) -> T:
        """Any of them. Raises Idle where there is none."""
        if not those:
            raise Idle
        return self.chance.choice(those)

    def one_of(self, registers: Sequence[Register], *, there: bool | None = None) -> Register:
        """Any that is in no doubt, and there, or not there, if that matters. Raises Idle."""
        sure = [each for each in registers if not each.lost]
        return self.any_of([each for each in sure if there is None or (each.state is not None) == there])


class Game:
    """Players, each in a thread of its own while `play` lasts; between two plays everything is looked at."""

    def __init__(self, players: Sequence[Player], chance: Random) -> None:
        self._players = players
        self._chances = [Random(chance.random()) for _ in players]
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failed: list[BaseException] = []
        self.acknowledged = 0
        self.lost = 0

    def begin(self) -> None:
        """All play."""
        self._over.clear()
        pairs = zip(self._players, self._chances, strict=True)
        self._threads = [threading.Thread(target=self._play, args=pair, daemon=True) for pair in pairs]
        for each in self._threads:
            each.start()

    def end(self) -> None:
        """Each finishes its call. Raises what has gone wrong with any."""
        self._over.set()
        for each in self._threads:
            each.join(150)
            assert not each.is_alive(), "a call was never answered"
        for error in self._failed:
            raise error

    def check(self) -> None:
        """What was acknowledged is there."""
        for player in self._players:
            player.check()

    def _play(self, player: Player, chance: Random) -> None:
        try:
            while not self._over.is_set():
                self._step(player, chance)
        except BaseException as error:
            self._failed.append(error)

    def _step(self, player: Player, chance: Random) -> None:
        try:
            chance.choice(player.steps())()
        except Idle:
            self._over.wait(PAUSE)
        except Doubtful:
            self.lost += 1
            self._over.wait(PAUSE)
        else:
            self.acknowledged += 1
