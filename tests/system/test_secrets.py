"""Keys, secrets and parameters as boto3 sees them, and as their policies let users."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import Shape

from clary.services.catalogue import REGISTRY
from clary.wire import models
from tests.folders import contents
from tests.running import RunningClary, wait_until
from tests.system.functions import Functions

pytestmark = pytest.mark.system

ACCOUNT = "000000000000"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}

Client = Callable[[str], Any]


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


@pytest.fixture(scope="module")
def ann(shared: RunningClary) -> Client:
    """Clients of a user whom no policy speaks of."""
    iam = shared.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=shared.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            config=Config(retries={"max_attempts": 0}, parameter_validation=False),
        )

    return client


@pytest.fixture
def lets_ann(shared: RunningClary) -> Iterator[Callable[..., None]]:
    """Gives her rights of her own."""
    iam = shared.client("iam")

    def give(*statements: Mapping[str, Any]) -> None:
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document(*statements))

    yield give
    for name in iam.list_user_policies(UserName="ann")["PolicyNames"]:
        iam.delete_user_policy(UserName="ann", PolicyName=name)


def refusal(call: Callable[..., Any], **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**params)
    error = raised.value.response["Error"]
    return error["Code"], error.get("Message", "")


@pytest.fixture(scope="module")
def there(shared: RunningClary) -> dict[str, Any]:
    """One of each thing, by the members that name it."""
    kms, secrets, ssm = (shared.client(service) for service in ("kms", "secretsmanager", "ssm"))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    grant = kms.create_grant(KeyId=key, GranteePrincipal=f"{ANN}-other", Operations=["Decrypt"])
    secrets.create_secret(Name="app/db", SecretString="hunter2")
    ssm.put_parameter(Name="/app/rate", Value="hunter3", Type="SecureString")
    return {
        "KeyId": key,
        "TargetKeyId": key,
        "DestinationKeyId": key,
        "AliasName": "alias/app",
        "CiphertextBlob": kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"],
        **grant,
        "SecretId": "app/db",
        "Name": "/app/rate",
        "Names": ["/app/rate"],
        "Path": "/app",
        "ResourceId": "/app/rate",
        "ResourceType": "Parameter",
        **dict.fromkeys(("ReplicaRegion", "PrimaryRegion"), "eu-west-1"),
    }


_WANTED = {"Decrypt": ["CiphertextBlob"], "ReEncrypt": ["CiphertextBlob"], "RetireGrant": ["GrantToken"]}
"""What is needed besides what the model requires."""


def sample(shape: Shape, there: Mapping[str, Any], name: str) -> Any:
    if name in there and shape.type_name not in ("structure", "map"):
        return there[name]
    if shape.type_name == "structure":
        return {each: sample(shape.members[each], there, each) for each in shape.required_members}  # type: ignore[attr-defined]
    if shape.type_name == "list":
        return [sample(shape.member, there, "")]  # type: ignore[attr-defined]
    if shape.type_name == "string":
        return shape.enum[0] if getattr(shape, "enum", None) else "x" * int(shape.metadata.get("min", 1))
    return {"blob": b"x", "integer": 7, "long": 7, "boolean": False, "map": {}}[shape.type_name]


OPERATIONS = [
    (service, operation)
    for service in ("kms", "secretsmanager", "ssm")
    for operation in REGISTRY.services[service].operations
]


def test_who_has_no_right_may_do_nothing_at_all(ann: Client, there: dict[str, Any]) -> None:
    clients = {service: ann(service) for service in ("kms", "secretsmanager", "ssm")}
    wrong = {}
    for service, operation in OPERATIONS:
        shape = models.operation(service, operation).input_shape
        names = {**there, **({"Name": "new"} if operation == "CreateSecret" else {})}
        params = sample(shape, names, "") if shape else {}
        params |= {name: there[name] for name in _WANTED.get(operation, ())}
        code, text = refusal(clients[service]._make_api_call, operation_name=operation, api_params=params)
        if code != "AccessDeniedException" or "ann is not authorized to perform" not in text:
            wrong[operation] = code, text
    assert wrong == {}


def test_a_key_policy_lets_a_user_without_a_policy_of_its_own(shared: RunningClary, ann: Client) -> None:
    kms = shared.client("kms")
    condition = {"StringEquals": {"kms:EncryptionContext:stage": "test"}}
    mine = allow("kms:*", Principal=ROOT)
    encrypts = allow("kms:Encrypt", Principal={"AWS": ANN}, Condition=condition)
    made = kms.create_key(Policy=document(mine, encrypts))["KeyMetadata"]
    key, arn = made["KeyId"], made["Arn"]
    blob = ann("kms").encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"stage": "test"})["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"stage": "test"})["Plaintext"] == b"x"
    asked = f"User: {ANN} is not authorized to perform: kms:{{}} on resource: {arn} because no"
    denied = refusal(ann("kms").encrypt, KeyId=key, Plaintext=b"x", EncryptionContext={"stage": "live"})
    assert denied[1].startswith(asked.format("Encrypt"))
    denied = refusal(ann("kms").decrypt, CiphertextBlob=blob, EncryptionContext={"stage": "test"})
    assert denied[1].startswith(asked.format("Decrypt"))


def test_the_accounts_policies_count_only_where_the_key_lets_the_account_in(
    shared: RunningClary, ann: Client, lets_ann: Callable[..., None]
) -> None:
    kms = shared.client("kms")
    lets_ann(allow("kms:*"))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    ann("kms").encrypt(KeyId=key, Plaintext=b"x")
    role = shared.role_arn
    kms.put_key_policy(KeyId=key, Policy=document(allow("kms:*", Principal={"AWS": role})))
    code, text = refusal(ann("kms").encrypt, KeyId=key, Plaintext=b"x")
    assert (code, text.rpartition(" because ")[2]) == (
        "AccessDeniedException",
        "no resource-based policy allows the kms:Encrypt action",
    )
    kms.encrypt(KeyId=key, Plaintext=b"x")
    deny = {**allow("kms:Encrypt", Principal="*"), "Effect": "Deny"}
    kms.put_key_policy(KeyId=key, Policy=document(allow("kms:*", Principal={"AWS": role}), deny))
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x")[1].endswith(
        "with an explicit deny in a resource-based policy"
    )
    locked = document(allow("kms:*", Principal={"AWS": ANN}))
    code, text = refusal(kms.put_key_policy, KeyId=key, Policy=locked)
    assert (code, text) == (
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
    )


def test_a_grant_lets_a_user(shared: RunningClary, ann: Client, there: dict[str, Any]) -> None:
    kms, key = shared.client("kms"), there["KeyId"]
    grant = kms.create_grant(KeyId=key, GranteePrincipal=ANN, Operations=["Encrypt"])
    ann("kms").encrypt(KeyId=key, Plaintext=b"x")
    kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    assert refusal(ann("kms").encrypt, KeyId=key, Plaintext=b"x")[0] == "AccessDeniedException"


def test_a_secrets_policy_lets_a_user_and_its_key_through_the_service_alone(
    shared: RunningClary, ann: Client, there: dict[str, Any]
) -> None:
    secrets = shared.client("secretsmanager")
    reads = document(allow("secretsmanager:GetSecretValue", Principal={"AWS": ANN}))
    secrets.put_resource_policy(SecretId="app/db", ResourcePolicy=reads)
    assert ann("secretsmanager").get_secret_value(SecretId="app/db")["SecretString"] == "hunter2"
    direct = refusal(ann("kms").encrypt, KeyId="alias/aws/secretsmanager", Plaintext=b"x")
    assert direct[0] == "AccessDeniedException"
    secrets.delete_resource_policy(SecretId="app/db")
    assert refusal(ann("secretsmanager").get_secret_value, SecretId="app/db")[0] == "AccessDeniedException"


def test_rights_are_given_by_a_secrets_arn_and_a_parameters_path(
    ann: Client, there: dict[str, Any], lets_ann: Callable[..., None]
) -> None:
    lets_ann(
        allow("secretsmanager:GetSecretValue", resource="arn:aws:secretsmanager:*:*:secret:app/db-??????"),
        allow("ssm:GetParametersByPath", resource="arn:aws:ssm:*:*:parameter/app"),
    )
    assert ann("secretsmanager").get_secret_value(SecretId="app/db")["SecretString"] == "hunter2"
    assert refusal(ann("secretsmanager").get_secret_value, SecretId="other")[0] == "AccessDeniedException"
    (found,) = ann("ssm").get_parameters_by_path(Path="/app", WithDecryption=True)["Parameters"]
    assert found["Value"] == "hunter3"
    assert refusal(ann("ssm").get_parameter, Name="/app/rate")[0] == "AccessDeniedException"


def test_a_key_that_a_user_may_not_use_keeps_its_secrets_closed(
    shared: RunningClary, ann: Client, lets_ann: Callable[..., None]
) -> None:
    key = shared.client("kms").create_key()["KeyMetadata"]["KeyId"]
    shared.client("secretsmanager").create_secret(Name="closed", SecretString="s", KmsKeyId=key)
    shared.client("ssm").put_parameter(Name="/closed", Value="s", Type="SecureString", KeyId=key)
    lets_ann(allow("secretsmanager:*", "ssm:*"))
    denied = refusal(ann("secretsmanager").get_secret_value, SecretId="closed")
    assert denied == ("AccessDeniedException", "Access to KMS is not allowed")
    assert refusal(ann("ssm").get_parameter, Name="/closed", WithDecryption=True)[0] == "AccessDeniedException"
    through = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
    lets_ann(allow("secretsmanager:*", "ssm:*"), allow("kms:Decrypt", Condition=through))
    assert ann("secretsmanager").get_secret_value(SecretId="closed")["SecretString"] == "s"
    assert refusal(ann("ssm").get_parameter, Name="/closed", WithDecryption=True)[0] == "AccessDeniedException"


def test_what_was_acknowledged_is_there_after_a_kill_and_stands_in_no_log(
    shared: RunningClary, there: dict[str, Any]
) -> None:
    blob = there["CiphertextBlob"]
    shared.client("secretsmanager").put_secret_value(SecretId="app/db", SecretString="hunter22")
    shared.kill("supervisor", "control")
    shared.up()
    assert shared.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert shared.client("secretsmanager").get_secret_value(SecretId="app/db")["SecretString"] == "hunter22"
    read = shared.client("ssm").get_parameter(Name="/app/rate", WithDecryption=True)
    assert read["Parameter"]["Value"] == "hunter3"
    assert [file for file, said in contents(shared.data_dir) if b"hunter" in said] == []


ROTATING = """\
import boto3
def handler(event, context):
    secrets, step, token = boto3.client("secretsmanager"), event["Step"], event["Token"]
    name, stages = event["SecretId"], secrets.describe_secret(SecretId=event["SecretId"])["VersionIdsToStages"]
    if step == "createSecret":
        made = secrets.get_random_password(ExcludePunctuation=True)["RandomPassword"]
        secrets.put_secret_value(
            SecretId=name, ClientRequestToken=token, SecretString=made, VersionStages=["AWSPENDING"]
        )
    if step == "testSecret":
        assert secrets.get_secret_value(SecretId=name, VersionStage="AWSPENDING")["VersionId"] == token
    if step == "finishSecret":
        [old] = [version for version, labels in stages.items() if "AWSCURRENT" in labels]
        secrets.update_secret_version_stage(
            SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=old
        )
"""
"""As AWS's templates are, without a database."""


def test_a_secret_is_rotated_by_its_function_also_where_all_are_killed_meanwhile(shared: RunningClary) -> None:
    functions, secrets = Functions(shared), shared.client("secretsmanager")
    arn = functions.create("rotating", ROTATING, Timeout=60)["FunctionArn"]
    secrets.create_secret(Name="turned", SecretString="first")
    asked = {"SecretId": "turned", "RotationLambdaARN": arn, "RotationRules": {"AutomaticallyAfterDays": 7}}
    code, text = refusal(secrets.rotate_secret, **asked)
    assert code == "AccessDeniedException"
    assert text.startswith("Secrets Manager cannot invoke the specified Lambda function.")
    functions.client.add_permission(
        FunctionName="rotating",
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceArn=secrets.describe_secret(SecretId="turned")["ARN"],
    )
    version = secrets.rotate_secret(**asked)["VersionId"]
    shared.kill("supervisor", "control", "edge")
    shared.up()
    wait_until(lambda: "LastRotatedDate" in secrets.describe_secret(SecretId="turned"), 120, "it is rotated")
    current = secrets.get_secret_value(SecretId="turned")
    assert (current["VersionId"], len(current["SecretString"])) == (version, 32)
    assert secrets.get_secret_value(SecretId="turned", VersionStage="AWSPREVIOUS")["SecretString"] == "first"
    assert secrets.describe_secret(SecretId="turned")["NextRotationDate"] is not None
