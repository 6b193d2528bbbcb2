"""The json 1.0 and 1.1 protocols: the operation in a header, everything else in one JSON object
(https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html)."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.model import OperationModel, ServiceModel

from clary.errors import AWSError
from clary.wire import json_values
from clary.wire.http import HttpRequest, HttpResponse
from clary.wire.models import Shape
from clary.wire.protocol import error_shape, error_status, query_error, type_name
from clary.wire.values import Mismatch, Params


class JsonRpc:
    """SageMaker, CloudWatch Logs, …"""

    def parse(self, request: HttpRequest, operation: OperationModel, labels: Mapping[str, str]) -> Params:
        """An empty body is an empty object. Raises AWSError (SerializationException)."""
        shape = operation.input_shape
        try:
            body = json_values.loads(request.body) if request.body else {}
            params: Params = json_values.read(shape, body) if shape is not None else {}
        except Mismatch as mismatch:
            raise serialization_exception(mismatch) from None
        return params

    def serialise(self, output: Params, operation: OperationModel, request_id: str) -> HttpResponse:
        """An operation without an output answers an empty body."""
        shape = operation.output_shape
        body = json_values.dumps(json_values.write(shape, output)) if shape is not None else b""
        return HttpResponse(200, {"content-type": _content_type(operation.service_model)}, body)

    def fault(self, error: AWSError, service: ServiceModel | None, request_id: str) -> HttpResponse:
        """The code in `__type`, the message beside it, further members by their shape."""
        shape = error_shape(service, error.code)
        status = error_status(error, shape)
        body = {"__type": type_name(error, shape, service), **error_members(error, shape)}
        headers = {"content-type": _content_type(service), **query_error(error, shape, service, status)}
        return HttpResponse(status, headers, _dumps(body))


def _content_type(service: ServiceModel | None) -> str:
    return f"application/x-amz-json-{service.metadata.get('jsonVersion', '1.1') if service else '1.1'}"


def _dumps(body: Params) -> bytes:
    return json_values.dumps(body)


def serialization_exception(mismatch: Mismatch) -> AWSError:
    """The answer of AWS's JSON services to what does not fit the model."""
    return AWSError("SerializationException", str(mismatch))


def error_members(error: AWSError, shape: Shape | None) -> Params:
    """The message, under the name that the shape gives it, and the shape's further members."""
    if shape is None:
        return {"message": error.message}
    name = "Message" if "Message" in shape.members else "message"
    members: Params = json_values.write(shape, error.members)
    return {name: error.message, **members}
