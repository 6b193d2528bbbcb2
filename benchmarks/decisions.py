"""What CPU time an authorisation decision costs: `python -m benchmarks.decisions [--profile]`.

A role with AWS's own policies, a permissions boundary and a session policy asks for an object in a bucket whose policy
has fifty statements; another account and nobody ask, too. A user with ten policies of ten statements each, with
wildcards, conditions and a variable, asks for what the last policy allows, for what nothing allows, and for what is
denied. Every request is for another object, so that none is remembered; one is made again and again.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.figures import Figure, ended
from clary.calls import Access, Call, Principal, account_root
from clary.identity.directory import Directory
from clary.identity.published import Identities
from clary.identity.resources import Resources

TARGET = 50.0
_ACCOUNT, _OTHER = "111111111111", "222222222222"
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/r"
_BUCKET = "arn:aws:s3:::b"
_MANAGED = ("AmazonSageMakerFullAccess", "AmazonS3ReadOnlyAccess")
_USER = f"arn:aws:iam::{_ACCOUNT}:user/ann"
_SERVICES = ("s3", "sqs", "logs", "sagemaker", "ecr", "lambda", "sns", "states", "events", "athena")
_QUESTIONS = {
    "allowed on conditions and a variable": ("s3:GetObject", "arn:aws:s3:::team-9-ann/{}", True),
    "allowed": ("sqs:GetQueueUrl", f"arn:aws:sqs:us-east-1:{_ACCOUNT}:team-9/{{}}", True),
    "allowed, and asked before": ("sqs:GetQueueUrl", f"arn:aws:sqs:us-east-1:{_ACCOUNT}:team-9/same", True),
    "allowed by nothing": ("sagemaker:DescribeEndpoint", f"arn:aws:sagemaker:us-east-1:{_ACCOUNT}:other/{{}}", False),
    "denied": ("s3:DeleteObject", "arn:aws:s3:::team-9-ann/{}", False),
}
"""Of the user: actions, resources with a place for a number, and the answers."""
_ROUNDS, _TURNS = 5, 4000

Ask = Callable[[int], None]


def main() -> int:
    """Measure, and say whether the target is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decisions", description=__doc__)
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    profiled = parser.parse_args().profile
    figures = []
    for name, ask in (*_of_bucket(), *_of_user()):
        figures.append(
            Figure(f"a decision for {name}", [_microseconds(ask, number) for number in range(_ROUNDS)], TARGET, "µs")
        )
        print(figures[-1].line(), flush=True)
        if profiled:
            _profile(ask)
    return ended(figures)


def _of_bucket() -> Iterator[tuple[str, Ask]]:
    who = {
        "a role": Principal(
            "assumed-role", _ACCOUNT, f"arn:aws:sts::{_ACCOUNT}:assumed-role/r/s", _ROLE, "AROAR:s",
            session_policies=(_document(_statement()),),
        ),
        "another account": account_root(_OTHER),
        "nobody": Principal("anonymous", "", "", "", ""),
    }  # fmt: skip
    for name, principal in who.items():
        yield name, _ask(_directory(), principal, "s3:GetObject", f"{_BUCKET}/public/{{}}", expected=True)


def _of_user() -> Iterator[tuple[str, Ask]]:
    principal = Principal("user", _ACCOUNT, _USER, _USER, "AIDAANN", "AKIAX")
    for name, (action, resource, expected) in _QUESTIONS.items():
        ask = _ask(_users_directory(), principal, action, resource, expected=expected)
        yield f"a user with a hundred statements, {name}", ask


def _ask(directory: Directory, who: Principal, action: str, resource: str, *, expected: bool) -> Ask:
    """As the gateway asks. Raises RuntimeError where the answer is another."""
    transport = {"aws:SecureTransport": "true", "aws:UserAgent": "bench"}

    def ask(number: int) -> None:
        call = Call(who, action.partition(":")[0], action.partition(":")[2], {}, "us-east-1", transport=transport)
        if directory.decide(call, Access(action, resource.format(number))).allowed is not expected:
            raise RuntimeError(f"{action} on {resource} is not decided as it should be")

    return ask


def _microseconds(ask: Ask, turn: int) -> float:
    """Policies are compiled by the first; no number comes twice."""
    ask(-1)
    began = time.process_time()
    for number in range(turn * _TURNS, (turn + 1) * _TURNS):
        ask(number)
    return (time.process_time() - began) / _TURNS * 1e6


def _profile(ask: Ask) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    for number in range(_ROUNDS * _TURNS, (_ROUNDS + 1) * _TURNS):
        ask(number)
    profiler.disable()
    profiler.print_stats("tottime")


def _directory() -> Directory:
    managed = [f"arn:aws:iam::aws:policy/{name}" for name in _MANAGED]
    identities: Identities = {
        "account": _ACCOUNT,
        "keys": {},
        "subjects": {
            _ROLE: {"id": "AROAR", "name": "r", "policies": managed, "boundary": "boundary", "tags": {"team": "a"}}
        },
        "policies": {"boundary": {"type": "IAM Policy", "document": _document(_statement())}},
    }
    return Directory(identities, Resources({_BUCKET: {"account": _ACCOUNT, "policy": _policy()}}, _ACCOUNT))


def _users_directory() -> Directory:
    policies = {f"p{number}": {"type": "user", "document": _users_policy(number)} for number in range(10)}
    subject = {"id": "AIDAANN", "name": "ann", "policies": list(policies), "boundary": None, "tags": {"team": "red"}}
    return Directory({"account": _ACCOUNT, "keys": {}, "subjects": {_USER: subject}, "policies": policies})  # type: ignore[typeddict-item]


def _users_policy(number: int) -> str:
    """Nine statements that allow, and one that denies."""
    allowed = [_users_statement(number, index) for index in range(9)]
    return _document(
        *allowed, _statement(Effect="Deny", Action="s3:Delete*", Resource=f"arn:aws:s3:::team-{number}-*/*")
    )


def _users_statement(number: int, index: int) -> dict[str, Any]:
    service = _SERVICES[index]
    condition = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}, "Bool": {"aws:SecureTransport": "true"}}
    named = [f"arn:aws:{service}:*:{_ACCOUNT}:team-{number}/*", f"arn:aws:{service}:::team-{number}-*/*"]
    own = f"arn:aws:{service}:::team-{number}-${{aws:username}}/*"
    return _statement(
        Action=[f"{service}:Get*", f"{service}:Describe*", f"{service}:Put{number}Thing"],
        Resource=named if index % 5 else own,
        **({} if index % 3 else {"Condition": condition}),
    )


def _policy() -> str:
    """Many that do not apply, one that denies what is not asked securely, and one that lets everybody in."""
    others = [
        _statement(
            Principal={"AWS": f"arn:aws:iam::{_ACCOUNT}:user/u{number}"},
            Resource=f"{_BUCKET}/home/${{aws:username}}/{number}/*",
            Condition={"StringLike": {"s3:prefix": [f"home/{number}/*"]}},
        )
        for number in range(48)
    ]
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    return _document(
        *others,
        _statement(Effect="Deny", Principal="*", Condition=insecure),
        _statement(
            Principal="*", Resource=f"{_BUCKET}/public/*", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}
        ),
    )


def _statement(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:*", "Resource": "*", **more}


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


if __name__ == "__main__":
    sys.exit(main())
