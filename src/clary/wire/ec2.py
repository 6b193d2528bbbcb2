"""EC2's own protocol: a form in, XML out, close to query (https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html).

Lists are numbered right below their names, names begin with a capital, answers have no wrapper, and errors are a list.
"""

from __future__ import annotations

from collections.abc import Mapping

from botocore.model import OperationModel, ServiceModel

from clary.errors import AWSError
from clary.wire import query, xml_values
from clary.wire.http import HttpRequest, HttpResponse
from clary.wire.models import Shape
from clary.wire.protocol import error_code, error_shape, error_status
from clary.wire.query import Node
from clary.wire.values import Mismatch, Params, Value, wire_name

NAME = "ec2"

_HEADERS = {"content-type": "text/xml;charset=UTF-8"}


class Ec2:
    """EC2, and nobody else."""

    def parse(self, request: HttpRequest, operation: OperationModel, labels: Mapping[str, str]) -> Params:
        """From the form in the body, or from the query of a presigned GET. Raises AWSError (InvalidParameterValue)."""
        shape = operation.input_shape
        if shape is None:
            return {}
        try:
            params: Params = _read(shape, query.tree(query.form(request)))
        except Mismatch as mismatch:
            raise AWSError("InvalidParameterValue", str(mismatch)) from None
        return params

    def serialise(self, output: Params, operation: OperationModel, request_id: str) -> HttpResponse:
        """`<NameResponse><requestId>…</requestId>…`."""
        inner, shape = xml_values.text_element("requestId", request_id), operation.output_shape
        if shape is not None:
            inner += xml_values.members(shape, output, milliseconds=True)
        root = xml_values.element(f"{operation.name}Response", inner, query.namespace(operation.service_model))
        return HttpResponse(200, dict(_HEADERS), xml_values.document(root))

    def fault(self, error: AWSError, service: ServiceModel | None, request_id: str) -> HttpResponse:
        """`<Response><Errors><Error>…`; EC2's model has no shapes of errors."""
        shape = error_shape(service, error.code)
        element, text = xml_values.element, xml_values.text_element
        said = text("Code", error_code(error, shape)) + text("Message", error.message)
        root = element("Response", element("Errors", element("Error", said)) + text("RequestID", request_id))
        return HttpResponse(error_status(error, shape), dict(_HEADERS), xml_values.document(root))


def _read(shape: Shape, node: Node) -> Value:
    kind = shape.type_name
    if kind == "structure":
        found = ((name, member, query.child(node, _name(member, name))) for name, member in shape.members.items())
        return {name: _read(member, below) for name, member, below in found if below is not None}
    if kind == "list":
        return [_read(shape.member, item) for item in query.in_order(node)]
    return query.scalar(shape, node)


def _name(shape: Shape, default: str) -> str:
    """What the member is called in a request: its name in the answers' XML with a capital, but where the model gives
    one for requests."""
    given: str | None = shape.serialization.get("queryName")
    if given is not None:
        return given
    name = wire_name(shape, "")
    return name[0].upper() + name[1:] if name else default
