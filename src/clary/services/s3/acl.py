"""Access control lists: what is granted to whom
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html).

A list is kept as the API writes it, `Owner` and `Grants`; a bucket or object without one has its owner's full control.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from clary.errors import AWSError
from clary.identity.principals import canonical_user
from clary.objects.model import Bucket
from clary.services.s3.errors import invalid_argument, invalid_request

Acl = dict[str, Any]
Params = Mapping[str, Any]

SETTING = "Acl"
FULL_CONTROL = "FULL_CONTROL"
PERMISSIONS = (FULL_CONTROL, "READ", "WRITE", "READ_ACP", "WRITE_ACP")
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
PUBLIC = frozenset({ALL_USERS, AUTHENTICATED_USERS})

_GROUPS = PUBLIC | {LOG_DELIVERY}
_CANNED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "public-read": ((ALL_USERS, "READ"),),
    "public-read-write": ((ALL_USERS, "READ"), (ALL_USERS, "WRITE")),
    "authenticated-read": ((AUTHENTICATED_USERS, "READ"),),
    "aws-exec-read": (),
    "log-delivery-write": ((LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")),
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
}
"""What each grants beside the owner's full control."""

_TO_BUCKET_OWNER = {"bucket-owner-read": "READ", "bucket-owner-full-control": FULL_CONTROL}
_HEADERS = (
    ("GrantFullControl", "x-amz-grant-full-control", FULL_CONTROL),
    ("GrantRead", "x-amz-grant-read", "READ"),
    ("GrantReadACP", "x-amz-grant-read-acp", "READ_ACP"),
    ("GrantWrite", "x-amz-grant-write", "WRITE"),
    ("GrantWriteACP", "x-amz-grant-write-acp", "WRITE_ACP"),
)
_NAMED = re.compile(r'\s*(\w+)\s*=\s*"?([^"]*)"?\s*')
_CANONICAL = re.compile(r"[0-9a-f]{64}")
_MOST_GRANTS = 100


def private(account: str) -> Acl:
    """The owner has full control, and nobody else anything."""
    return {"Owner": {"ID": canonical_user(account)}, "Grants": [_grant_to(canonical_user(account), FULL_CONTROL)]}


def of_bucket(bucket: Bucket) -> Acl:
    """The bucket's list."""
    return bucket.settings.get(SETTING) or private(bucket.account)


def owner_only(acl: Acl, account: str) -> bool:
    """Whether it says no more than what holds anyway."""
    return all(grant["Grantee"].get("ID") == canonical_user(account) for grant in acl["Grants"])


def is_public(acl: Acl) -> bool:
    """Whether it grants something to everybody, or to everybody who has an account."""
    return any(grant["Grantee"].get("URI") in PUBLIC for grant in acl["Grants"])


def by_headers(params: Params) -> bool:
    """Whether the request's headers name a list."""
    return bool(params.get("ACL")) or any(params.get(member) for member, _, _ in _HEADERS)


def asked(params: Params, owner: str, bucket_owner: str) -> Acl:
    """The list that the headers name, `x-amz-acl` or `x-amz-grant-…`; accounts own. Raises InvalidArgument,
    InvalidRequest, UnresolvableGrantByEmailAddress."""
    grants = [each for member, header, right in _HEADERS for each in _named(params.get(member) or "", header, right)]
    if params.get("ACL") and grants:
        raise invalid_request("Specifying both Canned ACLs and Header Grants is not allowed")
    if grants:
        return {"Owner": {"ID": canonical_user(owner)}, "Grants": grants}
    return canned(params.get("ACL") or "private", owner, bucket_owner)


def canned(name: str, owner: str, bucket_owner: str) -> Acl:
    """One of S3's own. Raises InvalidArgument."""
    if name not in _CANNED:
        raise invalid_argument("", "x-amz-acl", name)
    acl = private(owner)
    acl["Grants"] += [_grant_to_group(uri, right) for uri, right in _CANNED[name]]
    if name in _TO_BUCKET_OWNER and bucket_owner != owner:
        acl["Grants"].append(_grant_to(canonical_user(bucket_owner), _TO_BUCKET_OWNER[name]))
    return acl


def given(document: Mapping[str, Any], owner: str) -> Acl:
    """The list that a request's body is. Raises MalformedACLError, InvalidArgument, AccessDenied."""
    grants, of = document.get("Grants"), document.get("Owner") or {}
    if grants is None or not of.get("ID") or len(grants) > _MOST_GRANTS:
        raise _malformed()
    _check_id(of["ID"], "CanonicalUser/ID")
    if of["ID"] != owner:
        raise AWSError("AccessDenied", "Access Denied", status=403)
    return {"Owner": {"ID": owner}, "Grants": [_checked(grant) for grant in grants]}


def _checked(grant: Mapping[str, Any]) -> dict[str, Any]:
    grantee = grant.get("Grantee") or {}
    if grant.get("Permission") not in PERMISSIONS:
        raise _malformed()
    kind = grantee.get("Type")
    if kind == "CanonicalUser" and grantee.get("ID"):
        _check_id(grantee["ID"], "CanonicalUser/ID")
        return _grant_to(grantee["ID"], grant["Permission"])
    if kind == "Group" and grantee.get("URI"):
        _check_group(grantee["URI"], "Group/URI")
        return _grant_to_group(grantee["URI"], grant["Permission"])
    if kind == "AmazonCustomerByEmail" and grantee.get("EmailAddress"):
        raise _unresolvable(grantee["EmailAddress"])
    raise _malformed()


def _named(text: str, header: str, permission: str) -> list[dict[str, Any]]:
    """`id="…", uri="…"`."""
    return [_one(part, header, text, permission) for part in text.split(",")] if text else []


def _one(part: str, header: str, text: str, permission: str) -> dict[str, Any]:
    found = _NAMED.fullmatch(part)
    reader = _GRANTEES.get(found[1]) if found else None
    if found is None or reader is None:
        raise invalid_argument("Argument format not recognized", header, text)
    return reader(found[2], permission)


def _by_id(value: str, permission: str) -> dict[str, Any]:
    _check_id(value, "id")
    return _grant_to(value, permission)


def _by_uri(value: str, permission: str) -> dict[str, Any]:
    _check_group(value, "uri")
    return _grant_to_group(value, permission)


def _by_email(value: str, _permission: str) -> dict[str, Any]:
    raise _unresolvable(value)


_GRANTEES: Mapping[str, Callable[[str, str], dict[str, Any]]] = {
    "id": _by_id,
    "uri": _by_uri,
    "emailAddress": _by_email,
}


def _check_id(value: str, name: str) -> None:
    if not _CANONICAL.fullmatch(value):
        raise invalid_argument("Invalid id", name, value)


def _check_group(uri: str, name: str) -> None:
    if uri not in _GROUPS:
        raise invalid_argument("Invalid group uri", name, uri)


def _grant_to(identifier: str, permission: str) -> dict[str, Any]:
    return {"Grantee": {"ID": identifier, "Type": "CanonicalUser"}, "Permission": permission}


def _grant_to_group(uri: str, permission: str) -> dict[str, Any]:
    return {"Grantee": {"URI": uri, "Type": "Group"}, "Permission": permission}


def _malformed() -> AWSError:
    what = "The XML you provided was not well-formed or did not validate against our published schema"
    return AWSError("MalformedACLError", what)


def _unresolvable(address: str) -> AWSError:
    """Nobody has an address here."""
    what = "The e-mail address you provided does not match any account on record."
    return AWSError("UnresolvableGrantByEmailAddress", what, members={"EmailAddress": address})
