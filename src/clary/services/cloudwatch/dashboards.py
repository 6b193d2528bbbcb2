"""Dashboards: kept, of an account in all its Regions
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError
from clary.names import Arn
from clary.services.cloudwatch.errors import invalid_token, invalid_value
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, now, present
from clary.services.tags import checked_tags
from clary.store.rows import Key, Query, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

KIND = "dashboard"
MOST_BYTES = 1_048_576
MOST_WIDGETS = 500
MOST_METRICS = 500
PAGE = 1000

_MISSING = "DashboardNotFoundError"
"""The shape's name: its code is that of another one, too."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_TYPES = ("alarm", "custom", "explorer", "log", "metric", "text")
_NUMBERS = {"x": (0, 23), "y": (0, 10_000), "width": (1, 24), "height": (1, 1000)}


@SERVICE.operation("PutDashboard", effect="keeps state")
def put(context: Context, params: Params) -> Output:
    """What is said of a body that is kept all the same comes back. Raises InvalidParameterValue,
    InvalidParameterInput."""
    key = _key(context, params["DashboardName"])
    warnings = _checked(params["DashboardBody"])
    made, tags = now(), checked_tags(params.get("Tags") or ())
    row = Row(key, _arn(key), "", made, made, {"body": params["DashboardBody"]})

    def change(transaction: Transaction) -> None:
        there = transaction.get(key)
        if there is None:
            transaction.insert(row)
            transaction.set_tags(row.arn, tags)
        else:
            transaction.save(replace(there, spec=row.spec, modified=made))

    context.store.write(change)
    return {"DashboardValidationMessages": warnings}


def _key(context: Context, name: str) -> Key:
    if not _NAME.fullmatch(name):
        raise invalid_value(
            "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash "
            "(-) and underscore (_).\n"
        )
    return Key(KIND, context.account, "", name)


def _arn(key: Key) -> str:
    return str(Arn("cloudwatch", "", key.account, f"dashboard/{key.name}"))


def _message(path: str, text: str) -> dict[str, str]:
    return {"DataPath": path, "Message": text}


def _invalid(messages: list[dict[str, str]]) -> AWSError:
    text = f"The field DashboardBody must be a valid JSON object: {messages[0]['Message']}"
    return AWSError("InvalidParameterInput", text, members={"dashboardValidationMessages": messages})


def _checked(body: str) -> list[dict[str, str]]:
    """What is odd about it, and yet kept. Raises InvalidParameterInput."""
    if len(body.encode("utf-8", "replace")) > MOST_BYTES:
        raise _invalid([_message("", f"Dashboard body is longer than {MOST_BYTES} bytes")])
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise _invalid([_message("", "Unable to parse JSON")]) from None
    if not isinstance(document, dict):
        raise _invalid([_message("", "Should be an object")])
    errors = _errors(document.get("widgets"))
    if errors:
        raise _invalid(errors)
    known = ("widgets", "start", "end", "periodOverride", "variables")
    return [_message(f"/{name}", "Unknown property") for name in document if name not in known]


def _errors(widgets: Any) -> list[dict[str, str]]:  # noqa: ANN401  what JSON has
    if not isinstance(widgets, list):
        return [_message("/widgets", "Should be an array" if widgets is not None else "Should have a property widgets")]
    if len(widgets) > MOST_WIDGETS:
        return [_message("/widgets", f"Should have at most {MOST_WIDGETS} items")]
    return [error for number, widget in enumerate(widgets) for error in _of_widget(f"/widgets/{number}", widget)]


def _of_widget(path: str, widget: Any) -> list[dict[str, str]]:  # noqa: ANN401
    if not isinstance(widget, dict):
        return [_message(path, "Should be an object")]
    found = [
        _message(f"{path}/{name}", f"Should be a number from {least} to {most}")
        for name, (least, most) in _NUMBERS.items()
        if name in widget and not _within(widget[name], least, most)
    ]
    if widget.get("type") not in _TYPES:
        return [*found, _message(f"{path}/type", f"Should be one of {', '.join(_TYPES)}")]
    properties = widget.get("properties")
    if not isinstance(properties, dict):
        return [*found, _message(f"{path}/properties", "Should be an object")]
    return [*found, *_of_properties(f"{path}/properties", widget["type"], properties)]


def _within(value: Any, least: int, most: int) -> bool:  # noqa: ANN401
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _of_properties(path: str, kind: str, properties: dict[str, Any]) -> list[dict[str, str]]:
    if kind == "text" and not isinstance(properties.get("markdown"), str):
        return [_message(f"{path}/markdown", "Should be a string")]
    if kind != "metric":
        return []
    metrics = properties.get("metrics", [])
    if not isinstance(metrics, list) or len(metrics) > MOST_METRICS:
        return [_message(f"{path}/metrics", f"Should be an array of at most {MOST_METRICS} items")]
    return [
        _message(f"{path}/metrics/{number}", "Should be an array")
        for number, metric in enumerate(metrics)
        if not isinstance(metric, list)
    ]


@SERVICE.operation("GetDashboard")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    name = params["DashboardName"]
    row = context.store.read.get(Key(KIND, context.account, "", name))
    if row is None:
        raise AWSError(_MISSING, f"Dashboard {name} does not exist", status=404)
    return {"DashboardArn": row.arn, "DashboardBody": row.spec["body"], "DashboardName": row.key.name}


@SERVICE.operation("ListDashboards")
def list_(context: Context, params: Params) -> Output:
    """Ordered by name. Raises InvalidParameterValue."""
    query = Query(
        kind=KIND,
        account=context.account,
        region="",
        sort_by="name",
        descending=False,
        limit=PAGE,
        token=params.get("NextToken"),
        name_prefix=params.get("DashboardNamePrefix"),
    )
    try:
        found = context.store.read.page(query)
    except ValueError:
        raise invalid_token() from None
    return present({"DashboardEntries": [_entry(row) for row in found.rows], "NextToken": found.token})


def _entry(row: Row) -> Output:
    size = len(row.spec["body"].encode("utf-8", "replace"))
    return {"DashboardName": row.key.name, "DashboardArn": row.arn, "LastModified": row.modified, "Size": size}


@SERVICE.operation("DeleteDashboards")
def delete(context: Context, params: Params) -> Output:
    """All of them, or none. Raises ResourceNotFound."""
    keys = [Key(KIND, context.account, "", name) for name in dict.fromkeys(params["DashboardNames"])]

    def change(transaction: Transaction) -> None:
        gone = [key.name for key in keys if not transaction.delete(key)]
        if gone:
            listed = ", ".join(gone)
            raise AWSError(_MISSING, f"The specified dashboard does not exist. [{listed}]", status=404)

    context.store.write(change)
    return {}
