"""Repositories (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Repository.html)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError, ValidationError
from clary.services.context import Context
from clary.services.ecr.errors import invalid, no_repository, not_empty, repository_exists
from clary.services.ecr.layer_store import LayerStore
from clary.services.ecr.names import IMAGE, LAYER, MANIFEST, REPOSITORY, TAG, UPLOAD, registry_of, repository_arn, uri
from clary.services.ecr.rows import change_repository, named, repository_key, still_there
from clary.services.ecr.service import SERVICE
from clary.services.resources import MADE_BY, Output, Params, made_before, now, present
from clary.services.tags import checked_tags
from clary.store.rows import AlreadyExists, Key, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

PAGE = 100
MOST_TAGS = 50
_WITH_EXCLUSION = ("IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")
_BELOW = (IMAGE, MANIFEST, TAG, LAYER, UPLOAD)


@SERVICE.operation("CreateRepository")
def create(context: Context, params: Params) -> Output:
    """Raises RepositoryAlreadyExistsException, InvalidTagParameterException, TooManyTagsException."""
    key, made = repository_key(context, params), now()
    tags = _tags(params)
    marks = {MADE_BY: context.call.invocation_id} if context.call.invocation_id else {}
    arn = repository_arn(key.region, key.account, key.name)
    row = Row(key, arn, "", made, made, _spec(params), marks)

    def change(transaction: Transaction) -> Row:
        there = transaction.get(key)
        if there is not None and made_before(context, there):
            return there
        stored = transaction.insert(row)
        transaction.set_tags(row.arn, tags)
        return stored

    if key.account != context.account:
        raise no_repository(key)
    try:
        return {"repository": shown(context.store.write(change))}
    except AlreadyExists:
        raise repository_exists(key) from None


def _spec(params: Params) -> Params:
    encryption = params.get("encryptionConfiguration") or {"encryptionType": "AES256"}
    if encryption["encryptionType"] == "AES256" and encryption.get("kmsKey"):
        raise invalid("encryptionConfiguration", "KMS key must not be specified for encryption type AES256")
    if encryption["encryptionType"] != "AES256":
        encryption = {"kmsKey": "alias/aws/ecr", **encryption}
    return {
        **mutability(params, "MUTABLE"),
        "imageScanningConfiguration": {"scanOnPush": False, **(params.get("imageScanningConfiguration") or {})},
        "encryptionConfiguration": encryption,
    }


def mutability(params: Params, default: str) -> Params:
    """Whether tags may be moved, and which are excepted. Raises InvalidParameterException."""
    chosen = params.get("imageTagMutability") or default
    filters = params.get("imageTagMutabilityExclusionFilters") or []
    if bool(filters) != (chosen in _WITH_EXCLUSION):
        what = "must be given with IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION, and only with these"
        raise invalid("imageTagMutabilityExclusionFilters", what)
    return present({"imageTagMutability": chosen, "imageTagMutabilityExclusionFilters": filters or None})


def _tags(params: Params) -> dict[str, str]:
    try:
        tags = checked_tags(params.get("tags") or ())
    except ValidationError as error:
        raise AWSError("InvalidTagParameterException", error.message) from None
    if len(tags) > MOST_TAGS:
        raise AWSError("TooManyTagsException", f"A repository can have at most {MOST_TAGS} tags.")
    return tags


def shown(row: Row) -> Output:
    """A repository as answers show it."""
    return {
        **row.spec,
        "repositoryArn": row.arn,
        **named(row.key),
        "repositoryUri": uri(row.key),
        "createdAt": row.created,
    }


@SERVICE.operation("DescribeRepositories")
def describe(context: Context, params: Params) -> Output:
    """By name, or all in pages. Raises RepositoryNotFoundException."""
    if params.get("repositoryNames"):
        return {"repositories": [shown(_require(context, params, name)) for name in params["repositoryNames"]]}
    query = Query(
        kind=REPOSITORY,
        account=registry_of(params, context.account),
        region=context.region,
        sort_by="name",
        descending=False,
        limit=params.get("maxResults") or PAGE,
        token=params.get("nextToken"),
    )
    try:
        page = context.store.read.page(query)
    except ValueError:
        raise invalid("nextToken", "Invalid token") from None
    return present({"repositories": [shown(row) for row in page.rows], "nextToken": page.token})


def _require(context: Context, params: Params, name: str) -> Row:
    key = repository_key(context, params, name)
    row = context.store.read.get(key)
    if row is None:
        raise no_repository(key)
    return row


@SERVICE.operation("DeleteRepository")
def delete(context: Context, params: Params) -> Output:
    """With all that is below it, layers too. Raises RepositoryNotFoundException, RepositoryNotEmptyException."""
    key = repository_key(context, params)

    def change(transaction: Transaction) -> tuple[Row, list[Key]]:
        row = still_there(transaction, key)
        if not params.get("force") and transaction.children(IMAGE, key):
            raise not_empty(key)
        uploads = [upload.key for upload in transaction.children(UPLOAD, key)]
        for below in [child.key for kind in _BELOW for child in transaction.children(kind, key)]:
            transaction.delete(below)
        transaction.delete(key)
        return row, uploads

    row, uploads = context.store.write(change)
    layers = LayerStore(context.objects)
    layers.remove_all(key)
    for upload in uploads:
        layers.remove_parts(upload.name)
    described = shown(row)
    del described["imageScanningConfiguration"], described["encryptionConfiguration"]
    return {"repository": described}


@SERVICE.operation("PutImageTagMutability")
def put_mutability(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException, InvalidParameterException."""
    chosen = mutability(params, "MUTABLE")

    def change(row: Row) -> Row:
        kept: dict[str, Any] = {name: value for name, value in row.spec.items() if not name.startswith("imageTagMut")}
        return replace(row, spec={**kept, **chosen})

    row = change_repository(context, params, change)
    return {**named(row.key), **chosen}


@SERVICE.operation("PutImageScanningConfiguration", effect="keeps state")
def put_scanning(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException."""
    chosen = {"scanOnPush": False, **params["imageScanningConfiguration"]}
    row = change_repository(
        context, params, lambda row: replace(row, spec={**row.spec, "imageScanningConfiguration": chosen})
    )
    return {**named(row.key), "imageScanningConfiguration": chosen}
