"""The query protocol: a form in, XML out (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from botocore.model import OperationModel, ServiceModel

from clary.errors import AWSError
from clary.wire import xml_values
from clary.wire.http import HttpRequest, HttpResponse, split_query
from clary.wire.models import Shape
from clary.wire.protocol import error_code, error_shape, error_status
from clary.wire.values import Mismatch, Params, Value, from_text, wire_name
from clary.wire.xml_values import element_name

_MAX_FIELDS = 20_000
_MAX_DEPTH = 32
_HEADERS = {"content-type": "text/xml"}

Node = dict[str, "Node | str"]
"""A form as a tree: `Tags.member.1.Key=a` is {"Tags": {"member": {"1": {"Key": {"": "a"}}}}}."""


class Query:
    """IAM, STS, …"""

    def parse(self, request: HttpRequest, operation: OperationModel, labels: Mapping[str, str]) -> Params:
        """From the form in the body, or from the query of a presigned GET. Raises AWSError (MalformedInput, …)."""
        shape = operation.input_shape
        if shape is None:
            return {}
        try:
            params: Params = _read(shape, tree(form(request)))
        except Mismatch as mismatch:
            raise AWSError("MalformedInput", str(mismatch)) from None
        return params

    def serialise(self, output: Params, operation: OperationModel, request_id: str) -> HttpResponse:
        """`<NameResponse><NameResult>…</NameResult><ResponseMetadata>…`."""
        shape, inner = operation.output_shape, ""
        if shape is not None:
            wrapper, inner = shape.serialization.get("resultWrapper"), xml_values.members(shape, output)
            inner = xml_values.element(wrapper, inner) if wrapper else inner
        inner += xml_values.element("ResponseMetadata", xml_values.text_element("RequestId", request_id))
        root = xml_values.element(f"{operation.name}Response", inner, namespace(operation.service_model))
        return HttpResponse(200, dict(_HEADERS), xml_values.document(root))

    def fault(self, error: AWSError, service: ServiceModel | None, request_id: str) -> HttpResponse:
        """`<ErrorResponse><Error>…`."""
        shape = error_shape(service, error.code)
        status = error_status(error, shape)
        text = xml_values.text_element
        inner = text("Type", "Sender" if status < 500 else "Receiver")
        inner += text("Code", error_code(error, shape)) + text("Message", error.message)
        if shape is not None:
            inner += xml_values.members(shape, {**error.members, "message": None, "Message": None})
        whole = xml_values.element("Error", inner) + text("RequestId", request_id)
        root = xml_values.element("ErrorResponse", whole, namespace(service) if service else "")
        return HttpResponse(status, dict(_HEADERS), xml_values.document(root))


def form(request: HttpRequest) -> dict[str, str]:
    """All fields, of the query and of a form in the body. Raises Mismatch where there are too many."""
    body = request.body
    if body.count(b"&") > _MAX_FIELDS:
        raise Mismatch("The request has too many fields.")
    fields = dict(request.query)
    if body:
        fields.update(split_query(body.decode("utf-8", "replace")))
    return fields


def namespace(service: ServiceModel) -> str:
    """Of the answers' XML."""
    metadata = service.metadata
    default = f"https://{metadata['endpointPrefix']}.amazonaws.com/doc/{metadata['apiVersion']}/"
    return str(metadata.get("xmlNamespace", default))


def tree(fields: Mapping[str, str]) -> Node:
    """Fields by the parts of their names. Raises Mismatch where a name says both a value and a structure."""
    root: Node = {}
    for name, value in fields.items():
        parts = name.split(".", _MAX_DEPTH + 1)
        if len(parts) > _MAX_DEPTH:
            raise Mismatch(f"The field {name[:64]} is nested too deeply.")
        node = root
        for part in parts:
            below = node.setdefault(part, {})
            if isinstance(below, str):
                raise Mismatch(f"The field {name[:64]} has no name.")
            node = below
        node[""] = value
    return root


def child(node: Node, name: str) -> Node | None:
    """What stands below a name, if anything does."""
    found = node.get(name)
    return found if isinstance(found, dict) else None


def _read(shape: Shape, node: Node) -> Value:
    kind = shape.type_name
    if kind == "structure":
        found = ((name, member, child(node, element_name(member, name))) for name, member in shape.members.items())
        return {name: _read(member, below) for name, member, below in found if below is not None}
    if kind == "list":
        return [_read(shape.member, item) for item in _items(shape, node, wire_name(shape.member, "member"))]
    if kind == "map":
        return dict(_read_entry(shape, entry) for entry in _items(shape, node, "entry"))
    return scalar(shape, node)


def _items(shape: Shape, node: Node, name: str) -> list[Node]:
    numbered = node if shape.serialization.get("flattened") else (child(node, name) or {})
    return in_order(numbered)


def in_order(node: Node) -> list[Node]:
    """What stands below numbers."""
    indexes = sorted((int(index), index) for index in node if index.isascii() and index.isdigit())
    return [item for _, index in indexes if (item := child(node, index)) is not None]


def _read_entry(shape: Shape, entry: Node) -> tuple[Value, Value]:
    key, value = child(entry, wire_name(shape.key, "key")), child(entry, wire_name(shape.value, "value"))
    if key is None or value is None:
        raise Mismatch("A map's entry needs a key and a value.")
    return _read(shape.key, key), _read(shape.value, value)


def scalar(shape: Shape, node: Node) -> Value:
    """The value at a node, as the shape says. Raises Mismatch."""
    text = node.get("")
    if not isinstance(text, str):
        raise Mismatch("Start of structure or map found where not expected.")
    if shape.type_name != "blob":
        return from_text(shape, text)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Mismatch("not base64") from None
