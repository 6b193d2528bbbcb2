"""Rotation: new material, while what the old has encrypted is still read
(https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html). Automatic ones are a controller's."""

from __future__ import annotations

from dataclasses import replace

from clary.errors import AWSError
from clary.keys.families import is_replica
from clary.keys.material import Material, root
from clary.keys.rows import ON_DEMAND, materials, pending, rotated, rotated_to_pending, rotation_planned
from clary.keys.specs import SYMMETRIC
from clary.services.context import Context
from clary.services.kms.errors import unsupported, wrong_state
from clary.services.kms.keyed import check_not_going, check_usable, on_key
from clary.services.kms.rows import change
from clary.services.placed import page
from clary.services.resources import Output, Params, moment, now, present
from clary.store.rows import Row

_DEFAULT_DAYS = 365
_MOST_ON_DEMAND = 25
_DEFAULT_PAGE = 100


def _check(row: Row, *, imported: bool = False) -> None:
    if row.spec["KeySpec"] != SYMMETRIC:
        raise unsupported()
    if is_replica(row):
        raise unsupported(f"{row.arn} is not a multi-region primary key.")
    if row.spec["Origin"] != "AWS_KMS" and not imported:
        raise unsupported(f"{row.arn} origin is {row.spec['Origin']} which is not valid for this operation.")


@on_key("EnableKeyRotation")
def enable(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException, DisabledException, UnsupportedOperationException."""
    return _planned(context, row, params.get("RotationPeriodInDays") or _DEFAULT_DAYS)


@on_key("DisableKeyRotation")
def disable(context: Context, _params: Params, row: Row) -> Output:
    """Raises NotFoundException, DisabledException, UnsupportedOperationException."""
    return _planned(context, row, None)


def _planned(context: Context, row: Row, days: int | None) -> Output:
    def changed(there: Row) -> Row:
        check_usable(there)
        _check(there)
        if there.state.get("rotation_days") == days:
            return there
        return rotation_planned(there, days, now().timestamp())

    change(context, row, changed)
    return {}


@on_key("GetKeyRotationStatus")
def status(_context: Context, _params: Params, row: Row) -> Output:
    """Raises NotFoundException, UnsupportedOperationException."""
    if row.spec["KeySpec"] != SYMMETRIC:
        return {"KeyId": row.arn, "KeyRotationEnabled": False}
    days = row.state.get("rotation_days")
    said = {
        "KeyRotationEnabled": bool(days),
        "KeyId": row.arn,
        "RotationPeriodInDays": days,
        "NextRotationDate": moment(row.state.get("rotates")),
    }
    return present(said)


@on_key("RotateKeyOnDemand")
def rotate(context: Context, _params: Params, row: Row) -> Output:
    """At once; automatic ones come when they would have. Raises NotFoundException, DisabledException,
    UnsupportedOperationException, LimitExceededException."""
    mark = context.call.invocation_id

    def changed(there: Row) -> Row:
        check_usable(there)
        _check(there, imported=True)
        if mark and there.state.get("rotated_by") == mark:
            return there
        if sum(each["how"] == ON_DEMAND for each in materials(there)) >= _MOST_ON_DEMAND:
            text = "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations "
            raise AWSError("LimitExceededException", f"{text}can be performed for this key: {there.arn}")
        fresh = _fresh(context, there)
        return replace(fresh, state={**fresh.state, "rotated_by": mark})

    change(context, row, changed)
    return {"KeyId": row.arn}


def _fresh(context: Context, row: Row) -> Row:
    """With new material, or with what was imported for it. Raises KMSInvalidStateException."""
    if row.spec["Origin"] == "AWS_KMS":
        return rotated(row, root(context.settings.data_dir), ON_DEMAND, now().timestamp())
    waiting = pending(row)
    if waiting is None:
        raise wrong_state(f"No available key material pending rotation for the key: {row.arn}.")
    return rotated_to_pending(row, waiting, now().timestamp())


@on_key("ListKeyRotations")
def list_(_context: Context, params: Params, row: Row) -> Output:
    """Oldest first. Raises NotFoundException, UnsupportedOperationException."""
    check_not_going(row)
    if row.spec["KeySpec"] != SYMMETRIC:
        raise unsupported()
    everything = params.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
    waiting = pending(row)
    known = [*materials(row), *([waiting] if waiting else [])]
    placed = [([number], _entry(row, each)) for number, each in enumerate(known) if each["how"] or everything]
    asked = {"NextToken": params.get("Marker"), "key": row.arn, "all": everything}
    shown, token = page(placed, asked, params.get("Limit") or _DEFAULT_PAGE, descending=False)
    return {**present({"Rotations": shown, "NextMarker": token}), "Truncated": token is not None}


def _entry(row: Row, material: Material) -> Output:
    state = "CURRENT" if material is materials(row)[-1] else "NON_CURRENT"
    said = {
        "KeyId": row.arn,
        "KeyMaterialId": material["id"],
        "KeyMaterialState": "PENDING_ROTATION" if material is pending(row) else state,
        "RotationDate": moment(material["made"]) if material["how"] else None,
        "RotationType": material["how"] or None,
        "KeyMaterialDescription": material.get("description"),
        **_imported(row, material),
    }
    return present(said)


def _imported(row: Row, material: Material) -> Output:
    if row.spec["Origin"] != "EXTERNAL":
        return {}
    if not material["sealed"]:
        return {"ImportState": "PENDING_IMPORT"}
    model = "KEY_MATERIAL_EXPIRES" if material["expires"] else "KEY_MATERIAL_DOES_NOT_EXPIRE"
    return {"ImportState": "IMPORTED", "ExpirationModel": model, "ValidTo": moment(material["expires"])}
