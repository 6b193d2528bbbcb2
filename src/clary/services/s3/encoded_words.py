"""Values of `x-amz-meta-…` beyond ASCII: headers have them as encoded words, RFC 2047, the object as they are meant
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html).

Which of the two encodings S3 takes, and what it leaves as it is, was read from recorded answers.
"""

from __future__ import annotations

import base64
import re

_WORD = re.compile(r"=\?utf-8\?(?:(q)\?([^? ]*)|b\?([^? ]*))\?=", re.IGNORECASE)
_BETWEEN = re.compile(r"(?<=\?=)[ \t]+(?==\?)")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_PLAIN = re.compile(r"[\t\x20-\x7e]*")
_LITERAL = frozenset(range(0x21, 0x7F)) - frozenset(b"=_?")
_LONGEST = 63
"""Letters of a word of which, with what is around them, there may be 75."""


def decoded(text: str) -> str:
    """A header's value with its words decoded; what is no word, or none of UTF-8, stays."""
    return _WORD.sub(_read, _BETWEEN.sub("", text)) if "=?" in text else text


def _read(word: re.Match[str]) -> str:
    try:
        return (_read_q(word[2]) if word[1] else base64.b64decode(word[3], validate=True)).decode()
    except ValueError:
        return word[0]


def _read_q(text: str) -> bytes:
    return _HEX.sub(lambda found: bytes.fromhex(found[1].decode()), text.replace("_", " ").encode())


def encoded(text: str) -> str:
    """As a header can carry it: as it is, or in words."""
    return text if _PLAIN.fullmatch(text) else _in_words(text, mostly_plain=_is_mostly_plain(text))


def _is_mostly_plain(text: str) -> bool:
    plain = sum(" " <= letter < "\x7f" or letter in "\t\r\n" for letter in text)
    return plain > len(text) - plain


def _in_words(text: str, *, mostly_plain: bool) -> str:
    raw = text.encode(errors="surrogatepass")
    word = _written_q(raw) if mostly_plain else base64.b64encode(raw).decode()
    if len(word) <= _LONGEST or len(text) == 1:
        return f"=?UTF-8?{'Q' if mostly_plain else 'B'}?{word}?="
    half = len(text) // 2
    return " ".join(_in_words(part, mostly_plain=mostly_plain) for part in (text[:half], text[half:]))


def _written_q(raw: bytes) -> str:
    return "".join("_" if byte == 0x20 else chr(byte) if byte in _LITERAL else f"={byte:02X}" for byte in raw)
