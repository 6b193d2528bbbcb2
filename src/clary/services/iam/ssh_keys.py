"""Public keys of users for CodeCommit, kept
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSSHPublicKey.html)."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
    load_ssh_public_key,
)

from clary.errors import AWSError
from clary.names import Arn, unique_id
from clary.services.context import Context
from clary.services.iam.belongings import SSH_KEY, belongings
from clary.services.iam.entities import ACTIVE, USER, Rows, require
from clary.services.iam.errors import limit_exceeded, no_such_entity
from clary.services.iam.listing import page
from clary.services.iam.service import SERVICE
from clary.services.iam.users import user_name
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_PER_USER = 5
_PEM = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
_DER = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
_SSH = Encoding.OpenSSH, PublicFormat.OpenSSH


def _read(text: str) -> RSAPublicKey:
    """Raises InvalidPublicKey: IAM takes RSA keys only, as ssh-rsa or PEM."""
    load = load_pem_public_key if text.lstrip().startswith("-----") else load_ssh_public_key
    found = None
    with suppress(ValueError, UnsupportedAlgorithm):
        found = load(text.encode())
    if not isinstance(found, RSAPublicKey):
        raise AWSError("InvalidPublicKey", "The public key is malformed, or no RSA key.")
    return found


def _fingerprint(public: RSAPublicKey) -> str:
    """MD5 of the DER, in pairs, as AWS shows it."""
    digits = hashlib.md5(public.public_bytes(*_DER), usedforsecurity=False).hexdigest()
    return ":".join(digits[index : index + 2] for index in range(0, len(digits), 2))


def _metadata(row: Row) -> dict[str, Any]:
    return {
        "UserName": row.spec["UserName"],
        "SSHPublicKeyId": row.key.name,
        "Status": row.status,
        "UploadDate": row.created,
    }


def _shown(row: Row, body: str) -> dict[str, Any]:
    return _metadata(row) | {"Fingerprint": _fingerprint(_read(body)), "SSHPublicKeyBody": body}


@SERVICE.operation("UploadSSHPublicKey", effect="keeps state")
def upload_ssh_public_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    body, now = params["SSHPublicKeyBody"], datetime.now(UTC)
    _read(body)

    def change(transaction: Transaction) -> Row:
        user = require(transaction, USER, context.account, params["UserName"])
        if len(belongings(transaction, user, SSH_KEY)) >= _PER_USER:
            raise limit_exceeded(f"Cannot exceed quota for SSHPublicKeysPerUser: {_PER_USER}")
        place = Key(SSH_KEY, context.account, "", unique_id("APKA"))
        arn = str(Arn("iam", "", context.account, f"{SSH_KEY}/{place.name}"))
        spec = {"UserName": user.spec["UserName"], "SSHPublicKeyBody": body}
        return transaction.insert(Row(place, arn, ACTIVE, now, now, spec, parent=user.key.name))

    return {"SSHPublicKey": _shown(context.store.write(change), body)}


def _require(rows: Rows, context: Context, params: dict[str, Any]) -> Row:
    user = require(rows, USER, context.account, params["UserName"])
    for row in belongings(rows, user, SSH_KEY):
        if row.key.name == params["SSHPublicKeyId"]:
            return row
    raise no_such_entity(f"The Public Key with id {params['SSHPublicKeyId']} cannot be found.")


@SERVICE.operation("GetSSHPublicKey", effect="keeps state")
def get_ssh_public_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = _require(context.store.read, context, params)
    form = _PEM if params["Encoding"] == "PEM" else _SSH
    return {"SSHPublicKey": _shown(row, _read(row.spec["SSHPublicKeyBody"]).public_bytes(*form).decode())}


@SERVICE.operation("ListSSHPublicKeys", effect="keeps state")
def list_ssh_public_keys(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader = context.store.read
    user = require(reader, USER, context.account, user_name(context, params))
    return page("SSHPublicKeys", belongings(reader, user, SSH_KEY), params, lambda row: row.key.name, _metadata)


@SERVICE.operation("UpdateSSHPublicKey", effect="keeps state")
def update_ssh_public_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    context.store.write(
        lambda transaction: transaction.save(replace(_require(transaction, context, params), status=params["Status"]))
    )
    return {}


@SERVICE.operation("DeleteSSHPublicKey", effect="keeps state")
def delete_ssh_public_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    context.store.write(lambda transaction: transaction.delete(_require(transaction, context, params).key))
    return {}
