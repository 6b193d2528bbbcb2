"""Bodies against models."""

from __future__ import annotations

import time
from typing import Any

import pytest

from clary.apis.schema import Validator


def errors(value: Any, schema: Any, **models: Any) -> list[str]:
    return Validator(models).errors(value, schema)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, 3, "3"),
        ({"type": "integer"}, 3.0, 3.5),
        ({"type": "number"}, 1.5, True),
        ({"type": ["string", "null"]}, None, 1),
        ({"enum": [1, "a"]}, "a", True),
        ({"required": ["a"]}, {"a": None}, {}),
        ({"properties": {"a": {"type": "string"}}}, {"a": "x", "b": 1}, {"a": 1}),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, {"b": 1}),
        ({"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False}, {"x1": 1}, {"x1": "a"}),
        ({"additionalProperties": {"type": "integer"}}, {"a": 1}, {"a": "x"}),
        ({"items": {"type": "integer"}}, [1, 2], [1, "a"]),
        ({"items": [{"type": "integer"}], "additionalItems": False}, [1], [1, 2]),
        ({"uniqueItems": True}, [1, 2], [1, 1]),
        ({"minItems": 1, "maxItems": 2}, [1], [1, 2, 3]),
        ({"minLength": 1, "maxLength": 2}, "ab", ""),
        ({"pattern": "^[a-z]+$"}, "abc", "ABC"),
        ({"minimum": 1, "maximum": 3}, 3, 4),
        ({"minimum": 1, "exclusiveMinimum": True}, 2, 1),
        ({"multipleOf": 0.1}, 0.3, 0.35),
        ({"minProperties": 1, "maxProperties": 1}, {"a": 1}, {}),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, 3, 2),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "a", None),
        ({"oneOf": [{"minimum": 3}, {"maximum": 5}]}, 6, 4),
        ({"not": {"type": "string"}}, 1, "a"),
    ],
)
def test_keywords(schema: Any, good: Any, bad: Any) -> None:
    assert errors(good, schema) == []
    assert errors(bad, schema)


def test_references_lead_to_other_models_and_within() -> None:
    address = "https://apigateway.amazonaws.com/restapis/abc/models/Age"
    schema = {
        "properties": {"age": {"$ref": address}, "n": {"$ref": "#/definitions/n"}},
        "definitions": {"n": {"type": "null"}},
    }
    assert errors({"age": 3, "n": None}, schema, Age={"type": "integer"}) == []
    assert len(errors({"age": "x", "n": 1}, schema, Age={"type": "integer"})) == 2


def test_words_are_those_of_the_validator_that_aws_uses() -> None:
    schema = {"required": ["b", "a"], "properties": {"c": {"type": "integer"}}}
    assert errors({"c": "x"}, schema) == [
        'object has missing required properties (["a","b"])',
        '/c: instance type (string) does not match any allowed primitive type (allowed: ["integer"])',
    ]


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        pytest.param(1, {"$ref": "#"}, id="a-reference-to-itself"),
        pytest.param("a" * 30_000, {"pattern": "(a+)+$b"}, id="an-evil-pattern"),
        pytest.param([[[[[[1]]]]]], {"definitions": {"x": {"anyOf": [{"items": {"$ref": "#/definitions/x"}}] * 9}},
                                     "allOf": [{"$ref": "#/definitions/x"}, {"type": "null"}]}, id="branches"),
    ],
)  # fmt: skip
def test_what_would_take_for_ever_does_not_fit(value: Any, schema: Any) -> None:
    began = time.process_time()
    assert errors(value, schema)
    assert time.process_time() - began < 5
