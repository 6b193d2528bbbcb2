"""A real S3 on a free port: gateway, handlers and object store in one process, asked by boto3 over a socket."""

import asyncio
import socket
import threading
from types import SimpleNamespace

import boto3
import pytest
import uvloop
from botocore.config import Config

from clary.calls import Principal
from clary.edge.bodies import Bodies
from clary.edge.server import EdgeServer
from clary.errors import AccessDenied, AWSError
from clary.gateway.asgi import Gateway
from clary.gateway.keyring import Credential
from clary.objects import Intake, ObjectReader, ObjectStore
from clary.services.registry import Registry
from clary.services.s3.service import SERVICE
from clary.settings import Settings
from clary.wire import frames
from tests.kms import OneKey

ACCOUNT = "111122223333"
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
PRINCIPAL = Principal(
    kind="assumed-role",
    account=ACCOUNT,
    arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s",
    identity=f"arn:aws:iam::{ACCOUNT}:role/R",
    user_id="AROA:s",
)


class OneAccessKey:
    def find(self, access_key_id, session_token):
        if access_key_id != KEY:
            raise AWSError("InvalidClientTokenId", "The security token included in the request is invalid.", status=403)
        return Credential(SECRET, PRINCIPAL)


class Rules:
    """Allows everything but the actions in `denied`, or those on one resource; anonymous callers nothing, unless it is
    `open`."""

    def __init__(self):
        self.denied = set()
        self.open = False

    def authorise(self, call, needed):
        for access in needed:
            asked = {access.action, f"{access.action} {access.resource}"}
            if asked & self.denied or (call.principal.kind == "anonymous" and not self.open):
                raise AccessDenied(f"not authorized to perform: {access.action} on {access.resource}")


def _through_a_frame(message):
    return frames.unpack(frames.pack(message)[4:])


class S3:
    """The server. Calls of control travel as frames, as between the real processes."""

    def __init__(self, root):
        self.store, self.reader, self.intake = ObjectStore(root), ObjectReader(root), Intake(root)
        self.rules, self.kms = Rules(), OneKey()
        self.settings = Settings(data_dir=root, account_id=ACCOUNT)
        self.gateway = Gateway(
            Registry([SERVICE]),
            OneAccessKey(),
            self.rules,
            self._control,
            self._edge,
            Bodies(self.reader, self.intake, self._control),
            self.settings,
            {},
        )
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._ours, self._alone = socket.socketpair()
        self._server = EdgeServer(self.gateway.serve, self.settings.limits, self._alone.fileno())
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        uvloop.run(self._server.serve([self._socket]))

    def _edge(self, call):
        return self._context(call, self.reader)

    def _context(self, call, objects):
        authorise = lambda access: self.rules.authorise(call, [access])  # noqa: E731
        asked = {"invoke": self.kms, "control": self._control}
        return SimpleNamespace(call=call, settings=self.settings, objects=objects, authorise=authorise, **asked)

    async def _control(self, call):
        if call.service == "kms":
            return _through_a_frame(self.kms(call))
        params = _through_a_frame(call.params)
        context = self._context(call, self.store)
        handler = SERVICE.operations[call.operation].handler
        return _through_a_frame(await asyncio.to_thread(handler, context, params))

    def client(self, region="us-east-1", **config):
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    def close(self):
        self._ours.close()
        self._thread.join(60)
        self._alone.close()
        self.gateway.close()
        self.intake.close()
        self.store.close()

    @property
    def files(self):
        """The files that exist, and what is small, by id."""
        small = self.store._connections.get().execute("SELECT file FROM small")
        return {file for file, _ in self.store.files.all()} | {file for (file,) in small}


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    s3 = S3(tmp_path_factory.mktemp("objects"))
    yield s3
    s3.close()


@pytest.fixture
def s3(server):
    """A server that is empty."""
    server.store.clear()
    server.rules.denied.clear()
    server.rules.open = False
    server.kms.refuses = None
    server.kms.calls.clear()
    return server


@pytest.fixture
def client(s3):
    return s3.client()


@pytest.fixture
def bucket(client):
    client.create_bucket(Bucket="bucket")
    return "bucket"
