"""Model cards with their versions: kept. A new content is a new version; a new status is not
(https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards-manage.html)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.errors import AWSError, ValidationError
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import changed, declare, facts, listed, named, shown, sieve
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.kept_errors import conflict, does_not_exist
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

VERSION_KIND = "model-card-version"


def _checked(content: str) -> None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"Model card content is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValidationError("Model card content must be a JSON object.")


CARD = Resource(
    kind="model-card",
    noun="ModelCard",
    list_member="ModelCardSummaries",
    exists=conflict("Model card {arn} already exists."),
    missing=does_not_exist("ModelCard"),
    equal={"ModelCardStatus": "ModelCardStatus"},
    verbs=("List",),
)

VERSION = Resource(
    kind=VERSION_KIND,
    noun="ModelCard",
    named="ModelCardVersion",
    within=("ModelCardName",),
    list_member="ModelCardVersionSummaryList",
    exists=conflict("Model card version {arn} already exists."),
    missing=does_not_exist("ModelCard"),
    parent=lambda _context, spec: str(spec["ModelCardName"]),
    group="ModelCardName",
    equal={"ModelCardStatus": "ModelCardStatus"},
)

declare(SERVICE, CARD, effect="keeps state")


def _version(context: Context, card: Row) -> Row:
    """What a card says now, as a row of its own: without an ARN, which is the card's."""
    row = resources.new_row(VERSION, context, dict(card.spec))
    return replace(row, arn="", created=card.modified, modified=card.modified)


@SERVICE.operation("CreateModelCard", effect="keeps state", on=named(CARD))
def create(context: Context, params: Params) -> Output:
    """Its first version. Raises ConflictException, ValidationError."""
    _checked(params["Content"])
    row = resources.new_row(CARD, context, {**params, "ModelCardVersion": 1})
    stored = resources.insert(CARD, context, row, params.get("Tags"), beside=(_version(context, row),))
    return {"ModelCardArn": stored.arn}


@SERVICE.operation("UpdateModelCard", effect="keeps state", on=named(CARD))
def update(context: Context, params: Params) -> Output:
    """Its content or its status. Raises ResourceNotFound, ValidationError."""
    if "Content" in params and "ModelCardStatus" in params:
        raise ValidationError("You cannot update both model card content and model card status in a single call.")
    if "Content" in params:
        _checked(params["Content"])
    said: Params = {name: params[name] for name in ("Content", "ModelCardStatus") if name in params}

    def change(transaction: Transaction) -> str:
        row = resources.found(CARD, context, transaction, params["ModelCardName"])
        number = row.spec["ModelCardVersion"] + (1 if "Content" in said else 0)
        new = changed(context, row, {**row.spec, **said, "ModelCardVersion": number})
        saved = transaction.save(replace(new, modified=resources.now()))
        version = _version(context, saved)
        there = transaction.get(version.key)
        if there is None:
            transaction.insert(version)
        else:
            transaction.save(replace(there, spec=version.spec, modified=saved.modified))
        return saved.arn

    return {"ModelCardArn": context.store.write(change)}


@SERVICE.operation("DescribeModelCard", effect="keeps state", on=named(CARD))
def describe(context: Context, params: Params) -> Output:
    """The newest version, or the one that is asked for. Raises ResourceNotFound."""
    card = resources.require(CARD, context, params["ModelCardName"])
    number = params.get("ModelCardVersion", card.spec["ModelCardVersion"])
    version = context.store.read.get(replace(card.key, kind=VERSION_KIND, name=f"{card.key.name}/{number}"))
    if version is None:
        raise AWSError("ResourceNotFound", f"ModelCard '{card.arn}' has no version {number}.")
    known = {**facts(CARD, card), **version.spec, "LastModifiedTime": version.modified}
    return shown("sagemaker", "DescribeModelCard", known)


@SERVICE.operation("ListModelCardVersions", effect="keeps state", on=named(CARD))
def list_versions(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    card = resources.require(CARD, context, params["ModelCardName"])
    query = resources.query_of(VERSION, context, {**params, "ModelCardName": card.key.name})
    found = resources.page(context, query, sieve(VERSION, params))

    def entry(row: Row) -> Output:
        return {**listed("sagemaker", "ListModelCardVersions", VERSION, row), "ModelCardArn": card.arn}

    return resources.listing(VERSION, found, entry)


@SERVICE.operation("DeleteModelCard", effect="keeps state", on=named(CARD))
def delete(context: Context, params: Params) -> Output:
    """With all its versions. Raises ResourceNotFound."""

    def change(transaction: Transaction) -> None:
        card = resources.found(CARD, context, transaction, params["ModelCardName"])
        for version in transaction.children(VERSION_KIND, card.key):
            transaction.delete(version.key)
        transaction.delete(card.key)

    context.store.write(change)
    return {}
