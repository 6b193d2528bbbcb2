"""The rest-json protocol: method and path name the operation, the body is JSON or the payload itself
(https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html)."""

from __future__ import annotations

from collections.abc import Mapping
from types import AsyncGeneratorType

from botocore.model import OperationModel, ServiceModel

from clary.errors import AWSError
from clary.wire import event_stream, json_values, locations
from clary.wire.http import HttpRequest, HttpResponse
from clary.wire.json_rpc import serialization_exception
from clary.wire.models import Shape
from clary.wire.protocol import error_code, error_members, error_shape, error_status
from clary.wire.values import Mismatch, Params, Value, is_streaming, payload_of

_HEADERS = {"content-type": "application/json"}


class RestJson:
    """SageMaker Runtime, Lambda, …"""

    def parse(self, request: HttpRequest, operation: OperationModel, labels: Mapping[str, str]) -> Params:
        """Raises AWSError (SerializationException)."""
        shape = operation.input_shape
        if shape is None:
            return {}
        try:
            return {
                **locations.read(shape, request, labels, operation.http["requestUri"]),
                **_read_body(shape, request.body),
            }
        except Mismatch as mismatch:
            raise serialization_exception(mismatch) from None

    def serialise(self, output: Params, operation: OperationModel, request_id: str) -> HttpResponse:
        """The output's status, headers and body."""
        response = HttpResponse(operation.http.get("responseCode", 200), dict(_HEADERS))
        shape = operation.output_shape
        if shape is not None:
            locations.write(shape, output, response)
            response.body = _write_body(shape, output)
            if isinstance(response.body, AsyncGeneratorType):
                response.headers["content-type"] = event_stream.CONTENT_TYPE
        return response

    def fault(self, error: AWSError, service: ServiceModel | None, request_id: str) -> HttpResponse:
        """The code in `x-amzn-errortype`, the message and further members in the body."""
        shape = error_shape(service, error.code)
        headers = {**_HEADERS, "x-amzn-errortype": error_code(error, shape)}
        return HttpResponse(error_status(error, shape), headers, json_values.dumps(error_members(error, shape)))


def _read_body(shape: Shape, body: bytes) -> Params:
    payload = payload_of(shape)
    if payload is None:
        return _read_members(shape, body) if body else {}
    name, member = payload
    if is_streaming(shape) or not body:
        return {}
    if member.type_name == "blob":
        return {name: body}
    if member.type_name == "string":
        return {name: body.decode("utf-8", "replace")}
    return {name: json_values.read(member, json_values.loads(body))}


def _read_members(shape: Shape, body: bytes) -> Params:
    params: Params = json_values.read(shape, json_values.loads(body))
    inside = {name for name, _ in locations.in_body(shape)}
    return {name: value for name, value in params.items() if name in inside}


def _write_body(shape: Shape, output: Params) -> Value:
    payload = payload_of(shape)
    if payload is None:
        inside = {name: output.get(name) for name, _ in locations.in_body(shape)}
        return json_values.dumps(json_values.write(shape, inside))
    name, member = payload
    value = output.get(name)
    if value is None:
        return b""
    if member.type_name in ("blob", "string"):
        return value.encode() if isinstance(value, str) else value
    if event_stream.is_event_stream(member):
        return event_stream.frames(member, value)
    return json_values.dumps(json_values.write(member, value))
