"""Parameters for any operation, by botocore's model: right, wrong in places, or hostile."""

from __future__ import annotations

import base64
import io
import json
import re
import string
import zipfile
from collections import defaultdict, deque
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

STRANGE = (
    "",
    "\0",
    "../../../etc/passwd",
    "%00%2e%2e%2f",
    "a" * 5000,
    "ünïcode ☃ \u202e",
    "'; DROP TABLE resource; --",
    "{{7*7}}${7*7}",
    "arn:aws:iam::000000000000:role/x",
    "s3://",
    "s3://bucket/../../key",
    "-1",
    "1e999",
    "NaN",
    "[" * 30_000,
    '{"a":' * 3_000,
    base64.urlsafe_b64encode(b"[" * 3_000).decode(),
    *("bnVsbA==", "W10=", "W251bGwsIHt9XQ==", "e30=", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+23:59", "P1Y"),
    *("^(a+)+$", "*" * 200, "arn:aws:iam:::", "arn:" + ":" * 40, "١٢٣", "\ufeff{}", "$.a[?(@.b==1)]", "${aws:x}"),
)
WRONG_JSON: tuple[Any, ...] = (None, True, -1, 2**70, 1.5e300, "", "x", [], {}, [[]], {"a": {"b": []}}, "\ud83d\ude00")
DEPTH = 4

ROLE = "arn:aws:iam::000000000000:role/ClaryExecutionRole"
ALLOWS = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
TRUSTS = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
MAY = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}
POLICIES = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (ALLOWS, TRUSTS, MAY)]

PLAIN = (
    *("fuzz-a", "fuzz-b", "fuzz_c", "/fuzz/d", "1", "12", "true", "a.b", "arn:aws:sns:us-east-1:000000000000:fuzz-a"),
    *("arn:aws:s3:::fuzz-a", "arn:aws:lambda:us-east-1:000000000000:function:fuzz-a", ROLE, "s3://fuzz-a/fuzz"),
    *("ml.m5.large", "us-east-1", "000000000000", "text/plain", "application/json", "http://127.0.0.1:9/", "*", "/"),
    *("rate(5 minutes)", "2026-11-22T00:00:00Z", "a@example.com", "sha256:" + "a" * 64, "a" * 40, "$LATEST", "{}"),
    *("000000000000.dkr.ecr.us-east-1.amazonaws.com/fuzz-a:latest", "AKIDEXAMPLEEXAMPLE00", "%", "GET", "[a, b]"),
    "12345678-1234-1234-1234-123456789012",
    "arn:aws:kms:us-east-1:000000000000:key/12345678-1234-1234-1234-123456789012",
    "endpoint/fuzz-a/variant/v",
    *POLICIES,
)
"""Texts that some member of some operation takes."""

ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as _code:
    _code.writestr("f.py", "def handle(event, context):\n    return event\n")

EVERY = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}

MEANT: dict[str, tuple[Any, ...]] = {
    "aliasname": ("alias/fuzz-a", "alias/fuzz-b"),
    "bucket": ("fuzz-a", "fuzz-b"),
    "key": ("fuzz-a", "fuzz/b"),
    "copysource": ("fuzz-a/fuzz-a", "/fuzz-b/fuzz%2Fb?versionId=null"),
    "httpmethod": ("GET", "POST", "ANY"),
    "integrationhttpmethod": ("GET", "POST"),
    "statuscode": ("200", "404"),
    "routekey": ("GET /fuzz", "$default"),
    "protocoltype": ("HTTP",),
    "keytype": ("API_KEY",),
    "clientrequesttoken": ("12345678-1234-1234-1234-123456789012",),
    "body": (json.dumps({"openapi": "3.0.1", "info": {"title": "fuzz", "version": "1"}, "paths": {"/x": {}}}),),
    "zipfile": (ZIP.getvalue(),),
    "handler": ("f.handle",),
    "runtime": ("python3.11", "python3.12"),
    "keyusage": ("ENCRYPT_DECRYPT", "SIGN_VERIFY"),
    "keyspec": ("SYMMETRIC_DEFAULT", "RSA_2048"),
    "namespace": ("fuzz", "AWS/SageMaker"),
    "servicenamespace": ("sagemaker",),
    "resourceid": ("endpoint/fuzz-a/variant/v",),
    "scalabledimension": ("sagemaker:variant:DesiredInstanceCount",),
    "variantname": ("v",),
    "dashboardbody": ('{"widgets": []}',),
    "alarmrule": ("ALARM(fuzz-a)", "NOT ALARM(fuzz-b) OR TRUE"),
    "filterpattern": ("", "ERROR", "{ $.a = 1 }", "[a, b]"),
    "querystring": ("fields @message | limit 5", "stats count(*) by bin(5m)"),
    "imagemanifest": ('{"schemaVersion": 2, "layers": []}',),
    "lifecyclepolicytext": (
        json.dumps({"rules": [{"rulePriority": 1, "selection": EVERY, "action": {"type": "expire"}}]}),
    ),
    "assumerolepolicydocument": (POLICIES[1],),
    "parameterfilters": ([],),
    "maxresults": (1, 5, 50),
    "resourcetype": ("Parameter", "repository"),
    "qualifier": ("$LATEST", "1"),
    "trainingimage": ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",),
    "modeldataurl": ("s3://fuzz-a/none/model.tar.gz",),
    "instancetype": ("ml.m5.large",),
    "image": ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",),
    "endpointconfigname": ("fuzz-a",),
    "endpointname": ("fuzz-a",),
    "functionname": ("fuzz-a",),
    "secretid": ("fuzz-a",),
    "logstreamname": ("fuzz-a",),
    "modelname": ("fuzz-a",),
    "initialinstancecount": (1,),
    "instancecount": (1,),
    "volumesizeingb": (1,),
}
"""What members by these names (in lower case) take, beside what is known."""

ALWAYS = frozenset(
    {
        *("ClientRequestToken", "Runtime", "Handler", "PrimaryContainer", "AlgorithmSpecification", "ModelName"),
        *("Image", "ZipFile", "TrainingImage", "TrainingInputMode", "SecretString", "InstanceType", "HttpMethod"),
        *("InitialInstanceCount", "VolumeSizeInGB", "InstanceCount", "body", "type", "HyperParameterTuningJobConfig"),
    }
)
"""Members that are given although no model requires them."""

OWN = re.compile("ClaryExecutionRole|clary-default|stranger")
"""What fuzzers live by: nobody changes these, nor gives them rights."""


class Known:
    """What answers have told: names, ids, ARNs, by the names of the members they stood in."""

    def __init__(self) -> None:
        self._values: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=12))

    def learn(self, value: Any, name: str = "", skip: frozenset[str] = frozenset()) -> None:
        """Every text in it."""
        if isinstance(value, dict):
            for key, inner in value.items():
                self.learn(inner, key, skip)
        elif isinstance(value, list):
            for inner in value[:3]:
                self.learn(inner, name.removesuffix("s"), skip)
        elif isinstance(value, str) and 0 < len(value) < 3000 and value not in skip and not OWN.search(value):
            for pool in _pools(name):
                if value not in self._values[pool]:
                    self._values[pool].append(value)

    def without(self, mark: str) -> Known:
        """The same, but for texts with a mark."""
        others = Known()
        for pool, values in self._values.items():
            others._values[pool].extend(each for each in values if mark not in each)
        return others

    def of(self, name: str, chance: Random) -> str | None:
        """One that may be meant by this member."""
        found = next((pool for pool in _pools(name) if self._values.get(pool)), None)
        return chance.choice(self._values[found]) if found else None


@lru_cache(maxsize=4096)
def _pools(name: str) -> tuple[str, ...]:
    """`RestApiId`, `restApiId` → its own, then every id's."""
    lower = name.lower()
    ends = next((end for end in ("arn", "url", "token", "handle", "name", "id") if lower.endswith(end)), "")
    return (lower, ends) if ends and ends != lower else (lower,)


class Guesser:
    """Parameters for an operation. `wrong` of the values are of a wrong type or strange; the others keep to the model
    as far as its patterns are met by what is known or plain."""

    def __init__(
        self, chance: Random, wrong: float = 1 / 6, known: Known | None = None, *, shared: bool = True
    ) -> None:
        """`shared`: policies may let everybody in."""
        self._chance = chance
        self._shared = shared
        self._wrong = wrong
        self._known = known

    def value(self, shape: Shape, depth: int = 0, name: str = "") -> Any:
        """A value for a shape, as JSON has it; times and bytes as botocore has them, where it is to be right."""
        if self._chance.random() < self._wrong:
            strange = self._known is not None and shape.type_name == "string" and self._chance.random() < 0.7
            return self._chance.choice(STRANGE if strange else WRONG_JSON)
        if self._known and name.lower() in MEANT and self._chance.random() < 0.7:
            return self._chance.choice(MEANT[name.lower()])
        if isinstance(shape, StructureShape):
            return self._structure(shape, depth)
        if isinstance(shape, ListShape):
            least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 3)
            count = (
                max(min(self._chance.randrange(3), most), min(least, 3)) if self._known else self._chance.randrange(3)
            )
            return [self.value(shape.member, depth + 1, name.removesuffix("s")) for _ in range(count)]
        if isinstance(shape, MapShape):
            count = self._chance.randrange(3)
            return {self.text(shape.key): self.value(shape.value, depth + 1) for _ in range(count)}
        return self.scalar(shape, name)

    def _structure(self, shape: StructureShape, depth: int) -> dict[str, Any]:
        members = {} if depth > DEPTH else shape.members
        likely = 0.4 if self._known is None else self._chance.choice((0.0, 0.05, 0.4))
        always = ALWAYS if self._known is not None else frozenset()
        chosen = [n for n in members if n in shape.required_members or n in always or self._chance.random() < likely]
        if shape.is_tagged_union and self._known is not None:
            chosen = [self._chance.choice(list(members))] if members else []
        if depth > DEPTH and self._known is not None:
            members, chosen = shape.members, list(shape.required_members) if depth <= 2 * DEPTH else []
        return {name: self.value(members[name], depth + 1, name) for name in chosen}

    def scalar(self, shape: Shape, name: str = "") -> Any:
        match shape.type_name:
            case "integer" | "long":
                return self._number(shape)
            case "double" | "float":
                return self._chance.choice((0.0, 0.5, -1.0, 1e18) if self._known is None else (0.0, 0.5, 1.0, 99.0))
            case "boolean":
                return self._chance.random() < 0.5
            case "timestamp":
                return self._moment()
            case "blob":
                data = self._chance.randbytes(self._chance.randrange(40))
                return base64.b64encode(data).decode() if self._known is None else data
        return self.text(shape, name)

    def _number(self, shape: Shape) -> int:
        if self._known is None or self._chance.random() < 0.02:
            return self._chance.choice((0, 1, 7, -5, 2**31, 10**12))
        least, most = int(shape.metadata.get("min", 0)), int(shape.metadata.get("max", 10_000))
        return self._chance.choice((least, min(most, least + 1), min(most, max(least, 60)), most))

    def _moment(self) -> Any:
        if self._known is None:
            return self._chance.choice((0, 1.7e9, -1e15, 1e18))
        if self._chance.random() < 0.05:
            return self._chance.choice((datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)))
        return datetime.fromtimestamp(1.79e9 + self._chance.randrange(-(10**7), 10**7), UTC)

    def text(self, shape: Shape, name: str = "") -> str:
        """An enumerated value, what is known or plain, or a strange text."""
        if getattr(shape, "enum", None) and self._chance.random() < (0.8 if self._known is None else 0.98):
            return str(self._chance.choice(shape.enum))
        if self._known is not None:
            return self._meant(shape, name, self._known)
        if self._chance.random() < 0.6:
            return "".join(self._chance.choices(string.ascii_lowercase, k=self._chance.randrange(1, 12)))
        return self._chance.choice(STRANGE)

    def _meant(self, shape: Shape, name: str, known: Known) -> str:
        told = known.of(name or shape.name, self._chance) if self._chance.random() < 0.8 else None
        if told is not None:
            return told
        if name.endswith(("Policy", "PolicyDocument", "policy", "PolicyText")):
            return self._chance.choice(POLICIES if self._shared else POLICIES[1:])
        if name.lower().endswith("rolearn") or name == "Role":
            return ROLE
        fitting = _fitting(
            shape.metadata.get("pattern", ""), shape.metadata.get("min", 1), shape.metadata.get("max", 99)
        )
        names = [text for text in fitting if text == "fuzz-a"]
        chosen = self._chance.choice(names if names and self._chance.random() < 0.7 else fitting)
        return "{}" if chosen == POLICIES[0] and not self._shared else chosen


@lru_cache(maxsize=4096)
def _fitting(pattern: str, least: int, most: int) -> tuple[str, ...]:
    """The plain texts that the model allows; a word where it allows none."""
    try:
        allowed = re.compile(pattern.replace(r"\p{L}\p{Z}\p{N}", r"\w "))
    except re.error:
        allowed = re.compile("")
    found = [text for text in PLAIN if least <= len(text) <= max(most, 1) and (not pattern or allowed.search(text))]
    return tuple(found) or ("fuzz",)
