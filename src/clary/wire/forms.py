"""Forms of browsers, `multipart/form-data` (RFC 7578): fields in memory, and the file that follows them as it comes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(r'\bname="((?:[^"\\]|\\.)*)"|\bname=([^\s;"]+)')
_FILENAME = re.compile(r'\bfilename="((?:[^"\\]|\\.)*)"|\bfilename=([^\s;"]+)')
_LONGEST_HEAD = 8192
_END = b"\r\n\r\n"

FILE = "file"
"""The field that is the file; those behind it are not read."""


class MalformedForm(Exception):
    """No form, or one that ends in its midst."""


class FieldsTooLarge(Exception):
    """The fields before the file are larger than is allowed."""


async def _nothing() -> AsyncIterator[bytes]:
    """No bytes."""
    none: tuple[bytes, ...] = ()
    for piece in none:
        yield piece


@dataclass
class Form:
    """The fields before the file, names as they were sent, and the file's own name."""

    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None
    read: int = 0
    """Bytes up to where the file begins."""
    has_file: bool = False
    file: AsyncIterator[bytes] = field(default_factory=_nothing)
    """The file's bytes, to be read once."""
    closing: int = 0
    """Bytes that follow a file that is the last field."""


def boundary_of(content_type: str) -> bytes:
    """What separates the parts. Raises MalformedForm."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise MalformedForm("the content type names no boundary")
    return (found[1] or found[2]).encode("latin-1", "replace")


async def read_form(chunks: AsyncIterator[bytes], boundary: bytes, limit: int) -> Form:
    """The form up to its file; `limit` bounds what comes before, in bytes. Raises MalformedForm, FieldsTooLarge."""
    arriving = _Arriving(chunks)
    form = Form(closing=len(boundary) + 8)
    await arriving.until(b"--" + boundary, limit)
    while await arriving.take(2) == b"\r\n":
        head = (await arriving.until(_END, _LONGEST_HEAD)).decode("utf-8", "replace")
        name, filename = _named(_NAME, head), _named(_FILENAME, head)
        if name is None:
            raise MalformedForm("a part without a name")
        if name == FILE:
            form.filename, form.read = filename, arriving.read
            form.has_file, form.file = True, arriving.stretch(b"\r\n--" + boundary)
            return form
        value = await arriving.until(b"\r\n--" + boundary, limit - arriving.read)
        form.fields[name] = value.decode("utf-8", "replace")
    return form


def _named(pattern: re.Pattern[str], head: str) -> str | None:
    found = pattern.search(head)
    if found is None:
        return None
    quoted, plain = found.groups()
    return plain if quoted is None else quoted.replace('\\"', '"').replace("%22", '"')


class _Arriving:
    """Bytes as they come, asked for by what ends them."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._kept = b""
        self.read = 0
        """Bytes that were given away."""

    async def take(self, size: int) -> bytes:
        """So many. Raises MalformedForm."""
        while len(self._kept) < size:
            await self._more()
        return self._give(size, 0)

    async def until(self, end: bytes, limit: int) -> bytes:
        """All before `end`, which goes with them. Raises MalformedForm, FieldsTooLarge."""
        start = 0
        while (at := self._kept.find(end, start)) < 0:
            if len(self._kept) > max(0, limit) + len(end):
                raise FieldsTooLarge
            start = max(0, len(self._kept) - len(end))
            await self._more()
        if at > limit:
            raise FieldsTooLarge
        return self._give(at, len(end))

    async def stretch(self, end: bytes) -> AsyncIterator[bytes]:
        """The same, piece by piece. Raises MalformedForm."""
        while (at := self._kept.find(end)) < 0:
            sure = len(self._kept) - len(end)
            if sure > 0:
                yield self._give(sure, 0)
            await self._more()
        if at:
            yield self._give(at, len(end))
        async for _ in self._chunks:
            pass  # what follows the file counts for nothing, but has to be taken

    def _give(self, size: int, more: int) -> bytes:
        given, self._kept = self._kept[:size], self._kept[size + more :]
        self.read += size + more
        return given

    async def _more(self) -> None:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            raise MalformedForm("the form ends in its midst")
        self._kept += chunk
