"""The rest-xml protocol: that of S3 and of its control plane (https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html)."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.model import OperationModel, ServiceModel

from clary.errors import AWSError
from clary.wire import locations, xml_values
from clary.wire.http import Extent, HttpRequest, HttpResponse
from clary.wire.locations import MisfitError
from clary.wire.models import Shape
from clary.wire.protocol import error_code, error_shape, error_status
from clary.wire.values import Mismatch, Params, is_streaming, payload_of, wire_name

S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
CONTROL = "s3control"
CONTROL_NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/"
_HEADERS = {"content-type": "application/xml"}

_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycle": "LifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotification": "NotificationConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
"""The names of S3's answers, which its model does not hold (from the pages of the S3 API reference)."""


STATUS = "HTTPStatusCode"
"""In an output: its status, where the operation has several. The model knows one."""

HEADERS = "HTTPHeaders"
"""In an output: headers of the answer that the model does not know."""

_EMPTY = frozenset({"PutBucketPolicy", "PutBucketTagging"})
"""S3 answers them with 204, of which its model says nothing either."""


class RestXml:
    """S3, and S3 Control."""

    def parse(self, request: HttpRequest, operation: OperationModel, labels: Mapping[str, str]) -> Params:
        """Raises AWSError (MalformedXML, InvalidArgument)."""
        shape = operation.input_shape
        if shape is None:
            return {}
        try:
            return {**locations.read(shape, request, labels), **_read_body(shape, request.body)}
        except MisfitError as misfit:
            raise _invalid_argument(misfit) from None
        except Mismatch:
            raise malformed_xml() from None

    def serialise(self, output: Params, operation: OperationModel, request_id: str) -> HttpResponse:
        """The output's status, headers and body; a body may lie in files (`Extent`)."""
        response = HttpResponse(204 if operation.name in _EMPTY else operation.http.get("responseCode", 200))
        shape = operation.output_shape
        if shape is not None:
            response.body = _write_body(operation, shape, output)
            if response.body:
                response.headers["content-type"] = _content_type(shape)
            locations.write(shape, output, response)
        if "content-range" in response.headers:
            response.status = 206
        response.status = output.get(STATUS, response.status)
        response.headers |= output.get(HEADERS, {})
        return response

    def fault(self, error: AWSError, service: ServiceModel | None, request_id: str) -> HttpResponse:
        """`<Error><Code>…` with S3's further members (Key, BucketName, …) as they are given; S3 Control puts another
        element around it."""
        shape = error_shape(service, error.code)
        wrapped = service is not None and service.service_name == CONTROL
        said = _texts({"Code": error_code(error, shape), "Message": error.message, **error.members})
        ids = _texts({"RequestId": request_id, "HostId": host_id(request_id)})
        if wrapped:
            root = xml_values.element("ErrorResponse", xml_values.element("Error", said) + ids, CONTROL_NAMESPACE)
        else:
            root = xml_values.element("Error", said + ids)
        return HttpResponse(error_status(error, shape), {**_HEADERS, **error.headers}, xml_values.document(root))


def _texts(texts: Mapping[str, object]) -> str:
    return "".join(xml_values.text_element(name, str(value)) for name, value in texts.items())


def malformed_xml() -> AWSError:
    """S3's answer to a body that does not fit."""
    return AWSError(
        "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
    )


def host_id(request_id: str) -> str:
    """S3's second request id (`x-amz-id-2`)."""
    return f"{request_id}clary"


def _invalid_argument(misfit: MisfitError) -> AWSError:
    name, kind = misfit.binding.name, misfit.binding.shape.type_name
    wanted = "an integer or within integer range" if kind in ("integer", "long") else f"a {kind}"
    members = {"ArgumentName": name, "ArgumentValue": misfit.text}
    return AWSError("InvalidArgument", f"Provided {name} not {wanted}", members=members)


def _read_body(shape: Shape, body: bytes) -> Params:
    payload = payload_of(shape)
    if is_streaming(shape):
        return {}
    if payload is None:
        return _read_members(shape, body) if body else {}
    name, member = payload
    if member.type_name == "string":
        return {name: body.decode("utf-8", "replace")}
    if not body:
        return {}
    if member.type_name == "blob":
        return {name: body}
    return {name: xml_values.read(member, xml_values.parse(body))}


def _read_members(shape: Shape, body: bytes) -> Params:
    if not locations.in_body(shape):
        return {}
    params: Params = xml_values.read(shape, xml_values.parse(body))
    return params


def _write_body(operation: OperationModel, shape: Shape, output: Params) -> bytes | Extent:
    payload = payload_of(shape)
    if payload is None:
        return _write_members(operation, shape, output)
    name, member = payload
    value = output.get(name)
    if value is None:
        return b""
    if member.type_name in ("blob", "string"):
        raw: bytes | Extent = value.encode() if isinstance(value, str) else value
        return raw
    return _document(operation, member, value, wire_name(member, name))


def _write_members(operation: OperationModel, shape: Shape, output: Params) -> bytes:
    if operation.name == "GetBucketLocation":
        return _location_constraint(output)
    if not locations.in_body(shape):
        return b""
    return _document(operation, shape, output, _ROOTS.get(operation.name) or wire_name(shape, shape.name))


def _document(operation: OperationModel, shape: Shape, value: Params, name: str) -> bytes:
    control = operation.service_model.service_name == CONTROL
    inner = xml_values.members(shape, value, milliseconds=True)
    return xml_values.document(xml_values.element(name, inner, CONTROL_NAMESPACE if control else S3_NAMESPACE))


def _content_type(shape: Shape) -> str:
    payload = payload_of(shape)
    plain = payload is not None and payload[1].type_name == "blob"
    return "binary/octet-stream" if plain else "application/xml"


def _location_constraint(output: Params) -> bytes:
    """The one answer that is a bare text; us-east-1 is the empty one."""
    region = output.get("LocationConstraint") or ""
    return xml_values.document(xml_values.text_element("LocationConstraint", region, S3_NAMESPACE))
