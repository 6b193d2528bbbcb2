"""The json 1.0 and 1.1 protocols: the operation in a header, everything else in one JSON object
(https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html)."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.model import OperationModel, ServiceModel

from clary.errors import AWSError
from clary.wire import event_stream, json_values
from clary.wire.http import HttpRequest, HttpResponse
from clary.wire.protocol import error_members, error_shape, error_status, query_error, type_name
from clary.wire.values import Mismatch, Params

_INITIAL = b"{}"
"""The members of an output beside its events: no operation has any."""


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
        """An operation without an output answers an empty body; one that answers by events is a stream of them."""
        shape = operation.output_shape
        events = operation.get_event_stream_output()
        if events is not None:
            [coming] = output.values()
            headers = {"content-type": event_stream.CONTENT_TYPE}
            return HttpResponse(200, headers, event_stream.frames(events, coming, initial=_INITIAL))
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
