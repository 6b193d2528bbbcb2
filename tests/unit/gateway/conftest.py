"""A gateway over a small registry, asked without a socket; the edges and control are doubles of a few lines."""

import asyncio
import itertools
import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from clary.calls import Access, Principal
from clary.errors import AccessDenied, AWSError
from clary.gateway.asgi import Gateway
from clary.gateway.keyring import Credential
from clary.services.registry import Registry, Service
from clary.settings import Settings
from clary.wire.http import Extent, HttpResponse

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token/with+odd=chars"
PRINCIPAL = Principal(
    "user", "000000000000", "arn:aws:iam::000000000000:user/u", "arn:aws:iam::000000000000:user/u", "AIDA"
)
HOST = "127.0.0.1:4599"


class Keys:
    """Knows one key, with and without a token."""

    def find(self, access_key_id, session_token):
        if access_key_id != KEY or session_token not in (None, TOKEN):
            raise AWSError("InvalidClientTokenId", "The security token included in the request is invalid.", status=403)
        return Credential(SECRET, PRINCIPAL)


class Rules:
    """Allows everything but what is in `denied`, and anonymous callers nothing."""

    def __init__(self):
        self.denied = set()

    def authorise(self, call, needed):
        for access in needed:
            if access.action in self.denied or call.principal.kind == "anonymous":
                raise AccessDenied(f"not authorized to perform: {access.action}")


class Bodies:
    """Keeps bodies in memory."""

    def __init__(self):
        self.kept = []

    async def receive(self, chunks, request, _call):
        data = b"".join([piece async for piece in chunks])
        self.kept.append(data)
        return {"file": len(self.kept), "size": len(data)}


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes


@dataclass
class World:
    """The gateway and what it works with; `calls` are those that reached control."""

    settings: Settings = field(default_factory=Settings)
    rules: Rules = field(default_factory=Rules)
    bodies: Bodies = field(default_factory=Bodies)
    calls: list = field(default_factory=list)
    explodes: bool = True
    outputs: dict = field(default_factory=dict)
    extent: Extent = field(default_factory=lambda: Extent((), 0))
    parts: list = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    """A stream is over, or nobody reads it any more."""

    def __post_init__(self):
        registry = Registry(
            [
                self.json_service("sagemaker", "CreateModel", "DescribeTrainingJob", "DeleteModel"),
                self.json_service("sts", "GetCallerIdentity"),
                self.json_service("logs", "PutLogEvents"),
                self.runtime(),
                self.s3(),
            ]
        )
        self.gateway = Gateway(
            registry, Keys(), self.rules, self.control, lambda call: SimpleNamespace(call=call), self.bodies,
            self.settings, {"/_clary/health": self.health, "/_clary/credentials": self.broken},
        )  # fmt: skip

    def access(self, call):
        return [Access(f"{call.service}:{call.operation}", "*")]

    def json_service(self, name, *operations):
        service = Service(name, self.access)
        for operation in operations:
            service.operation(operation)(lambda context, params: {})
        return service

    def runtime(self):
        service = Service("sagemaker-runtime", self.access)

        @service.operation("InvokeEndpoint", place="edge")
        async def invoke(context, params):
            return {"Body": params.get("Body", b"")[::-1], "ContentType": "text/csv", "InvokedProductionVariant": "v"}

        @service.operation("InvokeEndpointWithResponseStream", place="edge")
        async def stream(context, params):
            return {"Body": self.events(params["Body"]), "ContentType": "text/plain", "InvokedProductionVariant": "v"}

        return service

    async def events(self, body):
        """As many parts as the request says, without an end where it says so."""
        try:
            for number in range(int(body)) if body.isdigit() else itertools.count():
                self.parts.append(number)
                yield {"PayloadPart": {"Bytes": b"%d" % number * (1 if body.isdigit() else 10**6)}}
            raise AWSError("ModelStreamError", "No more.", members={"ErrorCode": "StreamBroken"})
        finally:
            self.left.set()

    def s3(self):
        service = Service("s3", self.access)
        for name in ("PutObject", "UploadPart", "CreateBucket", "DeleteObjects", "DeleteObject", "CopyObject"):
            service.operation(name)(lambda context, params: {})

        @service.operation("GetObject", place="edge")
        def get(context, params):
            return {"Body": self.extent, "ContentLength": self.extent.size, "Metadata": {"key": params["Key"]}}

        service.operation("HeadObject", place="edge")(lambda context, params: {"ContentLength": 11, "ETag": '"e"'})
        service.operation("ListObjectsV2", place="edge")(self.explode)
        return service

    def explode(self, context, params):
        if self.explodes:
            raise RuntimeError("a secret inside")
        return {}

    async def control(self, call):
        self.calls.append(call)
        output = self.outputs.get(call.operation, {})
        if isinstance(output, Exception):
            raise output
        return output

    async def health(self, request):
        return HttpResponse(200, {}, b"fine")

    async def broken(self, request):
        raise RuntimeError("a secret inside")

    async def ask(self, method, url, headers=None, body=b"", chunks=None, hang=False):
        """One request; `chunks` are the pieces in which the body arrives, `hang` leaves the last one out."""
        parts = urlsplit(url)
        sent = {"host": parts.netloc, **{k.lower(): v for k, v in (headers or {}).items()}}
        pieces = list(chunks if chunks is not None else [body])
        sent.setdefault("content-length", str(sum(map(len, pieces))))
        messages = [{"type": "http.request", "body": p, "more_body": True} for p in pieces]
        if not hang:
            messages[-1]["more_body"] = False
        scope = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "client": ("127.0.0.1", 1),
            "query_string": parts.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
        return await self.talk(scope, messages)

    async def talk(self, scope, messages):
        got, gone = [], asyncio.Event()

        async def receive():
            if messages:
                return messages.pop(0)
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            got.append(message)

        async with asyncio.timeout(60):
            await self.gateway(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in got[0]["headers"]}
        return Answer(got[0]["status"], headers, b"".join(m.get("body", b"") for m in got[1:]))


@pytest.fixture
def world():
    made = World()
    yield made
    made.gateway.close()


@pytest.fixture
def open_world():
    made = World(settings=Settings(auth="off"))
    yield made
    made.gateway.close()


SIGNERS = {
    "v4": SigV4Auth, "v4-query": SigV4QueryAuth, "s3v4": S3SigV4Auth, "s3v4-query": S3SigV4QueryAuth,
    "v2": HmacV1Auth, "v2-query": HmacV1QueryAuth,
}  # fmt: skip


def sign(kind, service, method, url, headers=None, body=b"", *, token=None, secret=SECRET, key=KEY, path=None):
    """The URL and headers as botocore's own signer makes them."""
    request = AWSRequest(method, url, dict(headers or {}), body)
    request.auth_path = path
    signer = SIGNERS[kind](Credentials(key, secret, token), *(() if kind.startswith("v2") else (service, "us-east-1")))
    signer.add_auth(request)
    return request.url, {k.lower(): v for k, v in request.headers.items()}


@pytest.fixture
def signed():
    return sign


def json_headers(operation, prefix="SageMaker"):
    return {"x-amz-target": f"{prefix}.{operation}", "content-type": "application/x-amz-json-1.1"}


@pytest.fixture
def target():
    return json_headers


@pytest.fixture
def stamp():
    return lambda ago: time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - ago))
