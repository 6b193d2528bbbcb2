"""What CPU time an authorisation decision costs that was not made before: `python -m benchmarks.decisions`.

A role with AWS's own policies, a permissions boundary and a session policy asks for an object in a bucket whose policy
has fifty statements; another account and nobody ask, too. Every request is for another object, so that none is
remembered, and conditions are looked at.
"""

from __future__ import annotations

import json
import sys
import time
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
_ROUNDS, _TURNS = 5, 4000


def main() -> int:
    """Measure, and say whether the target is met."""
    who = {
        "a role": Principal(
            "assumed-role", _ACCOUNT, f"arn:aws:sts::{_ACCOUNT}:assumed-role/r/s", _ROLE, "AROAR:s",
            session_policies=(_document(_statement()),),
        ),
        "another account": account_root(_OTHER),
        "nobody": Principal("anonymous", "", "", "", ""),
    }  # fmt: skip
    figures = []
    for name, principal in who.items():
        values = [_microseconds(_directory(), principal) for _ in range(_ROUNDS)]
        figures.append(Figure(f"a decision for {name}", values, TARGET, "µs"))
        print(figures[-1].line())
    return ended(figures)


def _microseconds(directory: Directory, who: Principal) -> float:
    def ask(number: int) -> bool:
        call = Call(who, "s3", "GetObject", {}, "us-east-1", transport={"aws:SecureTransport": "true"})
        return directory.decide(call, Access("s3:GetObject", f"{_BUCKET}/public/{number}")).allowed

    if not ask(0):
        raise RuntimeError("what is measured is refused")
    began = time.process_time()
    for number in range(_TURNS):
        ask(number)
    return (time.process_time() - began) / _TURNS * 1e6


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
