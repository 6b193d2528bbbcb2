"""`kill -9` of control while grants are given and given back, and while keys go: at each line, in a process of its
own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clary.controllers.key_effects import KeyController
from tests.durability.lines import COMMIT, Asked, Line, Lines

Make = Callable[[Path], Any]

BEFORE, AFTER = LINES = (Line(COMMIT), Line(COMMIT, after=True))
USER = "arn:aws:iam::000000000000:user/ana"
GRANT = {"GranteePrincipal": USER, "RetiringPrincipal": USER, "Operations": ["Decrypt"]}
KINDS = ("kms-key", "kms-alias", "kms-grant")
DAYS = 7


def pass_days(control: Any, days: int) -> None:
    """What is due by then is done, as control's loop does it."""
    keys = KeyController(
        control.settings, control.store, control.door, control.woken.append, lambda: time.time() + days * 86_400
    )
    for key in keys.resume():
        keys.reconcile(key)


def grants(control: Any, key: str) -> list[str]:
    return [each["GrantId"] for each in control("kms", "ListGrants", KeyId=key)["Grants"]]


def made(control: Any) -> str:
    key: str = control("kms", "CreateKey")["KeyMetadata"]["KeyId"]
    return key


@pytest.mark.parametrize("line", LINES)
def test_a_grant_whose_answer_was_lost_is_given_once(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line
) -> None:
    key = made(make_inner(tmp_path))
    create = Asked("kms", "CreateGrant", {"KeyId": key, **GRANT}, "same")
    lines.killed(tmp_path, [create], line)
    control = make_inner(tmp_path)
    assert len(grants(control, key)) == (line is AFTER)
    control.invocation_id = "same"
    told = control("kms", "CreateGrant", **create.params)
    assert grants(control, key) == [told["GrantId"]]
    control("kms", "RetireGrant", GrantToken=told["GrantToken"])
    assert grants(control, key) == []


@pytest.mark.parametrize("line", LINES)
def test_a_grant_that_is_retired_is_gone_or_as_it_was(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line
) -> None:
    first = make_inner(tmp_path)
    key = made(first)
    given, kept = (first("kms", "CreateGrant", KeyId=key, Name=name, **GRANT) for name in ("given", "kept"))
    lines.killed(tmp_path, [Asked("kms", "RetireGrant", {"GrantToken": given["GrantToken"]})], line)
    left = {kept["GrantId"]} if line is AFTER else {kept["GrantId"], given["GrantId"]}
    assert set(grants(make_inner(tmp_path), key)) == left


@pytest.mark.parametrize("line", LINES)
def test_a_deletion_whose_answer_was_lost_is_for_the_same_day(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line
) -> None:
    key = made(make_inner(tmp_path))
    schedule = Asked("kms", "ScheduleKeyDeletion", {"KeyId": key, "PendingWindowInDays": DAYS}, "same")
    lines.killed(tmp_path, [schedule], line)
    control = make_inner(tmp_path)
    kept = control("kms", "DescribeKey", KeyId=key)["KeyMetadata"]
    assert (kept["KeyState"], kept["Enabled"]) == (("PendingDeletion", False) if line is AFTER else ("Enabled", True))
    control.invocation_id = "same"
    told = control("kms", "ScheduleKeyDeletion", **schedule.params)["DeletionDate"]
    assert told == kept.get("DeletionDate", told)
    assert control("kms", "DescribeKey", KeyId=key)["KeyMetadata"]["DeletionDate"] == told


@pytest.mark.parametrize("line", LINES)
def test_a_key_goes_when_its_time_has_come_with_its_aliases_and_grants(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line
) -> None:
    first = make_inner(tmp_path)
    key, other = made(first), made(first)
    for each, alias in ((key, "alias/going"), (other, "alias/staying")):
        first("kms", "CreateAlias", AliasName=alias, TargetKeyId=each)
        first("kms", "CreateGrant", KeyId=each, **GRANT)
    first("kms", "ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=DAYS)
    lines.killed(tmp_path, [Asked("", "tests.unit.kms.test_keys_killed:pass_days", {"days": DAYS + 1})], line)
    control = make_inner(tmp_path)
    assert [len(control.store.read.rows(kind)) for kind in KINDS] == ([1, 1, 1] if line is AFTER else [2, 2, 2])
    pass_days(control, DAYS + 1)
    assert [len(control.store.read.rows(kind)) for kind in KINDS] == [1, 1, 1]
    assert control.refusal("kms", "DescribeKey", KeyId=key)[0] == "NotFoundException"
    assert grants(control, other)


@pytest.mark.parametrize("line", LINES)
def test_a_replication_whose_answer_was_lost_has_made_one_family(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line
) -> None:
    first = make_inner(tmp_path)
    key: str = first("kms", "CreateKey", MultiRegion=True)["KeyMetadata"]["KeyId"]
    first.close()
    replicate = Asked("kms", "ReplicateKey", {"KeyId": key, "ReplicaRegion": "eu-west-1"}, "same")
    lines.killed(tmp_path, [replicate], line)
    control = make_inner(tmp_path)
    assert replicas(control, key) == (["eu-west-1"] if line is AFTER else [])
    control.invocation_id = "same"
    control("kms", "ReplicateKey", **replicate.params)
    control.invocation_id = ""
    assert replicas(control, key) == replicas(control, key, "eu-west-1") == ["eu-west-1"]
    blob = control("kms", "Encrypt", KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert control("kms", "Decrypt", "eu-west-1", CiphertextBlob=blob)["Plaintext"] == b"x"


def replicas(control: Any, key: str, region: str = "us-east-1") -> list[str]:
    shown = control("kms", "DescribeKey", region, KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]
    return [each["Region"] for each in shown["ReplicaKeys"]]
