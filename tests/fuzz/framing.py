"""The raw wire: requests one after another on one connection, cut anywhere; some can be read in two ways.

What is well framed is answered once each, and a request that only stands within another's body never is. What is not
is refused, nothing after it is answered, and the connection ends (what was said last may be lost by that: the client
was still sending).
"""

from __future__ import annotations

from random import Random

from tests.fuzz.attacker import Attacker
from tests.running import RunningClary

CONNECTIONS = 60
"""In one round."""

SMUGGLED = b"GET /_clary/health HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSES = b"connection: close"
LAST = b"GET /_clary/last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
HEALTHY = b'"status": "ready"'
"""Of the answer to it."""

REFUSED = b"Invalid HTTP request received."

AMBIGUOUS: tuple[tuple[bytes, ...], ...] = (
    (b"Content-Length: %d", b"Transfer-Encoding: chunked"),
    (b"Transfer-Encoding: chunked", b"Content-Length: %d"),
    (b"Content-Length: %d", b"Content-Length: 0"),
    (b"Content-Length: 0", b"Content-Length: %d"),
    (b"Content-Length: +%d",),
    (b"Content-Length: -%d",),
    (b"Content-Length: 0x%x",),
    (b"Content-Length: %d, 0",),
    (b"Content-Length : %d",),
    (b"Content-Length: 1%d 0",),
    (b"Transfer-Encoding : chunked",),
    (b"Transfer-Encoding: chunked, identity",),
    (b"Transfer-Encoding: chunked\0",),
    (b"Transfer-Encoding: \x0bchunked",),
    (b"Transfer-Encoding: xchunked",),
    (b"Transfer-Encoding: identity, chunked", b"Content-Length: %d"),
)
"""Framings that two servers might read differently; %d is the body's length."""

BROKEN_CHUNKS = (b"-1", b"+%x", b"0x%x", b"%x %x", b"%xg", b"", b" ", b"f" * 17, b"\xff", b"%x\0", b"1_0")
"""Sizes of a chunk that are none."""

VALUES = (b"", b"a", b"\xff\xfe", b"a, b", b"chunked", b"100-continue", b"x" * 9000, b"%00", b"AWS4-HMAC-SHA256 x=")
NAMES = (b"X-A", b"Accept", b"Cookie", b"Content-Type", b"Authorization", b"X-Amz-Target", b"Range", b"Expect", b"TE")
METHODS = (b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS")


class Framing:
    """Connections with some requests on each."""

    def __init__(self, clary: RunningClary, chance: Random) -> None:
        self._attacker = Attacker(clary, chance)
        self._chance = chance

    def round(self) -> None:
        for _ in range(CONNECTIONS):
            self._chance.choice((self._good, self._good, self._ambiguous, self._broken, self._half, self._noise))()

    def _good(self) -> None:
        """As many answers as requests, whatever their bodies say, and however they are cut."""
        asked = [self._well_framed() for _ in range(self._chance.randrange(1, 5))]
        said = self._exchange(b"".join(asked) + LAST)
        told = answers(said)
        assert told == len(asked) + 1 or (told and CLOSES in said.rpartition(b"HTTP/1.1 ")[2]), (said, asked)
        assert told <= len(asked) + 1 and REFUSED not in said, (said, asked)
        assert HEALTHY not in said, (said, asked)
        check(asked, said)

    def _ambiguous(self) -> None:
        """No answer but one refusal, and nothing of what follows."""
        framing = self._chance.choice(AMBIGUOUS)
        lines = [line % len(SMUGGLED) if b"%" in line else line for line in framing]
        before = [self._well_framed() for _ in range(self._chance.randrange(2))]
        asked = b"".join(before) + self._head(lines) + self._chance.choice((SMUGGLED, b"0\r\n\r\n" + SMUGGLED)) + LAST
        said = self._exchange(asked, hang_up=True)
        assert not said or said.endswith(REFUSED) or (before and CLOSES in said), (said, asked)
        check(asked, said)
        assert HEALTHY not in said and answers(said) <= len(before) + 1, (said, asked)

    def _broken(self) -> None:
        """A chunk's size that is none."""
        size = self._chance.choice(BROKEN_CHUNKS)
        line = size % tuple(len(SMUGGLED) for _ in range(size.count(b"%"))) if b"%" in size else size
        asked = self._head([b"Transfer-Encoding: chunked"]) + line + b"\r\n" + SMUGGLED + b"\r\n0\r\n\r\n" + LAST
        said = self._exchange(asked, hang_up=True)
        assert HEALTHY not in said and answers(said) <= 1, (said, asked)
        check(asked, said)

    def _half(self) -> None:
        """Ends anywhere: the connection does too."""
        whole = self._well_framed()
        said = self._exchange(whole[: self._chance.randrange(len(whole))], hang_up=True)
        check(whole, said)

    def _noise(self) -> None:
        """A few bytes are others, a few more, a few less."""
        asked = bytearray(self._well_framed() + self._well_framed() + LAST)
        for _ in range(self._chance.randrange(1, 5)):
            at = self._chance.randrange(len(asked))
            asked[at : at + self._chance.randrange(3)] = self._chance.choice(
                (b"", b"\r\n", b"\0", b":", b" ", b"\n", self._chance.randbytes(2))
            )
        said = self._exchange(bytes(asked), hang_up=True)
        check(bytes(asked), said)

    def _exchange(self, sent: bytes, *, hang_up: bool = False) -> bytes:
        """In pieces, cut anywhere."""
        cuts = sorted(self._chance.randrange(len(sent) + 1) for _ in range(self._chance.choice((0, 1, 3))))
        pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
        try:
            return self._attacker.exchange(pieces, hang_up=hang_up)
        except TimeoutError:
            raise AssertionError(f"no answer, and no end, to {pieces!r:.3000}") from None

    def _well_framed(self) -> bytes:
        if self._chance.random() < 0.3:
            return self._head([], method=b"GET")
        body = self._chance.choice((b"", SMUGGLED, SMUGGLED * 3, b"{}", self._chance.randbytes(50)))
        if self._chance.random() < 0.5:
            return self._head([b"Content-Length: %d" % len(body)]) + body
        return self._head([self._chance.choice((b"Transfer-Encoding: chunked", b"transfer-encoding:CHUNKED"))]) + (
            self._chunked(body)
        )

    def _head(self, framing: list[bytes], method: bytes | None = None) -> bytes:
        lines = [b"%s: %s" % (self._chance.choice(NAMES), self._chance.choice(VALUES)) for _ in range(self._few())]
        lines += framing
        self._chance.shuffle(lines[: len(lines) - len(framing)])
        path = self._chance.choice((b"/", b"/b/k", b"/%ff", b"/b?acl", b"http://x/b", b"/a//b/../c", b"/?Action=x"))
        first = b"%s %s HTTP/1.1" % (method or self._chance.choice(METHODS), path)
        return b"\r\n".join([first, b"Host: x", *lines, b"", b""])

    def _few(self) -> int:
        return self._chance.choice((0, 0, 1, 2))

    def _chunked(self, body: bytes) -> bytes:
        sent = b""
        while body:
            size = self._chance.randrange(1, len(body) + 1)
            extension = self._chance.choice((b"", b"", b";a=b", b";a"))
            sent += b"%x%s\r\n%s\r\n" % (size, extension, body[:size])
            body = body[size:]
        return sent + b"0\r\n" + self._chance.choice((b"", b"X-Trailer: t\r\n", b"Host: y\r\n")) + b"\r\n"


def check(asked: object, said: bytes) -> None:
    """None of the answers is an error of ours."""
    statuses = [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]]
    assert all(status < b"500" or status == b"501" for status in statuses), (said, asked)


def answers(said: bytes) -> int:
    """How many, without those that only say to go on."""
    return said.count(b"HTTP/1.1 ") - said.count(b"HTTP/1.1 100 ")
