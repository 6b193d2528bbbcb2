"""Reads that nobody has signed: of data that AWS keeps for all in S3 (`s3.amazonaws.com/…`, packages, samples), or of
a bucket here that is open. Which of the two, is asked of Clary: it is here if the bucket is.

Pure, but for `is_missing`.
"""

from __future__ import annotations

import re
import socket
from typing import Tuple

_OWNED = (".dkr.ecr.", ".execute-api.", ".lambda-url.")
"""In hosts that belong to somebody here: registries, APIs, functions. Asking them is no harmless question."""

_SIGNED = re.compile(rb"[?&](X-Amz-Signature|X-Amz-Credential|AWSAccessKeyId|Signature)=", re.IGNORECASE)
_OPERATION = re.compile(rb"[?&]Action=")
_READS = (b"GET", b"HEAD")


def is_open_read(host: str, head: bytes) -> bool:
    """Whether the request with this head may be for an object that is not Clary's."""
    method, target = _line(head)
    signed = b"\r\nauthorization:" in head.lower() or _SIGNED.search(target)
    owned = any(mark in host for mark in _OWNED)
    return method in _READS and not signed and not owned and not _OPERATION.search(target)


def bucket_request(host: str, head: bytes) -> bytes:
    """The request that asks whether the bucket is here, which host or path name."""
    path = b"/" if _names_bucket(host) else b"/" + _line(head)[1].split(b"?")[0].strip(b"/").split(b"/")[0]
    return b"HEAD " + path + b" HTTP/1.1\r\nHost: " + host.encode() + b"\r\nConnection: close\r\n\r\n"


def _names_bucket(host: str) -> bool:
    return ".s3." in host or ".s3-" in host


def _line(head: bytes) -> Tuple[bytes, bytes]:
    words = head.split(b"\r\n", 1)[0].split(b" ")
    return words[0], words[1] if len(words) > 1 else b""


def is_missing(server: socket.socket, request: bytes) -> bool:
    """Whether Clary, at the other end of `server`, has no such bucket. Raises OSError."""
    server.sendall(request)
    with server.makefile("rb") as answer:
        return answer.readline(100).split(b" ")[1:2] == [b"404"]
