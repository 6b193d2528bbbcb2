"""What answers show of a function and its versions
(https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clary.lifecycles.function import ACTIVE, FAILED, PENDING, VERSION_KIND
from clary.services.lambda_.images import is_image
from clary.services.lambda_.references import LATEST
from clary.services.resources import Output, present
from clary.store.rows import Row
from clary.workload.functions.code import base64_digest

_HIDDEN = frozenset({"Code", "LayerCode", "Version", "Image", "ImageUri", "ImageConfig"})


def configuration(row: Row, arn: str | None = None) -> Output:
    """A FunctionConfiguration; `arn` where it was asked for by another (an alias's)."""
    version = row.spec.get("Version", LATEST)
    shown: dict[str, Any] = {name: value for name, value in row.spec.items() if name not in _HIDDEN}
    if not shown.get("Layers"):
        shown.pop("Layers", None)
    return present(
        {
            **shown,
            "FunctionArn": arn or row.arn,
            "Version": version,
            "CodeSha256": code_sha256(row.spec),
            "LastModified": moment(row.modified if row.key.kind != VERSION_KIND else row.created),
            "RevisionId": row.state["revision"],
            "SnapStart": {**row.spec["SnapStart"], "OptimizationStatus": "Off"},
            **_runtime(row),
            **_states(row),
        }
    )


def moment(at: datetime) -> str:
    """`2024-01-31T12:00:00.000+0000`: Lambda's times are text."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"


def code_sha256(spec: Mapping[str, Any]) -> str:
    """Of a zip in base64; of an image its digest in hex, and of one that only the engine knows, its name's."""
    if not is_image(spec):
        return base64_digest(spec["Code"])
    name, _, digest = spec["Image"].partition("@sha256:")
    return digest or hashlib.sha256(name.encode()).hexdigest()


def _runtime(row: Row) -> Output:
    if is_image(row.spec):
        return {"ImageConfigResponse": {"ImageConfig": row.spec["ImageConfig"]}} if row.spec.get("ImageConfig") else {}
    arn = f"arn:aws:lambda:{row.key.region}::runtime:{row.spec['Runtime']}"
    return {"RuntimeVersionConfig": {"RuntimeVersionArn": arn}}


def _states(row: Row) -> Output:
    """A function that has once been active stays so while a change is prepared, or cannot be."""
    reason = row.state.get("reason") or None
    if row.state.get("was_active") and row.status != ACTIVE:
        progress = "InProgress" if row.status == PENDING else "Failed"
        return {"State": ACTIVE, "LastUpdateStatus": progress, "LastUpdateStatusReason": reason}
    if row.status == PENDING:
        text = "The function is being created."
        return {"State": PENDING, "StateReason": text, "StateReasonCode": "Creating", "LastUpdateStatus": "InProgress"}
    if row.status == FAILED:
        return {"State": FAILED, "StateReason": reason, "StateReasonCode": "InternalError"}
    return {"State": ACTIVE, "LastUpdateStatus": "Successful"}
