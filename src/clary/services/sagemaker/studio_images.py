"""Images that Studio offers, and their versions: kept, with the image of ECR that each version means
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateImageVersion.html)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clary.errors import AWSError, ValidationError
from clary.names import sagemaker_arn
from clary.services import placed, resources
from clary.services.context import Context
from clary.services.declaring import changed, declare, facts, named, shown
from clary.services.resources import DEFAULT_PAGE, Output, Params, Resource
from clary.services.sagemaker.code import ALL
from clary.services.sagemaker.images import resolve_image
from clary.services.sagemaker.kept_errors import does_not_exist, in_use
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Reader, View
    from clary.store.transaction import Transaction


def _fill(context: Context, params: Params) -> Params:
    check_role(context, params["RoleArn"])
    return params


def _update(context: Context, row: Row, params: Params) -> Params:
    check_role(context, params.get("RoleArn"))
    gone = set(params.get("DeleteProperties", ()))
    asked = {name: value for name, value in params.items() if name != "DeleteProperties"}
    return {name: value for name, value in {**row.spec, **asked}.items() if name not in gone}


def _no_versions(transaction: Transaction, row: Row) -> None:
    if transaction.children(VERSION.kind, row.key):
        raise AWSError("ResourceInUse", f"Image {row.arn} has versions: delete them first.")


IMAGE = Resource(
    kind="image",
    noun="Image",
    list_member="Images",
    status="CREATED",
    exists=in_use("Image"),
    missing=does_not_exist("Image"),
    fill=_fill,
    update=_update,
    unused=_no_versions,
    verbs=ALL,
)

VERSION = Resource(
    kind="image-version",
    noun="ImageVersion",
    within=("ImageName",),
    named="Version",
    list_member="ImageVersions",
    status="CREATED",
    exists=in_use("ImageVersion"),
    missing=does_not_exist("ImageVersion"),
    shown=lambda row: {"ImageArn": sagemaker_arn(row.key.region, row.key.account, IMAGE.kind, row.parent)},
    parent=lambda _context, spec: str(spec["ImageName"]),
    group="ImageName",
    verbs=("List",),
)

declare(SERVICE, IMAGE, effect="keeps state")
declare(SERVICE, VERSION, effect="keeps state")


@SERVICE.operation("CreateImageVersion", effect="keeps state", on=named(IMAGE))
def create(context: Context, params: Params) -> Output:
    """The next number; a request that was made before (`ClientToken`) has made one. Raises ResourceNotFound."""
    image = resources.require(IMAGE, context, params["ImageName"])
    container = resolve_image(context, params["BaseImage"], image.spec["RoleArn"]).uri

    def change(transaction: Transaction) -> str:
        row = resources.found(IMAGE, context, transaction, image.key.name)
        versions = transaction.children(VERSION.kind, row.key)
        same = next((each for each in versions if each.spec["ClientToken"] == params["ClientToken"]), None)
        if same is not None:
            return same.arn
        _check_free(versions, params.get("Aliases", ()))
        number = row.state.get("versions", 0) + 1
        transaction.save(replace(row, state={**row.state, "versions": number}))
        spec = {**params, "ImageName": row.key.name, "Version": number, "ContainerImage": container}
        return transaction.insert(resources.new_row(VERSION, context, spec)).arn

    return {"ImageVersionArn": context.store.write(change)}


def _check_free(versions: list[Row], aliases: list[str] | tuple[()]) -> None:
    taken = {alias for each in versions for alias in each.spec.get("Aliases", ())}
    for alias in aliases:
        if alias in taken:
            raise AWSError("ResourceInUse", f"The alias {alias} is assigned to another version of the image.")


def _version(context: Context, view: Reader | View, params: Params) -> Row:
    """By number or by alias; the latest where neither is said. Raises ResourceNotFound, ValidationError."""
    image = resources.found(IMAGE, context, view, params["ImageName"])
    if "Version" in params and "Alias" in params:
        raise ValidationError("You must specify either Version or Alias, but not both.")
    wanted = params.get("Version"), params.get("Alias")
    versions = sorted(view.children(VERSION.kind, image.key), key=lambda row: int(row.spec["Version"]))
    found = [row for row in versions if _is(row, *wanted)]
    if not found:
        said = next((str(each) for each in wanted if each is not None), "latest")
        key = Key(VERSION.kind, image.key.account, image.key.region, f"{image.key.name}/{said}")
        raise VERSION.missing(resources.arn_of(VERSION, key))
    return found[-1]


def _is(row: Row, number: int | None, alias: str | None) -> bool:
    if number is not None:
        return bool(row.spec["Version"] == number)
    return alias is None or alias in row.spec.get("Aliases", ())


@SERVICE.operation("DescribeImageVersion", effect="keeps state", on=named(IMAGE))
def describe(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    return shown("sagemaker", "DescribeImageVersion", facts(VERSION, _version(context, context.store.read, params)))


@SERVICE.operation("UpdateImageVersion", effect="keeps state", on=named(IMAGE))
def update(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound, ResourceInUse."""

    def change(transaction: Transaction) -> str:
        row = _version(context, transaction, params)
        others = [each for each in transaction.children(VERSION.kind, _image_key(row)) if each.key != row.key]
        _check_free(others, params.get("AliasesToAdd", ()))
        spec = {name: value for name, value in params.items() if name not in _NOT_OF_VERSION}
        aliases = [*row.spec.get("Aliases", ()), *params.get("AliasesToAdd", ())]
        kept = [each for each in dict.fromkeys(aliases) if each not in params.get("AliasesToDelete", ())]
        return transaction.save(
            replace(changed(context, row, {**row.spec, **spec, "Aliases": kept}), modified=resources.now())
        ).arn

    return {"ImageVersionArn": context.store.write(change)}


_NOT_OF_VERSION = ("ImageName", "Alias", "Version", "AliasesToAdd", "AliasesToDelete")


def _image_key(version: Row) -> Key:
    return replace(version.key, kind=IMAGE.kind, name=version.parent)


@SERVICE.operation("DeleteImageVersion", effect="keeps state", on=named(IMAGE))
def delete(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound, ValidationError."""
    if "Version" not in params and "Alias" not in params:
        raise ValidationError("You must specify either Version or Alias.")
    context.store.write(lambda transaction: transaction.delete(_version(context, transaction, params).key))
    return {}


@SERVICE.operation("ListAliases", effect="keeps state", on=named(IMAGE))
def aliases(context: Context, params: Params) -> Output:
    """Of one version or of all. Raises ResourceNotFound."""
    image = resources.require(IMAGE, context, params["ImageName"])
    versions = context.store.read.children(VERSION.kind, image.key)
    wanted = [row for row in versions if _is(row, params.get("Version"), params.get("Alias"))]
    found = [([alias], alias) for row in wanted for alias in row.spec.get("Aliases", ())]
    page, token = placed.page(found, params, params.get("MaxResults") or DEFAULT_PAGE, descending=False)
    return resources.present({"SageMakerImageVersionAliases": page, "NextToken": token})
