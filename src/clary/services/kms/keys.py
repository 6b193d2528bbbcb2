"""CreateKey, DescribeKey, ListKeys, EnableKey, DisableKey, UpdateKeyDescription
(https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.keys.ciphertext import MULTI_REGION
from clary.keys.families import in_regions
from clary.keys.material import generated, kept, root
from clary.keys.rows import DISABLED, ENABLED, KIND, PENDING_IMPORT
from clary.keys.specs import ENCRYPT, SPECS, SYMMETRIC
from clary.services.context import Context
from clary.services.kms import policy_documents
from clary.services.kms.errors import invalid, unsupported
from clary.services.kms.key_view import metadata
from clary.services.kms.keyed import check_not_going, check_usable, on_key
from clary.services.kms.names import key_arn
from clary.services.kms.rows import change, page
from clary.services.kms.service import SERVICE
from clary.services.kms.tags import checked
from clary.services.resources import MADE_BY, Output, Params, made_before, now
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_EXTERNAL = "EXTERNAL"
_ORIGINS = ("AWS_KMS", _EXTERNAL)


@SERVICE.operation("CreateKey")
def create(context: Context, params: Params) -> Output:
    """Raises MalformedPolicyDocumentException, TagException, UnsupportedOperationException."""
    spec, tags = _spec(params), checked(params.get("Tags") or ())
    key, made = Key(KIND, context.account, context.region, _name(context, params)), now()
    arn = key_arn(key.region, key.account, key.name)
    spec["Policy"] = params.get("Policy") or policy_documents.default(key.account)
    if params.get("Policy"):
        lockout = not params.get("BypassPolicyLockoutSafetyCheck")
        policy_documents.check(context, spec["Policy"], arn, lockout=lockout)
    row = Row(key, arn, ENABLED, made, made, spec, {MADE_BY: context.call.invocation_id})
    row = in_regions(row, [key.region]) if params.get("MultiRegion") else row
    row = _with_material(context, row)

    def write(transaction: Transaction) -> Row:
        there = transaction.get(key)
        if there is not None and made_before(context, there):
            return there
        stored = transaction.insert(row)
        transaction.set_tags(arn, tags)
        return stored

    return {"KeyMetadata": metadata(context.store.write(write))}


def _with_material(context: Context, row: Row) -> Row:
    if row.spec["Origin"] == _EXTERNAL:
        return replace(row, status=PENDING_IMPORT, state={**row.state, "materials": []})
    data = generated(row.spec["KeySpec"])
    first = kept(root(context.settings.data_dir), row.key.name, data, row.created.timestamp())
    return replace(row, state={**row.state, "materials": [first]})


def _name(context: Context, params: Params) -> str:
    """A multi-Region key's is told from others."""
    name = _new_id(context)
    return f"{MULTI_REGION}{name.hex}" if params.get("MultiRegion") else str(name)


def _new_id(context: Context) -> uuid.UUID:
    """The same for a call that is tried again: control was killed before it could answer."""
    call = context.call
    if not call.invocation_id:
        return uuid.uuid4()
    said = "\n".join((call.principal.arn, call.region, call.invocation_id))
    return uuid.uuid5(uuid.NAMESPACE_URL, said)


def _spec(params: Params) -> Params:
    spec = params.get("KeySpec") or params.get("CustomerMasterKeySpec") or SYMMETRIC
    origin, usage = params.get("Origin") or _ORIGINS[0], params.get("KeyUsage")
    if usage is None and spec != SYMMETRIC:
        raise invalid("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
    usage = usage or ENCRYPT
    if spec not in SPECS:
        raise unsupported(f"KeySpec {spec} is not offered by Clary.")
    if usage not in SPECS[spec].algorithms:
        raise invalid(f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    if origin not in _ORIGINS or params.get("CustomKeyStoreId") or params.get("XksKeyId"):
        raise unsupported("Custom key stores are not offered by Clary.")
    return {
        "KeySpec": spec,
        "KeyUsage": usage,
        "Origin": origin,
        "Description": params.get("Description") or "",
        "KeyManager": "CUSTOMER",
    }


@on_key("DescribeKey", aliases=True)
def describe(_context: Context, _params: Params, row: Row) -> Output:
    """Raises NotFoundException."""
    return {"KeyMetadata": metadata(row)}


@SERVICE.operation("ListKeys")
def list_(context: Context, params: Params) -> Output:
    """By id. Raises InvalidMarkerException."""
    return page(context, KIND, params, "Keys", lambda row: {"KeyId": row.key.name, "KeyArn": row.arn})


@on_key("EnableKey")
def enable(context: Context, _params: Params, row: Row) -> Output:
    """Raises NotFoundException, KMSInvalidStateException."""
    return _switched(context, row, ENABLED)


@on_key("DisableKey")
def disable(context: Context, _params: Params, row: Row) -> Output:
    """Raises NotFoundException, KMSInvalidStateException."""
    return _switched(context, row, DISABLED)


def _switched(context: Context, row: Row, status: str) -> Output:
    def changed(there: Row) -> Row:
        if there.status != DISABLED:
            check_usable(there)
        return replace(there, status=status)

    change(context, row, changed)
    return {}


@on_key("UpdateKeyDescription")
def update_description(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException, KMSInvalidStateException."""

    def changed(there: Row) -> Row:
        check_not_going(there)
        return replace(there, spec={**there.spec, "Description": params["Description"]})

    change(context, row, changed)
    return {}
