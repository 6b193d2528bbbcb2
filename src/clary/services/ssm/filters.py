"""Filters of lists of parameters
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html)."""

from __future__ import annotations

from collections.abc import Sequence

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.resources import Params
from clary.services.ssm.names import below, check_path
from clary.store.rows import Row

BY_PATH = ("Type", "KeyId", "Label")
DESCRIBED = ("Path", "Name", "Type", "KeyId", "Tier", "DataType")

_TAG = "tag:"
_KNOWN = {
    "Type": ("String", "StringList", "SecureString"),
    "Tier": ("Standard", "Advanced", "Intelligent-Tiering"),
}


def check(filters: Sequence[Params], keys: Sequence[str]) -> None:
    """Raises InvalidFilterKey, InvalidFilterOption, InvalidFilterValue, ValidationException."""
    seen: set[str] = set()
    for each in filters:
        key = each["Key"]
        tag = key.startswith(_TAG) and keys is DESCRIBED
        if key not in keys and not tag:
            text = f"The following filter key is not valid: {key}. Valid filter keys include: [{', '.join(keys)}]."
            raise AWSError("InvalidFilterKey", text)
        if key in seen:
            text = f"The following filter is duplicated in the request: {key}. A request can contain only one "
            raise AWSError("InvalidFilterKey", f"{text}occurrence of a specific filter.")
        seen.add(key)
        _check_option(key, each)
        _check_values(key, each, tag=tag)


def _check_option(key: str, asked: Params) -> None:
    options = ["BeginsWith", "Equals"]
    if key == "Path":
        options = ["Recursive", "OneLevel"]
    elif key == "Name":
        options.append("Contains")
    given = asked.get("Option")
    if given is not None and given not in options:
        text = f"The following filter option is not valid: {given}. Valid options include: [{', '.join(options)}]."
        raise AWSError("InvalidFilterOption", text)


def _check_values(key: str, asked: Params, *, tag: bool) -> None:
    values = asked.get("Values") or []
    if not values and not tag:
        raise AWSError("InvalidFilterValue", f"The following filter values are missing : null for filter key {key}.")
    known = _KNOWN.get(key)
    for value in values:
        if key == "Path":
            check_path(value)
        if known and value not in known and asked.get("Option") != "BeginsWith":
            text = f"The following filter value is not valid: {value}. Valid values include: [{', '.join(known)}]."
            raise AWSError("InvalidFilterOption", text)


def label_of(filters: Sequence[Params]) -> str | None:
    """The label whose versions are asked for."""
    return next((each["Values"][0] for each in filters if each["Key"] == "Label"), None)


def fits(context: Context, row: Row, filters: Sequence[Params]) -> bool:
    """Whether all let it pass, each by one of its values."""
    return all(_passes(context, row, each) for each in filters)


def _passes(context: Context, row: Row, asked: Params) -> bool:
    key, values, option = asked["Key"], asked.get("Values") or [], asked.get("Option") or "Equals"
    if key == "Label":
        return values[0] in row.state["labels"]
    if key == "Path":
        return any(below(row.key.name, path, recursive=option == "Recursive") for path in values)
    if key.startswith(_TAG):
        found = context.store.read.tags(row.arn).get(key.removeprefix(_TAG))
        return found is not None and (not values or any(_matches(found, value, option) for value in values))
    text = row.key.name if key == "Name" else row.spec.get(key)
    return text is not None and any(_matches(text, value, option) for value in values)


def _matches(text: str, value: str, option: str) -> bool:
    if option == "BeginsWith":
        return text.startswith(value)
    return value in text if option == "Contains" else text == value
