"""Kinds of hyperparameters, and how AWS's built-in algorithms say that a value is none of theirs."""

from __future__ import annotations

import json
import math
from typing import Any, Iterable, Mapping, NamedTuple, Optional, Sequence, Union

from clary.toolkit.errors import UserError

Value = Union[str, int, float, bool]

AUTO = "auto"


class ValidationError(UserError):
    """A hyperparameter or a channel is not what the algorithm's schema says; `cause` is the schema's own sentence."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(f"{message} (caused by ValidationError)\n\nCaused by: {cause}")


class Choice(NamedTuple):
    """One of a few words, in any case: the SDKs send Python's `True`."""

    default: Optional[str]
    words: Sequence[str]

    def parse(self, name: str, text: str) -> Value:
        """The word. Raises ValidationError."""
        found = {word.lower(): word for word in self.words}.get(text.lower())
        if found is None:
            listed = ", ".join(f"'{word}'" for word in self.words)
            raise ValidationError(
                f"The value '{text}' is not valid for the '{name}' hyperparameter which accepts one of the following: "
                f"{listed}",
                f"'{text}' is not one of {list(self.words)}",
            )
        return found


class Flag(NamedTuple):
    """`true` or `false`."""

    default: Optional[str]

    def parse(self, name: str, text: str) -> Value:
        """Whether it is true. Raises ValidationError."""
        return Choice(self.default, ("true", "false")).parse(name, text) == "true"


class Number(NamedTuple):
    """A number in a range, or one of a few words that stand for one."""

    default: Optional[str]
    words: Sequence[str] = ()
    whole: bool = False
    least: Optional[float] = None
    above: Optional[float] = None
    most: Optional[float] = None
    below: Optional[float] = None

    def parse(self, name: str, text: str) -> Value:
        """The number or the word. Raises ValidationError."""
        if text.lower() in self.words:
            return text.lower()
        value = self._number(text)
        if value is None or not self._holds(value):
            raise ValidationError(
                f"The value '{text}' is not valid for the '{name}' hyperparameter which expects one of the following: "
                f"{self._expected()}",
                f"'{text}' is not valid under any of the given schemas",
            )
        return value

    def _number(self, text: str) -> Optional[Union[int, float]]:
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def _holds(self, value: float) -> bool:
        return (
            (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
        )

    def _expected(self) -> str:
        words = [f"a string which matches the pattern '^{word}$'" for word in self.words]
        return "; or ".join([*words, ("an integer" if self.whole else "a number") + self._range()])

    def _range(self) -> str:
        low = self.least if self.least is not None else self.above
        high = self.most if self.most is not None else self.below
        if low is not None and high is not None:
            return f" between {low:g} and {high:g}"
        if low is not None:
            return f" greater than {low:g}"
        return "" if high is None else f" less than {high:g}"


class Words(NamedTuple):
    """Some of a few words, as a JSON list; the SDKs send Python's."""

    default: Optional[str]
    words: Sequence[str]

    def parse(self, name: str, text: str) -> Value:
        """The list, as JSON. Raises ValidationError."""
        try:
            found = json.loads(text.replace("'", '"'))
        except ValueError:
            found = None
        if not isinstance(found, list) or not found or any(word not in self.words for word in found):
            listed = ", ".join(f"'{word}'" for word in self.words)
            raise ValidationError(
                f"The value '{text}' is not valid for the '{name}' hyperparameter which accepts a JSON list of the "
                f"following: {listed}",
                f"'{text}' is not a list of {list(self.words)}",
            )
        return json.dumps(list(dict.fromkeys(found)))


class Text(NamedTuple):
    """Any text."""

    default: Optional[str]

    def parse(self, _name: str, text: str) -> Value:
        """The text."""
        return text


Kind = Union[Choice, Flag, Number, Text, Words]


def check_names(given: Iterable[str], kinds: Mapping[str, Kind]) -> None:
    """Raises ValidationError for names that are unknown or missing."""
    unknown = sorted(set(given) - set(kinds))
    if unknown:
        listed = ", ".join(f"'{name}'" for name in unknown)
        sentence = f"are not allowed ({listed} {'was' if len(unknown) == 1 else 'were'} unexpected)"
        raise ValidationError(f"Additional hyperparameters {sentence}", f"Additional properties {sentence}")
    missing = [name for name, kind in kinds.items() if kind.default is None and name not in given]
    if missing:
        listed = ", ".join(f"'{name}'" for name in missing)
        raise ValidationError(
            f"No value(s) were specified for {listed} which are required hyperparameter(s)",
            f"'{missing[0]}' is a required property",
        )


def parse(given: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Mapping[str, Value]:
    """Every hyperparameter's value, given or default. Raises ValidationError."""
    check_names(given, kinds)
    return {name: kind.parse(name, str(given.get(name, kind.default))) for name, kind in kinds.items()}
