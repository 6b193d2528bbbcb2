"""What is wrong with a query."""

from __future__ import annotations


class BadQuery(ValueError):
    """Its text says what is wrong; `start` and `end` say where (characters of the query)."""

    def __init__(self, message: str, start: int = 0, end: int = 0) -> None:
        super().__init__(message)
        self.start = start
        self.end = end
