"""Secrets, their versions and labels. Texts are AWS's, as recorded in public test suites."""

import re
import time

import pytest

from clary.controllers.key_effects import KeyController

NO_SECRET = ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
TOKENS = ["a" * 32, "b" * 32, "c" * 32]
DAY = 86_400
_INVALID_NAME = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: "


def test_a_secret_is_read_by_name_and_arn(secrets):
    made = secrets.create(Description="d", Tags=[{"Key": "team", "Value": "ml"}])
    assert re.fullmatch(r"arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-[A-Za-z0-9]{6}", made["ARN"])
    for name in ("app/db", made["ARN"], made["ARN"][:-7]):
        said = secrets("GetSecretValue", SecretId=name)
        assert (said["SecretString"], said["Name"], said["ARN"]) == ("hunter2", "app/db", made["ARN"])
        assert (said["VersionId"], said["VersionStages"]) == (made["VersionId"], ["AWSCURRENT"])
    described = secrets("DescribeSecret", SecretId="app/db")
    assert described["Description"] == "d"
    assert described["Tags"] == [{"Key": "team", "Value": "ml"}]
    assert described["VersionIdsToStages"] == {made["VersionId"]: ["AWSCURRENT"]}
    assert described["LastAccessedDate"].timestamp() % DAY == 0


def test_bytes_are_kept_as_bytes(secrets):
    secrets("CreateSecret", Name="b", SecretBinary=b"\x00\xff")
    said = secrets("GetSecretValue", SecretId="b")
    assert said["SecretBinary"] == b"\x00\xff"
    assert "SecretString" not in said


def test_nothing_of_a_value_is_readable_in_the_data_folder(secrets):
    secrets.create(text="a-value-to-look-for")
    for file in secrets.inner.settings.data_dir.glob("clary.db*"):
        assert b"a-value-to-look-for" not in file.read_bytes()


def test_a_secret_that_is_not_there(secrets):
    for operation in ("GetSecretValue", "DescribeSecret", "DeleteSecret", "RestoreSecret", "GetResourcePolicy"):
        assert secrets.refusal(operation, SecretId="none") == NO_SECRET
    foreign = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:app/db-abcdef"
    assert secrets.refusal("GetSecretValue", SecretId=foreign) == NO_SECRET


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (
            {"Name": "Inv Name"},
            ("ValidationException", f"{_INVALID_NAME}-/_+=.@!"),
        ),
        (
            {"Name": "n", "ClientRequestToken": None},
            (
                "InvalidParameterException",
                "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
            ),
        ),
        (
            {"Name": "n", "AddReplicaRegions": [{"Region": "eu-west-1"}]},
            ("InvalidParameterException", "AddReplicaRegions is not offered by Clary."),
        ),
        ({"Name": "n", "Tags": [{"Value": "v"}]}, ("InvalidParameterException", "A tag needs a key.")),
        ({"Name": "n", "KmsKeyId": "alias/none"}, ("EncryptionFailure", None)),
    ],
)
def test_secrets_that_cannot_be_made(secrets, asked, refused):
    code, text = secrets.refusal("CreateSecret", SecretString="s", **asked)
    assert (code, refused[1] and text) == refused


def test_a_breach_of_the_model_does_not_show_the_value(secrets):
    _, text = secrets.refusal("CreateSecret", Name="n", SecretString="")
    assert "Value at 'secretString' failed to satisfy constraint" in text


def test_the_same_token_and_value_make_one_secret(secrets):
    made = secrets.create(ClientRequestToken=TOKENS[0])
    assert secrets.create(ClientRequestToken=TOKENS[0]) == made
    taken = ("ResourceExistsException", "The operation failed because the secret app/db already exists.")
    assert secrets.refusal("CreateSecret", Name="app/db", SecretString="hunter2") == taken


def test_a_new_value_becomes_current_and_the_old_one_previous(secrets):
    secrets.create(ClientRequestToken=TOKENS[0])
    put = {"SecretId": "app/db", "SecretString": "two", "ClientRequestToken": TOKENS[1]}
    said = secrets("PutSecretValue", **put)
    assert said["VersionStages"] == ["AWSCURRENT"]
    assert secrets.value() == "two"
    assert secrets.value(VersionStage="AWSPREVIOUS") == secrets.value(VersionId=TOKENS[0]) == "hunter2"
    assert secrets("PutSecretValue", **put) == said
    assert secrets.refusal("PutSecretValue", **{**put, "SecretString": "three"})[0] == "ResourceExistsException"
    secrets("UpdateSecret", SecretId="app/db", SecretString="three", ClientRequestToken=TOKENS[2])
    assert secrets.stages() == {TOKENS[1]: ["AWSPREVIOUS"], TOKENS[2]: ["AWSCURRENT"]}
    listed = secrets("ListSecretVersionIds", SecretId="app/db", IncludeDeprecated=True, MaxResults=2)
    assert [each["VersionId"] for each in listed["Versions"]] == [TOKENS[2], TOKENS[1]]
    rest = secrets(
        "ListSecretVersionIds", SecretId="app/db", IncludeDeprecated=True, MaxResults=2, NextToken=listed["NextToken"]
    )
    assert [each["VersionId"] for each in rest["Versions"]] == [TOKENS[0]]


def test_values_that_are_not_there(secrets):
    secrets("CreateSecret", Name="bare")
    begin = "Secrets Manager can't find the specified secret value for"
    refused = secrets.refusal("GetSecretValue", SecretId="bare")
    assert refused == ("ResourceNotFoundException", f"{begin} staging label: AWSCURRENT")
    refused = secrets.refusal("GetSecretValue", SecretId="bare", VersionId=TOKENS[0])
    assert refused == ("ResourceNotFoundException", f"{begin} VersionId: {TOKENS[0]}")
    secrets.create(ClientRequestToken=TOKENS[0])
    refused = secrets.refusal("GetSecretValue", SecretId="app/db", VersionId=TOKENS[0], VersionStage="AWSPENDING")
    text = "You provided a VersionStage that is not associated to the provided VersionId."
    assert refused == ("InvalidRequestException", text)
    text = "You must provide either SecretString or SecretBinary."
    assert secrets.refusal("PutSecretValue", SecretId="bare") == ("InvalidRequestException", text)


def test_labels_are_moved_as_a_rotation_moves_them(secrets):
    secrets.create(ClientRequestToken=TOKENS[0])
    pending = {"SecretId": "app/db", "SecretString": "two", "VersionStages": ["AWSPENDING"]}
    secrets("PutSecretValue", ClientRequestToken=TOKENS[1], **pending)
    assert secrets.value() == "hunter2"
    moved = {"SecretId": "app/db", "VersionStage": "AWSCURRENT"}
    code, text = secrets.refusal("UpdateSecretVersionStage", MoveToVersionId=TOKENS[1], **moved)
    assert code == "InvalidParameterException"
    assert "The parameter RemoveFromVersionId can't be empty." in text
    code, text = secrets.refusal("UpdateSecretVersionStage", RemoveFromVersionId=TOKENS[0], **moved)
    assert text.startswith("You can only move staging label AWSCURRENT")
    secrets("UpdateSecretVersionStage", MoveToVersionId=TOKENS[1], RemoveFromVersionId=TOKENS[0], **moved)
    assert secrets.value() == "two"
    assert secrets.stages() == {TOKENS[0]: ["AWSPREVIOUS"], TOKENS[1]: ["AWSCURRENT", "AWSPENDING"]}
    asked = {"SecretId": "app/db", "VersionStage": "AWSPENDING", "RemoveFromVersionId": TOKENS[1]}
    secrets("UpdateSecretVersionStage", **asked)
    assert secrets.stages()[TOKENS[1]] == ["AWSCURRENT"]


def test_another_key_encrypts_what_is_there_anew(secrets):
    secrets.create()
    key = secrets.inner("kms", "CreateKey")["KeyMetadata"]["KeyId"]
    secrets("UpdateSecret", SecretId="app/db", KmsKeyId=key)
    assert secrets.value() == "hunter2"
    secrets.inner("kms", "DisableKey", KeyId=key)
    code, text = secrets.refusal("GetSecretValue", SecretId="app/db")
    assert code == "DecryptionFailure"
    assert "is disabled" in text


def after(secrets, days):
    """What a controller does when so many days have passed."""
    later = KeyController(
        secrets.inner.settings,
        secrets.inner.store,
        secrets.inner.door,
        secrets.inner.woken.append,
        lambda: time.time() + days * DAY,
    )
    for key in later.resume():
        later.reconcile(key)


def test_a_deleted_secret_is_restored_or_gone(secrets):
    secrets.create()
    secrets("DeleteSecret", SecretId="app/db", RecoveryWindowInDays=7)
    marked = "You can't perform this operation on the secret because it was marked for deletion."
    for operation in ("GetSecretValue", "UpdateSecret", "PutResourcePolicy"):
        more = {"ResourcePolicy": "{}"} if operation == "PutResourcePolicy" else {}
        assert secrets.refusal(operation, SecretId="app/db", **more) == ("InvalidRequestException", marked)
    text = "You can't create this secret because a secret with this name is already scheduled for deletion."
    assert secrets.refusal("CreateSecret", Name="app/db") == ("InvalidRequestException", text)
    assert secrets.refusal("DeleteSecret", SecretId="app/db")[0] == "InvalidRequestException"
    assert secrets("DescribeSecret", SecretId="app/db")["DeletedDate"]
    assert secrets("ListSecrets") == {"SecretList": []}
    assert len(secrets("ListSecrets", IncludePlannedDeletion=True)["SecretList"]) == 1
    after(secrets, 6.9)
    secrets("RestoreSecret", SecretId="app/db")
    after(secrets, 40)
    assert secrets.value() == "hunter2"
    secrets("DeleteSecret", SecretId="app/db")
    after(secrets, 31)
    assert secrets.refusal("DescribeSecret", SecretId="app/db") == NO_SECRET
    assert secrets.inner.store.read.rows("secret-version") == []


def test_a_secret_is_deleted_at_once_and_its_name_is_free(secrets):
    secrets.create(ClientRequestToken=TOKENS[0])
    secrets("DeleteSecret", SecretId="app/db", ForceDeleteWithoutRecovery=True)
    assert secrets("DeleteSecret", SecretId="app/db", ForceDeleteWithoutRecovery=True)["Name"] == "app/db"
    secrets("CreateSecret", Name="app/db", ClientRequestToken=TOKENS[1])
    assert secrets.refusal("GetSecretValue", SecretId="app/db", VersionId=TOKENS[0])[0] == "ResourceNotFoundException"
    text = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
    asked = {"SecretId": "app/db", "ForceDeleteWithoutRecovery": True, "RecoveryWindowInDays": 7}
    assert secrets.refusal("DeleteSecret", **asked) == ("InvalidParameterException", text)
    text = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
    refused = secrets.refusal("DeleteSecret", SecretId="app/db", RecoveryWindowInDays=6)
    assert refused == ("InvalidParameterException", text)


def test_lists_are_filtered_sorted_and_have_pages(secrets):
    for name, team in (("app/a", "ml"), ("app/b", "web"), ("other", "ml")):
        secrets.create(name, Description=f"The {name}", Tags=[{"Key": "team", "Value": team}])

    def names(*filters, **params):
        asked = [{"Key": key, "Values": values} for key, values in filters]
        return [each["Name"] for each in secrets("ListSecrets", Filters=asked, **params)["SecretList"]]

    assert names() == ["app/a", "app/b", "other"]
    assert names(SortOrder="desc") == ["other", "app/b", "app/a"]
    assert names(("name", ["app/"]), SortOrder="asc") == ["app/a", "app/b"]
    assert names(("name", ["!app/"])) == ["other"]
    assert names(("tag-value", ["ml"]), ("name", ["app"])) == ["app/a"]
    assert names(("description", ["the app/b"])) == ["app/b"]
    assert names(("all", ["WEB"])) == ["app/b"]
    assert names(SortBy="name", SortOrder="asc") == ["app/a", "app/b", "other"]
    first = secrets("ListSecrets", MaxResults=2)
    assert [each["Name"] for each in secrets("ListSecrets", NextToken=first["NextToken"])["SecretList"]] == ["other"]
    assert secrets.refusal("ListSecrets", NextToken="x")[0] == "InvalidNextTokenException"


def test_several_values_are_read_at_once(secrets):
    secrets.create("a", "1")
    secrets.create("b", "2")
    said = secrets("BatchGetSecretValue", SecretIdList=["a", "none", "b"])
    assert [each["SecretString"] for each in said["SecretValues"]] == ["1", "2"]
    assert said["Errors"] == [{"SecretId": "none", "ErrorCode": NO_SECRET[0], "Message": NO_SECRET[1]}]
    said = secrets("BatchGetSecretValue", Filters=[{"Key": "name", "Values": ["b"]}])
    assert [each["Name"] for each in said["SecretValues"]] == ["b"]
    both = "Either 'SecretIdList' or 'Filters' must be provided, but not both."
    assert secrets.refusal("BatchGetSecretValue") == ("InvalidParameterException", both)
    assert "'MaxResults' is provided" in secrets.refusal("BatchGetSecretValue", SecretIdList=["a"], MaxResults=1)[1]


def found(secrets, key, *values):
    asked = [{"Key": key, "Values": list(values)}]
    return [each["Name"] for each in secrets("ListSecrets", Filters=asked)["SecretList"]]


def test_a_filter_by_description_finds_beginnings_of_words_in_any_order(secrets):
    for name, text in (("foo", "one two"), ("bar", "one and two"), ("baz", "One"), ("qux", "two"), ("none", "other")):
        secrets.create(name, Description=text)
    assert found(secrets, "description", "two one") == ["foo", "bar"]
    assert found(secrets, "description", "o t") == ["foo", "bar"]
    assert found(secrets, "description", "t") == ["foo", "bar", "qux"]
    assert found(secrets, "description", "!on") == ["qux", "none"]
    twice = [{"Key": "description", "Values": ["one"]}, {"Key": "description", "Values": ["two"]}]
    assert [each["Name"] for each in secrets("ListSecrets", Filters=twice)["SecretList"]] == ["foo", "bar"]


def test_a_filter_by_everything_splits_words_as_they_are_written(secrets):
    for name in ("prod/AppBeta/1", "prod_AppBeta_1", "uat/COMPANY/1", "uat/COMPANYthings/1", "Thirdapp"):
        secrets.create(name)
    secrets.create("tagged", Tags=[{"Key": "owner", "Value": "TeamApp"}])
    assert found(secrets, "all", "AppBeta") == ["prod/AppBeta/1", "prod_AppBeta_1"]
    assert found(secrets, "all", "app") == ["prod/AppBeta/1", "prod_AppBeta_1", "tagged"]
    assert found(secrets, "all", "company") == ["uat/COMPANY/1"]
    assert found(secrets, "all", "Ythings") == ["uat/COMPANYthings/1"]
    assert found(secrets, "all", "things") == found(secrets, "all", "pany") == found(secrets, "all", "/") == []


def test_filters_that_lack_something_are_refused_where_there_is_no_secret(secrets):
    refused = secrets.refusal("ListSecrets", Filters=[{"Values": ["foo"]}])
    assert refused == ("InvalidParameterException", "Invalid filter key")
    refused = secrets.refusal("ListSecrets", Filters=[{"Key": "description"}])
    assert refused == ("InvalidParameterException", "Invalid filter values for key: description")


def test_a_token_names_one_value_for_ever(secrets):
    token = "t" * 32
    arn = secrets.create("a", "1", ClientRequestToken=token)["ARN"]
    taken = (
        f"You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
    )
    for operation, name in (("CreateSecret", "Name"), ("PutSecretValue", "SecretId"), ("UpdateSecret", "SecretId")):
        asked = {name: "a", "ClientRequestToken": token}
        assert secrets(operation, SecretString="1", **asked)["VersionId"] == token
        assert secrets.refusal(operation, SecretString="2", **asked) == ("ResourceExistsException", taken)


def test_the_first_version_is_the_current_one_whatever_its_labels(secrets):
    secrets("CreateSecret", Name="a", ClientRequestToken="c" * 32)
    put = {"SecretId": "a", "SecretString": "1", "ClientRequestToken": "t" * 32}
    stages = secrets("PutSecretValue", VersionStages=["AWSPENDING"], **put)["VersionStages"]
    assert sorted(stages) == ["AWSCURRENT", "AWSPENDING"]
    assert secrets("GetSecretValue", SecretId="a")["SecretString"] == "1"


def test_tags_are_added_and_removed(secrets):
    secrets.create()
    secrets("TagResource", SecretId="app/db", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    secrets("UntagResource", SecretId="app/db", TagKeys=["a"])
    assert secrets("DescribeSecret", SecretId="app/db")["Tags"] == [{"Key": "b", "Value": ""}]


def test_policies_are_kept_and_looked_at(secrets):
    secrets.create()
    statement = '{"Effect": "Allow", "Principal": %s, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}'
    policy = '{"Version": "2012-10-17", "Statement": [' + statement + "]}"
    mine = policy % '{"AWS": "arn:aws:iam::000000000000:root"}'
    secrets("PutResourcePolicy", SecretId="app/db", ResourcePolicy=mine)
    assert secrets("GetResourcePolicy", SecretId="app/db")["ResourcePolicy"] == mine
    secrets("DeleteResourcePolicy", SecretId="app/db")
    assert "ResourcePolicy" not in secrets("GetResourcePolicy", SecretId="app/db")
    asked = {"SecretId": "app/db", "ResourcePolicy": policy % '"*"', "BlockPublicPolicy": True}
    assert secrets.refusal("PutResourcePolicy", **asked)[0] == "PublicPolicyException"
    assert not secrets("ValidateResourcePolicy", ResourcePolicy=policy % '"*"')["PolicyValidationPassed"]
    assert secrets("ValidateResourcePolicy", ResourcePolicy=mine)["PolicyValidationPassed"]
    asked["ResourcePolicy"] = "{}"
    assert secrets.refusal("PutResourcePolicy", **asked)[0] == "MalformedPolicyDocumentException"


@pytest.mark.parametrize(
    ("asked", "letters"),
    [
        ({}, r"[!-~]{32}"),
        ({"PasswordLength": 8, "ExcludePunctuation": True}, r"[A-Za-z0-9]{8}"),
        ({"ExcludeLowercase": True, "ExcludeUppercase": True, "ExcludePunctuation": True}, r"[0-9]{32}"),
        ({"ExcludeCharacters": "abc", "PasswordLength": 1000}, r"[^abc]{1000}"),
    ],
)
def test_passwords(secrets, asked, letters):
    password = secrets("GetRandomPassword", **asked)["RandomPassword"]
    assert re.fullmatch(letters, password)
    assert password != secrets("GetRandomPassword", **asked)["RandomPassword"]


def test_passwords_that_cannot_be(secrets):
    for asked in ({"PasswordLength": 3}, {"ExcludeCharacters": "".join(map(chr, range(33, 127)))}):
        assert secrets.refusal("GetRandomPassword", **asked)[0] == "InvalidParameterException"


def test_a_pending_version_is_so_no_more_when_another_follows_it(secrets):
    first = secrets.create()["VersionId"]
    put = {"SecretId": "app/db", "SecretString": "2"}
    second = secrets("PutSecretValue", VersionStages=["AWSPENDING"], **put)["VersionId"]
    moved = {"VersionStage": "AWSCURRENT", "MoveToVersionId": second, "RemoveFromVersionId": first}
    secrets("UpdateSecretVersionStage", SecretId="app/db", **moved)
    assert secrets.stages() == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT", "AWSPENDING"]}
    third = secrets("PutSecretValue", **put)["VersionId"]
    assert secrets.stages() == {second: ["AWSPREVIOUS"], third: ["AWSCURRENT"]}


def test_a_version_tells_the_day_of_its_last_read(secrets):
    secrets.create()
    (version,) = secrets("ListSecretVersionIds", SecretId="app/db")["Versions"]
    assert "LastAccessedDate" not in version
    secrets.value()
    (version,) = secrets("ListSecretVersionIds", SecretId="app/db")["Versions"]
    assert version["LastAccessedDate"].timestamp() % DAY == 0


def test_what_is_wrong_with_a_request_is_said_where_there_is_no_secret(secrets):
    for operation in ("DescribeSecret", "DeleteSecret", "GetSecretValue"):
        code, text = secrets.refusal(operation, SecretId="no name")
        assert (code, text.partition(".")[0]) == ("ValidationException", "Invalid name")
    asked = {"SecretId": "none", "SecretString": "1", "ClientRequestToken": None}
    text = "You must provide a ClientRequestToken value. We recommend a UUID-type value."
    for operation in ("UpdateSecret", "PutSecretValue"):
        assert secrets.refusal(operation, **asked) == ("InvalidParameterException", text)


def test_a_secret_that_is_not_there_is_deleted_at_once_as_if_it_had_been(secrets):
    said = secrets("DeleteSecret", SecretId="none", ForceDeleteWithoutRecovery=True)
    assert said["Name"] == "none"
    assert ":secret:none-" in said["ARN"]


def test_a_secret_without_a_value_tells_of_no_version(secrets):
    secrets("CreateSecret", Name="a")
    assert "VersionIdsToStages" not in secrets("DescribeSecret", SecretId="a")
