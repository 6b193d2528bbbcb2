"""What a resource's own policy adds to those of whoever asks."""

import pytest

from clary.calls import Principal
from clary.identity.grammar import check_resource_policy
from clary.identity.policy import Decision, MalformedPolicy, PolicySet, Question, compile_policy
from clary.identity.resources import Guarded, together

ACCOUNT = "000000000000"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
WHO = Principal("user", ACCOUNT, ANN, ANN, "AIDA")
ALLOWED = Decision("allowed", "identity")
NO = Decision("implicitDeny", "identity")
NEVER = Decision("explicitDeny", "identity")
NONE, ROOT, NAMED = None, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"AWS": ANN}


def decided(principal, own, *, effect="Allow", sole=False):
    statements = ()
    if principal is not None:
        statement = {"Effect": effect, "Principal": principal, "Action": "kms:Decrypt", "Resource": "*"}
        statements = compile_policy({"Version": "2012-10-17", "Statement": [statement]}, "key")
    question = Question("kms:Decrypt", "arn:aws:kms:us-east-1:000000000000:key/x", dict)
    decision = together(Guarded(ACCOUNT, PolicySet(statements), alone=sole), question, WHO, [own])
    return Decision(decision.effect, decision.layer)


@pytest.mark.parametrize("sole", [True, False])
def test_who_is_named_needs_no_policy_of_its_own(sole):
    assert decided(NAMED, NO, sole=sole) == decided("*", NO, sole=sole) == Decision("allowed", "resource")


@pytest.mark.parametrize("sole", [True, False])
def test_a_deny_anywhere_wins(sole):
    assert decided(NAMED, NEVER, sole=sole) == NEVER
    assert decided("*", ALLOWED, effect="Deny", sole=sole) == Decision("explicitDeny", "resource")


def test_the_account_is_let_in_and_its_policies_decide():
    for own in (ALLOWED, NO):
        assert decided(ROOT, own, sole=True) == own


def test_where_the_resource_is_silent_only_a_sole_policy_keeps_out():
    assert decided(NONE, ALLOWED) == ALLOWED
    assert decided(NONE, ALLOWED, sole=True) == Decision("implicitDeny", "resource")


STATEMENT = '{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Sid": "Any text"%s}'


@pytest.mark.parametrize(
    ("more", "sound"),
    [("", True), (', "NotPrincipal": "*"', False), (', "Condition": {"Nonsense": {"a:b": "c"}}', False)],
)
def test_policies_of_resources_are_checked(more, sound):
    document = '{"Version": "2012-10-17", "Statement": [%s]}' % (STATEMENT % more)
    if sound:
        check_resource_policy(document)
    else:
        with pytest.raises(MalformedPolicy):
            check_resource_policy(document)
