"""One client's connection, and requests as SDKs sign them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.serving import messages
from tests.running import RunningClary

ANSWER_SECONDS = 70.0
"""A model has 60 seconds."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CODE = re.compile(rb"\r\nx-amzn-errortype: *(\w+)", re.IGNORECASE)


class Broken(Exception):
    """No whole answer came over the connection: which kind of failure."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    code: str
    """The error's, as AWS names it."""
    body: bytes


class Signer:
    """Makes requests with the first key of a Clary; no two are equal."""

    def __init__(self, clary: RunningClary) -> None:
        self._signer = SigV4Auth(Credentials(*clary.key), "sagemaker", "us-east-1")
        self.port = clary.port
        self._number = 0

    def request(self, endpoint: str, headers: Mapping[str, str]) -> bytes:
        """One invocation, in bytes."""
        self._number += 1
        path, body = f"/endpoints/{endpoint}/invocations", b"x"
        named = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Inference-Id": f"request-{self._number}", **headers}
        signed = AWSRequest("POST", f"http://127.0.0.1:{self.port}{path}", headers=named, data=body)
        self._signer.add_auth(signed)
        return messages.post(self.port, path, body, dict(signed.headers.items()))


class Connection:
    """It is kept, and made anew where it broke."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> Answer:
        """Raises Broken."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await self._open()
                writer.write(request)
                return await _answer(reader)
        except TimeoutError:
            self.close()
            raise Broken("timeout") from None
        except ConnectionRefusedError:
            raise Broken("refused") from None
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            raise Broken("broken") from None

    def close(self) -> None:
        """Hang up."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self._streams


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    length, code = _LENGTH.search(head), _CODE.search(head)
    body = await reader.readexactly(int(length[1])) if length else b""
    return Answer(int(head[9:12]), code[1].decode() if code else "", body)
