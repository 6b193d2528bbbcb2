"""PutParameter, DeleteParameter, DeleteParameters
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clary.errors import AWSError, ValidationError
from clary.services.context import Context
from clary.services.resources import MADE_BY, Output, Params, made_before, now
from clary.services.ssm import names, values
from clary.services.ssm.errors import exists, no_parameter
from clary.services.ssm.names import VERSION
from clary.services.ssm.rows import key_of, number, remove, version_key
from clary.services.ssm.service import SERVICE
from clary.services.ssm.spec import spec_of
from clary.services.tags import checked_tags
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_MOST_VERSIONS = 100


@SERVICE.operation("PutParameter")
def put(context: Context, params: Params) -> Output:
    """A new parameter, or with Overwrite a new version. Raises ParameterAlreadyExists, ValidationException,
    ParameterPatternMismatchException, HierarchyTypeMismatchException, ParameterMaxVersionLimitExceeded."""
    name = params["Name"]
    names.check(name)
    _check(params)
    key = key_of(context, name)
    there, arn = context.store.read.get(key), names.arn(key.region, key.account, name)
    if there is not None and made_before(context, there):
        return {"Version": there.state["version"], "Tier": there.spec["Tier"]}
    if there is not None and not params.get("Overwrite"):
        raise exists()
    spec, made = spec_of(params, there), now()
    spec["LastModifiedUser"] = context.call.principal.arn
    kept = values.sealed(context, arn, spec, params["Value"])
    tags = checked_tags(params.get("Tags") or ())

    def write(transaction: Transaction) -> Row:
        before = transaction.get(key)
        if before is None:
            if transaction.by_arn(arn) is not None:  # `/name` and `name` have one ARN
                raise exists()
            first = Row(key, arn, "", made, made, spec, {"version": 0, "labels": {}})
            transaction.set_tags(arn, tags)
            before = transaction.insert(first)
        elif not params.get("Overwrite"):
            raise exists()
        version = before.state["version"] + 1
        _drop_oldest(transaction, before)
        transaction.insert(Row(version_key(key, version), f"{arn}#{version}", "", made, made, spec, kept, parent=name))
        state = {**before.state, "version": version, MADE_BY: context.call.invocation_id}
        return transaction.save(replace(before, spec=spec, state=state, modified=made))

    stored = context.store.write(write)
    return {"Version": stored.state["version"], "Tier": stored.spec["Tier"]}


def _check(params: Params) -> None:
    if params.get("Overwrite") and params.get("Tags"):
        raise ValidationError(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please "
            "remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
            "RemoveTagsFromResource."
        )
    if params.get("Policies") and params["Policies"] != "[]":
        raise AWSError("InvalidPolicyTypeException", "Parameter policies are not offered by Clary.")


def _drop_oldest(transaction: Transaction, row: Row) -> None:
    those = transaction.children(VERSION, row.key)
    if len(those) < _MOST_VERSIONS:
        return
    oldest = number(those[0])
    if oldest in row.state["labels"].values():
        raise AWSError(
            "ParameterMaxVersionLimitExceeded",
            f"You attempted to create a new version of {row.key.name} by calling the PutParameter API with the "
            f"overwrite flag. Version {oldest}, the oldest version, can't be deleted because it has a label "
            "associated with it. Move the label to another version of the parameter, and try again.",
        )
    transaction.delete(those[0].key)


@SERVICE.operation("DeleteParameter")
def delete(context: Context, params: Params) -> Output:
    """Raises ParameterNotFound."""
    key = key_of(context, params["Name"])
    if not context.store.write(lambda transaction: remove(transaction, key)):
        raise no_parameter(params["Name"])
    return {}


@SERVICE.operation("DeleteParameters")
def delete_several(context: Context, params: Params) -> Output:
    """Those that are not there are told."""

    def write(transaction: Transaction) -> dict[str, bool]:
        return {name: remove(transaction, key_of(context, name)) for name in params["Names"]}

    gone = context.store.write(write)
    return {
        "DeletedParameters": [name for name, there in gone.items() if there],
        "InvalidParameters": [name for name, there in gone.items() if not there],
    }
