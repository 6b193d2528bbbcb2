"""Smithy's rpc-v2-cbor: the operation in the path, everything else in one CBOR map
(https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html)."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.model import OperationModel, ServiceModel

from clary.errors import AWSError
from clary.wire import cbor_values
from clary.wire.http import HttpRequest, HttpResponse
from clary.wire.protocol import error_shape, error_status, query_error, type_name
from clary.wire.values import Mismatch, Params

NAME = "smithy-rpc-v2-cbor"
"""As the API models name it."""

MARK = "rpc-v2-cbor"
"""The header `smithy-protocol` of every request and answer."""

_HEADERS = {"content-type": "application/cbor", "smithy-protocol": MARK}


class RpcCbor:
    """CloudWatch, …"""

    def parse(self, request: HttpRequest, operation: OperationModel, labels: Mapping[str, str]) -> Params:
        """An empty body is an empty map. Raises AWSError (SerializationException)."""
        shape = operation.input_shape
        try:
            body = cbor_values.loads(request.body) if request.body else {}
            params: Params = cbor_values.read(shape, body) if shape is not None else {}
        except Mismatch as mismatch:
            raise AWSError("SerializationException", str(mismatch)) from None
        return params

    def serialise(self, output: Params, operation: OperationModel, request_id: str) -> HttpResponse:
        """An operation without an output answers an empty map."""
        shape = operation.output_shape
        body = cbor_values.write(shape, output) if shape is not None else {}
        return HttpResponse(200, dict(_HEADERS), cbor_values.dumps(body))

    def fault(self, error: AWSError, service: ServiceModel | None, request_id: str) -> HttpResponse:
        """The shape's name in `__type`; its older code, for services that spoke query, in a header."""
        shape = error_shape(service, error.code)
        status = error_status(error, shape)
        members = cbor_values.write(shape, error.members) if shape is not None else {}
        said = {"message": error.message} if error.message else {}
        body = {"__type": type_name(error, shape, service), **said, **members}
        headers = {**_HEADERS, **query_error(error, shape, service, status)}
        return HttpResponse(status, headers, cbor_values.dumps(body))
