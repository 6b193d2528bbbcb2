"""Whether a policy document is one: IAM's checks and IAM's sentences
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from clary.identity.conditions import UnknownOperator, condition
from clary.identity.policy import MalformedPolicy, listed

_VERSIONS = ("2012-10-17", "2008-10-17")
_TOP = {"Version", "Id", "Statement"}
_COMMON = {"Sid", "Effect", "Action", "NotAction", "Condition"}
_IDENTITY = _COMMON | {"Resource", "NotResource"}
_TRUST = _COMMON | {"Principal"}
_RESOURCE = _IDENTITY | {"Principal"}
_SID = re.compile(r"[A-Za-z0-9]*")
_ANY_SID = re.compile(r"(?s).*")
_VENDOR = re.compile(r"[A-Za-z0-9-]+")
_ARN_PARTS = 6
_TRUSTED_ACTIONS = ("sts:", "*")
_PRINCIPAL_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}


def check_identity_policy(document: str) -> dict[str, Any]:
    """A policy for a user, role, group or session, parsed. Raises MalformedPolicy with IAM's sentence."""
    parsed = _parsed(document)
    if parsed.get("Version") != _VERSIONS[0]:
        raise MalformedPolicy("Policy document must be version 2012-10-17 or greater.")
    for statement in _statements(parsed):
        _check_common(statement, _IDENTITY, "Principal")
        _check_resources(statement)
    return parsed


def check_trust_policy(document: str) -> dict[str, Any]:
    """A role's AssumeRolePolicyDocument, parsed. Raises MalformedPolicy with IAM's sentence."""
    parsed = _parsed(document)
    for statement in _statements(parsed):
        _check_common(statement, _TRUST, "Resource")
        _check_trusted_actions(statement)
        _check_principals(statement)
    return parsed


def check_resource_policy(document: str) -> dict[str, Any]:
    """A resource's own policy, parsed. Raises MalformedPolicy. `NotPrincipal` is none that could be enforced here."""
    parsed = _parsed(document)
    for statement in _statements(parsed, sid=_ANY_SID):
        _check_common(statement, _RESOURCE, "")
        _check_resources(statement)
        _check_principals(statement)
    return parsed


def _parsed(document: str) -> dict[str, Any]:
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise MalformedPolicy("This policy contains invalid Json") from error
    if not isinstance(parsed, dict) or not set(parsed) <= _TOP or "Statement" not in parsed:
        raise MalformedPolicy("Syntax errors in policy.")
    if parsed.get("Version", _VERSIONS[1]) not in _VERSIONS:
        raise MalformedPolicy("The policy must contain a valid version string")
    return parsed


def _statements(parsed: Mapping[str, Any], sid: re.Pattern[str] = _SID) -> list[dict[str, Any]]:
    statements = listed(parsed["Statement"])
    if not all(isinstance(statement, dict) for statement in statements):
        raise MalformedPolicy("Syntax errors in policy.")
    if not statements:
        raise MalformedPolicy("Syntax error: Policy statements cannot be empty.")
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if not all(isinstance(each, str) and sid.fullmatch(each) for each in sids):
        raise MalformedPolicy(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
            "expression [0-9A-Za-z]*"
        )
    if len(sids) != len(set(sids)):
        raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.")
    return statements


def _check_common(statement: Mapping[str, Any], known: set[str], prohibited: str) -> None:
    for field in (prohibited, f"Not{prohibited}"):
        if prohibited and field in statement:
            raise MalformedPolicy(
                f"Policy document should not specify a {prohibited.lower()}."
                if prohibited == "Principal"
                else f"Has prohibited field {field}"
            )
    if not set(statement) <= known or statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy("Syntax errors in policy.")
    _check_actions(statement)
    _check_conditions(statement.get("Condition"))


def _texts(statement: Mapping[str, Any], field: str) -> list[str] | None:
    """What `field` or its negation names; None where neither is there."""
    if field in statement and f"Not{field}" in statement:
        raise MalformedPolicy("Syntax errors in policy.")
    values = statement.get(field, statement.get(f"Not{field}"))
    if values is None:
        return None
    if not all(isinstance(value, str) for value in listed(values)):
        raise MalformedPolicy("Syntax errors in policy.")
    return listed(values)


def _check_actions(statement: Mapping[str, Any]) -> None:
    actions = _texts(statement, "Action")
    if not actions:
        raise MalformedPolicy("Policy statement must contain actions.")
    for action in actions:
        vendor, colon, name = action.partition(":")
        if action == "*":
            continue
        if not colon or not name:
            raise MalformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
        if not _VENDOR.fullmatch(vendor) and vendor != "*":
            raise MalformedPolicy(f"Vendor {vendor} is not valid")


def _check_resources(statement: Mapping[str, Any]) -> None:
    resources = _texts(statement, "Resource")
    if not resources:
        raise MalformedPolicy("Policy statement must contain resources.")
    for resource in resources:
        parts = resource.split(":", _ARN_PARTS - 1)
        if resource != "*" and (parts[0] != "arn" or len(parts) < _ARN_PARTS):
            raise MalformedPolicy(f'Resource {resource} must be in ARN format or "*".')
        if resource != "*" and not re.fullmatch(r"aws(-[a-z-]+)?|\*", parts[1]):
            raise MalformedPolicy(f'Partition "{parts[1]}" is not valid for resource "{resource}".')


def _check_conditions(block: object) -> None:
    if block is None:
        return
    if not isinstance(block, dict) or not all(isinstance(keys, dict) for keys in block.values()):
        raise MalformedPolicy("Syntax errors in policy.")
    for name, keys in block.items():
        for key, values in keys.items():
            _check_condition(name, key, values)


def _check_condition(name: str, key: str, values: object) -> None:
    if not all(isinstance(value, str | bool | int | float) for value in listed(values)):
        raise MalformedPolicy("Syntax errors in policy.")
    try:
        condition(name, key, values)
    except UnknownOperator as error:
        raise MalformedPolicy(f"Invalid Condition type : {name}.") from error
    if ":" not in key:
        raise MalformedPolicy(f"Condition key {key} must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")


def _check_trusted_actions(statement: Mapping[str, Any]) -> None:
    if not all(action.lower().startswith(_TRUSTED_ACTIONS) for action in listed(statement.get("Action", []))):
        raise MalformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")


def _check_principals(statement: Mapping[str, Any]) -> None:
    principal = statement.get("Principal")
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise MalformedPolicy("Missing required field Principal")
    for kind, names in principal.items():
        if kind not in _PRINCIPAL_KINDS or not all(isinstance(name, str) for name in listed(names)):
            raise MalformedPolicy(f"Invalid principal in policy: {json.dumps(principal)}")
