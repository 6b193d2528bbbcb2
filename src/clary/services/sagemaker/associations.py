"""Associations between what lineage is about
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddAssociation.html)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.calls import Call
from clary.errors import AWSError, ValidationError
from clary.services import placed, resources
from clary.services.context import Context
from clary.services.resources import DEFAULT_PAGE, Output, Params, present
from clary.services.sagemaker.experiments import EXPERIMENT
from clary.services.sagemaker.lineage import ACTION, ARTIFACT, CONTEXT, FROM, TO, association_name
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.trial_components import COMPONENT
from clary.store.rows import Key, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Reader, View
    from clary.store.transaction import Transaction

LINEAGE_TYPES = {
    COMPONENT.kind: "TrialComponent",
    ARTIFACT.kind: "Artifact",
    CONTEXT.kind: "Context",
    ACTION.kind: "Action",
}
"""Of vertices, by the rows' kind."""

_ENTITIES = (*LINEAGE_TYPES, EXPERIMENT.kind)
_SORTED = ("SourceArn", "DestinationArn", "SourceType", "DestinationType")


def entity(context: Context, view: Reader | View, arn: str) -> Row:
    """The caller's own entity of that ARN. Raises ResourceNotFound."""
    row = view.by_arn(arn) or view.by_arn(arn.lower())
    own = row is not None and (row.key.account, row.key.region) == (context.account, context.region)
    if row is None or not own or row.key.kind not in _ENTITIES:
        raise AWSError("ResourceNotFound", f"'{arn}' does not exist.")
    return row


def type_of(row: Row) -> str:
    """ArtifactType, ContextType, ActionType; of a trial component, what its source is."""
    if row.key.kind == COMPONENT.kind:
        return str((row.spec.get("Source") or {}).get("SourceType", ""))
    member = f"{LINEAGE_TYPES.get(row.key.kind, '')}Type"
    return str(row.spec.get(member, ""))


def _name_of(row: Row) -> str | None:
    if row.key.kind == ARTIFACT.kind:
        return str(row.spec["ArtifactName"]) if "ArtifactName" in row.spec else None
    return row.key.name


def _on(call: Call) -> Sequence[str]:
    return [call.params["SourceArn"], call.params["DestinationArn"]]


@SERVICE.operation("AddAssociation", effect="keeps state", on=_on)
def add(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound, ValidationError."""

    def change(transaction: Transaction) -> Output:
        source = entity(context, transaction, params["SourceArn"])
        destination = entity(context, transaction, params["DestinationArn"])
        if source.arn == destination.arn:
            raise ValidationError("The source and the destination of an association must differ.")
        row = _row(context, source, destination, params.get("AssociationType"))
        if transaction.get(row.key) is not None:
            raise ValidationError(f"Association from {source.arn} to {destination.arn} already exists.")
        transaction.insert(row)
        transaction.insert(replace(row, key=replace(row.key, kind=TO), parent=destination.arn))
        return {"SourceArn": source.arn, "DestinationArn": destination.arn}

    return context.store.write(change)


def _row(context: Context, source: Row, destination: Row, kind: str | None) -> Row:
    name, made = association_name(source.arn, destination.arn), resources.now()
    spec = {
        "SourceArn": source.arn,
        "SourceType": type_of(source),
        "SourceName": _name_of(source),
        "DestinationArn": destination.arn,
        "DestinationType": type_of(destination),
        "DestinationName": _name_of(destination),
        "AssociationType": kind,
    }
    key = Key(FROM, context.account, context.region, name)
    state = {resources.CREATED_BY: resources.identity_of(context)}
    return Row(key, "", "", made, made, present(spec), state, parent=source.arn)


@SERVICE.operation("DeleteAssociation", effect="keeps state", on=_on)
def delete(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    source, destination = params["SourceArn"].lower(), params["DestinationArn"].lower()
    key = Key(FROM, context.account, context.region, association_name(source, destination))

    def change(transaction: Transaction) -> None:
        if not transaction.delete(key):
            raise AWSError("ResourceNotFound", f"Association from '{source}' to '{destination}' does not exist.")
        transaction.delete(replace(key, kind=TO))

    context.store.write(change)
    return {"SourceArn": source, "DestinationArn": destination}


def _entry(row: Row) -> Output:
    by = {"IamIdentity": row.state[resources.CREATED_BY]}
    return {**row.spec, "CreationTime": row.created, "CreatedBy": by}


@SERVICE.operation("ListAssociations", effect="keeps state", on=lambda _call: ["*"])
def list_(context: Context, params: Params) -> Output:
    """Of one end, of both, or all. Raises ValidationError for a token of another request."""
    by = params.get("SortBy", "CreationTime")
    query = _query(context, params)
    if by == "CreationTime":
        found = resources.page(context, query, lambda row: _asked(params, row))
        return present({"AssociationSummaries": [_entry(row) for row in found.rows], "NextToken": found.token})
    rows = context.store.read.page(replace(query, limit=1 << 31, token=None), lambda row: _asked(params, row)).rows
    entries: list[tuple[list[object], Row]] = [([row.spec.get(by, ""), row.key.name], row) for row in rows]
    limit, descending = params.get("MaxResults") or DEFAULT_PAGE, query.descending
    page, token = placed.page(entries, params, limit, descending=descending)
    return present({"AssociationSummaries": [_entry(row) for row in page], "NextToken": token})


def _query(context: Context, params: Params) -> Query:
    """By the end that is said: the rows below it."""
    one_end = params.get("SourceArn") or params.get("DestinationArn")
    return Query(
        kind=FROM if "SourceArn" in params or "DestinationArn" not in params else TO,
        account=context.account,
        region=context.region,
        descending=params.get("SortOrder", "Descending") == "Descending",
        limit=params.get("MaxResults") or DEFAULT_PAGE,
        token=params.get("NextToken"),
        parent=one_end.lower() if one_end else None,
        created_after=params.get("CreatedAfter"),
        created_before=params.get("CreatedBefore"),
    )


def _asked(params: Params, row: Row) -> bool:
    arns = all(row.spec[name] == params[name].lower() for name in _SORTED[:2] if name in params)
    others = (*_SORTED[2:], "AssociationType")
    return arns and all(row.spec.get(name) == params[name] for name in others if name in params)
