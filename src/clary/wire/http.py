"""One HTTP exchange as plain data: what came, what goes back, and a body that lies in files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, unquote_plus

Segment = tuple[Path, int, int]
"""A stretch of a file: path, offset, length (bytes)."""

EMPTY_BODY_STATUSES = frozenset({204, 205, 304})
"""Answers that carry no body by RFC 9110."""

Flow = AsyncGenerator[bytes, None]
"""A body that is sent as it is made, piece by piece, none of them empty; closed where nobody reads on."""


@dataclass(frozen=True)
class Extent:
    """A body that lies in files: its segments one after another are its `size` bytes; or, where they are not to be sent
    as they are, what `made` makes of them, in pieces none of which is empty. Reading it raises OSError."""

    segments: tuple[Segment, ...]
    size: int
    made: Callable[[], Iterator[bytes]] | None = None


@dataclass(init=False)
class HttpRequest:
    """A request as it was sent. One is made for each: compiled, the constructor that stands here takes a fraction of
    what `dataclass` would write.

    `raw_path` and `raw_query` are as on the wire, still percent-encoded: a signature covers those very bytes. `headers`
    have lower-case names; repeated ones are joined by commas. `body` is empty where the body is streamed; `trailers`
    are known once such a body has been read to its end. `packed` is the body as it was sent, where it came
    compressed.
    """

    method: str
    raw_path: str
    raw_query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    trailers: dict[str, str] = field(default_factory=dict)
    packed: bytes | None = None
    inside: bool = False
    """It came by the socket that containers have."""
    secure: bool = False
    """It came by TLS."""

    def __init__(  # noqa: PLR0913, PLR0917  its fields
        self,
        method: str,
        raw_path: str,
        raw_query: str = "",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        source_ip: str = "127.0.0.1",
        trailers: dict[str, str] | None = None,
        packed: bytes | None = None,
        *,
        inside: bool = False,
        secure: bool = False,
    ) -> None:
        self.method = method
        self.raw_path = raw_path
        self.raw_query = raw_query
        self.headers = {} if headers is None else headers
        self.body = body
        self.source_ip = source_ip
        self.trailers = {} if trailers is None else trailers
        self.packed = packed
        self.inside = inside
        self.secure = secure

    @property
    def sent(self) -> bytes:
        """The body as on the wire: a signature covers it."""
        return self.body if self.packed is None else self.packed

    @cached_property
    def path(self) -> str:
        """The path with percent-encoding undone (`%2F` becomes `/`: take `raw_path` where that matters)."""
        return unquote(self.raw_path)

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query's pairs in order, decoded; `?acl` is `("acl", "")`."""
        return split_query(self.raw_query)

    @cached_property
    def query_map(self) -> dict[str, str]:
        """The query's last value per name."""
        return dict(self.query)


@dataclass(init=False)
class HttpResponse:
    """An answer. A body in files is streamed by the gateway, as is one that is still being made; HEAD, 204 and 304
    send no body whatever stands here. Its constructor is written out as a request's is."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Extent | Flow = b""
    cookies: tuple[str, ...] = ()
    """Values of `Set-Cookie`, the one header that cannot be joined by commas (RFC 6265)."""

    def __init__(
        self,
        status: int = 200,
        headers: dict[str, str] | None = None,
        body: bytes | Extent | Flow = b"",
        cookies: tuple[str, ...] = (),
    ) -> None:
        self.status = status
        self.headers = {} if headers is None else headers
        self.body = body
        self.cookies = cookies

    @property
    def size(self) -> int | None:
        """The body's length in bytes; None where it is still being made."""
        if isinstance(self.body, bytes):
            return len(self.body)
        return self.body.size if isinstance(self.body, Extent) else None


def split_query(raw: str, *, plus_is_space: bool = True) -> tuple[tuple[str, str], ...]:
    """Pairs of a query string or of a form; a name without `=` has an empty value."""
    if not raw:
        return ()
    decode = unquote_plus if plus_is_space else unquote
    pairs = (part.partition("=") for part in raw.split("&") if part)
    return tuple((decode(name), decode(value)) for name, _, value in pairs)
