"""Imported material (https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html)."""

from __future__ import annotations

import time
from dataclasses import replace

from clary.errors import AWSError
from clary.keys import wrapping
from clary.keys.material import Material, fits, kept, root
from clary.keys.rows import ENABLED, PENDING_IMPORT, materials, without_material
from clary.services.context import Context
from clary.services.kms.errors import invalid, unsupported
from clary.services.kms.keyed import check_not_going, on_key
from clary.services.kms.rows import change
from clary.services.resources import Output, Params, moment, present
from clary.store.rows import Row

_EXPIRES = "KEY_MATERIAL_EXPIRES"
_NEVER = "KEY_MATERIAL_DOES_NOT_EXPIRE"


def _check(row: Row) -> None:
    check_not_going(row)
    if row.spec["Origin"] != "EXTERNAL":
        raise unsupported(f"{row.arn} origin is {row.spec['Origin']} which is not valid for this operation.")


@on_key("GetParametersForImport")
def parameters(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException, UnsupportedOperationException."""
    _check(row)
    spec, algorithm, now = params["WrappingKeySpec"], params["WrappingAlgorithm"], time.time()
    if not spec.startswith("RSA") or algorithm == "SM2PKE":
        raise unsupported("Wrapping by SM2 is not offered by Clary.")
    key, token = wrapping.offer(root(context.settings.data_dir), row.key.name, spec, algorithm, now)
    until = moment(now + wrapping.GOOD_FOR)
    return {"KeyId": row.arn, "ImportToken": token, "PublicKey": key, "ParametersValidTo": until}


@on_key("ImportKeyMaterial")
def take(context: Context, params: Params, row: Row) -> Output:
    """The same material may be imported again, no other. Raises InvalidImportTokenException,
    ExpiredImportTokenException, InvalidCiphertextException, IncorrectKeyMaterialException."""
    _check(row)
    expires = _expiry(params)
    material = _material(context, params, row, expires)

    def changed(there: Row) -> Row:
        _check(there)
        before = materials(there)
        if before and before[-1]["id"] != material["id"]:
            raise AWSError("IncorrectKeyMaterialException", "")
        status = ENABLED if there.status == PENDING_IMPORT else there.status
        return replace(there, status=status, state={**there.state, "materials": [material]})

    change(context, row, changed)
    return {"KeyId": row.arn, "KeyMaterialId": material["id"]}


def _expiry(params: Params) -> float | None:
    model, until = params.get("ExpirationModel") or _EXPIRES, params.get("ValidTo")
    if model == _NEVER:
        if until is not None:
            raise invalid(f"A validTo date cannot be set if the ExpirationModel is {_NEVER}")
        return None
    if until is None:
        raise invalid(f"A validTo date must be set if the ExpirationModel is {_EXPIRES}")
    if until.timestamp() <= time.time():
        raise invalid("The ValidTo date must be in the future.")
    return float(until.timestamp())


def _material(context: Context, params: Params, row: Row, expires: float | None) -> Material:
    sealer, now = root(context.settings.data_dir), time.time()
    try:
        data = wrapping.taken(sealer, row.key.name, params["ImportToken"], params["EncryptedKeyMaterial"], now)
    except wrapping.OldToken:
        raise AWSError("ExpiredImportTokenException", "") from None
    except wrapping.ForeignToken:
        raise AWSError("InvalidImportTokenException", "") from None
    except wrapping.BadImport:
        raise AWSError("InvalidCiphertextException", "") from None
    if not fits(row.spec["KeySpec"], data):
        raise AWSError("IncorrectKeyMaterialException", "")
    material = kept(sealer, row.key.name, data, now)
    material["expires"] = expires
    return material


@on_key("DeleteImportedKeyMaterial")
def drop(context: Context, _params: Params, row: Row) -> Output:
    """At once: nothing that the key has encrypted can be read until it is imported again. Raises NotFoundException,
    UnsupportedOperationException."""
    _check(row)
    change(context, row, without_material)
    newest = materials(row)[-1]["id"] if materials(row) else None
    return present({"KeyId": row.arn, "KeyMaterialId": newest})
