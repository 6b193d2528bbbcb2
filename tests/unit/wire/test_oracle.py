"""botocore as the oracle, over every operation: what it serialises we parse, what we serialise it parses."""

import io
import traceback
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from clary.errors import AWSError
from clary.wire import models, protocols
from clary.wire.directory import Directory
from clary.wire.http import HttpRequest
from clary.wire.values import is_streaming

REST = ("lambda", "apigateway", "apigatewayv2")
SERVICES = ("sagemaker", "sagemaker-runtime", "s3", "sts", "iam", "logs", "cloudwatch", "ec2", "s3control", *REST)
SPOKEN = [(service, protocol) for service in SERVICES for protocol in protocols.names_of(models.load(service))]
READ = ("Describe", "Get")


def asked_for(service):
    """Of EC2 only what reads, and most of what it can be sent stands in RunInstances: it has 830 operations."""
    names = models.load(service).operation_names
    return [name for name in names if service != "ec2" or name.startswith(READ) or name == "RunInstances"]


DIRECTORY = Directory(SERVICES)
MOMENT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
AWKWARD = "a/b c+d&e=f%2Fü<\"'>;x"

# Deprecated names of the same request, a request that only the host tells apart, and bodies of event streams.
ONE_REQUEST_TWO_NAMES = {
    ("s3", "GetBucketLifecycle"),
    ("s3", "GetBucketNotification"),
    ("s3", "PutBucketLifecycle"),
    ("s3", "PutBucketNotification"),
    ("s3", "ListDirectoryBuckets"),
    ("s3", "WriteGetObjectResponse"),
    ("s3", "UpdateObjectEncryption"),
    ("s3control", "CreateBucket"),
}


def sample(shape, depth=0, *, text="text"):  # noqa: PLR0911
    kind = shape.type_name
    if kind == "structure":
        if shape.is_document_type:
            return {"free": [1, "form"]}
        if shape.is_tagged_union:
            name, member = next(iter(shape.members.items()))
            return {name: sample(member, depth + 1, text=text)}
        found = {name: sample_member(shape, name, member, depth, text) for name, member in shape.members.items()}
        present = {name: value for name, value in found.items() if value is not None}
        return present or _one_member(shape, depth, text)  # a form cannot hold a structure without members
    if kind == "list":
        return [sample(shape.member, depth + 1, text=text), sample(shape.member, depth + 1, text=text)]
    if kind == "map":
        return {f"key{n}": sample(shape.value, depth + 1, text=text) for n in range(2)}
    if kind == "string":
        return shape.enum[0] if shape.enum else text
    return {
        "character": "c",
        "boolean": True,
        "integer": 7,
        "long": 2**40,
        "float": 1.5,
        "double": 0.1,
        "timestamp": MOMENT,
        "blob": b"\x00blob\xff",
    }[kind]


def _one_member(shape, depth, text):
    scalars = ((name, member) for name, member in shape.members.items() if member.type_name == "string")
    return {name: sample(member, depth + 1, text=text) for name, member in list(scalars)[:1]}


def sample_member(shape, name, member, depth, text):
    if member.serialization.get("eventstream") or (depth > 4 and name not in shape.required_members) or depth > 8:
        return None
    location = member.serialization.get("location")
    plain = location in ("header", "headers") or member.serialization.get("hostLabel")
    return sample(member, depth + 1, text="plain" if plain else text)


def as_request(protocol, operation, params):
    serializer = create_serializer(protocol, include_validation=False)
    prepared = serializer.serialize_to_request(params, operation)
    prepare_request_dict(prepared, "http://127.0.0.1:4599")
    sent = create_request_object(prepared).prepare()
    url = urlsplit(sent.url)
    body = sent.body or b""
    headers = {
        k.lower(): v if isinstance(v, str) else v.decode("utf-8" if isinstance(v, bytes) else "ascii")
        for k, v in sent.headers.items()
    }
    headers["host"] = "127.0.0.1:4599"
    return HttpRequest(sent.method, url.path, url.query, headers, body if isinstance(body, bytes) else body.encode())


def scope_of(service):
    return models.load(service).signing_name


def misread(service, protocol, name, text):
    """How what botocore serialises is found and parsed otherwise than it was given; nothing where it is not."""
    operation = models.operation(service, name)
    shape = operation.input_shape
    params = sample(shape, text=text) if shape else {}
    request = as_request(protocol, operation, params)
    target = DIRECTORY.find(request, scope_of(service))
    if (target.service, target.operation, target.protocol) != (service, name, protocol):
        return target
    parsed = protocols.PROTOCOLS[protocol].parse(request, operation, target.labels)
    if is_streaming(shape):
        params.pop(shape.serialization["payload"])
    return None if parsed == params else (parsed, params)


def wrongs(check, service, protocol, *more):
    """What `check` finds, by the name of the operation; all are checked, and one that breaks is named too."""
    found = {}
    for name in asked_for(service):
        if (service, name) in ONE_REQUEST_TWO_NAMES:
            continue
        try:
            wrong = check(service, protocol, name, *more)
        except Exception:
            wrong = traceback.format_exc()
        if wrong is not None:
            found[name] = wrong
    return found


# One test per protocol, not per operation: of five thousand tests most of the time was pytest's.


@pytest.mark.parametrize("text", ["text", AWKWARD], ids=["plain", "awkward"])
@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_what_botocore_serialises_is_found_and_parsed(service, protocol, text):
    assert wrongs(misread, service, protocol, text) == {}


def misspoken(service, protocol, name):
    """How botocore parses what we serialise otherwise than it was given; nothing where it does not."""
    operation = models.operation(service, name)
    shape = operation.output_shape
    if operation.has_event_stream_output:
        return None
    text = "text" if protocol == "rest-json" else "täxt <&>"
    output = sample(shape, text=text) if shape else {}
    response = protocols.PROTOCOLS[protocol].serialise(output, operation, "request-1")
    if any(header != header.lower() for header in response.headers):
        return response.headers
    parsed = parse(protocol, response, shape)
    parsed.pop("ResponseMetadata", None)
    if (service, name) == ("s3", "GetBucketLocation"):
        return None if b">%s<" % output["LocationConstraint"].encode() in response.body else response.body
    if shape and streams(shape):
        payload = shape.serialization["payload"]
        parsed[payload] = parsed[payload].read()
    return None if parsed == output else (parsed, output)


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_what_we_serialise_botocore_parses(service, protocol):
    assert wrongs(misspoken, service, protocol) == {}


def parse(protocol, response, shape):
    parser = create_parser(protocol)
    body = io.BytesIO(response.body) if shape is not None and streams(shape) else response.body
    headers = HeadersDict(response.headers)
    return parser.parse({"body": body, "headers": headers, "status_code": response.status}, shape)


def streams(shape):
    payload = shape.serialization.get("payload")
    return payload is not None and shape.members[payload].type_name == "blob"


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_modelled_errors_are_read_by_botocore_with_all_members(service, protocol):
    model = models.load(service)
    for shape in model.error_shapes:
        members = {k: v for k, v in sample(shape).items() if k.lower() != "message"}
        error = AWSError(shape.name, "What went <wrong> & why", members=members)
        response = protocols.PROTOCOLS[protocol].fault(error, model, "request-1")
        assert response.status == shape.metadata.get("error", {}).get("httpStatusCode", 400), shape.name
        parsed = parse(protocol, response, None)
        assert parsed["Error"]["Code"] == shape.error_code
        assert parsed["Error"]["Message"] == "What went <wrong> & why"
        modelled = parse(protocol, response, shape)
        for key, value in members.items():
            assert modelled[key] == value or service == "s3", shape.name


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_errors_that_no_model_knows_are_read_by_botocore(service, protocol):
    model = models.load(service)
    response = protocols.PROTOCOLS[protocol].fault(AWSError("NobodyKnowsThis", "no"), model, "r")
    parsed = parse(protocol, response, None)
    assert (parsed["Error"]["Code"], parsed["Error"]["Message"], response.status) == ("NobodyKnowsThis", "no", 400)
