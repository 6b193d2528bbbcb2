"""IAM and STS: users, their policies and keys, roles' sessions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import boto3
from botocore.config import Config

from tests.durability.witness import Doubtful, Hand, Idle, Register, answered
from tests.running import RunningClary

SESSIONS = 3
"""That are kept in mind, the last ones."""


class Identities(Hand):
    """State of a user: None, or its tag and its policy's text ('' for none). One user has keys."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._iam, self._sts = clary.client("iam"), clary.client("sts")
        self._prefix = f"/players/{number}/"
        self._users = [Register(f"user-{number}-{each}") for each in range(3)]
        self._holder = f"holder-{number}"
        self._iam.create_user(UserName=self._holder)
        self._keys: dict[str, str] = {}
        self._perhaps_gone: set[str] = set()
        self._lost_key = False
        self._sessions: list[dict[str, Any]] = []
        self._role = clary.role_arn

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._create, self._put_policy, self._delete, self._make_key, self._drop_key, self._assume)

    def check(self) -> None:
        listed = {each["UserName"] for each in self._iam.list_users(PathPrefix=self._prefix)["Users"]}
        for user in self._users:
            user.is_(self._seen(user.name) if user.name in listed else None)
        self._check_keys()
        for session in self._sessions:
            assert self._who(session)["Arn"].endswith("/ClaryExecutionRole/player")

    def _create(self) -> None:
        user = self.one_of(self._users, there=False)
        tag = self.fresh()
        tags = [{"Key": "t", "Value": tag}]
        user.becomes((tag, ""), self._iam.create_user, UserName=user.name, Path=self._prefix, Tags=tags)

    def _put_policy(self) -> None:
        user = self.one_of(self._users, there=True)
        tag, _ = user.state
        statement = {"Sid": f"S{self.chance.randrange(10**9)}", "Effect": "Allow", "Action": "*", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, sort_keys=True)
        put = self._iam.put_user_policy
        user.becomes((tag, text), put, UserName=user.name, PolicyName="p", PolicyDocument=text)

    def _delete(self) -> None:
        user = self.one_of(self._users, there=True)
        tag, text = user.state
        if text:
            user.becomes((tag, ""), self._iam.delete_user_policy, UserName=user.name, PolicyName="p")
        user.becomes(None, self._iam.delete_user, UserName=user.name)

    def _make_key(self) -> None:
        if self._lost_key or self._perhaps_gone or len(self._keys) > 1:
            raise Idle
        try:
            made = answered(self._iam.create_access_key, UserName=self._holder)["AccessKey"]
        except Doubtful:
            self._lost_key = True
            raise
        self._keys[made["AccessKeyId"]] = made["SecretAccessKey"]

    def _drop_key(self) -> None:
        key = self.any_of([each for each in self._keys if each not in self._perhaps_gone])
        try:
            answered(self._iam.delete_access_key, UserName=self._holder, AccessKeyId=key)
        except Doubtful:
            self._perhaps_gone.add(key)
            raise
        del self._keys[key]

    def _assume(self) -> None:
        session = answered(self._sts.assume_role, RoleArn=self._role, RoleSessionName="player")["Credentials"]
        self._sessions = [*self._sessions, session][-SESSIONS:]

    def _seen(self, name: str) -> tuple[str, str]:
        tags = self._iam.list_user_tags(UserName=name)["Tags"]
        assert [each["Key"] for each in tags] == ["t"], f"{name} is half made: {tags}"
        policies = self._iam.list_user_policies(UserName=name)["PolicyNames"]
        text = ""
        if policies:
            found = self._iam.get_user_policy(UserName=name, PolicyName=policies[0])["PolicyDocument"]
            text = json.dumps(found, sort_keys=True)
        return tags[0]["Value"], text

    def _check_keys(self) -> None:
        listed = {
            each["AccessKeyId"] for each in self._iam.list_access_keys(UserName=self._holder)["AccessKeyMetadata"]
        }
        assert set(self._keys) - self._perhaps_gone <= listed, (self._keys, listed)
        unknown = listed - set(self._keys)
        assert len(unknown) <= self._lost_key, f"keys that nobody has made: {unknown}"
        for key in unknown:
            self._iam.delete_access_key(UserName=self._holder, AccessKeyId=key)
        self._keys = {key: secret for key, secret in self._keys.items() if key in listed}
        self._lost_key, self._perhaps_gone = False, set()
        for key, secret in self._keys.items():
            said = self._who({"AccessKeyId": key, "SecretAccessKey": secret})
            assert said["Arn"].endswith(f"user/{self._holder}"), said

    def _who(self, key: dict[str, Any]) -> dict[str, Any]:
        sts = boto3.session.Session(
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key.get("SessionToken"),
            region_name="us-east-1",
        ).client("sts", endpoint_url=self.clary.endpoint_url, config=Config(retries={"max_attempts": 0}))
        said: dict[str, Any] = sts.get_caller_identity()
        return said
