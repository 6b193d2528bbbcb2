"""Identity providers: OpenID Connect's, by which AssumeRoleWithWebIdentity knows tokens, and SAML's, which are kept
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html)."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.names import Arn
from clary.services.context import Context
from clary.services.iam.account import OIDC_PROVIDER, SAML_PROVIDER
from clary.services.iam.entities import Rows, all_of, asked_tags, save, shown_tags
from clary.services.iam.errors import entity_exists, invalid_input, limit_exceeded, no_such_entity, validation
from clary.services.iam.service import SERVICE
from clary.store.rows import AlreadyExists, Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_CLIENT_IDS_AT_MOST = 100
_THUMBPRINTS_AT_MOST = 5
_THUMBPRINT = re.compile(r"[0-9a-fA-F]{40}")
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~%!$&'()*+,;=:@-]*)*")
"""As RFC 3986 spells host, port and path: no query, no fragment, no user."""

_METADATA = "{urn:oasis:names:tc:SAML:2.0:metadata}EntityDescriptor"


def _row(kind: str, account: str, name: str, spec: dict[str, Any]) -> Row:
    now = datetime.now(UTC)
    arn = str(Arn("iam", "", account, f"{kind}/{name}"))
    return Row(Key(kind, account, "", name), arn, "", now, now, spec)


def _insert(context: Context, row: Row, params: dict[str, Any], clash: str) -> list[dict[str, str]]:
    tags = asked_tags(params)

    def change(transaction: Transaction) -> None:
        try:
            transaction.insert(row)
        except AlreadyExists as error:
            raise entity_exists(clash) from error
        transaction.set_tags(row.arn, tags)

    context.store.write(change)
    return shown_tags(tags)


def require_provider(rows: Rows, kind: str, account: str, arn: str) -> Row:
    """The row. Raises NoSuchEntity."""
    row = rows.by_arn(arn)
    if row is None or (row.key.kind, row.key.account) != (kind, account):
        what = "OpenIDConnect Provider" if kind == OIDC_PROVIDER else "Manifest"
        raise no_such_entity(f"{what} not found for arn {arn}")
    return row


def _change(context: Context, kind: str, arn: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401
    context.store.write(
        lambda transaction: save(transaction, require_provider(transaction, kind, context.account, arn), spec=members)
    )
    return {}


def _checked_url(text: str) -> str:
    """Host and path, which name the provider. Raises ValidationError."""
    if not _URL.fullmatch(text):
        raise validation("Invalid Open ID Connect Provider URL")
    return text.removeprefix("https://").rstrip("/")


def _checked_thumbprints(values: list[str]) -> list[str]:
    if len(values) > _THUMBPRINTS_AT_MOST:
        raise invalid_input("Thumbprint list must contain fewer than 5 entries.")
    if not all(_THUMBPRINT.fullmatch(value) for value in values):
        raise validation("Thumbprints must be 40 hexadecimal digits.")
    return values


def _checked_clients(values: list[str]) -> list[str]:
    if len(values) > _CLIENT_IDS_AT_MOST:
        raise limit_exceeded(f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {_CLIENT_IDS_AT_MOST}")
    return list(dict.fromkeys(values))


@SERVICE.operation("CreateOpenIDConnectProvider")
def create_open_id_connect_provider(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    name = _checked_url(params["Url"])
    spec = {
        "Url": name,
        "ClientIDList": _checked_clients(params.get("ClientIDList", [])),
        "ThumbprintList": _checked_thumbprints(params.get("ThumbprintList", [])),
    }
    row = _row(OIDC_PROVIDER, context.account, name, spec)
    tags = _insert(context, row, params, f"Provider with url https://{name} already exists.")
    return {"OpenIDConnectProviderArn": row.arn, "Tags": tags}


@SERVICE.operation("GetOpenIDConnectProvider")
def get_open_id_connect_provider(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader = context.store.read
    row = require_provider(reader, OIDC_PROVIDER, context.account, params["OpenIDConnectProviderArn"])
    return {**row.spec, "CreateDate": row.created, "Tags": shown_tags(reader.tags(row.arn))}


@SERVICE.operation("ListOpenIDConnectProviders")
def list_open_id_connect_providers(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    rows = all_of(context.store.read, OIDC_PROVIDER, context.account)
    return {"OpenIDConnectProviderList": [{"Arn": row.arn} for row in rows]}


@SERVICE.operation("UpdateOpenIDConnectProviderThumbprint")
def update_thumbprint(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    checked = _checked_thumbprints(params["ThumbprintList"])
    return _change(context, OIDC_PROVIDER, params["OpenIDConnectProviderArn"], ThumbprintList=checked)


@SERVICE.operation("AddClientIDToOpenIDConnectProvider")
def add_client_id(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    arn = params["OpenIDConnectProviderArn"]
    row = require_provider(context.store.read, OIDC_PROVIDER, context.account, arn)
    clients = _checked_clients([*row.spec["ClientIDList"], params["ClientID"]])
    return _change(context, OIDC_PROVIDER, arn, ClientIDList=clients)


@SERVICE.operation("RemoveClientIDFromOpenIDConnectProvider")
def remove_client_id(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    arn = params["OpenIDConnectProviderArn"]
    row = require_provider(context.store.read, OIDC_PROVIDER, context.account, arn)
    clients = [each for each in row.spec["ClientIDList"] if each != params["ClientID"]]
    return _change(context, OIDC_PROVIDER, arn, ClientIDList=clients)


def _delete(context: Context, kind: str, arn: str) -> dict[str, Any]:
    context.store.write(
        lambda transaction: transaction.delete(require_provider(transaction, kind, context.account, arn).key)
    )
    return {}


@SERVICE.operation("DeleteOpenIDConnectProvider")
def delete_open_id_connect_provider(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return _delete(context, OIDC_PROVIDER, params["OpenIDConnectProviderArn"])


def _valid_until(text: str) -> str:
    """What a SAML metadata document says of its end, empty where it says nothing. Raises InvalidInput."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # entities can be made to fill the memory
        raise invalid_input("Could not parse metadata")
    try:
        root = ET.fromstring(text)  # noqa: S314 — without a document type there are no entities
    except ET.ParseError as error:
        raise invalid_input("Could not parse metadata") from error
    if root.tag != _METADATA:
        raise invalid_input("Could not parse metadata")
    return root.get("validUntil", "")


def _until(row: Row) -> dict[str, Any]:
    try:
        return {"ValidUntil": datetime.fromisoformat(row.spec["ValidUntil"])} if row.spec["ValidUntil"] else {}
    except ValueError:
        return {}


@SERVICE.operation("CreateSAMLProvider", effect="keeps state")
def create_saml_provider(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    document = params["SAMLMetadataDocument"]
    spec = {
        "SAMLMetadataDocument": document,
        "ValidUntil": _valid_until(document),
        "AssertionEncryptionMode": params.get("AssertionEncryptionMode", "Allowed"),
        "SAMLProviderUUID": uuid.uuid4().hex,
    }
    if "AddPrivateKey" in params:
        raise invalid_input("Clary decrypts no SAML assertions: AddPrivateKey is not supported.")
    row = _row(SAML_PROVIDER, context.account, params["Name"], spec)
    tags = _insert(context, row, params, f"Provider {params['Name']} already exists.")
    return {"SAMLProviderArn": row.arn, "Tags": tags}


@SERVICE.operation("GetSAMLProvider", effect="keeps state")
def get_saml_provider(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader = context.store.read
    row = require_provider(reader, SAML_PROVIDER, context.account, params["SAMLProviderArn"])
    return {
        **{name: value for name, value in row.spec.items() if name != "ValidUntil"},
        **_until(row),
        "CreateDate": row.created,
        "Tags": shown_tags(reader.tags(row.arn)),
    }


@SERVICE.operation("ListSAMLProviders", effect="keeps state")
def list_saml_providers(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    rows = all_of(context.store.read, SAML_PROVIDER, context.account)
    return {"SAMLProviderList": [{"Arn": row.arn, "CreateDate": row.created, **_until(row)} for row in rows]}


@SERVICE.operation("UpdateSAMLProvider", effect="keeps state")
def update_saml_provider(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    if "AddPrivateKey" in params or "RemovePrivateKey" in params:
        raise invalid_input("Clary decrypts no SAML assertions: AddPrivateKey is not supported.")
    members: dict[str, Any] = {
        name: params[name] for name in ("SAMLMetadataDocument", "AssertionEncryptionMode") if name in params
    }
    if "SAMLMetadataDocument" in members:
        members["ValidUntil"] = _valid_until(members["SAMLMetadataDocument"])
    _change(context, SAML_PROVIDER, params["SAMLProviderArn"], **members)
    return {"SAMLProviderArn": params["SAMLProviderArn"]}


@SERVICE.operation("DeleteSAMLProvider", effect="keeps state")
def delete_saml_provider(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return _delete(context, SAML_PROVIDER, params["SAMLProviderArn"])
