"""What a bucket's notification configuration may say
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from clary.errors import AWSError
from clary.names import random_hex
from clary.services.s3.errors import invalid_argument, malformed_xml

Params = Mapping[str, Any]

_KINDS = (
    ("QueueConfigurations", "QueueArn", "sqs", "Queue"),
    ("TopicConfigurations", "TopicArn", "sns", "Topic"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn", "lambda", "CloudFunction"),
)
"""Member, the destination's, its service, and its name in XML."""

EVENTS = frozenset(
    f"s3:{name}"
    for name in (
        "ReducedRedundancyLostObject",
        *(f"ObjectCreated:{how}" for how in ("*", "Put", "Post", "Copy", "CompleteMultipartUpload")),
        *(f"ObjectRemoved:{how}" for how in ("*", "Delete", "DeleteMarkerCreated")),
        *(f"ObjectRestore:{how}" for how in ("*", "Post", "Completed", "Delete")),
        "Replication:*",
        "Replication:OperationFailedReplication",
        "Replication:OperationNotTracked",
        "Replication:OperationMissedThreshold",
        "Replication:OperationReplicatedAfterThreshold",
        "LifecycleTransition",
        "IntelligentTiering",
        "ObjectAcl:Put",
        *(f"LifecycleExpiration:{how}" for how in ("*", "Delete", "DeleteMarkerCreated")),
        *(f"ObjectTagging:{how}" for how in ("*", "Put", "Delete")),
    )
)

_ARN = re.compile(r"arn:aws[a-z-]*:(sqs|sns|lambda):[a-z0-9-]+:\d{12}:.+")
_LONGEST_VALUE = 1024


def check(asked: Params, *, skip: bool, exists: Callable[[str], bool]) -> None:
    """Raises InvalidArgument, MalformedXML; `skip`: the destinations need not exist."""
    ids = [each["Id"] for each, _ in _all(asked) if each.get("Id")]
    if len(ids) != len(set(ids)):
        raise _invalid("Same ID used for multiple configurations. IDs must be unique", "Id", "")
    for each, (_, member, service, what) in _all(asked):
        _check_one(each, member, service, what)
    missing = [] if skip else [each[kind[1]] for each, kind in _all(asked) if not exists(each[kind[1]])]
    if missing:
        members = {f"ArgumentName{number}": arn for number, arn in enumerate(missing, 1)}
        members |= {f"ArgumentValue{number}": _absent(arn) for number, arn in enumerate(missing, 1)}
        text = "Unable to validate the following destination configurations"
        raise AWSError("InvalidArgument", text, members=members)


def _absent(arn: str) -> str:
    service = arn.split(":")[2]
    if service == "lambda":
        return f"Not authorized to invoke function [{arn}]"
    return f"The destination {'queue' if service == 'sqs' else 'topic'} does not exist"


def with_ids(asked: Params) -> dict[str, Any]:
    """The configuration as it is kept: each part has an id, and empty lists are none."""
    kept: dict[str, Any] = {
        member: [{"Id": random_hex(32), **each} for each in asked[member]]
        for member, _, _, _ in _KINDS
        if asked.get(member)
    }
    if asked.get("EventBridgeConfiguration") is not None:
        kept["EventBridgeConfiguration"] = {}
    return kept


def _all(asked: Params) -> Iterator[tuple[Params, tuple[str, str, str, str]]]:
    for kind in _KINDS:
        yield from ((each, kind) for each in asked.get(kind[0]) or ())


def _check_one(each: Params, member: str, service: str, what: str) -> None:
    events = each.get("Events") or []
    if not each.get(member) or not events:
        raise malformed_xml()
    found = _ARN.fullmatch(each[member])
    if found is None or found[1] != service:
        raise _invalid("The ARN could not be parsed", what, each[member])
    for event in events:
        if event not in EVENTS:
            raise _invalid("The event is not supported for notifications", "Event", event)
    for rule in ((each.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ():
        _check_filter(rule)


def _check_filter(rule: Params) -> None:
    if rule.get("Name") is None or rule.get("Value") is None:
        raise malformed_xml()
    if rule["Name"].lower() not in ("prefix", "suffix"):
        raise _invalid("filter rule name must be either prefix or suffix", "FilterRule.Name", rule["Name"])
    if len(rule["Value"].encode()) > _LONGEST_VALUE:
        raise _invalid(f"Size of filter rule value cannot exceed {_LONGEST_VALUE} bytes in UTF-8",
                       "FilterRule.Value", rule["Value"])  # fmt: skip


def _invalid(text: str, name: str, value: str) -> AWSError:
    return invalid_argument(text, name, value)
