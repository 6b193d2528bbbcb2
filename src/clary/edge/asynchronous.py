"""What asynchronous inference has done: objects read and written, topics told, as the model's role and by the same
operations that a client would call; lines of the data log as Clary itself."""

from __future__ import annotations

import asyncio
import inspect
import logging
import mmap
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

from clary.apis.access_log import Group
from clary.calls import Call, Door
from clary.edge.access_logs import put as put_lines
from clary.errors import AWSError
from clary.gateway.exchange import EdgeContexts
from clary.gateway.identity import Identity
from clary.gateway.keyring import BodyStore
from clary.identity.issuing import role_principal
from clary.objects.files import copy_into
from clary.services.registry import Registry
from clary.serving.asynchronous.config import Asynchronous
from clary.serving.asynchronous.effects import INPUT_BYTES, Input
from clary.serving.asynchronous.requests import Letter, Owner
from clary.serving.client import Body
from clary.wire import models
from clary.wire.http import Extent, HttpRequest
from clary.wire.validation import validate
from clary.workload.s3uri import split

_SESSION = "SageMaker"
"""What the sessions are called in which SageMaker takes a role."""

_log = logging.getLogger(__name__)


class AsyncEffects:
    """`serving.asynchronous.effects.Effects` of one edge."""

    def __init__(
        self,
        registry: Registry,
        identity: Identity,
        control: Door,
        bodies: BodyStore,
        edge_context: EdgeContexts,
        folder: Path,
    ) -> None:
        """`folder` is for files that have no name."""
        self._folder = folder
        self._registry = registry
        self._identity = identity
        self._control = control
        self._bodies = bodies
        self._edge_context = edge_context

    async def fetch(self, owner: Owner, role: str, uri: str) -> Input:
        """Raises AWSError, OSError."""
        bucket, key = split(uri)
        call = self._call(owner, role, "s3", "GetObject", {"Bucket": bucket, "Key": key})
        self._authorise(call)
        operation = self._registry.services["s3"].operations["GetObject"]
        answer = operation.handler(self._edge_context(call), call.params)
        output: dict[str, Any] = await answer if inspect.isawaitable(answer) else answer
        if output["ContentLength"] > INPUT_BYTES:
            raise AWSError("EntityTooLarge", f"It is larger than {INPUT_BYTES} bytes.")
        content = await asyncio.get_running_loop().run_in_executor(None, _mapped, output["Body"], self._folder)
        return Input(content, output.get("ContentType", ""))

    async def put(self, owner: Owner, config: Asynchronous, uri: str, content: bytes, content_type: str) -> None:
        """Raises AWSError, OSError."""
        bucket, key = split(uri)
        params: dict[str, Any] = {"Bucket": bucket, "Key": key, "ContentType": content_type, **_encryption(config)}
        call = self._call(owner, config.role, "s3", "PutObject", params)
        self._authorise(call)
        params["Body"] = await self._bodies.receive(_whole(content), HttpRequest("PUT", "/"), call)
        await self._control(call)

    async def publish(self, owner: Owner, letter: Letter) -> None:
        """Raises AWSError."""
        call = self._call(owner, letter.role, "sns", "Publish", {"TopicArn": letter.topic, "Message": letter.body})
        validate(models.operation(call.service, call.operation).input_shape, call.params)
        self._authorise(call)
        await self._control(call)

    async def log(self, owner: Owner, variant: str, line: str) -> None:
        """What cannot be written stands in Clary's own log."""
        group = Group(owner.account, owner.region, f"/aws/sagemaker/Endpoints/{owner.endpoint}")
        event = {"timestamp": int(time.time() * 1000), "message": line}
        try:
            await put_lines(self._control, group, f"{variant}/data-log", [event])
        except AWSError as error:
            _log.warning("%s: %s (%s)", owner.endpoint, line, error)

    def _call(self, owner: Owner, role: str, service: str, operation: str, params: dict[str, Any]) -> Call:
        principal = role_principal(self._identity.directory().identities, owner.account, role, _SESSION)
        return Call(principal, service, operation, params, owner.region, parent=owner.endpoint)

    def _authorise(self, call: Call) -> None:
        self._identity.authorise(call, self._registry.services[call.service].access(call))


def _encryption(config: Asynchronous) -> dict[str, str]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": config.kms_key} if config.kms_key else {}


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _mapped(content: Extent, folder: Path) -> Body:
    """The bytes that lie there, mapped into memory; several files, and what is decrypted, become one without a name.
    Raises OSError."""
    if len(content.segments) == 1:
        [(path, offset, length)] = content.segments
        with path.open("rb") as file:
            return _mapping(file, offset, length)
    with tempfile.TemporaryFile(dir=folder) as joined:
        if content.made is None:
            copy_into(content.segments, joined)
        else:
            joined.writelines(content.made())
            joined.flush()
        return _mapping(joined, 0, content.size)


def _mapping(file: IO[bytes], offset: int, length: int) -> Body:
    if not length:
        return b""
    begin = offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
    flags = mmap.MAP_PRIVATE | mmap.MAP_POPULATE
    whole = mmap.mmap(file.fileno(), offset - begin + length, flags=flags, prot=mmap.PROT_READ, offset=begin)
    return memoryview(whole)[offset - begin :]
