"""What asynchronous inference has done elsewhere: as the model's role, and only what that may."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from clary.calls import Principal
from clary.edge import asynchronous
from clary.edge.asynchronous import AsyncEffects
from clary.edge.bodies import Bodies
from clary.errors import AccessDenied, AWSError
from clary.objects import ObjectReader
from clary.objects.body import receive
from clary.objects.envelopes import Wanted, ask, generation
from clary.objects.intake import Intake
from clary.objects.model import Attributes
from clary.objects.store import ObjectStore
from clary.services.catalogue import REGISTRY
from clary.serving.asynchronous.config import Asynchronous
from clary.serving.asynchronous.effects import Input
from clary.serving.asynchronous.requests import Letter, Owner
from clary.wire.http import Extent
from tests.kms import ARN, OneKey

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
OWNER = Owner(ACCOUNT, "us-east-1", "e", "born")
CONFIG = Asynchronous("born", "s3://data/out", kms_key="key", role=ROLE)
RIGHTS = {
    "fetch": (ROLE, "s3:GetObject", "arn:aws:s3:::data/in"),
    "put": (ROLE, "s3:PutObject", "arn:aws:s3:::data/out/a"),
    "publish": (ROLE, "sns:Publish", TOPIC),
}


class Identity:
    """Lets roles do what is `allowed`."""

    def __init__(self, *allowed):
        self.allowed = set(allowed)

    def directory(self):
        return SimpleNamespace(identities={"subjects": {}})

    def authorise(self, call, needed):
        for access in needed:
            if (call.principal.identity, access.action, access.resource) not in self.allowed:
                raise AccessDenied(f"{access.action} on {access.resource}")


@pytest.fixture
def store(tmp_path: Path):
    made = ObjectStore(tmp_path / "objects")
    made.create_bucket("data", account=ACCOUNT, region="us-east-1")
    yield made
    made.close()


@pytest.fixture
def kms():
    return OneKey()


def done(tmp_path, what, *allowed, kms=None):
    """What comes of it, and the calls that control gets; KMS's are answered by `kms`."""
    calls, reader, intake = [], ObjectReader(tmp_path / "objects"), Intake(tmp_path / "objects")

    async def control(call):
        calls.append(call)
        return kms(call) if call.service == "kms" else {}

    def context(call):
        return SimpleNamespace(call=call, objects=reader, authorise=lambda _access: None, control=control)

    made = AsyncEffects(REGISTRY, Identity(*allowed), control, Bodies(reader, intake, control), context, tmp_path)
    try:
        return asyncio.run(what(made)), calls
    finally:
        intake.close()


def fetch(effects):
    return effects.fetch(OWNER, ROLE, "s3://data/in")


def put(effects):
    return effects.put(OWNER, CONFIG, "s3://data/out/a", b"0.5", "text/csv")


def publish(effects):
    return effects.publish(OWNER, Letter(TOPIC, ROLE, "said"))


@pytest.mark.parametrize("content", [b"", b"1,2", b"x" * 100_000], ids=["nothing", "little", "much"])
def test_an_input_is_what_the_object_holds(tmp_path, store, content):
    store.put_bytes("data", "in", content, Attributes("text/csv"))
    assert done(tmp_path, fetch, RIGHTS["fetch"])[0] == Input(content, "text/csv")


def test_an_encrypted_input_is_read_as_the_role(tmp_path, store, kms):
    bucket, role = store.bucket("data"), Principal("assumed-role", ACCOUNT, ROLE, ROLE, "R")
    key = ask(generation(role, bucket, "in", Wanted("aws:kms")), kms)
    body = receive(store.files, [b"1,2"], key=key)
    store.put("data", "in", body)
    given, [call] = done(tmp_path, fetch, RIGHTS["fetch"], kms=kms)
    assert (bytes(given.content), call.operation, call.principal.identity) == (b"1,2", "Decrypt", ROLE)


def test_an_answer_is_kept_with_its_type_and_key(tmp_path, store, kms):
    _, [asked, call] = done(tmp_path, put, RIGHTS["put"], kms=kms)
    assert (asked.operation, asked.principal.identity, asked.params["KeyId"]) == ("GenerateDataKey", ROLE, "key")
    body = call.params.pop("Body")
    assert body["envelope"]["headers"] == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": ARN}
    assert (tmp_path / "objects").exists()
    assert (body["size"], call.operation, call.principal.identity) == (3, "PutObject", ROLE)
    assert call.params == {
        "Bucket": "data",
        "Key": "out/a",
        "ContentType": "text/csv",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "key",
    }


def test_a_topic_is_told(tmp_path, store):
    _, [call] = done(tmp_path, publish, RIGHTS["publish"])
    assert (call.operation, call.params) == ("Publish", {"TopicArn": TOPIC, "Message": "said"})


@pytest.mark.parametrize("name", sorted(RIGHTS))
def test_what_the_role_may_not_do_is_not_done(tmp_path, store, name):
    store.put_bytes("data", "in", b"1,2")
    with pytest.raises(AccessDenied):
        done(tmp_path, globals()[name], *(right for other, right in RIGHTS.items() if other != name))


def test_an_input_that_is_too_large_is_not_read(tmp_path, store, monkeypatch):
    monkeypatch.setattr(asynchronous, "INPUT_BYTES", 2)
    store.put_bytes("data", "in", b"1,2")
    with pytest.raises(AWSError, match="It is larger than 2 bytes"):
        done(tmp_path, fetch, RIGHTS["fetch"])


def test_what_lies_in_several_files_is_one_input(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 5000)
    (tmp_path / "b").write_bytes(b"y" * 5000)
    both = ((tmp_path / "a", 4990, 10), (tmp_path / "b", 10, 4990))
    joined = asynchronous._mapped(Extent(both, 5000), tmp_path)
    assert bytes(joined) == b"x" * 10 + b"y" * 4990
    assert bytes(asynchronous._mapped(Extent(((tmp_path / "a", 4998, 2),), 2), tmp_path)) == b"xx"
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
