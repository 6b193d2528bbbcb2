"""`kill -9` of control while it is said who may reach a bucket: at each line, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clary.identity.resources import resources_path
from clary.publish import Subscriber
from clary.services.s3.publication import described
from tests.durability.lines import PUBLICATION, Asked, Line, Lines, begin

Make = Callable[[Path], Any]

COMMIT = "clary.objects.store:ObjectStore.set_bucket"
LINES = (Line(COMMIT), Line(COMMIT, after=True), Line(PUBLICATION), Line(PUBLICATION, after=True))
OFF = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)
ON = {**OFF, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
NAME = "shown"
ARN = f"arn:aws:s3:::{NAME}"


def policy(principal: Any, action: str) -> str:
    allow = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": f"{ARN}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


FRIEND = policy({"AWS": "arn:aws:iam::222222222222:root"}, "s3:GetObject")
EVERYBODY = policy("*", "s3:GetObject")


def bucket(control: Any, kept: str, block: dict[str, bool]) -> None:
    """With a policy, and what its public access block is."""
    control("s3", "CreateBucket", Bucket=NAME)
    control("s3", "PutPublicAccessBlock", Bucket=NAME, PublicAccessBlockConfiguration=OFF)
    control("s3", "PutBucketPolicy", Bucket=NAME, Policy=kept)
    control("s3", "PutPublicAccessBlock", Bucket=NAME, PublicAccessBlockConfiguration=block)


def decided_by(control: Any) -> Any:
    """What every process decides by, which is what is kept."""
    published = Subscriber(resources_path(control.settings.run_dir, "s3")).current()["resources"]
    assert published == described(control.objects, "000000000000")
    return published[ARN]


@pytest.mark.parametrize("line", LINES)
def test_a_bucket_has_its_old_policy_or_its_new_one_and_is_opened_by_no_other(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line
) -> None:
    bucket(make_inner(tmp_path), FRIEND, OFF)
    lines.killed(tmp_path, [Asked("s3", "PutBucketPolicy", {"Bucket": NAME, "Policy": EVERYBODY})], line)
    control = begin(make_inner(tmp_path))
    kept = control("s3", "GetBucketPolicy", Bucket=NAME)["Policy"]
    assert kept == (FRIEND if line is LINES[0] else EVERYBODY)
    assert decided_by(control) == {"account": "000000000000", "policy": kept}


@pytest.mark.parametrize("line", LINES)
def test_a_public_bucket_that_is_closed_is_so_for_everybody(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line
) -> None:
    bucket(make_inner(tmp_path), EVERYBODY, OFF)
    block = {"Bucket": NAME, "PublicAccessBlockConfiguration": ON}
    lines.killed(tmp_path, [Asked("s3", "PutPublicAccessBlock", block)], line)
    control = begin(make_inner(tmp_path))
    kept = control("s3", "GetPublicAccessBlock", Bucket=NAME)["PublicAccessBlockConfiguration"]
    assert kept == (OFF if line is LINES[0] else ON)
    assert decided_by(control).get("closed", False) is (kept == ON)
    assert control("s3", "GetBucketPolicy", Bucket=NAME)["Policy"] == EVERYBODY
