"""Key policies: what stands in one that nobody wrote, and whether one that somebody wrote will do
(https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html)."""

from __future__ import annotations

import json
import re
from typing import Any

from clary.calls import Access
from clary.identity.grammar import check_resource_policy
from clary.identity.policy import MalformedPolicy, compile_policy, listed
from clary.identity.resource_policy import ResourcePolicy
from clary.services.context import Context
from clary.services.kms.errors import bad_policy

_IAM = re.compile(r"arn:aws:iam::(\d+):(user|role)/.+")


def default(account: str) -> str:
    """The account may do everything: its own policies decide."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return _text("key-default-1", statement)


def of_service(service: str, region: str, account: str) -> str:
    """That of an AWS managed key: whoever may use the service may use the key, through the service alone."""
    through = {"kms:CallerAccount": account, "kms:ViaService": f"{service}.{region}.amazonaws.com"}
    named = f"AWS service {service} for all principals in the account that are authorized to use it"
    use = {
        "Sid": f"Allow access through {named}",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {"StringEquals": through},
    }
    look = {
        "Sid": "Allow direct access to key metadata to the account",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        "Resource": "*",
    }
    return _text(f"auto-{service}-1", use, look)


def _text(name: str, *statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Id": name, "Statement": list(statements)}, indent=2)


def compiled(document: str, arn: str) -> ResourcePolicy:
    """As decisions need it."""
    return ResourcePolicy(compile_policy(document, arn), sole=True)


def check(context: Context, document: str, arn: str, *, lockout: bool) -> None:
    """Raises MalformedPolicyDocumentException; with `lockout`, too, where the caller could not change it again."""
    try:
        parsed = check_resource_policy(document)
    except MalformedPolicy as error:
        raise bad_policy(str(error)) from None
    for statement in listed(parsed["Statement"]):
        _check_principals(context, statement.get("Principal"))
    right = Access("kms:PutKeyPolicy", arn, {"kms:CallerAccount": context.account})
    if lockout and not context.decide(right, compiled(document, arn)).allowed:
        raise bad_policy("The new key policy will not allow you to update the key policy in the future.")


def _check_principals(context: Context, principals: object) -> None:
    """Users and roles of this account have to be there."""
    named = listed(principals.get("AWS")) if isinstance(principals, dict) else []
    for name in named:
        found = _IAM.fullmatch(name)
        if found and found[1] == context.account and context.store.read.by_arn(name) is None:
            raise bad_policy("Policy contains a statement with one or more invalid principals.")
