"""S3: who may reach a bucket, by its policy and by what blocks public access."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import boto3
from botocore.config import Config

from clary.calls import account_root
from clary.identity.sealing import LONGEST_SESSION, Sealer
from tests.durability.witness import Hand, Idle, Register
from tests.running import RunningClary

STRANGER = "222222222222"
NAMES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class Guarded(Hand):
    """State of the policy: None, or its statement's id, and whether it lets everybody in. State of the block: whether
    it is on. Another account may read what both allow, and nothing else."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._s3 = clary.client("s3")
        self._bucket = f"guarded-{number}"
        self._s3.create_bucket(Bucket=self._bucket)
        self._s3.put_object(Bucket=self._bucket, Key="k", Body=b"read")
        self._policy, self._block = Register("the policy"), Register("the block", first=True)
        self._stranger = self._as_stranger()

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._put_policy, self._put_policy, self._delete_policy, self._put_block)

    def check(self) -> None:
        self._policy.is_(self._seen_policy())
        self._block.is_(self._seen_block())
        policy, blocked = self._policy.state, self._block.state
        open_ = policy is not None and not (policy[1] and blocked)
        assert self._may_read() == open_, f"with {policy} and the block {blocked}"

    def _as_stranger(self) -> Any:
        key = Sealer.of(self.clary.data_dir).issue(account_root(STRANGER), LONGEST_SESSION).sts()
        return boto3.session.Session(
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key["SessionToken"],
            region_name="us-east-1",
        ).client(
            "s3",
            endpoint_url=self.clary.endpoint_url,
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )

    def _may_read(self) -> bool:
        try:
            return bool(self._stranger.get_object(Bucket=self._bucket, Key="k")["Body"].read() == b"read")
        except self._s3.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied", error
            return False

    def _put_policy(self) -> None:
        policy = self.one_of([self._policy])
        public = self.chance.random() < 0.5
        if public and (self._block.lost or self._block.state):
            raise Idle
        sid, who = f"S{self.chance.randrange(10**9)}", "*" if public else {"AWS": f"arn:aws:iam::{STRANGER}:root"}
        allow = {"Sid": sid, "Effect": "Allow", "Principal": who, "Action": "s3:GetObject"}
        statement = {**allow, "Resource": f"arn:aws:s3:::{self._bucket}/*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        policy.becomes((sid, public), self._s3.put_bucket_policy, Bucket=self._bucket, Policy=text)

    def _delete_policy(self) -> None:
        policy = self.one_of([self._policy], there=True)
        policy.becomes(None, self._s3.delete_bucket_policy, Bucket=self._bucket)

    def _put_block(self) -> None:
        block = self.one_of([self._block])
        on = not block.state
        put, asked = self._s3.put_public_access_block, dict.fromkeys(NAMES, on)
        block.becomes(on, put, Bucket=self._bucket, PublicAccessBlockConfiguration=asked)

    def _seen_policy(self) -> tuple[str, bool] | None:
        try:
            text = self._s3.get_bucket_policy(Bucket=self._bucket)["Policy"]
        except self._s3.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchBucketPolicy", error
            return None
        [statement] = json.loads(text)["Statement"]
        return statement["Sid"], statement["Principal"] == "*"

    def _seen_block(self) -> bool:
        [kept] = set(self._s3.get_public_access_block(Bucket=self._bucket)["PublicAccessBlockConfiguration"].values())
        return bool(kept)
