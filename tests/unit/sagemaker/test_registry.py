"""The registry of models: groups, packages, what is made from them, and cards."""

from __future__ import annotations

import json

import pytest

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
CONTAINER = {"Image": XGBOOST, "ModelDataUrl": "s3://data/model.tar.gz", "Environment": {"A": "1"}}
SPECIFICATION = {
    "Containers": [CONTAINER],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


@pytest.fixture
def inner(stocked_inner):
    return stocked_inner


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    service.call("CreateModelPackageGroup", ModelPackageGroupName="Churn")
    return service


def version(sagemaker, **more):
    asked = {"ModelPackageGroupName": "Churn", "InferenceSpecification": SPECIFICATION, **more}
    return sagemaker.call("CreateModelPackage", **asked)["ModelPackageArn"]


def test_versions_count_on_and_never_again(sagemaker):
    assert version(sagemaker) == f"{ARN}:model-package/churn/1"
    second = version(sagemaker, ModelApprovalStatus="Approved")
    sagemaker.call("DeleteModelPackage", ModelPackageName=second)
    third = version(sagemaker)
    assert third == f"{ARN}:model-package/churn/3"
    found = sagemaker.call("DescribeModelPackage", ModelPackageName=third)
    assert (found["ModelPackageVersion"], found["ModelPackageGroupName"]) == (3, "Churn")
    assert (found["ModelPackageStatus"], found["ModelApprovalStatus"]) == ("Completed", "PendingManualApproval")
    container = found["InferenceSpecification"]["Containers"][0]
    assert {name: container[name] for name in CONTAINER} == CONTAINER
    assert container["ModelDataETag"]


def test_a_version_asked_for_again_with_its_token_is_made_once(inner, sagemaker):
    assert version(sagemaker, ClientToken="once") == version(sagemaker, ClientToken="once")
    inner.invocation_id = "the SDK tries again"
    assert version(sagemaker) == version(sagemaker)


def test_lists_tell_versions_from_packages_of_their_own_name(sagemaker):
    arns = [version(sagemaker), version(sagemaker, ModelApprovalStatus="Approved")]
    alone = sagemaker.call("CreateModelPackage", ModelPackageName="alone", InferenceSpecification=SPECIFICATION)

    def listed(**params):
        answer = sagemaker.call("ListModelPackages", SortOrder="Ascending", **params)
        return [each["ModelPackageArn"] for each in answer["ModelPackageSummaryList"]]

    assert listed(ModelPackageGroupName="Churn") == arns
    assert listed(ModelPackageGroupName=f"{ARN}:model-package-group/Churn") == arns
    assert listed(ModelPackageType="Versioned") == arns
    assert listed() == listed(ModelPackageType="Unversioned") == [alone["ModelPackageArn"]]
    assert listed(ModelPackageType="Both") == [*arns, alone["ModelPackageArn"]]
    assert listed(ModelPackageGroupName="Churn", ModelApprovalStatus="Approved") == arns[1:]
    assert sagemaker.refusal("CreateModelPackage", ModelPackageName="alone", InferenceSpecification=SPECIFICATION) == (
        "ValidationException",
        f"ModelPackage already exists: {ARN}:model-package/alone",
    )


def test_an_update_approves_and_keeps_what_is_said(inner, sagemaker):
    arn = version(sagemaker, CustomerMetadataProperties={"a": "1", "b": "2"})
    sagemaker.call(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good",
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
        AdditionalInferenceSpecificationsToAdd=[{"Name": "other", "Containers": [{"Image": XGBOOST}]}],
    )
    found = sagemaker.call("DescribeModelPackage", ModelPackageName=arn)
    assert (found["ModelApprovalStatus"], found["ApprovalDescription"]) == ("Approved", "good")
    assert found["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert found["AdditionalInferenceSpecifications"][0]["Name"] == "other"
    assert found["LastModifiedBy"]["IamIdentity"]["Arn"] == inner.principal.arn


def model(sagemaker, name, arn, **more):
    container = {"ModelPackageName": arn, **more}
    return sagemaker.call("CreateModel", ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)


def test_a_model_is_made_from_an_approved_version(inner, sagemaker):
    arn = version(sagemaker, ModelApprovalStatus="Approved")
    model(sagemaker, "m", arn, Environment={"B": "2"})
    shown = sagemaker.call("DescribeModel", ModelName="m")["PrimaryContainer"]
    assert shown == {"ModelPackageName": arn, "Mode": "SingleModel", "Environment": {"A": "1", "B": "2"}}
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    [row] = inner.store.read.rows("endpoint")
    [definition] = row.state["next"]["variants"][0]["container_definitions"]
    assert (definition["Image"], definition["ModelDataUrl"]) == (XGBOOST, "s3://data/model.tar.gz")
    sagemaker.call("DeleteModelPackage", ModelPackageName=arn)
    assert sagemaker.call("DescribeModel", ModelName="m")["ModelArn"], "it does not need the package any more"


def test_a_model_is_not_made_from_what_is_not_approved_or_not_there(sagemaker):
    pending = version(sagemaker)
    asked = {"ModelName": "m", "ExecutionRoleArn": ROLE}
    code, message = sagemaker.refusal("CreateModel", PrimaryContainer={"ModelPackageName": pending}, **asked)
    assert (code, "PendingManualApproval" in message) == ("ValidationException", True)
    absent = f"{ARN}:model-package/churn/9"
    refusal = sagemaker.refusal("CreateModel", PrimaryContainer={"ModelPackageName": absent}, **asked)
    assert refusal == ("ValidationException", f"ModelPackage {absent} does not exist.")


def test_a_package_of_several_containers_is_a_model_of_as_many(inner, sagemaker):
    two = {**SPECIFICATION, "Containers": [CONTAINER, {**CONTAINER, "Environment": {}}]}
    arn = version(sagemaker, ModelApprovalStatus="Approved", InferenceSpecification=two)
    model(sagemaker, "m", arn)
    [row] = inner.store.read.rows("model")
    assert [each["Image"] for each in row.spec["Containers"]] == [XGBOOST, XGBOOST]


def test_a_batch_is_answered_and_refused_by_arn(sagemaker):
    arn = version(sagemaker)
    absent = f"{ARN}:model-package/churn/9"
    answer = sagemaker.call("BatchDescribeModelPackage", ModelPackageArnList=[arn, absent])
    assert answer["ModelPackageSummaries"][arn]["ModelPackageVersion"] == 1
    assert answer["BatchDescribeModelPackageErrorMap"][absent]["ErrorCode"] == "ValidationException"


def test_a_group_with_versions_stays(sagemaker):
    arn = version(sagemaker)
    assert sagemaker.refusal("DeleteModelPackageGroup", ModelPackageGroupName="Churn")[0] == "ConflictException"
    sagemaker.call("DeleteModelPackage", ModelPackageName=arn)
    sagemaker.call("DeleteModelPackageGroup", ModelPackageGroupName="Churn")
    code, message = sagemaker.refusal("DescribeModelPackageGroup", ModelPackageGroupName="Churn")
    assert (code, message.endswith("does not exist.")) == ("ValidationException", True)


def test_a_groups_policy_is_kept_as_terraform_reads_it(sagemaker):
    named = {"ModelPackageGroupName": "Churn"}
    assert "Cannot find resource policy" in sagemaker.refusal("GetModelPackageGroupPolicy", **named)[1]
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    sagemaker.call("PutModelPackageGroupPolicy", ResourcePolicy=policy, **named)
    assert sagemaker.call("GetModelPackageGroupPolicy", **named) == {"ResourcePolicy": policy}
    sagemaker.call("DeleteModelPackageGroupPolicy", **named)
    assert "Cannot find resource policy" in sagemaker.refusal("DeleteModelPackageGroupPolicy", **named)[1]
    absent = sagemaker.refusal("GetModelPackageGroupPolicy", ModelPackageGroupName="none")
    assert absent == ("ValidationException", "Cannot find Model Package Group: none")


def test_a_package_brings_what_its_algorithm_serves_with(sagemaker):
    training = {
        "TrainingImage": XGBOOST,
        "SupportedTrainingInstanceTypes": ["ml.m5.large"],
        "TrainingChannels": [{"Name": "t", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"]}],
    }
    serving = {**SPECIFICATION, "Containers": [{"Image": XGBOOST}]}
    sagemaker.call("CreateAlgorithm", AlgorithmName="a", TrainingSpecification=training, InferenceSpecification=serving)
    source = {"AlgorithmName": "a", "ModelDataUrl": "s3://data/model.tar.gz"}
    sagemaker.call(
        "CreateModelPackage", ModelPackageName="p", SourceAlgorithmSpecification={"SourceAlgorithms": [source]}
    )
    found = sagemaker.call("DescribeModelPackage", ModelPackageName="p")["InferenceSpecification"]["Containers"]
    assert (found[0]["Image"], found[0]["ModelDataUrl"]) == (XGBOOST, "s3://data/model.tar.gz")


def test_what_would_have_to_be_carried_out_is_refused(sagemaker):
    profiles = [
        {
            "ProfileName": "p",
            "TransformJobDefinition": {
                "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/x"}}},
                "TransformOutput": {"S3OutputPath": "s3://data/o"},
                "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            },
        }
    ]
    validation = {"ValidationRole": ROLE, "ValidationProfiles": profiles}
    code, message = sagemaker.refusal("CreateModelPackage", ModelPackageName="p", ValidationSpecification=validation)
    assert (code, "not offered" in message) == ("ValidationException", True)


def test_a_cards_content_has_versions_and_its_status_has_none(sagemaker):
    sagemaker.call("CreateModelCard", ModelCardName="card", Content='{"a":1}', ModelCardStatus="Draft")
    sagemaker.call("UpdateModelCard", ModelCardName="card", Content='{"a":2}')
    sagemaker.call("UpdateModelCard", ModelCardName="card", ModelCardStatus="Approved")
    found = sagemaker.call("DescribeModelCard", ModelCardName="card")
    assert (found["ModelCardVersion"], found["Content"], found["ModelCardStatus"]) == (2, '{"a":2}', "Approved")
    first = sagemaker.call("DescribeModelCard", ModelCardName="card", ModelCardVersion=1)
    assert (first["Content"], first["ModelCardStatus"]) == ('{"a":1}', "Draft")
    listed = sagemaker.call("ListModelCardVersions", ModelCardName="card")["ModelCardVersionSummaryList"]
    assert [each["ModelCardVersion"] for each in listed] == [2, 1]
    assert sagemaker.refusal("UpdateModelCard", ModelCardName="card", Content="{}", ModelCardStatus="Draft")[
        1
    ].startswith("You cannot update both")
    assert sagemaker.refusal("UpdateModelCard", ModelCardName="card", Content="{")[0] == "ValidationException"
    assert sagemaker.refusal("DescribeModelCard", ModelCardName="card", ModelCardVersion=3)[0] == "ResourceNotFound"


@pytest.mark.parametrize("resource", ["ModelPackage", "ModelPackageGroup"])
def test_they_are_found_by_search(sagemaker, resource):
    version(sagemaker, ModelApprovalStatus="Approved", Tags=[{"Key": "team", "Value": "a"}])
    version(sagemaker)
    filters = [{"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": "Churn"}]
    if resource == "ModelPackage":
        filters += [
            {"Name": "ModelApprovalStatus", "Operator": "Equals", "Value": "Approved"},
            {"Name": "Tags.team", "Operator": "Equals", "Value": "a"},
        ]
    answer = sagemaker.call("Search", Resource=resource, SearchExpression={"Filters": filters})
    assert [each[resource]["ModelPackageGroupName"] for each in answer["Results"]] == ["Churn"]
