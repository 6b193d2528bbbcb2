"""A place in a template's text, and what can be read from there."""

from __future__ import annotations

import re

from clary.velocity.limits import TemplateError

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SPACE = re.compile(r"[ \t\r\n]*")


class Cursor:
    """Moves forward as it reads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def wrong(self, why: str) -> TemplateError:
        """An error that says where."""
        line = self.text.count("\n", 0, self.place) + 1
        column = self.place - self.text.rfind("\n", 0, self.place)
        return TemplateError(f"line {line}, column {column}: {why}")

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.place >= len(self.text)

    def peek(self, length: int = 1) -> str:
        """The next characters; fewer at the end."""
        return self.text[self.place : self.place + length]

    def sees(self, text: str) -> bool:
        """Whether this is next."""
        return self.text.startswith(text, self.place)

    def take(self, text: str) -> bool:
        """Go beyond it, where it is next."""
        if not self.sees(text):
            return False
        self.place += len(text)
        return True

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Go beyond what matches here; the text of it."""
        found = pattern.match(self.text, self.place)
        if found is None:
            return None
        self.place = found.end()
        return found[0]

    def space(self) -> None:
        """Go beyond white space."""
        self.match(_SPACE)

    def expect(self, text: str) -> None:
        """Go beyond white space and this. Raises TemplateError."""
        self.space()
        if not self.take(text):
            raise self.wrong(f"expected {text!r}")

    def identifier(self) -> str:
        """Raises TemplateError where none is next."""
        found = self.match(IDENTIFIER)
        if found is None:
            raise self.wrong("expected a name")
        return found

    def until(self, mark: str) -> str:
        """The text up to `mark`, which is passed; all that is left where it does not come."""
        end = self.text.find(mark, self.place)
        if end < 0:
            end = len(self.text)
        found, self.place = self.text[self.place : end], min(end + len(mark), len(self.text))
        return found
