"""What lineage is about: artifacts, actions, contexts
(https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-entities.html)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from clary.calls import Call
from clary.errors import AWSError, ValidationError
from clary.names import sagemaker_arn
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import declare, named
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.code import ALL
from clary.services.sagemaker.kept_errors import does_not_exist, must_be_unique
from clary.services.sagemaker.lineage_groups import group_arn
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

FROM, TO = "association-from", "association-to"
"""An association is a row below its source and one below its destination, both named by `association_name`."""


def association_name(source: str, destination: str) -> str:
    """The same for the same two ARNs."""
    return hashlib.sha256(f"{source} {destination}".encode()).hexdigest()


def _alone(transaction: Transaction, row: Row) -> None:
    """Raises ValidationError while something is associated with it."""
    key = Key("", row.key.account, row.key.region, row.arn)
    if transaction.children(FROM, key) or transaction.children(TO, key):
        raise ValidationError(f"'{row.arn}' has associations: delete them first.")


def _update(_context: Context, row: Row, params: Params) -> Params:
    """Properties are replaced as a whole; single ones can be removed."""
    gone = params.get("PropertiesToRemove", ())
    properties = params.get("Properties", row.spec.get("Properties", {}))
    kept = {name: value for name, value in properties.items() if name not in gone}
    said = {name: value for name, value in params.items() if name != "PropertiesToRemove"}
    return {**row.spec, **said, **({"Properties": kept} if kept or "Properties" in row.spec else {})}


def _uri(_context: Context, spec: Params) -> str:
    return str(spec["Source"]["SourceUri"])


def _entity(noun: str) -> Resource:
    return Resource(
        kind=noun.lower(),
        noun=noun,
        list_member=f"{noun}Summaries",
        exists=must_be_unique(noun),
        missing=does_not_exist(noun),
        shown=lambda row: {"LineageGroupArn": group_arn(row.key)},
        update=_update,
        parent=_uri,
        group="SourceUri",
        equal={f"{noun}Type": f"{noun}Type"},
        unused=_alone,
        verbs=ALL,
    )


def _artifact_exists(arn: str) -> AWSError:
    return ValidationError(f"Artifact with the same source and type already exists: {arn}")


def _digest(params: Params) -> str:
    """An artifact is known by its source."""
    source = params["Source"]
    types = sorted([each["SourceIdType"], each["Value"]] for each in source.get("SourceTypes", ()))
    return hashlib.sha256(json.dumps([source["SourceUri"], types]).encode()).hexdigest()[:32]


def _fill_artifact(_context: Context, params: Params) -> Params:
    return {**params, "ArtifactArn": _digest(params)}


CONTEXT = _entity("Context")
ACTION = _entity("Action")
ARTIFACT = Resource(
    kind="artifact",
    noun="Artifact",
    named="ArtifactArn",
    list_member="ArtifactSummaries",
    exists=_artifact_exists,
    missing=does_not_exist("Artifact"),
    fill=_fill_artifact,
    shown=lambda row: {"LineageGroupArn": group_arn(row.key)},
    update=_update,
    parent=_uri,
    group="SourceUri",
    equal={"ArtifactType": "ArtifactType"},
    unused=_alone,
    verbs=("Create", "Describe", "List", "Update"),
)

for _each in (CONTEXT, ACTION, ARTIFACT):
    declare(SERVICE, _each, effect="keeps state")


def _on_artifact(call: Call) -> Sequence[str]:
    if "ArtifactArn" in call.params or "Source" not in call.params:
        return named(ARTIFACT)(call)
    return [sagemaker_arn(call.region, call.principal.account, ARTIFACT.kind, _digest(call.params))]


@SERVICE.operation("DeleteArtifact", effect="keeps state", on=_on_artifact)
def delete_artifact(context: Context, params: Params) -> Output:
    """By its ARN, else by its source: sagemaker-core says both. Raises ResourceNotFound, ValidationError."""
    if "ArtifactArn" not in params and "Source" not in params:
        raise ValidationError("Either ArtifactArn or Source must be specified.")
    name = params["ArtifactArn"] if "ArtifactArn" in params else _digest(params)
    return {"ArtifactArn": resources.delete(ARTIFACT, context, name).arn}
