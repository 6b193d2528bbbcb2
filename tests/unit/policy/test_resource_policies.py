"""Policies on resources together with the caller's own: IAM's order of evaluation, case by case."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clary.calls import Access, Call, Principal, account_root, service_principal
from clary.identity.directory import Directory
from clary.identity.principals import canonical_user, is_service
from clary.identity.published import Identities
from clary.identity.resources import Published, Resources

ACCOUNT, OTHER = "111111111111", "222222222222"
ROLE, USER = f"arn:aws:iam::{ACCOUNT}:role/r", f"arn:aws:iam::{ACCOUNT}:user/u"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
BUCKET = "arn:aws:s3:::b"
GET = Access("s3:GetObject", f"{BUCKET}/k")
ANY = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
DENY = {**ANY, "Effect": "Deny"}
OTHER_ACTION = {**ANY, "Action": "sqs:*"}

USER_CALLS = Principal("user", ACCOUNT, USER, USER, "AIDAU")
SESSION_CALLS = Principal("assumed-role", ACCOUNT, SESSION, ROLE, "AROAR:s")
NOBODY = Principal("anonymous", "", "", "", "")


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def directory(
    policy: dict[str, Any] | None = None,
    own: dict[str, Any] | None = None,
    boundary: dict[str, Any] | None = None,
    **published: Any,
) -> Directory:
    """One account with a user and a role, whose policy is `own`; the bucket `b` with a policy of one statement."""
    texts = {"own": document(own) if own else document(), "boundary": document(boundary) if boundary else ""}
    bound = "boundary" if boundary else None
    identities: Identities = {
        "account": ACCOUNT,
        "keys": {},
        "subjects": {
            ROLE: {"id": "AROAR", "name": "r", "policies": ["own"], "boundary": bound, "tags": {}},
            USER: {"id": "AIDAU", "name": "u", "policies": ["own"], "boundary": bound, "tags": {}},
        },
        "policies": {name: {"type": "role", "document": text} for name, text in texts.items() if text},
    }
    said: Published = {"account": ACCOUNT, **published}  # type: ignore[typeddict-item]
    if policy:
        said["policy"] = document({"Resource": [BUCKET, f"{BUCKET}/*"], "Action": "s3:*", "Effect": "Allow", **policy})
    return Directory(identities, Resources({BUCKET: said}, ACCOUNT))


def asked(directory: Directory, who: Principal, access: Access = GET, **keys: str) -> tuple[str, str]:
    call = Call(who, "s3", "GetObject", {}, "us-east-1", transport=keys)
    decision = directory.decide(call, access)
    return decision.effect, decision.layer


ALLOWED_BY_RESOURCE = ("allowed", "resource")
NOT_BY_RESOURCE = ("implicitDeny", "resource")


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}])
def test_everybody_is_anybody(principal: Any) -> None:
    for who in (NOBODY, USER_CALLS, SESSION_CALLS):
        assert asked(directory({"Principal": principal}), who) == ALLOWED_BY_RESOURCE


@pytest.mark.parametrize(
    ("principal", "who"),
    [(USER, USER_CALLS), ("AIDAU", USER_CALLS), (SESSION, SESSION_CALLS), (ROLE, SESSION_CALLS)],
)
def test_named_themselves_they_need_no_policy_of_their_own(principal: str, who: Principal) -> None:
    assert asked(directory({"Principal": {"AWS": principal}}), who) == ALLOWED_BY_RESOURCE
    assert asked(directory({"Principal": {"AWS": principal}}), NOBODY) == NOT_BY_RESOURCE


@pytest.mark.parametrize("principal", [{"AWS": ACCOUNT}, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                                       {"CanonicalUser": canonical_user(ACCOUNT)}])  # fmt: skip
def test_an_account_that_is_named_leaves_it_to_its_own_policies(principal: dict[str, str]) -> None:
    assert asked(directory({"Principal": principal}), USER_CALLS) == ("implicitDeny", "identity")
    assert asked(directory({"Principal": principal}, own=ANY), USER_CALLS) == ("allowed", "identity")


def test_a_denial_anywhere_wins() -> None:
    for_all = {"Principal": "*"}
    assert asked(directory(for_all, own=DENY), USER_CALLS) == ("explicitDeny", "identity")
    assert asked(directory(for_all, boundary=DENY), USER_CALLS) == ("explicitDeny", "boundary")
    assert asked(directory({**for_all, "Effect": "Deny"}, own=ANY), USER_CALLS) == ("explicitDeny", "resource")
    assert asked(directory({**for_all, "Effect": "Deny"}), account_root(ACCOUNT)) == ("explicitDeny", "resource")


def test_the_owner_s_root_is_never_locked_out_of_the_policy_itself() -> None:
    closed = directory({"Principal": "*", "Effect": "Deny"})
    assert asked(closed, account_root(ACCOUNT), Access("s3:DeleteBucketPolicy", BUCKET))[0] == "allowed"
    assert asked(closed, USER_CALLS, Access("s3:DeleteBucketPolicy", BUCKET))[0] == "explicitDeny"


def test_a_role_that_is_named_keeps_to_its_boundary_and_a_session_that_is_named_does_not() -> None:
    narrow = {"boundary": OTHER_ACTION}
    assert asked(directory({"Principal": {"AWS": ROLE}}, **narrow), SESSION_CALLS) == ("implicitDeny", "boundary")
    assert asked(directory({"Principal": {"AWS": SESSION}}, **narrow), SESSION_CALLS) == ALLOWED_BY_RESOURCE
    assert asked(directory({"Principal": {"AWS": USER}}, **narrow), USER_CALLS) == ALLOWED_BY_RESOURCE


def test_a_role_that_is_named_keeps_to_its_session_s_policies() -> None:
    policies = (document(OTHER_ACTION),)
    narrowed = Principal("assumed-role", ACCOUNT, SESSION, ROLE, "AROAR:s", session_policies=policies)
    assert asked(directory({"Principal": {"AWS": ROLE}}), narrowed) == ("implicitDeny", "session")
    assert asked(directory({"Principal": {"AWS": SESSION}}), narrowed) == ALLOWED_BY_RESOURCE


def test_another_account_needs_both() -> None:
    """The bucket is another's: its policy must let the caller in, and the caller's own must allow it."""
    for principal in (OTHER, ACCOUNT, ROLE, "*"):
        lets_in = principal != OTHER
        for own in (ANY, None):
            there = directory({"Principal": {"AWS": principal}}, own=own, account=OTHER)
            effect, layer = asked(there, SESSION_CALLS)
            assert effect == ("allowed" if lets_in and own else "implicitDeny")
            assert own is None or lets_in or layer == "resource"
    assert asked(directory(None, own=ANY, account=OTHER), USER_CALLS) == NOT_BY_RESOURCE


def test_the_root_of_another_account_is_a_stranger() -> None:
    assert asked(directory(), account_root(OTHER)) == NOT_BY_RESOURCE
    assert asked(directory({"Principal": {"AWS": OTHER}}), account_root(OTHER))[0] == "allowed"


def test_services_are_decided_by_the_resource_alone() -> None:
    logs = service_principal(ACCOUNT, "logging.s3.amazonaws.com")
    assert asked(directory({"Principal": {"Service": "logging.s3.amazonaws.com"}}), logs) == ALLOWED_BY_RESOURCE
    assert asked(directory({"Principal": {"Service": "sns.amazonaws.com"}}), logs) == NOT_BY_RESOURCE
    assert asked(directory({"Principal": {"AWS": ACCOUNT}}), logs) == NOT_BY_RESOURCE


def test_everybody_but_is_everybody_but_a_whole_chain_of_names() -> None:
    account = f"arn:aws:iam::{ACCOUNT}:root"
    spared = {"Effect": "Deny", "NotPrincipal": {"AWS": [account, USER]}}
    assert asked(directory(spared, own=ANY), USER_CALLS) == ("allowed", "identity")
    assert asked(directory(spared, own=ANY), SESSION_CALLS) == ("explicitDeny", "resource")
    assert asked(directory(spared), NOBODY) == ("explicitDeny", "resource")
    without_account = {"Effect": "Deny", "NotPrincipal": {"AWS": USER}}
    assert asked(directory(without_account, own=ANY), USER_CALLS) == ("explicitDeny", "resource")
    session = {"Effect": "Deny", "NotPrincipal": {"AWS": [account, ROLE, SESSION]}}
    assert asked(directory(session, own=ANY), SESSION_CALLS) == ("allowed", "identity")


def test_conditions_of_the_way_here() -> None:
    secure = directory({"Principal": "*", "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
                       own=ANY)  # fmt: skip
    assert asked(secure, USER_CALLS, **{"aws:SecureTransport": "false"}) == ("explicitDeny", "resource")
    assert asked(secure, USER_CALLS, **{"aws:SecureTransport": "true"}) == ("allowed", "identity")
    near = directory({"Principal": "*", "Condition": {"StringLike": {"aws:Referer": "http://x.example/*"}}})
    assert asked(near, NOBODY, **{"aws:Referer": "http://x.example/page"}) == ALLOWED_BY_RESOURCE
    assert asked(near, NOBODY) == NOT_BY_RESOURCE


def test_a_closed_bucket_keeps_strangers_out_and_its_own_in() -> None:
    there = directory({"Principal": "*"}, closed=True)
    assert asked(there, NOBODY) == NOT_BY_RESOURCE
    assert asked(there, account_root(OTHER)) == NOT_BY_RESOURCE
    assert asked(there, USER_CALLS) == ALLOWED_BY_RESOURCE


def test_where_the_policy_alone_lets_in_an_account_s_own_policies_count_only_when_it_says_so() -> None:
    assert asked(directory({"Principal": {"AWS": OTHER}}, own=ANY, alone=True), USER_CALLS) == NOT_BY_RESOURCE
    assert asked(directory(own=ANY, alone=True), USER_CALLS) == NOT_BY_RESOURCE
    by_account = directory({"Principal": {"AWS": ACCOUNT}}, own=ANY, alone=True)
    assert asked(by_account, USER_CALLS) == ("allowed", "identity")
    assert asked(directory({"Principal": {"AWS": USER}}, alone=True), USER_CALLS) == ALLOWED_BY_RESOURCE


def test_a_bucket_that_is_made_is_the_maker_s() -> None:
    """With all rights that this needs; afterwards it is somebody's."""
    known, who = directory(), account_root(OTHER)
    for right in ("s3:CreateBucket", "s3:PutBucketAcl"):
        making = Call(who, "s3", "CreateBucket", {}, "us-east-1")
        assert known.decide(making, Access(right, "arn:aws:s3:::new")).allowed
    assert asked(known, who, Access("s3:PutBucketAcl", "arn:aws:s3:::new")) == NOT_BY_RESOURCE


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"Statement": [1]}', '{"Statement": {"Effect": "Allow"}}',
     '{"Statement": {"Effect": "Allow", "Action": "*", "Principal": [1]}}',
     '{"Statement": {"Effect": "Allow", "Action": "*", "Principal": {"AWS": [{}, 1]}, "Resource": [1, {}]}}',
     '{"Statement": {"Effect": "Allow", "Action": "*", "Principal": "*", "Condition": {"Wrong": {"a:b": "c"}}}}'],
)  # fmt: skip
def test_a_policy_that_was_kept_unread_lets_nobody_in(text: str) -> None:
    said: Published = {"account": ACCOUNT, "policy": text}
    there = directory(own=ANY)
    there.resources = Resources({BUCKET: said}, ACCOUNT)
    assert asked(there, NOBODY) == NOT_BY_RESOURCE
    assert asked(there, USER_CALLS) == ("allowed", "identity")


def test_what_of_a_request_decides_is_not_remembered_for_the_next() -> None:
    from_there = directory({"Principal": "*", "Condition": {"StringEquals": {"s3:authType": "POST"}}})
    assert asked(from_there, NOBODY, **{"s3:authType": "POST"}) == ALLOWED_BY_RESOURCE
    assert asked(from_there, NOBODY) == NOT_BY_RESOURCE


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{ACCOUNT}:user/s3.amazonaws.com", f"{USER}/x.amazonaws.com"])
def test_a_user_who_is_named_as_a_service_is_none(arn: str) -> None:
    """A service's calls are decided by the resource's policy alone: a user's own policies still count."""
    who = Principal("user", ACCOUNT, arn, arn, "AIDAU")
    known = directory({"Principal": "*"}, own=DENY)
    known.identities["subjects"][arn] = {**known.identities["subjects"][USER], "name": "x"}
    assert asked(known, who) == ("explicitDeny", "identity")
    assert not is_service(who) and is_service(service_principal(ACCOUNT, "s3.amazonaws.com"))
