"""Objects under KMS keys, as boto3, a browser's form, policies and jobs see them."""

from __future__ import annotations

import gzip
import io
import json
import socket
import tarfile
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from tests.folders import contents
from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, Jobs

pytestmark = pytest.mark.system

ACCOUNT = "000000000000"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
TEXT = b"nobody shall read this without KMS"
KMS = {"ServerSideEncryption": "aws:kms"}


def document(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def refusal(call: Callable[..., Any], **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**params)
    error = raised.value.response["Error"]
    return error["Code"], error.get("Message", "")


def on_disk(clary: RunningClary, text: bytes = TEXT) -> bool:
    return any(text in said for _, said in contents(clary.data_dir / "objects"))


@pytest.fixture(scope="module")
def s3(shared: RunningClary) -> Any:
    client = shared.client("s3")
    client.create_bucket(Bucket="sealed")
    return client


@pytest.fixture(scope="module")
def ann(shared: RunningClary) -> Callable[[str], Any]:
    """Clients of a user who may do all in S3, and of whom no other policy speaks."""
    iam = shared.client("iam")
    iam.create_user(UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document(allow("s3:*")))
    key = iam.create_access_key(UserName="ann")["AccessKey"]

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=shared.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )

    return client


def new_key(clary: RunningClary, *statements: Any) -> str:
    policy = {"Policy": document(allow("kms:*", Principal=ROOT), *statements)} if statements else {}
    arn: str = clary.client("kms").create_key(**policy)["KeyMetadata"]["Arn"]
    return arn


def test_who_may_use_s3_needs_the_key_as_well(shared: RunningClary, s3: Any, ann: Callable[[str], Any]) -> None:
    key = new_key(shared)
    s3.put_object(Bucket="sealed", Key="k", Body=TEXT, SSEKMSKeyId=key, **KMS)
    theirs = ann("s3")
    why = "because no identity-based policy allows the {} action"
    said = f"User: {ANN} is not authorized to perform: {{}} on resource: {key} {why}"
    code, text = refusal(theirs.get_object, Bucket="sealed", Key="k")
    assert (code, text) == ("AccessDenied", said.format("kms:Decrypt", "kms:Decrypt"))
    put = {"Bucket": "sealed", "Key": "l", "Body": b"x", "SSEKMSKeyId": key, **KMS}
    assert refusal(theirs.put_object, **put) == ("AccessDenied", said.format(*["kms:GenerateDataKey"] * 2))
    assert refusal(theirs.copy_object, Bucket="sealed", Key="l", CopySource="sealed/k")[0] == "AccessDenied"
    assert theirs.head_object(Bucket="sealed", Key="k")["SSEKMSKeyId"] == key
    assert s3.get_object(Bucket="sealed", Key="k")["Body"].read() == TEXT and not on_disk(shared)


def test_s3s_own_key_is_for_all_who_may_use_s3_and_through_it_alone(
    shared: RunningClary, ann: Callable[[str], Any]
) -> None:
    theirs = ann("s3")
    put = theirs.put_object(Bucket="sealed", Key="own", Body=TEXT, **KMS)
    found = shared.client("kms").describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert (put["SSEKMSKeyId"], found["KeyManager"]) == (found["Arn"], "AWS")
    assert theirs.get_object(Bucket="sealed", Key="own")["Body"].read() == TEXT
    assert refusal(ann("kms").encrypt, KeyId="alias/aws/s3", Plaintext=b"x")[0] == "AccessDeniedException"


def test_a_keys_policy_sees_the_service_and_the_object(
    shared: RunningClary, s3: Any, ann: Callable[[str], Any]
) -> None:
    through = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
    on = {"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::sealed/hers/*", "arn:aws:s3:::sealed"]}
    condition = {"StringEquals": through, "StringLike": on}
    uses = allow("kms:Decrypt", "kms:GenerateDataKey", Principal={"AWS": ANN}, Condition=condition)
    key, theirs = new_key(shared, uses), ann("s3")
    under = {"SSEKMSKeyId": key, **KMS}
    theirs.put_object(Bucket="sealed", Key="hers/k", Body=TEXT, **under)
    assert theirs.get_object(Bucket="sealed", Key="hers/k", Range="bytes=7-11")["Body"].read() == TEXT[7:12]
    assert refusal(theirs.put_object, Bucket="sealed", Key="k", Body=b"x", **under)[0] == "AccessDenied"
    theirs.put_object(Bucket="sealed", Key="k", Body=b"x", BucketKeyEnabled=True, **under)
    assert refusal(ann("kms").generate_data_key, KeyId=key, KeySpec="AES_256")[0] == "AccessDeniedException"
    s3.put_object(Bucket="sealed", Key="others/k", Body=b"x", **under)
    assert refusal(theirs.get_object, Bucket="sealed", Key="others/k")[0] == "AccessDenied"


def test_a_grant_lets_a_user_read(shared: RunningClary, s3: Any, ann: Callable[[str], Any]) -> None:
    key, kms = new_key(shared), shared.client("kms")
    s3.put_object(Bucket="sealed", Key="k", Body=TEXT, SSEKMSKeyId=key, **KMS)
    subset = {"EncryptionContextSubset": {"aws:s3:arn": "arn:aws:s3:::sealed/k"}}
    grant = kms.create_grant(KeyId=key, GranteePrincipal=ANN, Operations=["Decrypt"], Constraints=subset)
    assert ann("s3").get_object(Bucket="sealed", Key="k")["Body"].read() == TEXT
    kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    assert refusal(ann("s3").get_object, Bucket="sealed", Key="k")[0] == "AccessDenied"


def test_a_key_that_is_disabled_or_on_its_way_out(shared: RunningClary, s3: Any) -> None:
    kms, key = shared.client("kms"), new_key(shared)
    put = {"Bucket": "sealed", "Key": "k", "SSEKMSKeyId": key, **KMS}
    s3.put_object(Body=TEXT, **put)
    kms.disable_key(KeyId=key)
    assert refusal(s3.put_object, Body=b"x", **put) == ("KMS.DisabledException", f"{key} is disabled.")
    assert refusal(s3.get_object, Bucket="sealed", Key="k") == ("KMS.DisabledException", f"{key} is disabled.")
    kms.enable_key(KeyId=key)
    assert s3.get_object(Bucket="sealed", Key="k")["Body"].read() == TEXT
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    gone = ("KMS.KMSInvalidStateException", f"{key} is pending deletion.")
    assert refusal(s3.get_object, Bucket="sealed", Key="k") == gone
    s3.delete_object(Bucket="sealed", Key="k")


def test_a_browsers_form(shared: RunningClary, s3: Any) -> None:
    key = new_key(shared)
    fields = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": key}
    form = s3.generate_presigned_post(
        "sealed", "form", Fields=fields, Conditions=[{name: fields[name]} for name in fields]
    )
    mark = uuid.uuid4().hex
    part = f'--{mark}\r\ncontent-disposition: form-data; name="{{}}"\r\n\r\n{{}}\r\n'
    said = "".join(part.format(name, value) for name, value in form["fields"].items())
    file = part.format('file"; filename="f', TEXT.decode())
    body = f"{said}{file}--{mark}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    with urllib.request.urlopen(urllib.request.Request(form["url"], body, headers), timeout=60) as answer:
        assert answer.status == 204
    got = s3.get_object(Bucket="sealed", Key="form")
    assert (got["Body"].read(), got["SSEKMSKeyId"]) == (TEXT, key) and not on_disk(shared)


def test_killed_while_a_body_arrives_there_is_no_object_and_no_plain_text(shared: RunningClary, s3: Any) -> None:
    """`kill -9` of the edge; what was acknowledged is read again."""
    s3.put_object(Bucket="sealed", Key="acknowledged", Body=TEXT, **KMS)
    body = TEXT * 200_000
    access, secret = shared.key
    url = f"{shared.endpoint_url}/sealed/half"
    said = {"x-amz-server-side-encryption": "aws:kms", "Content-Length": str(len(body))}
    request = AWSRequest("PUT", url, {**said, "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    S3SigV4Auth(Credentials(access, secret), "s3", "us-east-1").add_auth(request)
    files = shared.data_dir / "objects" / "files"
    before = dict(contents(files)).keys()
    with socket.create_connection(("127.0.0.1", shared.port)) as line:
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        line.sendall(f"PUT /sealed/half HTTP/1.1\r\nHost: 127.0.0.1:{shared.port}\r\n{head}\r\n".encode())
        line.sendall(body[: len(body) // 2])
        wait_until(lambda: dict(contents(files)).keys() - before, 60, "the edge is writing")
        shared.kill("edge")
    wait_until(lambda: readable(s3), 60, "it is back")
    assert refusal(s3.head_object, Bucket="sealed", Key="half")[0] == "404"
    assert not on_disk(shared)


def readable(s3: Any) -> bool:
    try:
        return bool(s3.get_object(Bucket="sealed", Key="acknowledged")["Body"].read() == TEXT)
    except (BotoCoreError, ClientError):
        return False


READS = """\
import os, shutil
for channel in ("file", "fast"):
    print(channel, open(f"/opt/ml/input/data/{channel}/x.csv").read(), flush=True)
print("piped", open("/opt/ml/input/data/pipe_0").read(), flush=True)
open("/opt/ml/input/data/file/x.csv", "a").write("mine to change")
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model"), "w") as model:
    model.write("learned in secret")
"""


@pytest.fixture
def jobs(clary: RunningClary) -> Iterator[Jobs]:
    yield Jobs(clary)


def channel(name: str, mode: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "InputMode": mode, "DataSource": {"S3DataSource": source}}


def test_a_job_reads_and_writes_under_keys_that_its_role_may_use(jobs: Jobs) -> None:
    """The bucket encrypts all: the script too. The model has a key of its own."""
    clary, kms = jobs.clary, jobs.clary.client("kms")
    key, models = new_key(clary), new_key(clary)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    jobs.s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": rules})
    jobs.s3.put_object(Bucket=BUCKET, Key="data/x.csv", Body=TEXT)
    output = {"S3OutputPath": f"s3://{BUCKET}/output", "KmsKeyId": models}
    channels = [channel("file", "File"), channel("fast", "FastFile"), channel("pipe", "Pipe")]
    request = {"InputDataConfig": channels, "OutputDataConfig": output}
    job = jobs.ended(jobs.start("sealed", READS, **request))
    assert job["TrainingJobStatus"] == "Completed", job
    said = jobs.said("sealed").splitlines()
    assert [f"{how} {TEXT.decode()}" in said for how in ("file", "fast", "piped")] == [True] * 3
    found = jobs.s3.get_object(Bucket=BUCKET, Key="output/sealed/output/model.tar.gz")
    assert (found["SSEKMSKeyId"], found.get("BucketKeyEnabled")) == (models, None)
    packed = found["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as archive:
        member = archive.extractfile("model")
        assert member is not None and member.read() == b"learned in secret"
    assert not on_disk(clary) and not on_disk(clary, packed[:64])
    kms.disable_key(KeyId=key)
    jobs.s3.delete_bucket_encryption(Bucket=BUCKET)
    failed = jobs.ended(jobs.start("refused", READS, **request))
    where = f"Unable to download object s3://{BUCKET}/data/x.csv"
    assert failed["FailureReason"].startswith(
        f"ClientError: Data download failed:{where} (KMS.DisabledException: {key}"
    )
