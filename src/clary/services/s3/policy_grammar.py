"""Whether a document is a bucket's policy: S3's checks and S3's sentences
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from clary.identity.conditions import UnknownOperator, condition
from clary.identity.policy import MalformedPolicy, compile_policy, listed

KnownPrincipal = Callable[[str], bool]
"""Whether an ARN of this account's is a user or role that there is."""

MOST_BYTES = 20 * 1024

_VERSIONS = ("2012-10-17", "2008-10-17")
_TOP = frozenset({"Version", "Id", "Statement"})
_FIELDS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_ACTION = re.compile(r"s3:[A-Za-z*?]+", re.IGNORECASE)
_PRINCIPAL = re.compile(
    r"\*|\d{12}|arn:aws[a-z-]*:iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)"
    r"|arn:aws[a-z-]*:sts::\d{12}:(assumed-role|federated-user)/[\w+=,.@/-]+|A(ID|RO)A[A-Z0-9]{12,}"
)
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_CANONICAL = re.compile(r"[0-9a-f]{64}")
_NAMES = re.compile(r"arn:aws[a-z-]*:(iam)::\d{12}:(user|role)/.+")
_OF_OBJECTS = re.compile(r".*object.*|listmultipartuploadparts|abortmultipartupload|\*.*", re.IGNORECASE)
_OF_BUCKETS = re.compile(r"getbucketobjectlock.*|putbucketobjectlock.*|.*bucketobject.*", re.IGNORECASE)


def check(text: str, bucket: str, known: KnownPrincipal) -> dict[str, Any]:
    """The document, parsed. Raises MalformedPolicy with S3's sentence."""
    parsed = _parsed(text)
    statements = listed(parsed["Statement"])
    if not statements:
        raise MalformedPolicy("Could not parse the policy: Statement is empty!")
    for statement in statements:
        if not isinstance(statement, dict):
            raise MalformedPolicy("Invalid policy syntax.")
        _check_statement(statement, bucket, known)
    _check_sids(statements)
    compile_policy(text, bucket)
    return parsed


def _parsed(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        raise MalformedPolicy("Policies must be valid JSON and the first byte must be '{'")
    if len(text.encode()) > MOST_BYTES:
        raise MalformedPolicy("Policy exceeds the maximum allowed document size.")
    try:
        parsed: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedPolicy("This policy contains invalid Json") from error
    if "Statement" not in parsed:
        raise MalformedPolicy("Missing required field Statement")
    _refuse_unknown(parsed, _TOP)
    if parsed.get("Version", _VERSIONS[1]) not in _VERSIONS:
        raise MalformedPolicy("The policy must contain a valid version string")
    return parsed


def _refuse_unknown(fields: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in fields:
        if name not in known:
            raise MalformedPolicy(f"Unknown field {name}")


def _check_statement(statement: Mapping[str, Any], bucket: str, known: KnownPrincipal) -> None:
    _refuse_unknown(statement, _FIELDS)
    for field in ("Effect", "Principal", "Action", "Resource"):
        there = [name for name in (field, f"Not{field}") if name in statement]
        if not there:
            raise MalformedPolicy(f"Missing required field {field}")
        if len(there) > 1:
            raise MalformedPolicy("Invalid policy syntax.")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise MalformedPolicy(f"Invalid effect: {statement['Effect']}")
    _check_principals(statement.get("Principal", statement.get("NotPrincipal")), known)
    actions = _texts(statement, "Action", "Policy has invalid action")
    if not all(action == "*" or _ACTION.fullmatch(action) for action in actions):
        raise MalformedPolicy("Policy has invalid action")
    _check_resources(statement, actions, bucket)
    _check_conditions(statement.get("Condition"))


def _texts(statement: Mapping[str, Any], field: str, refusal: str) -> list[str]:
    values = listed(statement.get(field, statement.get(f"Not{field}")))
    if not values or not all(isinstance(value, str) and value for value in values):
        raise MalformedPolicy(refusal)
    return values


def _check_principals(block: object, known: KnownPrincipal) -> None:
    if block == "*":
        return
    refused = MalformedPolicy("Invalid principal in policy")
    if not isinstance(block, dict) or not block:
        raise refused
    for kind, names in block.items():
        form = _KINDS.get(kind)
        if form is None or not listed(names):
            raise refused
        for name in listed(names):
            if not isinstance(name, str) or not form.fullmatch(name) or (_NAMES.fullmatch(name) and not known(name)):
                raise refused


_KINDS: Mapping[str, re.Pattern[str]] = {
    "AWS": _PRINCIPAL,
    "Service": _SERVICE,
    "CanonicalUser": _CANONICAL,
    "Federated": re.compile(r".+"),
}


def _check_resources(statement: Mapping[str, Any], actions: list[str], bucket: str) -> None:
    resources = _texts(statement, "Resource", "Policy has invalid resource")
    own = re.compile(rf"arn:aws[a-z-]*:s3:::{re.escape(bucket)}(/.*)?", re.DOTALL)
    if not all(own.fullmatch(resource) for resource in resources):
        raise MalformedPolicy("Policy has invalid resource")
    if "NotAction" in statement or "NotResource" in statement:
        return
    on_objects = any("/" in resource for resource in resources)
    on_bucket = any("/" not in resource for resource in resources)
    for action in actions:
        if not ((on_objects and _may_be_of_object(action)) or (on_bucket and _may_be_of_bucket(action))):
            raise MalformedPolicy("Action does not apply to any resource(s) in statement")


def _may_be_of_object(action: str) -> bool:
    name = action.rpartition(":")[2]
    if "*" in name or "?" in name:
        return True
    return _OF_OBJECTS.fullmatch(name) is not None and _OF_BUCKETS.fullmatch(name) is None


def _may_be_of_bucket(action: str) -> bool:
    name = action.rpartition(":")[2]
    return "*" in name or "?" in name or not _may_be_of_object(action)


def _check_conditions(block: object) -> None:
    if block is None:
        return
    if not isinstance(block, dict) or not all(isinstance(keys, dict) for keys in block.values()):
        raise MalformedPolicy("Invalid policy syntax.")
    for name, keys in block.items():
        for key, values in keys.items():
            if not all(isinstance(value, str | bool | int | float) for value in listed(values)):
                raise MalformedPolicy("Invalid policy syntax.")
            try:
                condition(name, key, values)
            except UnknownOperator as error:
                raise MalformedPolicy(f"Invalid Condition type : {name}") from error
            if ":" not in key:
                raise MalformedPolicy("Policy has an invalid condition key")


def _check_sids(statements: list[Mapping[str, Any]]) -> None:
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if not all(isinstance(sid, str) for sid in sids):
        raise MalformedPolicy("Invalid policy syntax.")
    if len(sids) != len(set(sids)):
        raise MalformedPolicy("Duplicate Statement IDs in a single policy")
