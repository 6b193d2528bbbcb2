"""Resources with versions, or within others: pipelines, images, hubs, domains, fleets, feature groups."""

from __future__ import annotations

import json

import pytest

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
TOKEN = "t" * 32


@pytest.fixture
def inner(emptied_inner):
    return emptied_inner


@pytest.fixture
def sagemaker(inner):
    return inner.service("sagemaker")


def steps(*names):
    return json.dumps({"Version": "2020-12-01", "Steps": [{"Name": name, "Type": "Fail"} for name in names]})


def pipeline(sagemaker, **more):
    asked = {"PipelineName": "P", "RoleArn": ROLE, "ClientRequestToken": TOKEN, **more}
    return sagemaker.call("CreatePipeline", **asked)["PipelineArn"]


def test_each_definition_of_a_pipeline_is_a_version(sagemaker):
    arn = pipeline(sagemaker, PipelineDefinition=steps("a"))
    updated = sagemaker.call("UpdatePipeline", PipelineName="P", PipelineDefinition=steps("b"))
    assert updated == {"PipelineArn": f"{ARN}:pipeline/p", "PipelineVersionId": 2}
    assert sagemaker.call("UpdatePipeline", PipelineName="P", PipelineDescription="d")["PipelineVersionId"] == 2
    found = sagemaker.call("DescribePipeline", PipelineName="P")
    assert (found["PipelineDefinition"], found["PipelineDescription"]) == (steps("b"), "d")
    first = sagemaker.call("DescribePipeline", PipelineName="P", PipelineVersionId=1)
    assert first["PipelineDefinition"] == steps("a")
    sagemaker.call(
        "UpdatePipelineVersion",
        PipelineArn=arn,
        PipelineVersionId=1,
        PipelineVersionDisplayName="one",
        PipelineVersionAliasOperations={"Add": ["stable"]},
    )
    by_alias = sagemaker.call("DescribePipeline", PipelineName="P", PipelineVersionAlias="stable")
    assert (by_alias["PipelineDefinition"], by_alias["PipelineVersionDisplayName"]) == (steps("a"), "one")
    versions = sagemaker.call("ListPipelineVersions", PipelineName="P")["PipelineVersionSummaries"]
    assert [each["PipelineVersionId"] for each in versions] == [2, 1]
    assert sagemaker.call("ListPipelineExecutions", PipelineName="P") == {"PipelineExecutionSummaries": []}


def test_a_definition_can_lie_in_s3(inner, sagemaker):
    inner.objects.create_bucket("data", account=ACCOUNT, region="us-east-1")
    inner.objects.put_bytes("data", "pipeline.json", steps("a").encode())
    place = {"Bucket": "data", "ObjectKey": "pipeline.json"}
    pipeline(sagemaker, PipelineDefinitionS3Location=place)
    assert sagemaker.call("DescribePipeline", PipelineName="P")["PipelineDefinition"] == steps("a")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Either Pipeline Definition or"),
        ({"PipelineDefinition": "{"}, "Unable to parse pipeline definition"),
        ({"PipelineDefinition": "[]"}, "Unable to parse pipeline definition"),
        ({"PipelineDefinition": steps("a", "a")}, "duplicate step names: a"),
        ({"PipelineDefinitionS3Location": {"Bucket": "data", "ObjectKey": "no"}}, "No pipeline definition"),
    ],
    ids=["none", "no JSON", "no object", "a name twice", "not there"],
)
def test_what_is_no_definition_makes_no_pipeline(sagemaker, given, said):
    asked = {"PipelineName": "P", "RoleArn": ROLE, "ClientRequestToken": TOKEN, **given}
    assert said in sagemaker.refusal("CreatePipeline", **asked)[1]
    assert sagemaker.call("ListPipelines")["PipelineSummaries"] == []


def image_version(sagemaker, token, **more):
    sent = {"ImageName": "i", "BaseImage": XGBOOST, "ClientToken": token, **more}
    return sagemaker.call("CreateImageVersion", **sent)["ImageVersionArn"]


def test_versions_of_an_image_have_numbers_and_aliases(sagemaker):
    sagemaker.call("CreateImage", ImageName="i", RoleArn=ROLE)
    first = image_version(sagemaker, "a", Aliases=["old"])
    assert image_version(sagemaker, "a") == first == f"{ARN}:image-version/i/1"
    assert image_version(sagemaker, "b", Aliases=["new"]) == f"{ARN}:image-version/i/2"
    assert sagemaker.call("DescribeImageVersion", ImageName="i")["Version"] == 2
    found = sagemaker.call("DescribeImageVersion", ImageName="i", Alias="old")
    assert (found["Version"], found["ContainerImage"], found["ImageArn"]) == (1, XGBOOST, f"{ARN}:image/i")
    sagemaker.call("UpdateImageVersion", ImageName="i", Version=1, AliasesToAdd=["x"], AliasesToDelete=["old"])
    assert sagemaker.call("ListAliases", ImageName="i")["SageMakerImageVersionAliases"] == ["new", "x"]
    taken = sagemaker.refusal("UpdateImageVersion", ImageName="i", Version=1, AliasesToAdd=["new"])
    assert taken[0] == "ResourceInUse"
    assert sagemaker.refusal("DeleteImage", ImageName="i")[0] == "ResourceInUse"
    listed = sagemaker.call("ListImageVersions", ImageName="i", SortBy="VERSION", SortOrder="ASCENDING")
    assert [each["Version"] for each in listed["ImageVersions"]] == [1, 2]
    for version in (1, 2):
        sagemaker.call("DeleteImageVersion", ImageName="i", Version=version)
    sagemaker.call("DeleteImage", ImageName="i")
    assert sagemaker.refusal("DescribeImageVersion", ImageName="i")[0] == "ResourceNotFound"


CONTENT = {"HubName": "h", "HubContentType": "Notebook", "HubContentName": "n"}


def test_a_hub_has_contents_with_versions(sagemaker):
    sagemaker.call("CreateHub", HubName="h", HubDescription="d")
    document = {"DocumentSchemaVersion": "1.0.0", "HubContentDocument": "{}"}
    for version in ("1.9.0", "1.10.0"):
        answer = sagemaker.call("ImportHubContent", HubContentVersion=version, **CONTENT, **document)
    assert answer["HubContentArn"] == f"{ARN}:hub-content/h/notebook/n/1.10.0"
    assert sagemaker.call("DescribeHubContent", **CONTENT)["HubContentVersion"] == "1.10.0"
    sagemaker.call("UpdateHubContent", HubContentVersion="1.9.0", HubContentDescription="old", **CONTENT)
    old = sagemaker.call("DescribeHubContent", HubContentVersion="1.9.0", **CONTENT)
    assert old["HubContentDescription"] == "old"
    of_type = {"HubName": "h", "HubContentType": "Notebook"}
    [newest] = sagemaker.call("ListHubContents", **of_type)["HubContentSummaries"]
    assert newest["HubContentVersion"] == "1.10.0"
    versions = sagemaker.call("ListHubContentVersions", MinVersion="1.10.0", **CONTENT)["HubContentSummaries"]
    assert [each["HubContentVersion"] for each in versions] == ["1.10.0"]
    assert sagemaker.refusal("DeleteHub", HubName="h")[0] == "ResourceInUse"
    for version in ("1.9.0", "1.10.0"):
        sagemaker.call("DeleteHubContent", HubContentVersion=version, **CONTENT)
    sagemaker.call("DeleteHub", HubName="h")


def test_the_public_hub_is_listed_and_referred_to(sagemaker):
    listed = sagemaker.call("ListHubContents", HubName="SageMakerPublicHub", HubContentType="Model")
    public = listed["HubContentSummaries"][0]
    sagemaker.call("CreateHub", HubName="h", HubDescription="d")
    model = public["HubContentArn"].rpartition("/")[0]
    made = sagemaker.call("CreateHubContentReference", HubName="h", SageMakerPublicHubContentArn=model)
    reference = {"HubName": "h", "HubContentType": "ModelReference", "HubContentName": public["HubContentName"]}
    found = sagemaker.call("DescribeHubContent", **reference)
    assert (found["SageMakerPublicHubContentArn"], found["HubContentArn"]) == (model, made["HubContentArn"])
    sagemaker.call("DeleteHubContentReference", **reference)
    assert sagemaker.refusal("DescribeHubContent", **reference)[0] == "ResourceNotFound"


def test_a_domain_has_profiles_and_spaces_and_no_apps(sagemaker):
    made = sagemaker.call("CreateDomain", DomainName="d", AuthMode="IAM", DefaultUserSettings={"ExecutionRole": ROLE})
    domain = made["DomainArn"].rpartition("/")[2]
    found = sagemaker.call("DescribeDomain", DomainId=domain)
    assert (found["Status"], found["AppNetworkAccessType"]) == ("InService", "PublicInternetOnly")
    settings = {"DefaultUserSettings": {"SecurityGroups": ["sg-1"]}}
    sagemaker.call("UpdateDomain", DomainId=domain, **settings)
    changed = sagemaker.call("DescribeDomain", DomainId=domain)["DefaultUserSettings"]
    assert changed == {"ExecutionRole": ROLE, "SecurityGroups": ["sg-1"]}
    for name in ("ann", "bob"):
        profile = sagemaker.call("CreateUserProfile", DomainId=domain, UserProfileName=name)
    assert profile["UserProfileArn"] == f"{ARN}:user-profile/{domain}/bob"
    sagemaker.call(
        "CreateSpace",
        DomainId=domain,
        SpaceName="s",
        OwnershipSettings={"OwnerUserProfileName": "ann"},
        SpaceSharingSettings={"SharingType": "Private"},
        SpaceSettings={"AppType": "JupyterLab"},
    )
    profiles = sagemaker.call("ListUserProfiles", DomainIdEquals=domain, UserProfileNameContains="nn")
    assert [each["UserProfileName"] for each in profiles["UserProfiles"]] == ["ann"]
    [space] = sagemaker.call("ListSpaces", DomainIdEquals=domain)["Spaces"]
    assert (space["SpaceName"], space["OwnershipSettingsSummary"]) == ("s", {"OwnerUserProfileName": "ann"})
    assert sagemaker.call("ListApps", DomainIdEquals=domain)["Apps"] == []
    app = {"DomainId": domain, "UserProfileName": "ann", "AppType": "JupyterLab", "AppName": "default"}
    assert "not offered" in sagemaker.refusal("CreateApp", **app)[1]
    assert sagemaker.refusal("DescribeApp", **app)[0] == "ResourceNotFound"
    assert sagemaker.refusal("DeleteDomain", DomainId=domain)[0] == "ResourceInUse"
    assert sagemaker.refusal("DeleteUserProfile", DomainId=domain, UserProfileName="ann")[0] == "ResourceInUse"
    sagemaker.call("DeleteSpace", DomainId=domain, SpaceName="s")
    for name in ("ann", "bob"):
        sagemaker.call("DeleteUserProfile", DomainId=domain, UserProfileName=name)
    sagemaker.call("DeleteDomain", DomainId=domain)
    assert sagemaker.refusal("CreateUserProfile", DomainId=domain, UserProfileName="x")[0] == "ResourceNotFound"


def test_devices_are_registered_in_a_fleet(sagemaker):
    fleet = {"DeviceFleetName": "f"}
    sagemaker.call("CreateDeviceFleet", OutputConfig={"S3OutputLocation": "s3://data/f"}, **fleet)
    sagemaker.call("RegisterDevices", Devices=[{"DeviceName": "one"}, {"DeviceName": "two"}], **fleet)
    sagemaker.call("UpdateDevices", Devices=[{"DeviceName": "one", "Description": "first"}], **fleet)
    found = sagemaker.call("DescribeDevice", DeviceName="one", **fleet)
    assert (found["Description"], found["DeviceArn"]) == ("first", f"{ARN}:device-fleet/f/device/one")
    assert len(sagemaker.call("ListDevices", **fleet)["DeviceSummaries"]) == 2
    stats = sagemaker.call("GetDeviceFleetReport", **fleet)["DeviceStats"]
    assert stats == {"ConnectedDeviceCount": 0, "RegisteredDeviceCount": 2}
    assert sagemaker.refusal("DeleteDeviceFleet", **fleet)[0] == "ResourceInUse"
    assert "No devicefleet with name" in sagemaker.refusal("DescribeDeviceFleet", DeviceFleetName="no")[1]
    sagemaker.call("DeregisterDevices", DeviceNames=["one", "two"], **fleet)
    sagemaker.call("DeleteDeviceFleet", **fleet)


FEATURES = [{"FeatureName": "id", "FeatureType": "String"}, {"FeatureName": "at", "FeatureType": "Fractional"}]
GROUP = {
    "FeatureGroupName": "g",
    "RecordIdentifierFeatureName": "id",
    "EventTimeFeatureName": "at",
    "FeatureDefinitions": FEATURES,
}


def test_a_feature_groups_definition_is_kept_and_its_store_is_said_to_be_blocked(sagemaker):
    store = {"S3StorageConfig": {"S3Uri": "s3://data/features"}}
    sagemaker.call("CreateFeatureGroup", OfflineStoreConfig=store, RoleArn=ROLE, **GROUP)
    found = sagemaker.call("DescribeFeatureGroup", FeatureGroupName="g")
    assert (found["FeatureGroupStatus"], found["OfflineStoreStatus"]["Status"]) == ("Created", "Blocked")
    more = [{"FeatureName": "x", "FeatureType": "Integral"}]
    sagemaker.call("UpdateFeatureGroup", FeatureGroupName="g", FeatureAdditions=more)
    one = {"FeatureGroupName": "g", "FeatureName": "x"}
    sagemaker.call("UpdateFeatureMetadata", ParameterAdditions=[{"Key": "k", "Value": "v"}], Description="d", **one)
    said = sagemaker.call("DescribeFeatureMetadata", **one)
    assert (said["Description"], said["Parameters"]) == ("d", [{"Key": "k", "Value": "v"}])
    filters = [{"Name": "FeatureName", "Operator": "Equals", "Value": "x"}]
    answer = sagemaker.call("Search", Resource="FeatureMetadata", SearchExpression={"Filters": filters})
    assert [each["FeatureMetadata"]["FeatureName"] for each in answer["Results"]] == ["x"]
    assert sagemaker.refusal("UpdateFeatureGroup", FeatureGroupName="g", FeatureAdditions=more)[1].count("Duplicate")


def test_the_catalog_of_feature_groups_is_there_with_the_first(sagemaker):
    def catalogs(**params):
        return sagemaker.call("ListResourceCatalogs", **params)["ResourceCatalogs"]

    assert catalogs() == []
    for name in ("g", "h"):
        sagemaker.call(
            "CreateFeatureGroup", OnlineStoreConfig={"EnableOnlineStore": True}, **{**GROUP, "FeatureGroupName": name}
        )
    [catalog] = catalogs(NameContains="FeatureGroup")
    assert catalog["ResourceCatalogArn"] == f"{ARN}:sagemaker-catalog/DefaultFeatureGroupCatalog"
    made = sagemaker.call("DescribeFeatureGroup", FeatureGroupName="g")["CreationTime"]
    assert catalog["CreationTime"] == made
    assert catalogs(CreationTimeAfter=made) == catalogs(CreationTimeBefore=made) == catalogs(NameContains="no") == []


@pytest.mark.parametrize(
    "wrong",
    [{}, {"OnlineStoreConfig": {"EnableOnlineStore": True}, "EventTimeFeatureName": "no"}],
    ids=["no store", "a time that is no feature"],
)
def test_a_feature_group_that_means_nothing_is_refused(sagemaker, wrong):
    assert sagemaker.refusal("CreateFeatureGroup", **{**GROUP, **wrong})[0] == "ValidationException"


@pytest.mark.parametrize(
    ("resource", "operation", "params"),
    [
        ("Experiment", "CreateExperiment", {"ExperimentName": "a"}),
        ("ModelCard", "CreateModelCard", {"ModelCardName": "a", "Content": "{}", "ModelCardStatus": "Draft"}),
        ("Project", "CreateProject", {"ProjectName": "a"}),
        (
            "Pipeline",
            "CreatePipeline",
            {"PipelineName": "a", "RoleArn": ROLE, "ClientRequestToken": TOKEN, "PipelineDefinition": steps()},
        ),
        (
            "PipelineVersion",
            "CreatePipeline",
            {"PipelineName": "a", "RoleArn": ROLE, "ClientRequestToken": TOKEN, "PipelineDefinition": steps()},
        ),
    ],
)
def test_what_is_kept_is_searched(sagemaker, resource, operation, params):
    sagemaker.call(operation, **params)
    answer = sagemaker.call("Search", Resource=resource, SortBy="CreationTime")
    assert (answer["TotalHits"]["Value"], list(answer["Results"][0])) == (1, [resource])
    hint = {"PropertyNameQuery": {"PropertyNameHint": "Creation"}}
    suggested = sagemaker.call("GetSearchSuggestions", Resource=resource, SuggestionQuery=hint)
    assert {"PropertyName": "CreationTime"} in suggested["PropertyNameSuggestions"]
