"""Lambda's control plane without processes: every answer is held against AWS's model."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from clary.publish import Subscriber


def zipped(text="def handler(e, c): return e"):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("app.py", text)
    return made.getvalue()


@pytest.fixture
def lam(inner):
    return inner.service("lambda")


@pytest.fixture
def made(lam):
    return lam.call(
        "CreateFunction",
        FunctionName="f",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="app.handler",
        Code={"ZipFile": zipped()},
        Tags={"team": "one"},
    )


def published(inner):
    return Subscriber(inner.settings.run_dir / "functions.json").current()["functions"]["000000000000/us-east-1/f"]


def test_every_edge_knows_a_function_before_its_creator_is_answered(inner, made):
    known = published(inner)
    assert known["versions"]["$LATEST"]["state"] == "Pending"
    assert made["Version"] == "$LATEST"
    assert [key.kind for key in inner.woken] == ["function"]


def test_defaults_are_filled_in(made):
    assert (made["Timeout"], made["MemorySize"], made["Architectures"]) == (3, 128, ["x86_64"])
    assert made["EphemeralStorage"] == {"Size": 512}
    assert made["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"}


def test_an_old_revision_is_refused(lam, made):
    changed = lam.call("UpdateFunctionConfiguration", FunctionName="f", Timeout=10, RevisionId=made["RevisionId"])
    assert changed["Timeout"] == 10
    code, _ = lam.refusal("UpdateFunctionConfiguration", FunctionName="f", Timeout=11, RevisionId=made["RevisionId"])
    assert code == "PreconditionFailedException"


def test_a_change_of_configuration_takes_new_environments_and_one_of_concurrency_none(inner, lam, made):
    first = published(inner)["versions"]["$LATEST"]["revision"]
    lam.call("PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=1)
    assert published(inner)["versions"]["$LATEST"]["revision"] == first
    assert published(inner)["reserved"] == 1
    lam.call("UpdateFunctionConfiguration", FunctionName="f", Timeout=10)
    assert published(inner)["versions"]["$LATEST"]["revision"] != first


def test_the_same_state_is_published_as_one_version(lam, made):
    assert lam.call("PublishVersion", FunctionName="f")["Version"] == "1"
    assert lam.call("PublishVersion", FunctionName="f")["Version"] == "1"
    lam.call("UpdateFunctionCode", FunctionName="f", ZipFile=zipped("x = 1"))
    assert lam.call("PublishVersion", FunctionName="f", Description="new")["Version"] == "2"
    code, message = lam.refusal("PublishVersion", FunctionName="f", CodeSha256="other")
    assert (code, "is different" in message) == ("InvalidParameterValueException", True)


def test_numbers_of_versions_are_never_given_twice(lam, made):
    lam.call("PublishVersion", FunctionName="f")
    lam.call("DeleteFunction", FunctionName="f", Qualifier="1")
    assert lam.call("PublishVersion", FunctionName="f")["Version"] == "2"


def test_a_weighted_alias_needs_two_published_versions(lam, made):
    lam.call("PublishVersion", FunctionName="f")
    weights = {"AdditionalVersionWeights": {"1": 0.5}}
    code, message = lam.refusal(
        "CreateAlias", FunctionName="f", Name="a", FunctionVersion="$LATEST", RoutingConfig=weights
    )
    assert code == "InvalidParameterValueException"
    assert "$LATEST is not supported" in message
    assert lam.refusal("CreateAlias", FunctionName="f", Name="a", FunctionVersion="7")[0] == "ResourceNotFoundException"


def test_lists_have_pages(lam, made):
    for name in ("g", "h"):
        lam.call(
            "CreateFunction", FunctionName=name, Runtime="python3.9", Role="arn:aws:iam::000000000000:role/r",
            Handler="a.b", Code={"ZipFile": zipped()},
        )  # fmt: skip
    first = lam.call("ListFunctions", MaxItems=2)
    rest = lam.call("ListFunctions", MaxItems=2, Marker=first["NextMarker"])
    assert [each["FunctionName"] for each in first["Functions"] + rest["Functions"]] == ["f", "g", "h"]
    assert "NextMarker" not in rest


def test_tags_are_kept_and_removed(lam, made):
    arn = made["FunctionArn"]
    lam.call("TagResource", Resource=arn, Tags={"stage": "test"})
    assert lam.call("ListTags", Resource=arn)["Tags"] == {"team": "one", "stage": "test"}
    lam.call("UntagResource", Resource=arn, TagKeys=["team"])
    assert lam.call("GetFunction", FunctionName="f")["Tags"] == {"stage": "test"}


def test_a_policy_is_of_its_qualifier(inner, lam, made):
    lam.call("PublishVersion", FunctionName="f")
    lam.call(
        "AddPermission", FunctionName="f", Qualifier="1", StatementId="s", Action="lambda:InvokeFunction", Principal="*"
    )
    assert lam.refusal("GetPolicy", FunctionName="f")[0] == "ResourceNotFoundException"
    policy = json.loads(lam.call("GetPolicy", FunctionName="f", Qualifier="1")["Policy"])
    assert policy["Statement"][0]["Resource"].endswith(":function:f:1")
    assert published(inner)["policies"]["1"][0]["Sid"] == "s"


def test_layers_of_one_name_are_numbered(lam):
    for number in (1, 2):
        made = lam.call("PublishLayerVersion", LayerName="l", Content={"ZipFile": zipped()}, Description="d")
        assert made["Version"] == number
    lam.call("DeleteLayerVersion", LayerName="l", VersionNumber=2)
    assert lam.call("PublishLayerVersion", LayerName="l", Content={"ZipFile": zipped()})["Version"] == 3
    assert [each["Version"] for each in lam.call("ListLayerVersions", LayerName="l")["LayerVersions"]] == [3, 1]
    assert lam.call("GetLayerVersionByArn", Arn=made["LayerArn"] + ":1")["Version"] == 1


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("arn:aws:events:us-east-1:000000000000:event-bus/bus", "not offered by Clary"),
        ("arn:aws:sqs:us-east-1:000000000000:none", "is invalid"),
        ("arn:aws:sns:us-east-1:000000000000:none", "is invalid"),
    ],
    ids=["event bus", "queue", "topic"],
)
def test_a_destination_is_of_a_kind_that_is_offered_and_there(lam, made, arn, words):
    config = {"OnFailure": {"Destination": arn}}
    code, message = lam.refusal("PutFunctionEventInvokeConfig", FunctionName="f", DestinationConfig=config)
    assert code == "InvalidParameterValueException"
    assert words in message


def test_a_function_s_events_have_rules(inner, lam, made):
    inner("sqs", "CreateQueue", QueueName="q")
    config = {"OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}}
    lam.call("PutFunctionEventInvokeConfig", FunctionName="f", DestinationConfig=config)
    assert published(inner)["events"][""]["on_success"] == config["OnSuccess"]["Destination"]
    lam.call("PutFunctionEventInvokeConfig", FunctionName="f", MaximumRetryAttempts=0)
    assert lam.call("GetFunctionEventInvokeConfig", FunctionName="f")["MaximumRetryAttempts"] == 0
    lam.call("DeleteFunctionEventInvokeConfig", FunctionName="f")
    assert lam.refusal("GetFunctionEventInvokeConfig", FunctionName="f")[0] == "ResourceNotFoundException"


def test_a_url_is_a_function_s_own(lam, made):
    url = lam.call("CreateFunctionUrlConfig", FunctionName="f", AuthType="AWS_IAM")["FunctionUrl"]
    assert ".lambda-url.us-east-1.localhost:" in url
    assert lam.refusal("CreateFunctionUrlConfig", FunctionName="f", AuthType="NONE")[0] == "ResourceConflictException"
    assert lam.call("UpdateFunctionUrlConfig", FunctionName="f", AuthType="NONE")["AuthType"] == "NONE"
    assert lam.call("ListFunctionUrlConfigs", FunctionName="f")["FunctionUrlConfigs"][0]["FunctionUrl"] == url


def test_what_the_account_may(lam, made):
    settings = lam.call("GetAccountSettings")
    assert settings["AccountUsage"]["FunctionCount"] == 1
    most = settings["AccountLimit"]["ConcurrentExecutions"]
    code, _ = lam.refusal("PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=most + 1)
    assert code == "InvalidParameterValueException"


def test_no_function_has_code_signing(lam, made):
    assert lam.call("GetFunctionCodeSigningConfig", FunctionName="f").get("CodeSigningConfigArn", "") == ""
    code, _ = lam.refusal("GetFunctionCodeSigningConfig", FunctionName="nobody")
    assert code == "ResourceNotFoundException"
