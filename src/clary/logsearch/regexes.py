"""Regular expressions of filter patterns (`%ERROR-\\d+%`), matched in linear time whatever they and a message are
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html#regex-expressions).

CloudWatch Logs knows no groups here: an expression is a choice of sequences of characters, each repeated. So it is a
small automaton, whose states are found as messages need them. Python's own engine takes for ever on `a*a*a*b`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

MOST_STATES = 500
"""Of the automaton before its states are combined: what an expression may repeat."""

_CACHED = 20_000
"""Steps that are remembered."""

_ATOM = re.compile(r"\\x[0-9a-fA-F]{2}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\]", re.DOTALL)
_TIMES = re.compile(r"\{(\d{1,3})(,(\d{0,3}))?\}")
_NEVER = "()"


class BadRegex(ValueError):
    """Its text says what is wrong."""


class _Step(NamedTuple):
    """One character of a sequence; `again`: as often as one likes; `optional`: or not at all."""

    fits: Callable[[str], bool]
    again: bool
    optional: bool
    letter: str
    """The only one that fits; empty where several do."""


class _Sequence(NamedTuple):
    steps: tuple[_Step, ...]
    from_start: bool
    to_end: bool


def compiled(expression: str) -> Callable[[str], bool]:
    """Whether an expression is found anywhere in a text. Raises BadRegex."""
    sequences = [_sequence(part) for part in _choices(expression)]
    if sum(len(sequence.steps) + 1 for sequence in sequences) > MOST_STATES:
        raise BadRegex("it is too long")
    found, words = _Automaton(sequences).found, [_word(sequence) for sequence in sequences]
    if not all(words):
        return found
    return lambda text: any(word in text for word in words) and found(text)


def _choices(expression: str) -> Iterator[str]:
    start = position = 0
    while position < len(expression):
        if expression[position] == "|":
            yield expression[start:position]
            start = position + 1
        position = _atom(expression, position).end()
    yield expression[start:]


def _atom(expression: str, position: int) -> re.Match[str]:
    found = _ATOM.match(expression, position)
    if found is None or found[0] == "[":
        raise BadRegex("it ends too early")
    return found


def _sequence(text: str) -> _Sequence:
    from_start, to_end = text.startswith("^"), _ends(text)
    body = text[from_start : len(text) - to_end]
    steps: list[_Step] = []
    position = 0
    while position < len(body):
        found = _atom(body, position)
        least, most, position = _times(body, found.end())
        fits, letter = _fitting(found[0]), _letter(found[0])
        steps += [_Step(fits, again=False, optional=False, letter=letter)] * least
        if most is None:
            steps.append(_Step(fits, again=True, optional=True, letter=""))
        else:
            steps += [_Step(fits, again=False, optional=True, letter="")] * (most - least)
        if len(steps) > MOST_STATES:
            raise BadRegex("it is too long")
    return _Sequence(tuple(steps), from_start, to_end)


def _ends(text: str) -> bool:
    backslashes = len(text[:-1]) - len(text[:-1].rstrip("\\"))
    return text.endswith("$") and backslashes % 2 == 0


def _times(body: str, position: int) -> tuple[int, int | None, int]:
    """How often at least and at most (None: without end), and where the sequence goes on."""
    sign = body[position : position + 1]
    if sign in ("*", "+", "?") and sign:
        return (1 if sign == "+" else 0), (1 if sign == "?" else None), position + 1
    if sign != "{":
        return 1, 1, position
    found = _TIMES.match(body, position)
    if found is None:
        raise BadRegex("{ has no number")
    least = int(found[1])
    most = least if found[2] is None else int(found[3]) if found[3] else None
    if most is not None and most < least:
        raise BadRegex("{ has its numbers in the wrong order")
    return least, most, found.end()


def _fitting(atom: str) -> Callable[[str], bool]:
    if atom in _NEVER:
        raise BadRegex("groups are not supported")
    if atom in ("*", "+", "?", "{", "^", "$"):
        raise BadRegex(f"{atom} stands where nothing can be repeated or begin")
    if len(atom) == 1 and atom != ".":
        return lambda letter: letter == atom
    try:
        one = re.compile(atom, re.DOTALL)
    except re.error:
        raise BadRegex(f"{atom} is not known") from None
    return lambda letter: one.fullmatch(letter) is not None


def _letter(atom: str) -> str:
    if len(atom) == 1:
        return "" if atom == "." else atom
    return atom[1] if len(atom) == 2 and not atom[1].isalnum() else ""


def _word(sequence: _Sequence) -> str:
    """The longest text that must stand in whatever a sequence is found in: most messages do not have it."""
    runs = [""]
    for step in sequence.steps:
        if step.letter:
            runs[-1] += step.letter
        elif runs[-1]:
            runs.append("")
    return max(runs, key=len)


_Places = frozenset[tuple[int, int]]


class _Automaton:
    def __init__(self, sequences: list[_Sequence]) -> None:
        self._sequences = sequences
        anywhere = [number for number, each in enumerate(sequences) if not each.from_start]
        self._always = self._closed({(number, 0) for number in anywhere})
        self._first = self._closed({(number, 0) for number in range(len(sequences))})
        self._known: dict[tuple[_Places, str], _Places | None] = {}

    def found(self, text: str) -> bool:
        """Whether any sequence stands anywhere in `text`."""
        if self._over(self._first):
            return True
        places = self._first
        for letter in text:
            try:
                after = self._known[places, letter]
            except KeyError:
                after = self._after(places, letter)
            if after is None:
                return True
            places = after
        return any(place == len(self._sequences[number].steps) for number, place in places)

    def _after(self, places: _Places, letter: str) -> _Places | None:
        """Where one stands behind a letter; None where all is found."""
        moved = set()
        for number, place in places:
            steps = self._sequences[number].steps
            if place < len(steps) and steps[place].fits(letter):
                moved.add((number, place if steps[place].again else place + 1))
        reached = self._closed(moved) | self._always
        after = None if self._over(reached) else reached
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[places, letter] = after
        return after

    def _closed(self, places: set[tuple[int, int]]) -> _Places:
        """With all that is reached by leaving out what is optional."""
        reached = set(places)
        for number, start in places:
            steps, place = self._sequences[number].steps, start
            while place < len(steps) and steps[place].optional:
                place += 1
                reached.add((number, place))
        return frozenset(reached)

    def _over(self, places: _Places) -> bool:
        """Whether a sequence that need not reach the end has been found."""
        return any(
            place == len(self._sequences[number].steps) and not self._sequences[number].to_end
            for number, place in places
        )
