"""Patch operations on documents."""

from __future__ import annotations

from typing import Any

import pytest

from clary.errors import AWSError
from clary.services.apigateway.patching import output_shape, patch

STAGE = output_shape("apigateway", "GetStage")
API = output_shape("apigateway", "GetRestApi")
METHOD = output_shape("apigateway", "GetMethod")


@pytest.mark.parametrize(
    ("shape", "document", "operation", "expected"),
    [
        (API, {"name": "a"}, ("replace", "/name", "b"), {"name": "b"}),
        (API, {}, ("replace", "/disableExecuteApiEndpoint", "true"), {"disableExecuteApiEndpoint": True}),
        (API, {}, ("replace", "/minimumCompressionSize", "10"), {"minimumCompressionSize": 10}),
        (API, {}, ("add", "/binaryMediaTypes/image~1png", None), {"binaryMediaTypes": ["image/png"]}),
        (
            API,
            {"binaryMediaTypes": ["a/b", "c/d"]},
            ("remove", "/binaryMediaTypes/a~1b", None),
            {"binaryMediaTypes": ["c/d"]},
        ),
        (
            API,
            {"endpointConfiguration": {"types": ["EDGE"]}},
            ("replace", "/endpointConfiguration/types/0", "REGIONAL"),
            {"endpointConfiguration": {"types": ["REGIONAL"]}},
        ),
        (STAGE, {"variables": {"a": "1", "b": "2"}}, ("remove", "/variables/a", None), {"variables": {"b": "2"}}),
        (STAGE, {}, ("replace", "/variables/a", "x"), {"variables": {"a": "x"}}),
        (
            METHOD,
            {},
            ("add", "/requestParameters/method.request.querystring.q", "true"),
            {"requestParameters": {"method.request.querystring.q": True}},
        ),
    ],
)
def test_a_value_becomes_what_the_model_says(
    shape: Any, document: dict[str, Any], operation: tuple[str, str, str | None], expected: dict[str, Any]
) -> None:
    op, path, value = operation
    patch(document, [{"op": op, "path": path, "value": value}], shape, [path.split("/")[1]])
    assert document == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "name", "value": "x"},
        {"op": "replace", "path": "/id", "value": "x"},
        {"op": "replace", "path": "/minimumCompressionSize", "value": "many"},
        {"op": "replace", "path": "/minimumCompressionSize/deeper", "value": "1"},
        {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "maybe"},
        {"op": "test", "path": "/name", "value": "x"},
    ],
)
def test_what_cannot_be_changed_is_refused(operation: dict[str, str]) -> None:
    allowed = ["name", "minimumCompressionSize", "disableExecuteApiEndpoint"]
    with pytest.raises(AWSError, match="BadRequestException"):
        patch({"name": "a", "minimumCompressionSize": 1}, [operation], API, allowed)
