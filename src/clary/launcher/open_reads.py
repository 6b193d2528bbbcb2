"""Reads that nobody has signed: of data that AWS keeps for all in S3 (`s3.amazonaws.com/…`, packages, samples), or of
a bucket here that is open. Which of the two, is asked of Clary: it is here if the bucket is.

Pure, but for `is_missing`.
"""

from __future__ import annotations

import re
import socket
from typing import Optional, Tuple

_OWNED = (".dkr.ecr.", ".execute-api.", ".lambda-url.")
"""In hosts that belong to somebody here: registries, APIs, functions. Asking them is no harmless question."""

_SIGNED = re.compile(rb"[?&](X-Amz-Signature|X-Amz-Credential|AWSAccessKeyId|Signature)=", re.IGNORECASE)
_OPERATION = re.compile(rb"[?&]Action=")
_OF_HOST = re.compile(r"(.+?)\.s3[.-]")
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

_QUESTION = "GET /_clary/buckets/{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_READS = (b"GET", b"HEAD")


def bucket_of(host: str, head: bytes) -> Optional[str]:
    """Whose bucket the request with this head reads from, by its host or its path; None where it is no open read of an
    object, or none that could be asked of somebody else."""
    if not _is_open(host, head):
        return None
    found = _OF_HOST.match(host)
    name = found[1] if found else _line(head)[1].split(b"?")[0].strip(b"/").split(b"/")[0].decode("latin-1")
    return name or None


def _is_open(host: str, head: bytes) -> bool:
    method, target = _line(head)
    signed = b"\r\nauthorization:" in head.lower() or _SIGNED.search(target)
    owned = any(mark in host for mark in _OWNED)
    return method in _READS and not signed and not owned and not _OPERATION.search(target)


def _line(head: bytes) -> Tuple[bytes, bytes]:
    words = head.split(b"\r\n", 1)[0].split(b" ")
    return words[0], words[1] if len(words) > 1 else b""


def is_missing(server: socket.socket, bucket: str) -> bool:
    """Whether Clary, at the other end of `server`, has no such bucket. Raises OSError."""
    if not _NAME.fullmatch(bucket):
        return True
    server.sendall(_QUESTION.format(bucket).encode())
    with server.makefile("rb") as answer:
        return answer.readline(100).split(b" ")[1:2] == [b"404"]
