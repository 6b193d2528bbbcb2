"""KeyMetadata, from a key's row (https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html)."""

from __future__ import annotations

from clary.keys.families import is_primary, regions
from clary.keys.rows import ENABLED, PENDING_IMPORT, PENDING_REPLICAS, materials
from clary.keys.specs import AGREE, ENCRYPT, MAC, SIGN, SPECS, SYMMETRIC
from clary.services.kms.names import key_arn
from clary.services.resources import Output, moment, present
from clary.store.rows import Row

_ALGORITHMS = {
    ENCRYPT: "EncryptionAlgorithms",
    SIGN: "SigningAlgorithms",
    MAC: "MacAlgorithms",
    AGREE: "KeyAgreementAlgorithms",
}


def algorithms(row: Row) -> Output:
    """The member that names the key's algorithms."""
    usage = row.spec["KeyUsage"]
    return {_ALGORITHMS[usage]: list(SPECS[row.spec["KeySpec"]].algorithms[usage])}


def metadata(row: Row) -> Output:
    """The shape."""
    spec = row.spec
    shown = {
        "AWSAccountId": row.key.account,
        "KeyId": row.key.name,
        "Arn": row.arn,
        "CreationDate": row.created,
        "Enabled": row.status == ENABLED,
        "Description": spec["Description"],
        "KeyUsage": spec["KeyUsage"],
        "KeyState": row.status,
        "DeletionDate": moment(row.state.get("deletes")),
        "Origin": spec["Origin"],
        "KeyManager": spec["KeyManager"],
        "CustomerMasterKeySpec": spec["KeySpec"],
        "KeySpec": spec["KeySpec"],
        "MultiRegion": bool(regions(row)),
        "MultiRegionConfiguration": _family(row),
        "PendingDeletionWindowInDays": row.state.get("window") if row.status == PENDING_REPLICAS else None,
        **algorithms(row),
        **_imported(row),
    }
    if spec["KeySpec"] == SYMMETRIC and materials(row):
        shown["CurrentKeyMaterialId"] = materials(row)[-1]["id"]
    return present(shown)


def _family(row: Row) -> Output | None:
    if not regions(row):
        return None
    primary, *others = ({"Arn": key_arn(each, row.key.account, row.key.name), "Region": each} for each in regions(row))
    kind = "PRIMARY" if is_primary(row) else "REPLICA"
    return {"MultiRegionKeyType": kind, "PrimaryKey": primary, "ReplicaKeys": others}


def _imported(row: Row) -> Output:
    if row.spec["Origin"] != "EXTERNAL" or row.status == PENDING_IMPORT:
        return {}
    until = materials(row)[-1]["expires"]
    model = "KEY_MATERIAL_EXPIRES" if until else "KEY_MATERIAL_DOES_NOT_EXPIRE"
    return {"ExpirationModel": model, "ValidTo": moment(until)}
