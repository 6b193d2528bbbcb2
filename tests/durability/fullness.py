"""`python -m tests.durability.fullness FOLDER`: a Clary on a small file system of its own that becomes full.

While it is full whatever writes is refused as AWS refuses it, what is read is read, and nothing is half there; then
there is space again, and everything goes on in the same processes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.durability.buckets import CUSTOMERS
from tests.durability.kills import ALL, leavings, log_of
from tests.running import RunningClary

TRIES = 400
"""Until one of them finds no space: logs of databases have some of their own."""

BUCKET, KEPT, LARGE = "full", b"kept" * 1000, os.urandom(300_000)
ODD = "two\nlines "


class Disk:
    """The file system, and what fills it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """To the last byte."""
        with self._filler.open("ab", buffering=0) as filler:
            for size in (2**20, 4096, 1):
                while self._wrote(filler, size):
                    pass

    def free(self) -> None:
        self._filler.unlink()

    @staticmethod
    def _wrote(filler: Any, size: int) -> bool:
        try:
            return bool(filler.write(bytes(size)) == size)
        except OSError:
            return False


class Users:
    """What people do, by name: each call writes something that was not there before."""

    def __init__(self, clary: RunningClary) -> None:
        self.s3, self.logs, self.sqs = (clary.client(name) for name in ("s3", "logs", "sqs"))
        self._clary = clary
        self._number = 0
        self.events: list[str] = []
        self.objects: set[str] = set()
        self._make()

    def _make(self) -> None:
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_object(Bucket=BUCKET, Key="kept", Body=KEPT)
        self.s3.put_object(Bucket=BUCKET, Key="sealed", Body=KEPT, **CUSTOMERS)
        self.s3.create_bucket(Bucket="versions")
        self.s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        self.s3.put_object(Bucket="versions", Key="v", Body=KEPT)
        self.upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
        self.queue = self.sqs.create_queue(QueueName="full")["QueueUrl"]
        self.stream = {"logGroupName": "full", "logStreamName": "stream"}
        self.logs.create_log_group(logGroupName="full")
        self.logs.create_log_stream(**self.stream)
        self.put_events()
        self.secrets, self.ssm, self.kms, self.iam, self.sagemaker, self.cloudwatch = (
            self._clary.client(name) for name in ("secretsmanager", "ssm", "kms", "iam", "sagemaker", "cloudwatch")
        )
        self.secrets.create_secret(Name="kept", SecretString="kept")
        self.cipher = self.kms.encrypt(KeyId=self.kms.create_key()["KeyMetadata"]["KeyId"], Plaintext=b"kept")

    def fresh(self) -> str:
        self._number += 1
        return f"n{self._number}"

    def writes(self) -> Mapping[str, Callable[[], object]]:
        """Those that must find no space sooner or later."""
        text = "x" * 3000
        return {
            "PutObject": self.put,
            "PutObject, sealed": lambda: self.put(**CUSTOMERS),
            "PutObject, versions": lambda: self.s3.put_object(Bucket="versions", Key="v", Body=LARGE),
            "UploadPart": self.put_part,
            "PutLogEvents": self.put_events,
            "SendMessage": lambda: self.sqs.send_message(QueueUrl=self.queue, MessageBody="x" * 200_000),
            "PutMetricData": self.put_metrics,
            "PutSecretValue": lambda: self.secrets.put_secret_value(SecretId="kept", SecretString="x" * 60_000),
            "PutParameter": lambda: self.ssm.put_parameter(Name=self.fresh(), Value=text, Type="String"),
            "CreateUser": lambda: self.iam.create_user(UserName=self.fresh()),
            "CreateContext": lambda: self.sagemaker.create_context(
                ContextName=self.fresh(), Source={"SourceUri": "s3://full"}, ContextType="T", Description=text
            ),
            "CreateKey": lambda: self.kms.create_key(Description=text),
        }

    def put(self, **more: str) -> None:
        key = self.fresh()
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=LARGE, **more)
        self.objects.add(key)

    def put_part(self) -> None:
        self._number += 1
        self.s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=self.upload, PartNumber=self._number, Body=LARGE)

    def put_events(self) -> None:
        now = round(time.time() * 1000)
        events = [f"{self.fresh()} {ODD * 300}" for _ in range(20)]
        self.logs.put_log_events(**self.stream, logEvents=[{"timestamp": now, "message": each} for each in events])
        self.events += events

    def put_metrics(self) -> None:
        data = [{"MetricName": self.fresh(), "Value": 1} for _ in range(500)]
        self.cloudwatch.put_metric_data(Namespace="full", MetricData=data)

    def look(self) -> None:
        """Whatever was acknowledged is there, and nothing else."""
        assert self.s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == KEPT
        assert self.s3.get_object(Bucket=BUCKET, Key="sealed", **CUSTOMERS)["Body"].read() == KEPT
        listed = {each["Key"] for each in self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
        assert listed - {"kept", "sealed", "parts"} == self.objects, listed ^ self.objects
        assert self.said() == self.events
        assert self.kms.decrypt(CiphertextBlob=self.cipher["CiphertextBlob"])["Plaintext"] == b"kept"
        assert self.secrets.get_secret_value(SecretId="kept")["SecretString"]
        assert self.iam.list_users()["Users"] is not None

    def said(self) -> list[str]:
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = self.logs.get_log_events(**self.stream, startFromHead=True, **token)
            if not page["events"]:
                return found
            found += [each["message"] for each in page["events"]]
            token = {"nextToken": page["nextForwardToken"]}


def refusal(call: Callable[[], object]) -> str:
    """The code and status with which it is refused in the end."""
    for _ in range(TRIES):
        try:
            call()
        except ClientError as error:
            return f"{error.response['Error']['Code']} {error.response['ResponseMetadata']['HTTPStatusCode']}"
    return "never refused"


def main(folder: Path) -> None:
    """Prints what was refused in another way than it should be; nothing where all was well."""
    with RunningClary(folder / "data") as clary:
        disk, users = Disk(folder), Users(clary)
        before = [clary.process(name) for name in ALL]
        for name, write in users.writes().items():
            disk.fill()
            told = refusal(write)
            if told != "ServiceUnavailable 503":
                print(f"{name}: {told}")
        users.look()
        disk.free()
        users.s3.put_object(Bucket=BUCKET, Key="sealed", Body=KEPT, **CUSTOMERS)
        for write in users.writes().values():
            write()
        users.look()
        assert [clary.process(name) for name in ALL] == before
        assert "CRITICAL" not in log_of(clary)
        clary.down()
        for each in leavings(clary):
            print(each)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
