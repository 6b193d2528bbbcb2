"""How operations find parameters and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.services.context import Context
from clary.services.resources import Output, present
from clary.services.ssm.errors import no_label, no_parameter, no_version
from clary.services.ssm.names import KIND, VERSION, arn, check_read, selected
from clary.services.ssm.values import shown
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction
    from clary.store.view import Reader

_DIGITS = 9


def key_of(context: Context, name: str) -> Key:
    """The key of a parameter's row."""
    return Key(KIND, context.account, context.region, name)


def version_key(parameter: Key, version: int) -> Key:
    """The key of a version's row; by name they are ordered by number."""
    return Key(VERSION, parameter.account, parameter.region, f"{parameter.name} {version:0{_DIGITS}}")


def number(row: Row) -> int:
    """Of a version's row."""
    return int(row.key.name.rpartition(" ")[2])


def require(context: Context, name: str) -> Row:
    """Raises ParameterNotFound."""
    row = context.store.read.get(key_of(context, name))
    if row is None:
        raise no_parameter(name)
    return row


def require_version(reader: Reader | Transaction, row: Row, version: int) -> Row:
    """Raises ParameterVersionNotFound."""
    there = reader.get(version_key(row.key, version))
    if there is None:
        raise no_version(row.key.name, version)
    return there


def chosen(context: Context, row: Row, selector: str) -> Row:
    """The version that `:3` or `:label` selects; the newest one else. Raises ParameterVersionNotFound."""
    wanted = selector.removeprefix(":")
    if not wanted:
        return require_version(context.store.read, row, row.state["version"])
    if wanted.isdecimal():
        return require_version(context.store.read, row, int(wanted[:_DIGITS]))
    version = row.state["labels"].get(wanted)
    if version is None:
        raise no_label(row.key.name, wanted)
    return require_version(context.store.read, row, version)


def parameter(context: Context, given: str, *, decrypt: bool) -> Output:
    """The shape `Parameter`, of a name with or without a selector. Raises ValidationException, ParameterNotFound,
    ParameterVersionNotFound."""
    name, selector = selected(given)
    check_read(name)
    row = _read(context, name)
    return {
        **entry(context, row, chosen(context, row, selector), decrypt=decrypt),
        "Name": row.key.name if given.startswith("arn:") else name,
        **present({"Selector": selector or None}),
    }


def _read(context: Context, name: str) -> Row:
    """`/name` and `name` are one for who reads: they have one ARN."""
    row = context.store.read.get(key_of(context, name))
    row = row or context.store.read.by_arn(arn(context.region, context.account, name))
    if row is None or row.key.kind != KIND:
        raise no_parameter(name)
    return row


def entry(context: Context, row: Row, version: Row, *, decrypt: bool) -> Output:
    """The shape `Parameter` of one version."""
    return {
        "Name": row.key.name,
        "Type": version.spec["Type"],
        "Value": shown(context, row.arn, version, decrypt=decrypt),
        "Version": number(version),
        "LastModifiedDate": version.created,
        "ARN": row.arn,
        "DataType": version.spec["DataType"],
    }


def remove(transaction: Transaction, key: Key) -> bool:
    """A parameter with all its versions; False where it is not there."""
    for version in transaction.children(VERSION, key):
        transaction.delete(version.key)
    return transaction.delete(key)
