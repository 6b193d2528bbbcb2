"""Who may reach S3, as boto3, browsers and two accounts see it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from clary.calls import account_root
from clary.identity.sealing import Sealer
from tests.running import RunningClary, wait_until

pytestmark = pytest.mark.system

PAGE = Path(__file__).parents[2] / "docs" / "s3-access.md"
ACCOUNT, OTHER = "000000000000", "222222222222"
BUCKET = "open-data"
OFF = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture(scope="module")
def s3(shared: RunningClary) -> Any:
    return shared.client("s3")


@pytest.fixture(scope="module")
def nobody(shared: RunningClary) -> Any:
    """A client that does not sign."""
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 0}, s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=shared.endpoint_url, region_name="us-east-1", config=config)


@pytest.fixture(scope="module")
def stranger(shared: RunningClary) -> Any:
    """Another account."""
    return client_of(shared, Sealer.of(shared.data_dir).issue(account_root(OTHER), 3600).sts())


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    """A bucket that blocks nothing, with an object."""
    s3.create_bucket(Bucket=BUCKET)
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=OFF)
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"text")
    yield BUCKET
    s3.delete_bucket_policy(Bucket=BUCKET)
    for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=each["Key"])
    s3.delete_bucket(Bucket=BUCKET)


@pytest.fixture(scope="module")
def ann(shared: RunningClary) -> Iterator[Any]:
    """A user without any right."""
    iam = shared.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    yield client_of(shared, key)
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="ann")


def client_of(shared: RunningClary, key: dict[str, Any], **config: Any) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=shared.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, **config),
    )


def policy(principal: Any = "*", **more: Any) -> str:
    resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": resources, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refusal(operation: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        operation(**params)
    error = raised.value.response["Error"]
    return error["Code"], error.get("Message", "")


def read(client: Any, key: str = "k") -> bytes:
    body: bytes = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def ask(method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Any:
    """One request as a browser sends it: redirects are not followed."""
    sent = AWSRequest(method, url, headers=headers or {}, data=body).prepare()
    return URLLib3Session().send(sent)


# Policies


@pytest.fixture
def s3control(shared: RunningClary) -> Iterator[Any]:
    """A client without the account before the host, which nobody resolves here."""

    def stay(request: Any, **_: Any) -> None:
        request.url = re.sub(r"//\d{12}\.", "//", request.url)

    client = shared.client("s3control")
    client.meta.events.register("before-sign", stay)
    yield client
    client.delete_public_access_block(AccountId=ACCOUNT)


def test_an_account_blocks_what_its_buckets_do_not(s3: Any, nobody: Any, s3control: Any, bucket: str) -> None:
    missing = "The public access block configuration was not found"
    get, put = s3control.get_public_access_block, s3control.put_public_access_block
    assert refusal(get, AccountId=ACCOUNT) == ("NoSuchPublicAccessBlockConfiguration", missing)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy())
    assert read(nobody) == b"text"
    put(AccountId=ACCOUNT, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert refusal(nobody.get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    assert get(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"] == {**OFF, "RestrictPublicBuckets": True}
    assert bucket in [each["Name"] for each in s3.list_buckets()["Buckets"]], "and no bucket of the account's own"
    put(AccountId=ACCOUNT, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    assert read(nobody) == b"text"
    assert "BlockPublicPolicy" in refusal(s3.put_bucket_policy, Bucket=bucket, Policy=policy())[1]
    s3control.delete_public_access_block(AccountId=ACCOUNT)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy())
    nothing = ("InvalidRequest", "Must specify at least one configuration.")
    assert refusal(put, AccountId=ACCOUNT, PublicAccessBlockConfiguration={}) == nothing
    assert refusal(get, AccountId=OTHER)[0] == "AccessDenied"


def test_an_account_passes_over_public_acls(s3: Any, nobody: Any, s3control: Any, bucket: str) -> None:
    rule = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rule)
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="public-read")
    assert read(nobody) == b"text"
    block = {"IgnorePublicAcls": True, "BlockPublicAcls": True}
    s3control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=block)
    assert refusal(nobody.get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    assert "BlockPublicAcls" in refusal(s3.put_object_acl, Bucket=bucket, Key="k", ACL="public-read")[1]
    assert "BlockPublicAcls" in refusal(s3.put_object, Bucket=bucket, Key="n", ACL="public-read")[1]


def test_tags_of_a_bucket_are_changed_one_at_a_time(s3: Any, s3control: Any, bucket: str) -> None:
    named = {"AccountId": ACCOUNT, "ResourceArn": f"arn:aws:s3:::{bucket}"}
    s3control.tag_resource(**named, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    s3control.tag_resource(**named, Tags=[{"Key": "b", "Value": "3"}])
    both = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "3"}]
    assert s3control.list_tags_for_resource(**named)["Tags"] == both == s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    s3control.untag_resource(**named, TagKeys=["a", "b"])
    assert s3control.list_tags_for_resource(**named)["Tags"] == []
    assert refusal(s3.get_bucket_tagging, Bucket=bucket)[0] == "NoSuchTagSet"
    other = {"AccountId": ACCOUNT, "ResourceArn": "arn:aws:s3:::not-there"}
    assert refusal(s3control.list_tags_for_resource, **other)[0] == "NoSuchResource"


def test_access_points_are_refused(s3control: Any, bucket: str) -> None:
    assert s3control.list_access_points(AccountId=ACCOUNT)["AccessPointList"] == []
    refused = refusal(s3control.create_access_point, AccountId=ACCOUNT, Name="point", Bucket=bucket)
    assert refused[0] == "NotImplemented"
    assert refusal(s3control.get_access_point, AccountId=ACCOUNT, Name="point")[0] == "NoSuchAccessPoint"


def test_nobody_reads_before_a_policy_and_everybody_by_it(s3: Any, nobody: Any, bucket: str) -> None:
    assert refusal(nobody.get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    s3.put_bucket_policy(Bucket=bucket, Policy=policy())
    assert read(nobody) == b"text"
    assert refusal(nobody.put_object, Bucket=bucket, Key="k", Body=b"x") == ("AccessDenied", "Access Denied")
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy())
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    s3.delete_bucket_policy(Bucket=bucket)
    assert refusal(nobody.get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    assert refusal(s3.get_bucket_policy, Bucket=bucket) == ("NoSuchBucketPolicy", "The bucket policy does not exist")


def test_that_a_bucket_is_not_there_may_be_known_by_anybody(s3: Any, nobody: Any, stranger: Any, ann: Any) -> None:
    for who in (nobody, stranger, s3):
        assert refusal(who.get_object, Bucket="not-there", Key="k")[0] == "NoSuchBucket"
        assert refusal(who.list_objects_v2, Bucket="not-there")[0] == "NoSuchBucket"
        assert refusal(who.put_object, Bucket="not-there", Key="k", Body=b"x")[0] == "NoSuchBucket"
        assert refusal(who.get_bucket_policy, Bucket="not-there")[0] == "NoSuchBucket"
        assert refusal(who.head_bucket, Bucket="not-there")[0] == "404"
    assert refusal(nobody.create_bucket, Bucket="not-there")[0] == "AccessDenied"
    assert refusal(ann.get_object, Bucket="not-there", Key="k")[0] == "AccessDenied"  # by her own policies


def test_a_user_who_is_named_may_and_one_who_is_denied_may_not(s3: Any, ann: Any, bucket: str) -> None:
    name = {"AWS": "arn:aws:iam::000000000000:user/ann"}
    text = (
        'is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::open-data/k" because no identity-based'
    )
    assert text in refusal(ann.get_object, Bucket=bucket, Key="k")[1]
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(name))
    assert read(ann) == b"text"
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(name, Effect="Deny"))
    assert refusal(ann.get_object, Bucket=bucket, Key="k")[1].endswith(
        "with an explicit deny in a resource-based policy"
    )


def test_another_account_sees_only_what_a_policy_says(s3: Any, stranger: Any, bucket: str) -> None:
    assert refusal(stranger.get_object, Bucket=bucket, Key="k")[1].endswith(
        "because no resource-based policy allows the s3:GetObject action"
    )
    assert stranger.list_buckets()["Buckets"] == []
    s3.put_bucket_policy(Bucket=bucket, Policy=policy({"AWS": OTHER}, Action="s3:*"))
    assert read(stranger) == b"text"
    assert [each["Key"] for each in stranger.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]
    assert refusal(stranger.head_bucket, Bucket=bucket, ExpectedBucketOwner=OTHER)[0] == "403"


def test_an_account_s_own_buckets_are_no_other_s(s3: Any, stranger: Any) -> None:
    stranger.create_bucket(Bucket="strangers-own")
    try:
        stranger.put_object(Bucket="strangers-own", Key="k", Body=b"theirs")
        assert refusal(s3.get_object, Bucket="strangers-own", Key="k")[0] == "AccessDenied"
        assert refusal(s3.delete_bucket, Bucket="strangers-own")[0] == "AccessDenied"
        assert refusal(s3.create_bucket, Bucket="strangers-own")[0] == "BucketAlreadyExists"
        stranger.delete_object(Bucket="strangers-own", Key="k")
    finally:
        stranger.delete_bucket(Bucket="strangers-own")


def test_conditions_of_addresses_prefixes_and_tls(s3: Any, nobody: Any, bucket: str) -> None:
    near = {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}, "StringEquals": {"s3:prefix": "a/"}}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(Action="s3:ListBucket", Condition=near))
    assert nobody.list_objects_v2(Bucket=bucket, Prefix="a/")["KeyCount"] == 0
    assert refusal(nobody.list_objects_v2, Bucket=bucket, Prefix="b/")[0] == "AccessDenied"
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(Condition={"Bool": {"aws:SecureTransport": "true"}}))
    assert refusal(nobody.get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"


def test_a_condition_on_the_tags_that_an_object_has(s3: Any, nobody: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="tagged", Body=b"x", Tagging="Open=yes")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(Condition={"StringEquals": {"s3:ExistingObjectTag/Open": "yes"}}))
    assert read(nobody, "tagged") == b"x"
    assert refusal(nobody.get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    s3.delete_object_tagging(Bucket=bucket, Key="tagged")
    assert refusal(nobody.get_object, Bucket=bucket, Key="tagged")[0] == "AccessDenied"


def test_of_many_deletes_each_is_decided_by_the_policy_too(s3: Any, ann: Any, bucket: str) -> None:
    only = {"Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{BUCKET}/a*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy({"AWS": "arn:aws:iam::000000000000:user/ann"}, **only))
    done = ann.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "k"}]})
    assert [each["Key"] for each in done["Deleted"]] == ["a"]
    assert [(each["Key"], each["Code"]) for each in done["Errors"]] == [("k", "AccessDenied")]


def test_policies_are_there_after_control_was_killed(shared: RunningClary, s3: Any, nobody: Any, bucket: str) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=policy())
    shared.kill("control")
    wait_until(lambda: written(s3), 60, "control writes again")
    assert read(nobody) == b"new"


def written(s3: Any) -> bool:
    try:
        s3.put_object(Bucket=BUCKET, Key="k", Body=b"new")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ServiceUnavailable"
        return False
    return True


def test_a_queue_s_policy_is_decided_in_the_same_place(shared: RunningClary, ann: Any) -> None:
    sqs = shared.client("sqs")
    url = sqs.create_queue(QueueName="letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    name = {"AWS": "arn:aws:iam::000000000000:user/ann"}
    allowed = policy(name, Action="sqs:SendMessage", Resource=arn)
    hers = boto3.client("sqs", endpoint_url=shared.endpoint_url, region_name="us-east-1", **keys_of(ann))
    assert refusal(hers.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDeniedException"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": allowed})
    hers.send_message(QueueUrl=url, MessageBody="x")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert refusal(hers.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDeniedException"


def test_and_so_is_a_topic_s(shared: RunningClary, ann: Any) -> None:
    sns = shared.client("sns")
    arn = sns.create_topic(Name="news")["TopicArn"]
    hers = boto3.client("sns", endpoint_url=shared.endpoint_url, region_name="us-east-1", **keys_of(ann))
    wanted = policy({"AWS": "arn:aws:iam::000000000000:user/ann"}, Action="sns:Publish", Resource=arn)
    assert refusal(hers.publish, TopicArn=arn, Message="x")[0] == "AuthorizationError"
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=wanted)
    hers.publish(TopicArn=arn, Message="x")
    sns.delete_topic(TopicArn=arn)
    assert refusal(hers.publish, TopicArn=arn, Message="x")[0] == "AuthorizationError"


def keys_of(client: Any) -> dict[str, str]:
    frozen = client._request_signer._credentials
    return {"aws_access_key_id": frozen.access_key, "aws_secret_access_key": frozen.secret_key}


# Blocking what is public


def test_a_new_bucket_blocks_what_is_public(s3: Any, nobody: Any, bucket: str) -> None:
    s3.delete_public_access_block(Bucket=bucket)
    assert refusal(s3.get_public_access_block, Bucket=bucket)[0] == "NoSuchPublicAccessBlockConfiguration"
    s3.put_bucket_policy(Bucket=bucket, Policy=policy())
    assert read(nobody) == b"text"
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**OFF, "RestrictPublicBuckets": True})
    assert refusal(nobody.get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    assert read(s3) == b"text"
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**OFF, "BlockPublicPolicy": True})
    code, text = refusal(s3.put_bucket_policy, Bucket=bucket, Policy=policy())
    assert code == "AccessDenied"
    assert text.endswith("prevented by the BlockPublicPolicy setting in S3 Block Public Access.")


# ACLs


def test_acls_count_where_ownership_lets_them(s3: Any, nobody: Any, stranger: Any, bucket: str) -> None:
    refused = ("AccessControlListNotSupported", "The bucket does not allow ACLs")
    assert refusal(s3.put_object_acl, Bucket=bucket, Key="k", ACL="public-read") == refused
    assert refusal(s3.put_object, Bucket=bucket, Key="l", ACL="public-read") == refused
    own(s3, "ObjectWriter")
    s3.put_object(Bucket=bucket, Key="l", Body=b"open", ACL="public-read")
    assert read(nobody, "l") == b"open"
    assert refusal(nobody.get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    s3.put_object_acl(Bucket=bucket, Key="k", GrantRead=f'id="{canonical(stranger)}"')
    assert read(stranger) == b"text"
    assert refusal(stranger.get_object_acl, Bucket=bucket, Key="k")[0] == "AccessDenied"
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**OFF, "IgnorePublicAcls": True})
    assert refusal(nobody.get_object, Bucket=bucket, Key="l")[0] == "AccessDenied"
    assert read(stranger) == b"text"
    assert refusal(stranger.get_object, Bucket=bucket, Key="l")[0] == "AccessDenied"


def test_a_bucket_that_everybody_may_write_and_list(s3: Any, nobody: Any, bucket: str) -> None:
    own(s3, "BucketOwnerPreferred")
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    nobody.put_object(Bucket=bucket, Key="from-nobody", Body=b"x")
    assert [each["Key"] for each in nobody.list_objects_v2(Bucket=bucket)["Contents"]] == ["from-nobody", "k"]
    grants = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    assert [(each["Grantee"].get("URI"), each["Permission"]) for each in grants] == [
        (None, "FULL_CONTROL"),
        (ALL_USERS, "READ"),
        (ALL_USERS, "WRITE"),
    ]
    nobody.delete_object(Bucket=bucket, Key="from-nobody")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**OFF, "BlockPublicAcls": True})
    assert refusal(s3.put_bucket_acl, Bucket=bucket, ACL="public-read")[0] == "AccessDenied"
    refused = refusal(s3.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=rules("BucketOwnerEnforced"))
    assert refused[0] == "InvalidBucketAclWithObjectOwnership"


def test_an_acl_document_comes_back(s3: Any, bucket: str) -> None:
    own(s3, "ObjectWriter")
    owner = s3.list_buckets()["Owner"]
    grantee = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}
    document = {"Owner": {"ID": owner["ID"]}, "Grants": [{"Grantee": grantee, "Permission": "WRITE"}]}
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=document)
    shown = s3.get_bucket_acl(Bucket=bucket)
    assert {name: shown[name] for name in document} == document
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    assert refusal(s3.get_bucket_ownership_controls, Bucket=bucket)[0] == "OwnershipControlsNotFoundError"


def rules(name: str) -> dict[str, Any]:
    return {"Rules": [{"ObjectOwnership": name}]}


def own(s3: Any, name: str) -> None:
    s3.put_bucket_ownership_controls(Bucket=BUCKET, OwnershipControls=rules(name))


def canonical(client: Any) -> str:
    identifier: str = client.list_buckets()["Owner"]["ID"]
    return identifier


# Pages of other sites


def test_a_preflight_and_what_follows_it(shared: RunningClary, s3: Any, bucket: str) -> None:
    url, page = f"{shared.endpoint_url}/{bucket}/k", {"Origin": "https://page.example"}
    asked = {**page, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    refused = ask("OPTIONS", url, asked)
    assert (refused.status_code, b"CORSResponse: CORS is not enabled for this bucket." in refused.content) == (
        403,
        True,
    )
    rule = {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://*.example"], "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}  # fmt: skip
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    allowed = ask("OPTIONS", url, asked)
    assert (allowed.status_code, allowed.content) == (200, b"")
    assert allowed.headers["access-control-allow-headers"] == "content-type"
    signed = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    answer = ask("GET", signed, page)
    assert (answer.content, answer.headers["access-control-allow-origin"]) == (b"text", "https://page.example")
    assert answer.headers["access-control-expose-headers"] == "ETag"
    assert "access-control-allow-origin" not in ask("GET", signed, {"Origin": "https://page.test"}).headers
    denied = ask("GET", url, page)
    assert (denied.status_code, denied.headers["access-control-allow-methods"]) == (403, "GET, PUT")
    assert ask("OPTIONS", url, {**asked, "Access-Control-Request-Method": "DELETE"}).status_code == 403
    assert b"Insufficient information. Origin request header needed." in ask("OPTIONS", url).content


# Uploads by form


def form(fields: dict[str, str], body: bytes, filename: str = "a b.txt") -> tuple[dict[str, str], bytes]:
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    head = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: text/csv\r\n\r\n'
    )
    sent = "".join(parts).encode() + head.encode() + body + b"\r\n--x--\r\n"
    return {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(len(sent))}, sent


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_browser_uploads_what_was_signed(shared: RunningClary, bucket: str, version: str) -> None:
    key = json.loads((shared.data_dir / "credentials.json").read_text())
    names = {"AccessKeyId": key["access_key_id"], "SecretAccessKey": key["secret_access_key"]}
    signing = client_of(shared, names, signature_version=version)
    ready = boto3_post(signing, "up/${filename}", [["content-length-range", 1, 100_000], {"x-amz-meta-from": "page"},
                                                   {"success_action_status": "201"}])  # fmt: skip
    fields = {**ready["fields"], "x-amz-meta-from": "page", "success_action_status": "201"}
    body = b"1,2\r\n--y" * 9000
    done = ask("POST", ready["url"], *form(fields, body))
    assert (done.status_code, b"<Key>up/a b.txt</Key>" in done.content) == (201, True)
    kept = signing.get_object(Bucket=bucket, Key="up/a b.txt")
    assert (kept["Body"].read(), kept["Metadata"]) == (body, {"from": "page"})
    large = ask("POST", ready["url"], *form(fields, b"x" * 100_001))
    assert (large.status_code, b"<ProposedSize>100001</ProposedSize>" in large.content) == (400, True)
    assert b"<Code>EntityTooSmall</Code>" in ask("POST", ready["url"], *form(fields, b"")).content
    assert b"Extra input fields: acl" in ask("POST", ready["url"], *form({**fields, "acl": "private"}, b"x")).content
    wrong = ask("POST", ready["url"], *form({**fields, "key": "elsewhere"}, b"x"))
    assert (wrong.status_code, b"Policy Condition failed" in wrong.content) == (403, True)
    name = "signature" if version == "s3" else "x-amz-signature"
    forged = ask("POST", ready["url"], *form({**fields, name: "0" * 64}, b"x"))
    assert (forged.status_code, b"SignatureDoesNotMatch" in forged.content) == (403, True)


def test_a_policy_is_about_the_key_with_the_file_s_name_in_it_once_it_is_known_whose(s3: Any, bucket: str) -> None:
    ready = boto3_post(s3, "a b.txt", [])
    named = {**ready["fields"], "key": "${filename}"}
    assert ask("POST", ready["url"], *form(named, b"x")).status_code == 204
    other = ask("POST", ready["url"], *form(named, b"x", filename="other"))
    assert (other.status_code, b"Policy Condition failed" in other.content) == (403, True)
    unsigned = {name: value for name, value in named.items() if name.lower() not in ("signature", "x-amz-signature")}
    nobody = ask("POST", ready["url"], *form({**unsigned, "key": "elsewhere"}, b"x"))
    assert (nobody.status_code, b"Bucket POST must contain a field named" in nobody.content) == (400, True)


def boto3_post(client: Any, key: str, conditions: list[Any], seconds: int = 60) -> dict[str, Any]:
    ready: dict[str, Any] = client.generate_presigned_post(BUCKET, key, Conditions=conditions, ExpiresIn=seconds)
    return ready


def test_after_an_upload_the_browser_is_led_on(s3: Any, bucket: str) -> None:
    there = "https://page.example/done?a=1"
    ready = boto3_post(s3, "k2", [{"success_action_redirect": there}])
    done = ask("POST", ready["url"], *form({**ready["fields"], "success_action_redirect": there}, b"x"))
    assert done.status_code == 303
    assert done.headers["location"].startswith(f"{there}&bucket=open-data&key=k2&etag=%22")
    late = boto3_post(s3, "k2", [], seconds=-1)
    assert (
        b"Invalid according to Policy: Policy expired." in ask("POST", late["url"], *form(late["fields"], b"")).content
    )


def test_a_form_without_a_policy_is_nobody_s(shared: RunningClary, s3: Any, bucket: str) -> None:
    url = f"{shared.endpoint_url}/{bucket}"
    assert ask("POST", url, *form({"key": "k3"}, b"x")).status_code == 403
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(Action="s3:PutObject"))
    assert ask("POST", url, *form({"key": "k3"}, b"x")).status_code == 204
    assert b"Bucket POST must contain a field named" in ask("POST", url, *form({}, b"x")).content
    lines = {"key": "k4", "x-amz-website-redirect-location": "/a\r\nset-cookie: b"}
    for hostile in (lines, {"key": "k4", "x-amz-meta-a b": "c"}):
        assert b"<Code>InvalidArgument</Code>" in ask("POST", url, *form(hostile, b"x")).content
    assert b"MaxPostPreDataLengthExceeded" in ask("POST", url, *form({"key": "k" * 30_000}, b"x")).content
    headers, sent = form({"key": "half"}, b"x" * 1000)
    cut = ask("POST", url, {**headers, "Content-Length": str(len(sent) - 20)}, sent[:-20])
    assert (cut.status_code, b"MalformedPOSTRequest" in cut.content) == (400, True)
    assert refusal(s3.head_object, Bucket=bucket, Key="half")[0] == "404"


# Websites


def test_a_website(shared: RunningClary, s3: Any, bucket: str) -> None:
    def visit(path: str, method: str = "GET") -> Any:
        host = f"{bucket}.s3-website-us-east-1.amazonaws.com"
        return ask(method, f"{shared.endpoint_url}{path}", {"Host": host})

    missing = visit("/")
    assert (missing.status_code, b"<li>Code: NoSuchWebsiteConfiguration</li>" in missing.content) == (404, True)
    site = {
        "IndexDocument": {"Suffix": "index.html"},
        "ErrorDocument": {"Key": "error.html"},
        "RoutingRules": [
            {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}},
            {"Condition": {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "gone/"},
             "Redirect": {"HostName": "x.example", "Protocol": "https", "HttpRedirectCode": "302"}},
        ],
    }  # fmt: skip
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=site)
    assert {name: s3.get_bucket_website(Bucket=bucket)[name] for name in site} == site
    s3.put_object(Bucket=bucket, Key="secret/index.html", Body=b"x")
    assert (visit("/secret").status_code, visit("/other").status_code) == (403, 403)
    forbidden = visit("/")
    assert (forbidden.status_code, b"<li>Code: AccessDenied</li>" in forbidden.content) == (403, True)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(Action=["s3:GetObject", "s3:ListBucket"]))
    s3.put_object(Bucket=bucket, Key="index.html", Body=b"<p>home", ContentType="text/html")
    s3.put_object(Bucket=bucket, Key="docs/index.html", Body=b"docs")
    s3.put_object(Bucket=bucket, Key="moved", WebsiteRedirectLocation="/docs/")
    home = visit("/")
    assert (home.status_code, home.content, home.headers["content-type"]) == (200, b"<p>home", "text/html")
    assert (visit("/docs/").content, visit("/docs").headers["location"]) == (b"docs", "/docs/")
    assert (visit("/moved").status_code, visit("/moved").headers["location"]) == (301, "/docs/")
    old, gone = visit("/old/a%20b"), visit("/gone/x")
    assert old.headers["location"] == f"http://{bucket}.s3-website-us-east-1.amazonaws.com/new/a%20b"
    assert (gone.status_code, gone.headers["location"]) == (302, "https://x.example/gone/x")
    twice = visit("/nothing")
    assert (twice.status_code, b"Attempting to Retrieve a Custom Error Document" in twice.content) == (404, True)
    s3.put_object(Bucket=bucket, Key="error.html", Body=b"sorry")
    assert (visit("/nothing").status_code, visit("/nothing").content) == (404, b"sorry")
    assert (visit("/", "HEAD").headers["content-length"], visit("/", "POST").status_code) == ("7", 405)


# The page


def test_the_program_of_the_page(shared: RunningClary, tmp_path: Path) -> None:
    """docs/s3-access.md, by boto3 with what `clary env` exports and nothing else."""
    [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "program.py").write_text(program.replace(BUCKET, "open-page"))
    command = [sys.executable, str(tmp_path / "program.py")]
    done = subprocess.run(command, env=shared.environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    page = "<h1>Open data</h1>"
    assert done.stdout.splitlines() == ["before 403", f"policy {page}", f"website {page}", "form True True"]


# What is kept


def test_configurations_are_kept(s3: Any, bucket: str) -> None:
    queue = {"QueueArn": "arn:aws:sqs:us-east-1:222222222222:q", "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [queue]}, SkipDestinationValidation=True
    )
    [kept] = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert {name: kept[name] for name in queue} == queue
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "Requester"
    s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_accelerate_configuration(Bucket=bucket)["Status"] == "Enabled"
    target = {"TargetBucket": bucket, "TargetPrefix": "log/"}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": target})
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"] == target
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)


def test_a_bucket_with_object_lock_needs_more_than_the_right_to_make_one(shared: RunningClary, ann: Any) -> None:
    iam = shared.client("iam")

    def may(*actions: str) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="ann", PolicyName="makes", PolicyDocument=document)

    locked = ("s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning")
    may("s3:CreateBucket", locked[0])
    refused = refusal(ann.create_bucket, Bucket="anns-locked", ObjectLockEnabledForBucket=True)
    assert refused[0] == "AccessDenied"
    assert locked[1] in refused[1]
    may("s3:CreateBucket", *locked)
    ann.create_bucket(Bucket="anns-locked", ObjectLockEnabledForBucket=True)
    iam.delete_user_policy(UserName="ann", PolicyName="makes")
    shared.client("s3").delete_bucket(Bucket="anns-locked")


def test_another_account_makes_a_bucket_with_all_that_belongs_to_it(s3: Any, stranger: Any) -> None:
    stranger.create_bucket(Bucket="theirs", ObjectLockEnabledForBucket=True, ObjectOwnership="BucketOwnerPreferred")
    assert refusal(s3.head_bucket, Bucket="theirs")[0] == "403"
    stranger.delete_bucket(Bucket="theirs")
