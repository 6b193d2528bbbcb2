"""What an AWS protocol is: how bytes become parameters, and results and errors become bytes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from botocore.model import OperationModel, ServiceModel

from clary.errors import AWSError
from clary.wire import json_values, models
from clary.wire.http import HttpRequest, HttpResponse
from clary.wire.models import Shape
from clary.wire.query_codes import query_code
from clary.wire.values import Params


class WireProtocol(Protocol):
    """One of json, query, ec2, rest-json, rest-xml and smithy-rpc-v2-cbor."""

    def parse(self, request: HttpRequest, operation: OperationModel, labels: Mapping[str, str]) -> Params:
        """The operation's parameters; `labels` are what its path holds. A payload that is streamed is left out.

        Raises AWSError with the protocol's own code (SerializationException, MalformedXML, …) where the request does
        not fit the model.
        """
        ...

    def serialise(self, output: Params, operation: OperationModel, request_id: str) -> HttpResponse:
        """The answer; members that are None or not in the model are left out."""
        ...

    def fault(self, error: AWSError, service: ServiceModel | None, request_id: str) -> HttpResponse:
        """The answer to a call that failed."""
        ...


@lru_cache(maxsize=4096)
def _error_shape(service: str, code: str) -> Shape | None:
    shapes: list[Shape] = list(models.load(service).error_shapes)
    named = (shape for shape in shapes if code == shape.name)  # several may have one code
    return next(named, None) or next((shape for shape in shapes if code == shape.error_code), None)


def error_shape(service: ServiceModel | None, code: str) -> Shape | None:
    """The model's shape of an error, by its code on the wire or by its own name; None where it is not modelled."""
    return _error_shape(service.service_name, code) if service is not None else None


def error_status(error: AWSError, shape: Shape | None) -> int:
    """The status the error was raised with; where that is the ordinary 400, the model may say another."""
    if error.status != 400 or shape is None:
        return error.status
    return int(shape.metadata.get("error", {}).get("httpStatusCode", 400))


def error_code(error: AWSError, shape: Shape | None) -> str:
    """The code as it stands on the wire (`NoSuchEntity` for the shape NoSuchEntityException)."""
    return str(shape.error_code) if shape is not None else error.code


def type_name(error: AWSError, shape: Shape | None, service: ServiceModel | None) -> str:
    """What stands as `__type`: a service that once spoke query tells its code apart (`query_error`), and here the
    shape's own name within its namespace."""
    if shape is None or service is None or not service.is_query_compatible:
        return error_code(error, shape)
    return f"com.amazonaws.{service.service_name}#{shape.name}"


def query_error(error: AWSError, shape: Shape | None, service: ServiceModel | None, status: int) -> dict[str, str]:
    """The header by which clients of a service that once spoke query read the code it had there
    (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait)."""
    if service is None or not service.is_query_compatible:
        return {}
    code = query_code(service.service_name, error_code(error, shape))
    return {"x-amzn-query-error": f"{code};{'Sender' if status < 500 else 'Receiver'}"}


def error_members(error: AWSError, shape: Shape | None) -> Params:
    """The message, if there is one, under the name that the shape gives it, and the shape's further members."""
    name = "Message" if shape is not None and "Message" in shape.members else "message"
    said = {name: error.message} if error.message else {}
    members: Params = json_values.write(shape, error.members) if shape is not None else {}
    return {**said, **members}
