"""What OpenAPI 3 and Swagger 2 say differently, in one form
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from clary.services.apigateway.errors import bad_request

ANY = "x-amazon-apigateway-any-method"
_METHODS = ("get", "post", "put", "delete", "patch", "head", "options", ANY)
_MOST_DEPTH = 100

Object = dict[str, Any]


class Definition:
    """An API's definition, parsed. Raises BadRequestException where it is none."""

    def __init__(self, body: bytes) -> None:
        self.root = _parsed(body)
        self.is_swagger = str(self.root.get("swagger", "")) == "2.0"
        if not self.is_swagger and not str(self.root.get("openapi", "")).startswith("3."):
            raise _wrong("it is neither Swagger 2.0 nor OpenAPI 3")

    @property
    def schemas(self) -> Object:
        """The models, by name."""
        components = self.root if self.is_swagger else member(self.root, "components")
        return member(components, "definitions" if self.is_swagger else "schemas")

    @property
    def security(self) -> Object:
        """The ways of authorization, by name."""
        if self.is_swagger:
            return member(self.root, "securityDefinitions")
        return member(member(self.root, "components"), "securitySchemes")

    def methods(self) -> Iterator[tuple[str, str, Object]]:
        """Path, method and operation of each, with the parameters that its path has for all."""
        for path, item in member(self.root, "paths").items():
            if not isinstance(item, dict) or not path.startswith("/"):
                raise _wrong(f"the path {path} is none")
            shared = item.get("parameters") or []
            for name in _METHODS:
                if isinstance(item.get(name), dict):
                    operation = item[name]
                    parameters = [self.resolved(each) for each in [*shared, *(operation.get("parameters") or [])]]
                    yield path, "ANY" if name == ANY else name.upper(), {**operation, "parameters": parameters}

    def resolved(self, value: Any) -> Object:  # noqa: ANN401 — a value of JSON
        """What a reference within the definition points at. Raises BadRequestException."""
        for _ in range(_MOST_DEPTH):
            if not isinstance(value, dict) or "$ref" not in value:
                break
            found: Any = self.root
            for step in str(value["$ref"]).removeprefix("#/").split("/"):
                found = found.get(step) if isinstance(found, dict) else None
            value = found
        if not isinstance(value, dict) or "$ref" in value:
            raise _wrong("a reference leads nowhere")
        return value


def _parsed(body: bytes) -> Object:
    try:
        root = json.loads(body)
    except (ValueError, RecursionError):
        raise _wrong("it is no JSON (YAML is not read: most tools convert it)") from None
    if not isinstance(root, dict):
        raise _wrong("it is no object")
    return root


def _wrong(why: str) -> Exception:
    return bad_request(f"Invalid OpenAPI input: {why}.")


def member(value: Mapping[str, Any], name: str) -> Object:
    """An object within another; empty where there is none. Raises BadRequestException."""
    found = value.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _wrong(f"{name} is no object")
    return found


def members(value: Mapping[str, Any], name: str) -> list[Object]:
    """A list of objects within an object; empty where there is none. Raises BadRequestException."""
    found = value.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise _wrong(f"{name} is no list of objects")
    return found


def model_reference(api: str, name: str) -> str:
    """How models name each other."""
    return f"https://apigateway.amazonaws.com/restapis/{api}/models/{name}"


def rewritten(value: Any, change: Any, depth: int = 0) -> Any:  # noqa: ANN401 — values of JSON, and a function of a text
    """A schema with `change` applied to each reference. Raises BadRequestException."""
    if depth > _MOST_DEPTH:
        raise _wrong("a schema is nested too deeply")
    if isinstance(value, list):
        return [rewritten(each, change, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: change(each) if key == "$ref" and isinstance(each, str) else rewritten(each, change, depth + 1)
        for key, each in value.items()
    }
