"""IAM: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clary.calls import Access, Call, Principal
from clary.errors import AWSError
from clary.names import Arn
from clary.services.iam.entities import (
    GROUP,
    INSTANCE_PROFILE,
    ROLE,
    SERVER_CERTIFICATE,
    SERVICE_LINKED_PATH,
    USER,
    arn_of,
    asked_tags,
)
from clary.services.registry import Service

_ENTITIES_BY_WEIGHT = (INSTANCE_PROFILE, SERVER_CERTIFICATE, GROUP, ROLE, USER)
"""AddUserToGroup names a group and a user: the right is on the group."""

_ARN_MEMBERS = ("PolicyArn", "PolicySourceArn", "OpenIDConnectProviderArn", "SAMLProviderArn", "SerialNumber", "Arn")

_OWN = frozenset(
    {
        "GetUser",
        "ChangePassword",
        *(f"{verb}LoginProfile" for verb in ("Create", "Get", "Delete")),
        *(f"{verb}AccessKey" for verb in ("Create", "Update", "Delete")),
        *(f"{verb}SigningCertificate" for verb in ("Upload", "Update", "Delete")),
        *(f"List{what}" for what in ("AccessKeys", "SigningCertificates", "SSHPublicKeys", "MFADevices")),
        "DeactivateMFADevice",
        "ListServiceSpecificCredentials",
        *(f"{verb}ServiceSpecificCredential" for verb in ("Reset", "Update", "Delete")),
    }
)
"""Without UserName these are about the caller."""


def _entity_arn(account: str, params: dict[str, Any]) -> str | None:
    for entity in _ENTITIES_BY_WEIGHT:
        if entity.name_member in params:
            return arn_of(entity, account, params.get("Path", "/"), params[entity.name_member])
    return None


def _made_arn(call: Call) -> str | None:
    """What these operations make has a name of its own kind."""
    account, params = call.principal.account, call.params
    match call.operation:
        case "CreatePolicy":
            found = f"policy{params.get('Path', '/')}{params['PolicyName']}"
        case "CreateVirtualMFADevice":
            found = f"mfa{params.get('Path', '/')}{params['VirtualMFADeviceName']}"
        case "CreateOpenIDConnectProvider":
            found = f"oidc-provider/{params['Url'].removeprefix('https://')}"
        case "CreateSAMLProvider":
            found = f"saml-provider/{params['Name']}"
        case "CreateServiceLinkedRole":
            found = f"role{SERVICE_LINKED_PATH}{params['AWSServiceName']}/*"
        case _:
            return None
    return str(Arn("iam", "", account, found))


def _named_arn(params: dict[str, Any]) -> str | None:
    return next((str(params[member]) for member in _ARN_MEMBERS if params.get(member)), None)


def _resource(call: Call) -> str:
    account, params = call.principal.account, call.params
    made = _made_arn(call) or _entity_arn(account, params)
    own = call.operation in _OWN and not params.get("AllUsers")
    if made is None and own and call.principal.kind == "user":
        return call.principal.identity
    return made or _named_arn(params) or "*"


def _context(params: dict[str, Any]) -> dict[str, str | Sequence[str]]:
    keys: dict[str, str | Sequence[str]] = {}
    for member, name in (
        ("PolicyArn", "iam:PolicyARN"),
        ("PermissionsBoundary", "iam:PermissionsBoundary"),
        ("AWSServiceName", "iam:AWSServiceName"),
    ):
        if member in params:
            keys[name] = params[member]
    tags = asked_tags(params)
    keys |= {f"aws:RequestTag/{name}": value for name, value in tags.items()}
    if tags or "TagKeys" in params:
        keys["aws:TagKeys"] = list(tags) or params["TagKeys"]
    return keys


def _check_credentials(principal: Principal) -> None:
    """Sessions of GetFederationToken never reach IAM, those of GetSessionToken only where a device was asked
    (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html)."""
    alone = principal.kind == "user" and principal.session_context.get("aws:MultiFactorAuthPresent") == "false"
    if alone or principal.kind == "federated-user":
        raise AWSError("InvalidClientTokenId", "The security token included in the request is invalid", status=403)


def access(call: Call) -> list[Access]:
    """`iam:<Operation>` on the entity or policy that is named. An existing entity's path is not in its name: the
    directory knows it (`clary.identity.places`)."""
    _check_credentials(call.principal)
    if call.operation == "ChangePassword":
        return []  # who may is also the account's password policy's to say
    return [Access(f"iam:{call.operation}", _resource(call), _context(call.params))]


SERVICE = Service("iam", access, "clary.services.iam.operations")
