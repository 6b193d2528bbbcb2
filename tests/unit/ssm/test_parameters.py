"""Parameter Store. Texts are AWS's, as recorded in public test suites."""

import json

import pytest

ARN = "arn:aws:ssm:us-east-1:000000000000:parameter"


class Parameters:
    """Parameters of one Clary."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, operation, **params):
        return self.inner("ssm", operation, **params)

    def refusal(self, operation, **params):
        return self.inner.refusal("ssm", operation, **params)

    def put(self, name, value="v", kind="String", **params):
        return self("PutParameter", Name=name, Value=value, Type=kind, **params)

    def value(self, name, **params):
        return self("GetParameter", Name=name, **params)["Parameter"]["Value"]


@pytest.fixture
def parameters(emptied_inner):
    return Parameters(emptied_inner)


def test_a_parameter_as_aws_tells_it(parameters):
    assert parameters.put("/app/rate", "0.1") == {"Version": 1, "Tier": "Standard"}
    said = parameters("GetParameter", Name="/app/rate")["Parameter"]
    assert {**said, "LastModifiedDate": None} == {
        "Name": "/app/rate",
        "Type": "String",
        "Value": "0.1",
        "Version": 1,
        "LastModifiedDate": None,
        "ARN": f"{ARN}/app/rate",
        "DataType": "text",
    }
    assert parameters.value(f"{ARN}/app/rate") == "0.1"
    parameters.put("plain")
    assert parameters.value(f"{ARN}/plain") == "v"
    assert parameters.refusal("GetParameter", Name="none") == ("ParameterNotFound", "Parameter none not found.")


def test_versions_are_selected_by_number_and_label(parameters):
    parameters.put("/a", "one")
    text = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
    refused = parameters.refusal("PutParameter", Name="/a", Value="two", Type="String")
    assert refused == ("ParameterAlreadyExists", text)
    assert parameters("PutParameter", Name="/a", Value="two", Overwrite=True)["Version"] == 2
    parameters("LabelParameterVersion", Name="/a", ParameterVersion=1, Labels=["prod"])
    assert [parameters.value(name) for name in ("/a", "/a:1", "/a:2", "/a:prod")] == ["two", "one", "two", "one"]
    moved = parameters("LabelParameterVersion", Name="/a", Labels=["prod", "9bad", "awsx"])
    assert moved == {"InvalidLabels": ["9bad", "awsx"], "ParameterVersion": 2}
    said = parameters("GetParameter", Name="/a:prod")["Parameter"]
    assert (said["Version"], said["Selector"]) == (2, ":prod")
    history = parameters("GetParameterHistory", Name="/a")["Parameters"]
    assert [(each["Value"], each["Labels"]) for each in history] == [("one", []), ("two", ["prod"])]
    text = "Systems Manager could not find version 3 of /a. Verify the version and try again."
    assert parameters.refusal("GetParameter", Name="/a:3") == ("ParameterVersionNotFound", text)
    gone = parameters("UnlabelParameterVersion", Name="/a", ParameterVersion=2, Labels=["prod", "no"])
    assert gone == {"RemovedLabels": ["prod"], "InvalidLabels": ["no"]}
    assert parameters.refusal("GetParameter", Name="/a:prod")[0] == "ParameterVersionNotFound"
    ten = {"Name": "/a", "Labels": [f"l{number}" for number in range(10)]}
    parameters("LabelParameterVersion", **ten)
    refused = parameters.refusal("LabelParameterVersion", Name="/a", Labels=["x"])
    assert refused[0] == "ParameterVersionLabelLimitExceeded"


def test_an_overwrite_tried_again_is_one_version(parameters):
    parameters.put("/a")
    parameters.inner.invocation_id = "try"
    for _ in range(2):
        assert parameters("PutParameter", Name="/a", Value="w", Overwrite=True)["Version"] == 2


def test_the_oldest_version_goes_unless_it_has_a_label(parameters):
    parameters.put("/a", "first")
    for number in range(2, 101):
        assert parameters("PutParameter", Name="/a", Value=str(number), Overwrite=True)["Version"] == number
    parameters("LabelParameterVersion", Name="/a", ParameterVersion=1, Labels=["keep"])
    code, text = parameters.refusal("PutParameter", Name="/a", Value="x", Overwrite=True)
    assert code == "ParameterMaxVersionLimitExceeded"
    assert "Version 1, the oldest version, can't be deleted" in text
    parameters("LabelParameterVersion", Name="/a", ParameterVersion=2, Labels=["keep"])
    parameters("PutParameter", Name="/a", Value="x", Overwrite=True)
    assert parameters.refusal("GetParameter", Name="/a:1")[0] == "ParameterVersionNotFound"


def test_secure_strings_are_encrypted_by_kms(parameters):
    key = parameters.inner("kms", "CreateKey")["KeyMetadata"]["KeyId"]
    parameters.put("/s", "hunter2", "SecureString", KeyId=key)
    parameters.put("/d", "hunter3", "SecureString")
    assert "hunter2" not in parameters.value("/s")
    assert parameters.value("/s", WithDecryption=True) == "hunter2"
    described = {each["Name"]: each["KeyId"] for each in parameters("DescribeParameters")["Parameters"]}
    assert described == {"/s": key, "/d": "alias/aws/ssm"}
    parameters.inner("kms", "DisableKey", KeyId=key)
    code, text = parameters.refusal("GetParameter", Name="/s", WithDecryption=True)
    assert code == "InvalidKeyId"
    assert "is disabled" in text
    assert parameters.value("/d", WithDecryption=True) == "hunter3"


def test_large_values_need_the_advanced_tier(parameters):
    large = "x" * 4097
    code, text = parameters.refusal("PutParameter", Name="/l", Value=large, Type="SecureString")
    assert code == "ValidationException"
    assert text.startswith("Standard tier parameters support a maximum parameter value of 4096 characters.")
    assert parameters.put("/l", large, "SecureString", Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    assert parameters.value("/l", WithDecryption=True) == large
    assert large not in parameters.value("/l")
    code, text = parameters.refusal("PutParameter", Name="/l", Value="s", Overwrite=True, Tier="Standard")
    assert text.startswith("This parameter uses the advanced-parameter tier.")
    assert parameters.refusal("PutParameter", Name="/l", Value="x" * 8193, Overwrite=True)[0] == "ValidationException"


def test_nothing_of_a_value_is_readable_in_the_data_folder(parameters):
    parameters.put("/s", "a-value-to-look-for", "SecureString")
    parameters.put("/p", "a-value-to-look-for")
    for file in parameters.inner.settings.data_dir.glob("clary.db*"):
        assert b"a-value-to-look-for" not in file.read_bytes()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"Name": "/aws/x"}, "AccessDeniedException"),
        ({"Name": "ssm-x"}, "ValidationException"),
        ({"Name": "a/b"}, "ValidationException"),
        ({"Name": "/a b"}, "ValidationException"),
        ({"Name": "/a" * 16}, "HierarchyLevelLimitExceededException"),
        ({"Name": "/a", "Type": None}, "ValidationException"),
        ({"Name": "/a", "Value": ""}, "ValidationException"),
        ({"Name": "/a", "AllowedPattern": "[0-9]+"}, "ParameterPatternMismatchException"),
        ({"Name": "/a", "AllowedPattern": "("}, "InvalidAllowedPatternException"),
        ({"Name": "/a", "Overwrite": True, "Tags": [{"Key": "a", "Value": "b"}]}, "ValidationException"),
        ({"Name": "/a", "Policies": '[{"Type": "Expiration"}]'}, "InvalidPolicyTypeException"),
        ({"Name": "/a", "DataType": "aws:ec2:image"}, "ValidationException"),
        ({"Name": "/a", "Type": "SecureString", "KeyId": "alias/none"}, "InvalidKeyId"),
    ],
)
def test_parameters_that_cannot_be_made(parameters, asked, code):
    assert parameters.refusal("PutParameter", **{"Value": "v", "Type": "String", **asked})[0] == code
    assert parameters("DescribeParameters") == {"Parameters": []}


def test_a_pattern_holds_for_the_value(parameters):
    parameters.put("/a", "123", AllowedPattern=r"^\d{1,4}$")
    with_pattern = {"Name": "/a", "Overwrite": True, "AllowedPattern": r"^\d{1,4}$"}
    text = r"Parameter value, cannot be validated against allowedPattern: ^\d{1,4}$"
    refused = parameters.refusal("PutParameter", Value="x", **with_pattern)
    assert refused == ("ParameterPatternMismatchException", text)


def test_the_type_stays(parameters):
    parameters.put("/a")
    refused = parameters.refusal("PutParameter", Name="/a", Value="v", Type="SecureString", Overwrite=True)
    assert refused[0] == "HierarchyTypeMismatchException"


def test_a_path_is_read_at_one_level_or_at_all(parameters):
    for name in ("/app/a", "/app/b", "/app/c/d", "/apple", "/app/c/e"):
        parameters.put(name, name)

    def names(path, **params):
        return [each["Name"] for each in parameters("GetParametersByPath", Path=path, **params)["Parameters"]]

    assert names("/app") == names("/app/") == ["/app/a", "/app/b"]
    assert names("/app", Recursive=True) == ["/app/a", "/app/b", "/app/c/d", "/app/c/e"]
    assert names("/") == ["/apple"]
    assert names("/none") == []
    first = parameters("GetParametersByPath", Path="/app", Recursive=True, MaxResults=3)
    assert names("/app", Recursive=True, NextToken=first["NextToken"]) == ["/app/c/e"]
    parameters("LabelParameterVersion", Name="/app/a", Labels=["prod"])
    assert names("/app", ParameterFilters=[{"Key": "Label", "Values": ["prod"]}]) == ["/app/a"]
    secure = [{"Key": "Type", "Values": ["SecureString"]}]
    assert names("/app", ParameterFilters=secure) == []
    assert parameters.refusal("GetParametersByPath", Path="app")[0] == "ValidationException"
    wrong = [{"Key": "Name", "Values": ["x"]}]
    text = "The following filter key is not valid: Name. Valid filter keys include: [Type, KeyId, Label]."
    refused = parameters.refusal("GetParametersByPath", Path="/app", ParameterFilters=wrong)
    assert refused == ("InvalidFilterKey", text)
    assert parameters.refusal("GetParametersByPath", Path="/app", NextToken="x")[0] == "InvalidNextToken"


def test_descriptions_are_filtered(parameters):
    parameters.put("/app/a", Tags=[{"Key": "team", "Value": "ml"}])
    parameters.put("/app/b", "s", "SecureString")
    parameters.put("other", kind="StringList")

    def names(*filters):
        asked = [dict(zip(("Key", "Option", "Values"), each, strict=True)) for each in filters]
        return [each["Name"] for each in parameters("DescribeParameters", ParameterFilters=asked)["Parameters"]]

    assert names() == ["/app/a", "/app/b", "other"]
    assert names(("Name", "BeginsWith", ["/app"])) == ["/app/a", "/app/b"]
    assert names(("Name", "Contains", ["the"])) == ["other"]
    assert names(("Type", "Equals", ["SecureString", "StringList"])) == ["/app/b", "other"]
    assert names(("Path", "Recursive", ["/app"]), ("tag:team", "Equals", ["ml"])) == ["/app/a"]
    old = parameters("DescribeParameters", Filters=[{"Key": "Name", "Values": ["/app/b"]}])["Parameters"]
    assert [each["Name"] for each in old] == ["/app/b"]
    twice = [{"Key": "Name", "Values": ["a"]}] * 2
    assert parameters.refusal("DescribeParameters", ParameterFilters=twice)[0] == "InvalidFilterKey"


def test_several_are_read_and_deleted_at_once(parameters):
    parameters.put("/a", "1")
    parameters.put("/b", "2")
    said = parameters("GetParameters", Names=["/b", "/none", "/a"])
    assert [each["Value"] for each in said["Parameters"]] == ["2", "1"]
    assert said["InvalidParameters"] == ["/none"]
    gone = parameters("DeleteParameters", Names=["/a", "/none"])
    assert gone == {"DeletedParameters": ["/a"], "InvalidParameters": ["/none"]}
    parameters("DeleteParameter", Name="/b")
    assert parameters.refusal("DeleteParameter", Name="/b") == ("ParameterNotFound", "Parameter /b not found.")
    assert parameters.put("/b", "again")["Version"] == 1
    assert len(parameters("GetParameterHistory", Name="/b")["Parameters"]) == 1


def test_tags(parameters):
    parameters.put("/a", Tags=[{"Key": "a", "Value": "1"}])
    there = {"ResourceType": "Parameter", "ResourceId": "/a"}
    parameters("AddTagsToResource", Tags=[{"Key": "b", "Value": "2"}], **there)
    parameters("RemoveTagsFromResource", TagKeys=["a"], **there)
    assert parameters("ListTagsForResource", **there)["TagList"] == [{"Key": "b", "Value": "2"}]
    wrong = (({"ResourceType": "Document"}, "InvalidResourceType"), ({"ResourceId": "/x"}, "InvalidResourceId"))
    for asked, code in wrong:
        assert parameters.refusal("ListTagsForResource", **{**there, **asked})[0] == code


def test_a_secret_is_read_as_a_parameter(parameters):
    asked = {"Name": "db", "SecretString": "hunter2", "ClientRequestToken": "t" * 32}
    made = parameters.inner("secretsmanager", "CreateSecret", **asked)
    name = "/aws/reference/secretsmanager/db"
    said = parameters("GetParameter", Name=name, WithDecryption=True)["Parameter"]
    assert (said["Value"], said["Type"], said["Version"]) == ("hunter2", "SecureString", 0)
    assert said["ARN"] == made["ARN"]
    source = json.loads(said["SourceResult"])
    assert (source["ARN"], source["name"], source["versionId"]) == (made["ARN"], "db", "t" * 32)
    text = "WithDecryption flag must be True for retrieving a Secret Manager secret."
    assert parameters.refusal("GetParameter", Name=name) == ("ValidationException", text)
    assert parameters("GetParameters", Names=[f"{name}x"], WithDecryption=True)["InvalidParameters"] == [f"{name}x"]


def test_a_parameter_of_the_root_is_read_with_a_slash_and_without(parameters):
    parameters("PutParameter", Name="plain", Value="1", Type="String")
    parameters("PutParameter", Name="/rooted", Value="2", Type="String")
    for name, value in (("/plain", "1"), ("plain", "1"), ("/rooted", "2"), ("rooted", "2")):
        said = parameters("GetParameter", Name=name)["Parameter"]
        assert (said["Name"], said["Value"]) == (name, value)
        assert parameters("GetParameters", Names=[name])["Parameters"] == [said]


def test_names_that_no_parameter_can_have_are_not_looked_for(parameters):
    for name in ("/a//b", "a/b/c", "a b"):
        code, text = parameters.refusal("GetParameter", Name=name)
        assert code == "ValidationException"
        assert "sub-paths divided by slash symbol" in text


def test_public_parameters_are_refused(parameters):
    code, text = parameters.refusal("GetParameter", Name="/aws/service/ami-amazon-linux-latest/x")
    assert code == "ParameterNotFound"
    assert "public parameters are not offered by Clary" in text
    code, text = parameters.refusal("GetParametersByPath", Path="/aws/service/ami-amazon-linux-latest")
    assert code == "ValidationException"
    assert "public parameters" in text
