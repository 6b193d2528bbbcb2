"""Certificates: of servers, with their keys, and of users, which signed SOAP once. Both are kept
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadServerCertificate.html)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from clary.errors import AWSError
from clary.identity.sealed_text import TextSealer
from clary.names import Arn
from clary.services.context import Context
from clary.services.iam.belongings import SIGNING_CERTIFICATE, belongings
from clary.services.iam.entities import (
    ACTIVE,
    SERVER_CERTIFICATE,
    USER,
    Rows,
    all_of,
    arn_of,
    asked_tags,
    insert,
    key,
    new_row,
    require,
    shown_tags,
)
from clary.services.iam.errors import entity_exists, limit_exceeded, no_such_entity
from clary.services.iam.listing import page
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE
from clary.services.iam.users import user_name
from clary.store.rows import AlreadyExists, Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_PER_USER = 2
_ID_BYTES = 16
_UNREADABLE = "Unable to parse {0}. Please ensure the {0} is in PEM format and not encrypted."


def _certificate(text: str) -> x509.Certificate:
    """Raises MalformedCertificate."""
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
        certificate.public_key()
        certificate.not_valid_after_utc.timestamp()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise AWSError("MalformedCertificate", _UNREADABLE.format("certificate")) from error
    return certificate


def _check_chain(text: str) -> None:
    """Raises MalformedCertificate."""
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise AWSError("MalformedCertificate", _UNREADABLE.format("certificate chain")) from error


def _check_pair(certificate: x509.Certificate, private_key: str) -> None:
    """Raises MalformedCertificate, KeyPairMismatch."""
    try:
        owned = load_pem_private_key(private_key.encode(), None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AWSError("MalformedCertificate", _UNREADABLE.format("key")) from error
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if owned.public_bytes(*form) != certificate.public_key().public_bytes(*form):
        raise AWSError("KeyPairMismatch", "The public key certificate and the private key do not match.")


def require_server_certificate(rows: Rows, account: str, name: str) -> Row:
    """The row. Raises NoSuchEntity."""
    row = rows.get(key(SERVER_CERTIFICATE, account, name))
    if row is None:
        raise no_such_entity(f"The Server Certificate with name {name} cannot be found.")
    return row


def _metadata(row: Row) -> dict[str, Any]:
    members = ("Path", "ServerCertificateName", "ServerCertificateId")
    return {
        **{name: row.spec[name] for name in members},
        "Arn": row.arn,
        "UploadDate": row.created,
        "Expiration": datetime.fromtimestamp(row.spec["expires"], UTC),
    }


@SERVICE.operation("UploadServerCertificate", effect="keeps state")
def upload_server_certificate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The private key is kept sealed, and nothing gives it back."""
    certificate, tags = _certificate(params["CertificateBody"]), asked_tags(params)
    _check_pair(certificate, params["PrivateKey"])
    if "CertificateChain" in params:
        _check_chain(params["CertificateChain"])
    name = params["ServerCertificateName"]
    sealed = TextSealer.of(context.settings.data_dir).seal(params["PrivateKey"], f"server certificate {name}")
    spec = params | {"PrivateKey": sealed, "expires": certificate.not_valid_after_utc.timestamp()}
    row = new_row(SERVER_CERTIFICATE, context.account, spec, {"kept": True})
    write(context, lambda transaction: insert(transaction, SERVER_CERTIFICATE, row, tags))
    return {"ServerCertificateMetadata": _metadata(row), "Tags": shown_tags(tags)}


@SERVICE.operation("GetServerCertificate", effect="keeps state")
def get_server_certificate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader = context.store.read
    row = require_server_certificate(reader, context.account, params["ServerCertificateName"])
    out = {"ServerCertificateMetadata": _metadata(row), "Tags": shown_tags(reader.tags(row.arn))}
    bodies = {name: row.spec[name] for name in ("CertificateBody", "CertificateChain") if name in row.spec}
    return {"ServerCertificate": out | bodies}


@SERVICE.operation("ListServerCertificates", effect="keeps state")
def list_server_certificates(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    rows = all_of(context.store.read, SERVER_CERTIFICATE.kind, context.account)
    chosen = [row for row in rows if row.spec["Path"].startswith(params.get("PathPrefix", "/"))]
    return page("ServerCertificateMetadataList", chosen, params, lambda row: row.key.name, _metadata)


@SERVICE.operation("UpdateServerCertificate", effect="keeps state")
def update_server_certificate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Name and path are part of key and ARN: the row is made anew."""

    def change(transaction: Transaction) -> None:
        row = require_server_certificate(transaction, context.account, params["ServerCertificateName"])
        name = params.get("NewServerCertificateName", row.spec["ServerCertificateName"])
        path, tags = params.get("NewPath", row.spec["Path"]), transaction.tags(row.arn)
        transaction.delete(row.key)
        sealer, spec = TextSealer.of(context.settings.data_dir), dict(row.spec)
        opened = sealer.open(spec["PrivateKey"], f"server certificate {spec['ServerCertificateName']}")
        spec |= {"ServerCertificateName": name, "Path": path}
        spec["PrivateKey"] = sealer.seal(opened, f"server certificate {name}")
        fresh = replace(
            row,
            key=key(SERVER_CERTIFICATE, context.account, name),
            arn=arn_of(SERVER_CERTIFICATE, context.account, path, name),
            spec=spec,
        )
        try:
            transaction.insert(fresh)
        except AlreadyExists as clash:
            raise entity_exists(f"The Server Certificate with name {name} already exists.") from clash
        transaction.set_tags(fresh.arn, tags)

    write(context, change)
    return {}


@SERVICE.operation("DeleteServerCertificate", effect="keeps state")
def delete_server_certificate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    name = params["ServerCertificateName"]
    write(
        context,
        lambda transaction: transaction.delete(require_server_certificate(transaction, context.account, name).key),
    )
    return {}


def _signing(row: Row) -> dict[str, Any]:
    return {
        "UserName": row.spec["UserName"],
        "CertificateId": row.key.name,
        "CertificateBody": row.spec["CertificateBody"],
        "Status": row.status,
        "UploadDate": row.created,
    }


@SERVICE.operation("UploadSigningCertificate", effect="keeps state")
def upload_signing_certificate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    name, body, now = user_name(context, params), params["CertificateBody"], datetime.now(UTC)
    _certificate(body)

    def change(transaction: Transaction) -> Row:
        user = require(transaction, USER, context.account, name)
        if len(belongings(transaction, user, SIGNING_CERTIFICATE)) >= _PER_USER:
            raise limit_exceeded(f"Cannot exceed quota for CertificatesPerUser: {_PER_USER}")
        place = Key(SIGNING_CERTIFICATE, context.account, "", secrets.token_hex(_ID_BYTES).upper())
        arn = str(Arn("iam", "", context.account, f"{SIGNING_CERTIFICATE}/{place.name}"))
        spec = {"UserName": user.spec["UserName"], "CertificateBody": body}
        return transaction.insert(Row(place, arn, ACTIVE, now, now, spec, parent=user.key.name))

    return {"Certificate": _signing(context.store.write(change))}


@SERVICE.operation("ListSigningCertificates", effect="keeps state")
def list_signing_certificates(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader = context.store.read
    user = require(reader, USER, context.account, user_name(context, params))
    rows = belongings(reader, user, SIGNING_CERTIFICATE)
    return page("Certificates", rows, params, lambda row: row.key.name, _signing)


def _of_user(rows: Rows, context: Context, params: dict[str, Any]) -> Row:
    user = require(rows, USER, context.account, user_name(context, params))
    for row in belongings(rows, user, SIGNING_CERTIFICATE):
        if row.key.name == params["CertificateId"]:
            return row
    raise no_such_entity(f"The Certificate with id {params['CertificateId']} cannot be found.")


@SERVICE.operation("UpdateSigningCertificate", effect="keeps state")
def update_signing_certificate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    context.store.write(
        lambda transaction: transaction.save(replace(_of_user(transaction, context, params), status=params["Status"]))
    )
    return {}


@SERVICE.operation("DeleteSigningCertificate", effect="keeps state")
def delete_signing_certificate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    context.store.write(lambda transaction: transaction.delete(_of_user(transaction, context, params).key))
    return {}
