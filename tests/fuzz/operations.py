"""Every offered operation, one after another on what the others made: mostly right, wrong in places, or hostile."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from botocore.awsrequest import AWSRequest, HeadersDict, create_request_object, prepare_request_dict
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError, create_parser
from botocore.serialize import create_serializer

from clary.services.catalogue import REGISTRY
from clary.wire import cbor_values, models, protocols
from tests.fuzz.attacker import Answer, Attacker
from tests.fuzz.guessing import Guesser, Known
from tests.running import RunningClary

SERVICES = sorted(REGISTRY.services)

WRONG = (0.0, 0.0, 0.01, 0.03, 1 / 6)
"""The share of wrong values in one request."""

MAKES = ("Create", "Put", "Register")
GENERIC = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "ValidationException", "ValidationError", "InvalidRequest"),
        *("SerializationException", "MalformedInput", "InvalidParameterValue", "InvalidParameterCombination"),
        *("MissingParameter", "MissingAction", "InvalidAction", "MalformedQueryString", "InvalidQueryParameter"),
        *("UnknownOperationException", "NotImplemented", "OptInRequired", "Throttling", "ThrottlingException"),
        *("InvalidParameterException", "BadRequestException", "RequestEntityTooLarge", "RequestTimeout"),
    }
)
"""Codes that any service may answer (AWS's "Common Error Types"), and what gateways before them say."""

S3_CODES = frozenset(
    {
        *("AuthorizationHeaderMalformed", "BadDigest", "BucketAlreadyExists", "BucketAlreadyOwnedByYou"),
        *("BucketNotEmpty", "EntityTooLarge", "EntityTooSmall", "IllegalLocationConstraintException"),
        *("IncompleteBody", "InvalidArgument", "InvalidBucketName", "InvalidBucketState", "InvalidDigest"),
        *("InvalidObjectState", "InvalidPart", "InvalidPartOrder", "InvalidRange", "InvalidRequest", "InvalidTag"),
        *("InvalidURI", "KeyTooLongError", "MalformedACLError", "MalformedPolicy", "MalformedXML", "MetadataTooLarge"),
        *("MethodNotAllowed", "MissingContentLength", "MissingRequestBodyError", "NoSuchBucket", "NoSuchBucketPolicy"),
        *("NoSuchCORSConfiguration", "NoSuchKey", "NoSuchLifecycleConfiguration", "NoSuchTagSet", "NoSuchUpload"),
        *("IllegalVersioningConfigurationException", "InvalidTargetBucketForLogging"),
        *("MissingSecurityHeader", "UnexpectedContent", "InvalidStorageClass", "InvalidEncryptionAlgorithmError"),
        *("InvalidLocationConstraint", "InvalidToken", "OperationAborted", "UnresolvableGrantByEmailAddress"),
        *("NoSuchVersion", "NoSuchWebsiteConfiguration", "NotImplemented", "ObjectLockConfigurationNotFoundError"),
        *("NoSuchPublicAccessBlockConfiguration", "OwnershipControlsNotFoundError", "PreconditionFailed"),
        *("ServerSideEncryptionConfigurationNotFoundError", "TooManyBuckets", "XAmzContentSHA256Mismatch"),
        *("AccessControlListNotSupported", "InvalidBucketAclWithObjectOwnership", "NotModified"),
        *("NoSuchObjectLockConfiguration", "ReplicationConfigurationNotFoundError", "PermanentRedirect"),
        *("InvalidBucketAclWithBlockPublicAccessError", "BadRequest", "InvalidPartNumber", "InvalidPolicyDocument"),
        *("ConditionalRequestConflict", "CrossLocationLoggingProhibitted", "InvalidBucketOwnerAWSAccountID"),
        *("NoSuchAccessPoint", "NoSuchResource"),
    }
)
"""Of S3's list of error codes, whose model names hardly any."""

OWN_CODES: dict[str, frozenset[str]] = {
    "sts": frozenset({"InvalidClientTokenId"}),
    "s3": S3_CODES,
    "s3control": frozenset({"MethodNotAllowed"}),
    "kms": frozenset({"NotAuthorizedException"}),
}

NO_HTTP = (b"Invalid HTTP request received.", b"The request's head is too large.")


@dataclass(frozen=True)
class Asked:
    """What was asked, for whoever reads a failure."""

    service: str
    operation: str
    params: Any

    def __str__(self) -> str:
        return f"{self.service}.{self.operation}({self.params!r:.3000})"


class Operations:
    """One service's operations in a round."""

    def __init__(self, clary: RunningClary, chance: Random, *, shared: bool = True) -> None:
        self._shared = shared
        self._attacker = Attacker(clary, chance)
        self._chance = chance
        self._own = frozenset({self._attacker.credentials.access_key})
        self._as_botocore = True
        """Whether the last request was written so; one in our own words may be another operation's (a GET of S3's
        without what its query must hold is GetObject), and its answer no document."""

    def round(self) -> None:
        """Each service in turn; what one makes, others are told of."""
        known = Known()
        for service in self._chance.sample(SERVICES, len(SERVICES)):
            for name in self._order(service):
                self.call(service, name, known)

    def _order(self, service: str) -> list[str]:
        """What makes things first, then every operation."""
        names = sorted(REGISTRY.services[service].operations)
        made = [name for name in names if name.startswith(MAKES)]
        return self._chance.sample(made, len(made)) + self._chance.sample(names, len(names))

    def call(self, service: str, name: str, known: Known) -> None:
        """One call; AssertionError where the answer is none of AWS's."""
        operation = models.operation(service, name)
        guesser = Guesser(self._chance, self._chance.choice(WRONG), known, shared=self._shared)
        params = guesser.value(operation.input_shape) if operation.input_shape else {}
        protocol = self._chance.choice(protocols.names_of(models.load(service)))
        asked = Asked(service, name, params)
        answer = self.ask(self._attacker, asked, protocol)
        if 200 <= answer.status < 300:
            known.learn(params, skip=self._own)
            known.learn(self._parsed(protocol, operation, answer), skip=self._own)
        else:
            check_refusal(asked, operation, answer)

    def ask(self, who: Attacker, asked: Asked, protocol: str) -> Answer:
        """What is said to it. AssertionError where nothing is."""
        operation = models.operation(asked.service, asked.operation)
        try:
            request = self._request(asked.service, protocol, operation, asked.params)
            return who.send(asked.service, request, streams=operation.has_event_stream_output)
        except TimeoutError:
            raise AssertionError(f"no answer to {asked}") from None

    def _request(self, service: str, protocol: str, operation: OperationModel, params: Any) -> AWSRequest:
        """As botocore writes it, where it can."""
        try:
            prepared = create_serializer(protocol, include_validation=False).serialize_to_request(params, operation)
            prepared.pop("host_prefix", None)  # there is one host here
            prepare_request_dict(prepared, self._attacker.host)
            prepared["url"] = prepared["url"].rstrip("&")  # of an empty list; botocore signs it, and AWS drops it
            request = create_request_object(prepared)
            self._attacker.sign(service, request)
            self._attacker.wire(request)
        except Exception:  # whatever a wrong value does to it
            self._as_botocore = False
            return self._attacker.as_request(service, operation, params)
        self._as_botocore = True
        return request

    def _parsed(self, protocol: str, operation: OperationModel, answer: Answer) -> Any:
        shape = operation.output_shape
        if operation.has_streaming_output or operation.has_event_stream_output or shape is None:
            return {}
        if "xml" in answer.headers.get("content-type", "") and protocol not in {"rest-xml", "ec2"}:
            protocol = "query"  # where `_request` could not write the other
        given = {"body": answer.body, "headers": HeadersDict(answer.headers), "status_code": answer.status}
        try:
            return create_parser(protocol).parse(given, shape)
        except ResponseParserError:
            if self._as_botocore:
                raise
            return {}


def check_refusal(asked: Asked, operation: OperationModel, answer: Answer) -> None:
    """A refusal is one that the service knows."""
    assert 300 <= answer.status < 500 or answer.status == 501, f"{answer} to {asked}"
    if not answer.body or answer.body in NO_HTTP:  # of HEAD, and 304; a name with a slash, a long path
        return
    code = error_code(answer)
    allowed = {shape.error_code for shape in operation.service_model.error_shapes}
    allowed |= {shape.name for shape in operation.service_model.error_shapes}
    allowed |= GENERIC | OWN_CODES.get(asked.service, frozenset())
    if asked.service == "s3":  # what it passes on of the keys' service
        allowed |= {f"KMS.{shape.name}" for shape in models.load("kms").error_shapes}
    if not operation.service_model.error_shapes and code:
        return  # EC2's model names none
    assert code in allowed, f"{code!r}, which the service does not know: {answer} to {asked}"


def error_code(answer: Answer) -> str:
    """In whichever protocol."""
    if "x-amzn-errortype" in answer.headers:
        return answer.headers["x-amzn-errortype"].partition(":")[0]
    if b"<Code>" in answer.body:
        return answer.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
    if answer.headers.get("content-type") == "application/cbor":
        return str(cbor_values.loads(answer.body).get("__type", "")).rpartition("#")[2]
    try:
        return str(json.loads(answer.body).get("__type", "")).rpartition("#")[2]
    except ValueError:
        return ""
