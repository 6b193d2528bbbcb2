"""Regular expressions of templates (`replaceAll`, `split`, `matches`): matched in time linear in the text by following
all alternatives at once (https://swtch.com/~rsc/regexp/regexp2.html), because an expression that backtracks can take
for ever, and these come from outside. Every step is paid for from the template's budget.

What Java's expressions have beyond this (look-around, back references, possessive quantifiers) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from clary.velocity.limits import Budget, TemplateError

_META = frozenset("\\^$.|?*+()[]{}")
_MOST_REPEATS = 200
_MOST_INSTRUCTIONS = 2000

Accepts = Callable[[str], bool]
Span = tuple[int, int]


@dataclass(frozen=True)
class _Step:
    """One instruction: `char`, `split`, `jump`, `save`, `start`, `end`, `boundary`, `match`."""

    what: str
    accepts: Accepts | None = None
    first: int = 0
    second: int = 0


@dataclass(frozen=True)
class Found:
    """One match: where each group lies, group 0 being the whole; None for a group that took no part."""

    groups: tuple[Span | None, ...]

    @property
    def span(self) -> Span:
        """Where the match lies."""
        whole = self.groups[0]
        return whole or (0, 0)


class Pattern:
    """A compiled expression."""

    def __init__(self, steps: tuple[_Step, ...], groups: int, literal: str | None) -> None:
        self._steps = steps
        self._slots = 2 * (groups + 1)
        self.literal = literal
        """The text that it is, where it is no more than that."""

    def matches(self, text: str, budget: Budget) -> bool:
        """Whether the whole text matches."""
        if self.literal is not None:
            return text == self.literal
        found = self._run(text, 0, budget, whole=True)
        return found is not None

    def finditer(self, text: str, budget: Budget) -> Iterator[Found]:
        """All matches, left to right, none over another."""
        place = 0
        while place <= len(text):
            found = self._search(text, place, budget)
            if found is None:
                return
            yield found
            begin, end = found.span
            place = end if end > begin else end + 1

    def _search(self, text: str, start: int, budget: Budget) -> Found | None:
        if self.literal:
            budget.spend(1 + len(text) // 4096)
            at = text.find(self.literal, start)
            return None if at < 0 else Found(((at, at + len(self.literal)),))
        return self._run(text, start, budget, whole=False)

    def _run(self, text: str, start: int, budget: Budget, *, whole: bool) -> Found | None:
        best: tuple[int, ...] | None = None
        threads: list[tuple[int, tuple[int, ...]]] = []
        for place in range(start, len(text) + 1):
            if best is None and (not whole or place == start):
                seen = {pc for pc, _ in threads}
                self._follow(0, (-1,) * self._slots, text, place, threads, seen)
            elif not threads:
                break
            budget.spend(1 + len(threads))
            threads, ended = self._advance(threads, text, place, whole=whole)
            best = ended or best
        return self._found(best)

    def _advance(
        self, threads: list[tuple[int, tuple[int, ...]]], text: str, place: int, *, whole: bool
    ) -> tuple[list[tuple[int, tuple[int, ...]]], tuple[int, ...] | None]:
        """The threads after the character at `place`; the first that has come to its end cuts off those behind it."""
        following: list[tuple[int, tuple[int, ...]]] = []
        seen: set[int] = set()
        for pc, saved in threads:
            step = self._steps[pc]
            if step.what == "match":
                if not whole or place == len(text):
                    return following, saved
            elif place < len(text) and step.accepts is not None and step.accepts(text[place]):
                self._follow(pc + 1, saved, text, place + 1, following, seen)
        return following, None

    def _follow(
        self,
        pc: int,
        saved: tuple[int, ...],
        text: str,
        place: int,
        threads: list[tuple[int, tuple[int, ...]]],
        seen: set[int],
    ) -> None:
        """Add the thread, or what it leads to without another character, in order of preference."""
        waiting = [(pc, saved)]
        while waiting:
            pc, saved = waiting.pop()
            if pc in seen:
                continue
            seen.add(pc)
            step = self._steps[pc]
            if step.what == "jump":
                waiting.append((step.first, saved))
            elif step.what == "split":
                waiting += [(step.second, saved), (step.first, saved)]
            elif step.what == "save":
                slot = step.first
                waiting.append((pc + 1, (*saved[:slot], place, *saved[slot + 1 :])))
            elif step.what in ("char", "match"):
                threads.append((pc, saved))
            elif _holds(step.what, text, place):
                waiting.append((pc + 1, saved))

    def _found(self, saved: tuple[int, ...] | None) -> Found | None:
        if saved is None:
            return None
        pairs = zip(saved[::2], saved[1::2], strict=True)
        return Found(tuple((begin, end) if begin >= 0 and end >= 0 else None for begin, end in pairs))


def _holds(what: str, text: str, place: int) -> bool:
    if what == "start":
        return place == 0
    if what == "end":
        return place == len(text)
    before = place > 0 and _is_word(text[place - 1])
    after = place < len(text) and _is_word(text[place])
    return (before != after) == (what == "boundary")


def _is_word(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


_CLASSES: dict[str, Accepts] = {
    "d": lambda c: c in "0123456789",
    "w": _is_word,
    "s": lambda c: c in " \t\n\x0b\f\r",
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}


def _class(letter: str) -> Accepts | None:
    accepts = _CLASSES.get(letter.lower())
    if accepts is None or letter.islower():
        return accepts
    return lambda c: not accepts(c)


class _Compiler:
    """Recursive descent over the expression; emits instructions."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._place = 0
        self._groups = 0
        self._ignore_case = source.startswith("(?i)")
        if self._ignore_case:
            self._place = 4

    def compile(self) -> tuple[tuple[_Step, ...], int]:
        body = self._alternatives()
        if self._place < len(self._source):
            raise self._wrong("unmatched )")
        whole = [_Step("save", first=0), *_shifted(body, 1), _Step("save", first=1), _Step("match")]
        return tuple(whole), self._groups

    def _wrong(self, why: str) -> TemplateError:
        return TemplateError(f"the regular expression {self._source!r} cannot be used: {why}")

    def _peek(self) -> str:
        return self._source[self._place : self._place + 1]

    def _next(self) -> str:
        char = self._peek()
        if not char:
            raise self._wrong("it ends too early")
        self._place += 1
        return char

    def _alternatives(self) -> list[_Step]:
        steps = self._sequence()
        while self._peek() == "|":
            self._place += 1
            other = self._sequence()
            steps = [
                _Step("split", first=1, second=len(steps) + 2),
                *_shifted(steps, 1),
                _Step("jump", first=len(steps) + len(other) + 2),
                *_shifted(other, len(steps) + 2),
            ]
        return steps

    def _sequence(self) -> list[_Step]:
        steps: list[_Step] = []
        while self._peek() not in ("", "|", ")"):
            steps += _shifted(self._repeated(self._atom()), len(steps))
            if len(steps) > _MOST_INSTRUCTIONS:
                raise self._wrong("it is too large")
        return steps

    def _repeated(self, atom: list[_Step]) -> list[_Step]:
        while self._peek() in ("*", "+", "?", "{") and self._peek():
            least, most = self._bounds(self._next())
            lazy = self._peek() == "?"
            if self._peek() in ("?", "+") and self._peek() and self._next() == "+":
                raise self._wrong("possessive quantifiers are not offered")
            atom = self._copies(atom, least, most, lazy=lazy)
        return atom

    def _bounds(self, mark: str) -> tuple[int, int | None]:
        if mark != "{":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[mark]
        text = ""
        while (char := self._next()) != "}":
            text += char
        low, comma, high = text.partition(",")
        if not low.isdecimal() or (high and not high.isdecimal()):
            raise self._wrong("a repetition that is none")
        least, most = int(low), int(high) if high else None if comma else int(low)
        if max(least, most or 0) > _MOST_REPEATS or (most is not None and most < least):
            raise self._wrong(f"more than {_MOST_REPEATS} repetitions, or fewer than none")
        return least, most

    def _copies(self, atom: list[_Step], least: int, most: int | None, *, lazy: bool) -> list[_Step]:
        further = [_loop(atom, lazy=lazy)] if most is None else [_optional(atom, lazy=lazy)] * (most - least)
        copies = [atom] * least + further
        if sum(map(len, copies)) > _MOST_INSTRUCTIONS:
            raise self._wrong("it is too large")
        steps: list[_Step] = []
        for copy in copies:
            steps += _shifted(copy, len(steps))
        return steps

    def _atom(self) -> list[_Step]:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return [_Step("char", self._set())]
        if char == ".":
            return [_Step("char", lambda c: c not in "\n\r")]
        if char in "^$":
            return [_Step("start" if char == "^" else "end")]
        if char == "\\":
            return self._escape()
        if char in "*+?{":
            raise self._wrong(f"nothing to repeat before {char}")
        return [_Step("char", self._literal(char))]

    def _literal(self, char: str) -> Accepts:
        if self._ignore_case:
            folded = char.lower()
            return lambda c: c.lower() == folded
        return lambda c: c == char

    def _escape(self) -> list[_Step]:
        char = self._next()
        if char in "bB":
            return [_Step("boundary" if char == "b" else "no boundary")]
        if char in "Az":
            return [_Step("start" if char == "A" else "end")]
        accepts = _class(char)
        if accepts is not None:
            return [_Step("char", accepts)]
        return [_Step("char", self._literal(self._escaped(char)))]

    def _escaped(self, char: str) -> str:
        if char in "ux":
            length = 4 if char == "u" else 2
            digits = self._source[self._place : self._place + length]
            self._place += length
            try:
                return chr(int(digits, 16))
            except ValueError:
                raise self._wrong("a code point that is none") from None
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char.isalnum():
            raise self._wrong(f"\\{char} is not offered")
        return char

    def _group(self) -> list[_Step]:
        if self._source.startswith("?:", self._place):
            self._place += 2
            return self._closed(self._alternatives())
        if self._peek() == "?":
            raise self._wrong("groups of this kind are not offered")
        self._groups += 1
        slot = 2 * self._groups
        body = self._closed(self._alternatives())
        return [_Step("save", first=slot), *_shifted(body, 1), _Step("save", first=slot + 1)]

    def _closed(self, body: list[_Step]) -> list[_Step]:
        if self._next() != ")":
            raise self._wrong("a group that is not closed")
        return body

    def _set(self) -> Accepts:
        negated = self._peek() == "^"
        self._place += negated
        members: list[Accepts] = []
        first = True
        while (char := self._next()) != "]" or first:
            first = False
            members.append(self._member(char))
        if self._ignore_case:
            plain = tuple(members)
            return lambda c: any(m(c.lower()) or m(c.upper()) for m in plain) != negated
        accepted = tuple(members)
        return lambda c: any(member(c) for member in accepted) != negated

    def _member(self, char: str) -> Accepts:
        if char == "[" or (char == "&" and self._peek() == "&"):
            raise self._wrong("sets within sets are not offered")
        if char == "\\":
            char = self._next()
            accepts = _class(char)
            if accepts is not None:
                return accepts
            char = self._escaped(char)
        if self._peek() == "-" and self._source[self._place + 1 : self._place + 2] not in ("]", ""):
            self._place += 1
            last = self._next()
            last = self._escaped(self._next()) if last == "\\" else last
            return lambda c: char <= c <= last
        return lambda c: c == char


def _shifted(steps: list[_Step], by: int) -> list[_Step]:
    moved = ("split", "jump")
    return [_Step(s.what, s.accepts, s.first + by, s.second + by) if s.what in moved else s for s in steps]


def _loop(atom: list[_Step], *, lazy: bool) -> list[_Step]:
    inside, beyond = 1, len(atom) + 2
    first, second = (beyond, inside) if lazy else (inside, beyond)
    return [_Step("split", first=first, second=second), *_shifted(atom, 1), _Step("jump", first=0)]


def _optional(atom: list[_Step], *, lazy: bool) -> list[_Step]:
    inside, beyond = 1, len(atom) + 1
    first, second = (beyond, inside) if lazy else (inside, beyond)
    return [_Step("split", first=first, second=second), *_shifted(atom, 1)]


def _plain(source: str) -> str | None:
    """The text that an expression is, where it holds nothing but characters and escaped ones."""
    out: list[str] = []
    place = 0
    while place < len(source):
        char = source[place]
        if char == "\\" and place + 1 < len(source) and not source[place + 1].isalnum():
            place += 1
            char = source[place]
        elif char in _META:
            return None
        out.append(char)
        place += 1
    return "".join(out)


@lru_cache(maxsize=512)
def compiled(source: str) -> Pattern:
    """Raises TemplateError."""
    literal = _plain(source)
    if literal:
        return Pattern((), 0, literal)
    if len(source) > _MOST_INSTRUCTIONS:
        raise TemplateError("a regular expression is too large")
    try:
        steps, groups = _Compiler(source).compile()
    except RecursionError:
        raise TemplateError("a regular expression is nested too deeply") from None
    return Pattern(steps, groups, None)
