"""What a template may use up: whoever wrote it is not trusted with the process that runs it."""

from __future__ import annotations

import time
from dataclasses import dataclass


class TemplateError(Exception):
    """A template that cannot be parsed, or that asks for what there is not; the text is for its author."""


class TooMuch(TemplateError):
    """A template that goes on for too long, or makes too much."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one rendering."""

    seconds: float = 1.0
    """Of a processor. AWS states none; a template of some hundred lines takes a millisecond."""

    steps: int = 500_000
    """Nodes evaluated and elements looked at, all loops together: about as many as the seconds allow."""

    iterations: int = 1000
    """Of one #foreach: it ends there, as on AWS
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html)."""

    characters: int = 10 * 2**20
    """Of the output, and of any text made on the way: API Gateway's payload limit."""

    depth: int = 60
    """Macros within macros, and values within values."""


class Budget:
    """What is left of the limits; every loop of the engine spends from it, in the thread that has made it: what others
    have of the processors meanwhile counts for nothing."""

    _CHECKED_EVERY = 256

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._steps = 0
        self._next_check = self._CHECKED_EVERY
        self._end = time.thread_time() + limits.seconds

    def spend(self, steps: int = 1) -> None:
        """Raises TooMuch."""
        self._steps += steps
        if self._steps < self._next_check:
            return
        self._next_check = self._steps + self._CHECKED_EVERY
        if self._steps > self.limits.steps:
            raise TooMuch(f"the template takes more than {self.limits.steps} steps")
        if time.thread_time() > self._end:
            raise TooMuch(f"the template takes longer than {self.limits.seconds} seconds")

    def sized(self, text: str) -> str:
        """The text, which has been made, unless it is too long. Raises TooMuch."""
        self.spend(1 + len(text) // 256)
        self.room_for(len(text))
        return text

    def room_for(self, characters: int) -> None:
        """Raises TooMuch where a text of this length may not be made."""
        if characters > self.limits.characters:
            raise TooMuch(f"the template makes a text of more than {self.limits.characters} characters")

    def deeper(self, depth: int) -> None:
        """Raises TooMuch."""
        if depth > self.limits.depth:
            raise TooMuch(f"the template goes deeper than {self.limits.depth} levels")
