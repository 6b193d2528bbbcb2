"""`python -m benchmarks.authorisation [--decisions N] [--profile]`: what one authorisation decision takes.

A principal has 10 policies of 10 statements each: names and wildcards in actions, two resources, every third statement
with a condition, some with a variable. It asks for what the last policy allows, for what nothing allows and for what is
denied; each time as the gateway asks (`Directory.decide`), in three ways: the first request of its kind after a
publication (policies are compiled by then, nothing is remembered), a request whose answer hangs on its context, and one
whose answer is remembered. Printed are microseconds of CPU time, p50 and p99, of one thread: a decision
waits for nothing, and what other programs do does not count.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import time
from collections.abc import Callable, Iterator

from clary.calls import Access, Call, Principal
from clary.identity.directory import Directory
from clary.identity.published import Identities

ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
LIMIT = 50.0
"""Microseconds that a decision may take (p50)."""

_SERVICES = ("s3", "sqs", "logs", "sagemaker", "ecr", "lambda", "sns", "states", "events", "athena")
_CONDITION = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}, "Bool": {"aws:SecureTransport": "true"}}


def _statement(policy: int, index: int) -> dict[str, object]:
    service = _SERVICES[index]
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Action": [f"{service}:Get*", f"{service}:Describe*", f"{service}:Put{policy}Thing"],
        "Resource": [f"arn:aws:{service}:*:{ACCOUNT}:team-{policy}/*", f"arn:aws:{service}:::team-{policy}-*/*"],
    }
    if index % 3 == 0:
        statement["Condition"] = _CONDITION
    if index % 5 == 0:
        statement["Resource"] = f"arn:aws:{service}:::team-{policy}-${{aws:username}}/*"
    return statement


def identities() -> Identities:
    """One user with ten policies of ten statements, of which the last one denies."""
    policies = {}
    for policy in range(10):
        statements = [_statement(policy, index) for index in range(9)]
        statements.append({"Effect": "Deny", "Action": "s3:Delete*", "Resource": f"arn:aws:s3:::team-{policy}-*/*"})
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        policies[f"p{policy}"] = {"type": "user", "document": document}
    subject = {"id": "AIDAANN", "name": "ann", "policies": list(policies), "boundary": None, "tags": {"team": "red"}}
    return {"account": ACCOUNT, "keys": {}, "subjects": {USER: subject}, "policies": policies}  # type: ignore[typeddict-item]


CALL = Call(
    Principal("user", ACCOUNT, USER, USER, "AIDAANN", "AKIAX"),
    "s3",
    "GetObject",
    {},
    "us-east-1",
    transport={"aws:SecureTransport": "true", "aws:UserAgent": "bench"},
)
QUESTIONS = {
    "allowed by the last policy, on conditions and a variable": ("s3:GetObject", "arn:aws:s3:::team-9-ann/{}", True),
    "allowed by the last policy": ("sqs:GetQueueUrl", f"arn:aws:sqs:us-east-1:{ACCOUNT}:team-9/{{}}", True),
    "allowed by nothing": ("sagemaker:DescribeEndpoint", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:other/{{}}", False),
    "denied by the last policy": ("s3:DeleteObject", "arn:aws:s3:::team-9-ann/{}", False),
}


def _timed(ask: Callable[[int], object], count: int) -> Iterator[float]:
    clock = time.thread_time_ns
    for number in range(count):
        begin = clock()
        ask(number)
        yield (clock() - begin) / 1000


def _line(name: str, times: list[float]) -> float:
    times.sort()
    middle, late = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{name:78} p50 {middle:6.1f} µs   p99 {late:6.1f} µs")
    return middle


def _fresh(directory: Directory, action: str, resource: str, *, expected: bool) -> Callable[[int], object]:
    """Each time another object: nothing is remembered of it."""

    def ask(number: int) -> None:
        if directory.decide(CALL, Access(action, resource.format(number))).allowed is not expected:
            raise AssertionError(action)

    return ask


def measure(count: int) -> float:
    """The slowest p50, in microseconds."""
    directory, slowest = Directory(identities()), 0.0
    for name, (action, resource, expected) in QUESTIONS.items():
        ask = _fresh(directory, action, resource, expected=expected)
        slowest = max(slowest, _line(f"another resource each time: {name}", list(_timed(ask, count))))
    access = Access("sqs:GetQueueUrl", f"arn:aws:sqs:us-east-1:{ACCOUNT}:team-9/same")
    _line("the same again: remembered", list(_timed(lambda _: directory.decide(CALL, access), count)))
    return slowest


def profile(count: int) -> None:
    """Where the time of the dearest question goes."""
    directory = Directory(identities())
    action, resource, expected = next(iter(QUESTIONS.values()))
    ask = _fresh(directory, action, resource, expected=expected)
    profiler = cProfile.Profile()
    profiler.enable()
    for number in range(count):
        ask(number)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(18)


def main() -> None:
    """Fails where a decision takes longer than LIMIT."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--decisions", type=int, default=20_000)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    slowest = measure(asked.decisions)
    if asked.profile:
        profile(asked.decisions)
    if slowest > LIMIT:
        raise SystemExit(f"A decision takes {slowest:.1f} µs, more than {LIMIT:.0f} µs.")


if __name__ == "__main__":
    main()
