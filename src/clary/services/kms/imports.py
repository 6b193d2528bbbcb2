"""Imported material (https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html)."""

from __future__ import annotations

import time
from dataclasses import replace

from clary.errors import AWSError
from clary.keys import wrapping
from clary.keys.families import regions
from clary.keys.material import Material, fits, kept, root
from clary.keys.rows import materials, pending, whole_or_waiting, without_material
from clary.keys.specs import SYMMETRIC
from clary.services.context import Context
from clary.services.kms.errors import invalid, unsupported, wrong_state
from clary.services.kms.keyed import check_not_going, on_key
from clary.services.kms.rows import change
from clary.services.resources import Output, Params, moment, present
from clary.store.rows import Row

_EXPIRES = "KEY_MATERIAL_EXPIRES"
_NEVER = "KEY_MATERIAL_DOES_NOT_EXPIRE"
_NEW, _EXISTING = "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"


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
    """What was imported before may be imported again, and new material for the next rotation on demand. Raises
    InvalidImportTokenException, ExpiredImportTokenException, InvalidCiphertextException, IncorrectKeyMaterialException,
    KMSInvalidStateException."""
    _check(row)
    expires = _expiry(params)
    material = _material(context, params, row, expires)
    new = params.get("ImportType", _EXISTING if materials(row) else _NEW) == _NEW

    def changed(there: Row) -> Row:
        _check(there)
        return _with_new(there, material) if new else _with_known(there, material)

    change(context, row, changed)
    return {"KeyId": row.arn, "KeyMaterialId": material["id"]}


def _with_known(row: Row, material: Material) -> Row:
    """The same again, wherever it stands. Raises IncorrectKeyMaterialException."""
    waiting = pending(row)
    if waiting is not None and waiting["id"] == material["id"]:
        return replace(row, state={**row.state, "pending": {**waiting, **material}})
    if all(each["id"] != material["id"] for each in materials(row)):
        raise AWSError("IncorrectKeyMaterialException", "")
    every = [_again(each, material) if each["id"] == material["id"] else each for each in materials(row)]
    return whole_or_waiting(replace(row, state={**row.state, "materials": every}))


def _again(before: Material, material: Material) -> Material:
    return {**before, **material, "made": before["made"], "how": before["how"]}


def _with_new(row: Row, material: Material) -> Row:
    """The first is in force at once, another one after a rotation. Raises KMSInvalidStateException,
    UnsupportedOperationException."""
    if not materials(row):
        return whole_or_waiting(replace(row, state={**row.state, "materials": [material]}))
    if any(each["id"] == material["id"] for each in materials(row)):
        return _with_known(row, material)
    if row.spec["KeySpec"] != SYMMETRIC or regions(row):
        raise unsupported(f"{row.arn} cannot be rotated to other imported material.")
    waiting = pending(row)
    if waiting is not None and waiting["id"] != material["id"]:
        raise wrong_state(
            f"New key material (id: {material['id']}) cannot be imported into KMS key {row.arn}, because another key "
            f"material (id: {waiting['id']}) is pending rotation."
        )
    return replace(row, state={**row.state, "pending": material})


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
    if params.get("KeyMaterialId") not in (None, material["id"]):
        raise AWSError("IncorrectKeyMaterialException", "")
    material["expires"] = expires
    if "KeyMaterialDescription" in params:
        material["description"] = params["KeyMaterialDescription"]
    return material


@on_key("DeleteImportedKeyMaterial")
def drop(context: Context, params: Params, row: Row) -> Output:
    """At once: nothing that the key has encrypted can be read until it is imported again. Without an id it is the
    material in force. Raises NotFoundException, UnsupportedOperationException, KMSInvalidStateException."""
    _check(row)
    asked, waiting = params.get("KeyMaterialId"), pending(row)
    known = [each["id"] for each in (*materials(row), *([waiting] if waiting else []))]
    if asked is not None and asked not in known:
        raise AWSError("NotFoundException", f"Key material {asked} of {row.arn} does not exist")
    gone = asked or (materials(row)[-1]["id"] if materials(row) else None)
    change(context, row, lambda there: without_material(there, gone) if gone else there)
    return present({"KeyId": row.arn, "KeyMaterialId": gone})
