"""Decisions from what is published: what is remembered, and for whom."""

from __future__ import annotations

import json
from typing import Any

from clary.calls import Access, Call, Principal
from clary.identity.directory import Directory
from clary.identity.published import Identities

ROLE = "arn:aws:iam::1:role/r"


def directory(*statements: dict[str, Any]) -> Directory:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    published: Identities = {
        "account": "1",
        "keys": {},
        "subjects": {ROLE: {"id": "AROAX", "name": "r", "policies": ["role/r/p"], "boundary": None, "tags": {}}},
        "policies": {"role/r/p": {"type": "role", "document": document}},
    }
    return Directory(published)


def call(session: str = "s", role_id: str = "AROAX", source_ip: str = "127.0.0.1", **more: Any) -> Call:
    who = Principal(
        "assumed-role", "1", f"arn:aws:sts::1:assumed-role/r/{session}", ROLE, f"{role_id}:{session}", **more
    )
    return Call(who, "s3", "GetObject", {}, "us-east-1", source_ip=source_ip)


GET = Access("s3:GetObject", "arn:aws:s3:::b/k")


def test_what_depends_on_the_request_is_not_remembered() -> None:
    block = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    asked = directory({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": block})
    for _ in range(2):
        assert asked.decide(call(source_ip="10.0.0.1"), GET).allowed
        assert not asked.decide(call(source_ip="192.0.2.1"), GET).allowed


def test_what_does_not_is_remembered_for_that_session_alone() -> None:
    asked = directory({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    first = asked.decide(call(), GET)
    assert asked.decide(call(), GET) is first
    narrow = call(session_policies=('{"Version": "2012-10-17", "Statement": []}',))
    assert not asked.decide(narrow, GET).allowed
    assert not asked.decide(call(role_id="AROAY"), GET).allowed
    assert asked.decide(call(), GET) is first


def test_context_of_the_service_and_of_the_session() -> None:
    block = {"StringLike": {"s3:prefix": "${aws:PrincipalTag/home}/*"}}
    asked = directory({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": block})
    listing = Access("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": "ann/x"})
    assert asked.decide(call(session_context={"aws:PrincipalTag/home": "ann"}), listing).allowed
    assert not asked.decide(call(session_context={"aws:PrincipalTag/home": "bob"}), listing).allowed
    assert not asked.decide(call(), listing).allowed


def test_root_may_everything_and_nobody_nothing() -> None:
    asked = directory()
    root = Principal("root", "1", "arn:aws:iam::1:root", "arn:aws:iam::1:root", "1")
    nobody = Principal("anonymous", "", "", "", "")
    assert asked.decide(Call(root, "s3", "GetObject", {}, "us-east-1"), GET).allowed
    assert not asked.decide(Call(nobody, "s3", "GetObject", {}, "us-east-1"), GET).allowed


def test_memory_is_bounded() -> None:
    asked = directory({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    who = call()
    for number in range(40_000):
        asked.decide(who, Access("s3:GetObject", f"arn:aws:s3:::b/{number}"))
    assert len(asked._decisions) <= 32_768
