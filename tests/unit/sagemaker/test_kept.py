"""Every resource that is only kept: made, described, listed, changed, tagged and deleted; whatever the model says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from clary.calls import Call
from clary.errors import AWSError
from clary.services.catalogue import REGISTRY
from clary.wire import models

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
TAGS = [{"Key": "team", "Value": "a"}]
TEXT = {"S3OutputPath": "s3://data/out"}
SOURCE = {"SourceUri": "s3://data/train/a.csv"}
MONITORED = {
    "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
    "RoleArn": ROLE,
}
INPUT = {"EndpointInput": {"EndpointName": "e", "LocalPath": "/opt/ml/processing/input"}}
REPORTS = {"MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://data/m", "LocalPath": "/opt/ml/processing/output"}}]}


def definition(kind, **specification):
    return {
        f"{kind}AppSpecification": {"ImageUri": XGBOOST, **specification},
        f"{kind}JobInput": INPUT
        if kind in ("DataQuality", "ModelExplainability")
        else {**INPUT, "GroundTruthS3Input": {"S3Uri": "s3://data/truth"}},
        f"{kind}JobOutputConfig": REPORTS,
        **MONITORED,
    }


KEPT = {
    "Action": {"Source": SOURCE, "ActionType": "Test"},
    "Algorithm": {
        "TrainingSpecification": {
            "TrainingImage": XGBOOST,
            "SupportedTrainingInstanceTypes": ["ml.m5.large"],
            "TrainingChannels": [
                {"Name": "train", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"]}
            ],
        }
    },
    "AppImageConfig": {"JupyterLabAppImageConfig": {}},
    "CodeRepository": {"GitConfig": {"RepositoryUrl": "https://example.com/r.git"}},
    "Context": {"Source": SOURCE, "ContextType": "Test"},
    "DeviceFleet": {"OutputConfig": {"S3OutputLocation": "s3://data/fleet"}},
    "Experiment": {},
    "FeatureGroup": {
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": [
            {"FeatureName": "id", "FeatureType": "String"},
            {"FeatureName": "at", "FeatureType": "Fractional"},
        ],
        "OnlineStoreConfig": {"EnableOnlineStore": True},
    },
    "FlowDefinition": {"OutputConfig": TEXT, "RoleArn": ROLE},
    "Hub": {"HubDescription": "ours"},
    "HumanTaskUi": {"UiTemplate": {"Content": "<crowd-form></crowd-form>"}},
    "Image": {"RoleArn": ROLE},
    "ModelCard": {"Content": "{}", "ModelCardStatus": "Draft"},
    "ModelPackageGroup": {},
    "NotebookInstanceLifecycleConfig": {"OnStart": [{"Content": "ZWNobw=="}]},
    "Pipeline": {
        "PipelineDefinition": json.dumps({"Version": "2020-12-01", "Steps": []}),
        "ClientRequestToken": "t" * 32,
        "RoleArn": ROLE,
    },
    "Project": {},
    "StudioLifecycleConfig": {
        "StudioLifecycleConfigContent": "ZWNobw==",
        "StudioLifecycleConfigAppType": "JupyterLab",
    },
    "TrialComponent": {},
    "Workforce": {"CognitoConfig": {"UserPool": "us-east-1_abc", "ClientId": "abc"}},
    "Workteam": {
        "MemberDefinitions": [{"OidcMemberDefinition": {"Groups": ["g"]}}],
        "Description": "reviewers",
    },
    "DataQualityJobDefinition": definition("DataQuality"),
    "ModelBiasJobDefinition": definition("ModelBias", ConfigUri="s3://data/c.json"),
    "ModelExplainabilityJobDefinition": definition("ModelExplainability", ConfigUri="s3://data/c.json"),
    "ModelQualityJobDefinition": definition("ModelQuality", ProblemType="Regression"),
}
"""The least that a Create needs."""

CHANGES = {
    "Action": {"Description": "d"},
    "AppImageConfig": {"CodeEditorAppImageConfig": {}},
    "Context": {"Description": "d"},
    "DeviceFleet": {"OutputConfig": {"S3OutputLocation": "s3://data/other"}},
    "Experiment": {"Description": "d"},
    "Hub": {"HubDescription": "d"},
    "Image": {"Description": "d"},
    "ModelCard": {"ModelCardStatus": "Approved"},
    "Pipeline": {"PipelineDescription": "d"},
    "Project": {"ProjectDescription": "d"},
    "TrialComponent": {"DisplayName": "d"},
}


def named(noun):
    return "JobDefinitionName" if noun.endswith("JobDefinition") else f"{noun}Name"


def list_of(noun):
    return f"List{noun[:-1]}ies" if noun.endswith("y") else f"List{noun}s"


def entries(sagemaker, noun, **params):
    answer = sagemaker.call(list_of(noun), **params)
    [found] = [value for value in answer.values() if isinstance(value, list)]
    return found, answer.get("NextToken")


def described(sagemaker, noun, name):
    answer = sagemaker.call(f"Describe{noun}", **{named(noun): name})
    return answer.get(noun, answer)


@pytest.fixture
def inner(emptied_inner):
    return emptied_inner


@pytest.fixture
def sagemaker(inner):
    return inner.service("sagemaker")


def create(sagemaker, noun, name, **more):
    answer = sagemaker.call(f"Create{noun}", **{named(noun): name}, **KEPT[noun], **more)
    return next(iter(answer.values()), None)


DELETED = {"Pipeline": {"ClientRequestToken": "t" * 32}}
TAKEN = ("ValidationException", "ResourceInUse", "ConflictException")


def told(found, noun):
    """Of what was asked for, what Describe says."""
    return {key: value for key, value in KEPT[noun].items() if key in found and key != "UiTemplate"}


@pytest.mark.parametrize("noun", KEPT)
def test_it_is_kept_from_create_to_delete(sagemaker, noun):
    arn = create(sagemaker, noun, "first", **({} if noun == "DeviceFleet" else {"Tags": TAGS}))
    if arn is not None:
        assert sagemaker.call("ListTags", ResourceArn=arn)["Tags"] == TAGS
    assert sagemaker.refusal(f"Create{noun}", **{named(noun): "first"}, **KEPT[noun])[0] in TAKEN
    found = described(sagemaker, noun, "first")
    assert {key: found[key] for key in told(found, noun)} == told(found, noun)
    assert found[named(noun)] == "first"
    sagemaker.call(f"Update{noun}", **{named(noun): "first"}, **CHANGES[noun]) if noun in CHANGES else None
    found = described(sagemaker, noun, "first")
    assert {key: found[key] for key in CHANGES.get(noun, ())} == CHANGES.get(noun, {})
    create(sagemaker, noun, "second")
    first, token = entries(sagemaker, noun, MaxResults=1)
    last, end = entries(sagemaker, noun, MaxResults=1, NextToken=token)
    listed = {name for each in (*first, *last) for name in each.values() if name in ("first", "second")}
    assert (listed, end) == ({"first", "second"}, None)
    for name in ("first", "second"):
        sagemaker.call(f"Delete{noun}", **{named(noun): name}, **DELETED.get(noun, {}))
    assert entries(sagemaker, noun)[0] == []
    code, message = sagemaker.refusal(f"Describe{noun}", **{named(noun): "first"})
    assert code in ("ValidationException", "ResourceNotFound")
    assert "first" in message


def test_nothing_that_is_offered_lacks_the_arns_that_it_needs(inner):
    """A policy on one resource reaches each operation on it: the names of new ones are in their ARNs."""
    inner.authorizer.needed.clear()
    inner("sagemaker", "CreateContext", ContextName="C", Source=SOURCE, ContextType="t", Tags=TAGS)
    inner("sagemaker", "DescribeContext", ContextName=f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:context/c")
    inner("sagemaker", "ListContexts")
    needed = [(each.action, each.resource.rpartition(":")[2]) for each in inner.authorizer.needed]
    assert needed == [
        ("sagemaker:CreateContext", "context/c"),
        ("sagemaker:AddTags", "context/c"),
        ("sagemaker:DescribeContext", "context/c"),
        ("sagemaker:ListContexts", "*"),
    ]


def test_another_account_has_nothing_of_it(inner, sagemaker):
    arn = create(sagemaker, "Context", "mine")
    inner.principal = replace(inner.principal, account="111111111111")
    assert entries(sagemaker, "Context")[0] == []
    for name in ("mine", arn):
        assert sagemaker.refusal("DescribeContext", ContextName=name)[0] == "ResourceNotFound"
    assert sagemaker.refusal("ListTags", ResourceArn=arn)[0] == "ValidationException"


def test_lists_are_filtered_sorted_and_within_times(sagemaker):
    for name, kind in (("b", "One"), ("a", "Two"), ("c", "One")):
        sagemaker.call("CreateContext", ContextName=name, Source={"SourceUri": f"s3://{kind}"}, ContextType=kind)

    def names(**params):
        return [each["ContextName"] for each in entries(sagemaker, "Context", **params)[0]]

    assert names(SortBy="Name", SortOrder="Ascending") == ["a", "b", "c"]
    assert names() == ["c", "a", "b"]
    assert names(ContextType="One") == ["c", "b"]
    assert names(SourceUri="s3://Two") == ["a"]
    made = sagemaker.call("DescribeContext", ContextName="a")["CreationTime"]
    assert names(CreatedAfter=made) == ["c"]
    assert names(CreatedBefore=made) == ["b"]
    first, token = entries(sagemaker, "Context", ContextType="One", MaxResults=1)
    second, end = entries(sagemaker, "Context", ContextType="One", MaxResults=1, NextToken=token)
    assert ([each["ContextName"] for each in (*first, *second)], end) == (["c", "b"], None)


def test_who_made_it_and_who_changed_it_is_told(inner, sagemaker):
    create(sagemaker, "Experiment", "e")
    found = sagemaker.call("DescribeExperiment", ExperimentName="e")
    assert found["CreatedBy"]["IamIdentity"] == {"Arn": inner.principal.arn, "PrincipalId": inner.principal.user_id}
    sagemaker.call("UpdateExperiment", ExperimentName="e", Description="d")
    assert sagemaker.call("DescribeExperiment", ExperimentName="e")["LastModifiedBy"]["IamIdentity"]["Arn"]


OFFERED_BY_MOTO = [
    "AddTags",
    "AssociateTrialComponent",
    "CreateAutoMLJobV2",
    "CreateCluster",
    "CreateCompilationJob",
    "CreateDataQualityJobDefinition",
    "CreateDomain",
    "CreateEndpoint",
    "CreateEndpointConfig",
    "CreateExperiment",
    "CreateFeatureGroup",
    "CreateHyperParameterTuningJob",
    "CreateModel",
    "CreateModelBiasJobDefinition",
    "CreateModelCard",
    "CreateModelExplainabilityJobDefinition",
    "CreateModelPackage",
    "CreateModelPackageGroup",
    "CreateModelQualityJobDefinition",
    "CreateNotebookInstance",
    "CreateNotebookInstanceLifecycleConfig",
    "CreatePipeline",
    "CreateProcessingJob",
    "CreateTrainingJob",
    "CreateTransformJob",
    "CreateTrial",
    "CreateTrialComponent",
    "DeleteCluster",
    "DeleteCompilationJob",
    "DeleteDataQualityJobDefinition",
    "DeleteDomain",
    "DeleteEndpoint",
    "DeleteEndpointConfig",
    "DeleteExperiment",
    "DeleteHyperParameterTuningJob",
    "DeleteModel",
    "DeleteModelBiasJobDefinition",
    "DeleteModelCard",
    "DeleteModelExplainabilityJobDefinition",
    "DeleteModelQualityJobDefinition",
    "DeleteNotebookInstance",
    "DeleteNotebookInstanceLifecycleConfig",
    "DeletePipeline",
    "DeleteTags",
    "DeleteTrial",
    "DeleteTrialComponent",
    "DescribeAutoMLJobV2",
    "DescribeCluster",
    "DescribeClusterNode",
    "DescribeCompilationJob",
    "DescribeDataQualityJobDefinition",
    "DescribeDomain",
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeExperiment",
    "DescribeFeatureGroup",
    "DescribeHyperParameterTuningJob",
    "DescribeModel",
    "DescribeModelBiasJobDefinition",
    "DescribeModelCard",
    "DescribeModelExplainabilityJobDefinition",
    "DescribeModelPackage",
    "DescribeModelPackageGroup",
    "DescribeModelQualityJobDefinition",
    "DescribeNotebookInstanceLifecycleConfig",
    "DescribePipeline",
    "DescribePipelineDefinitionForExecution",
    "DescribePipelineExecution",
    "DescribeProcessingJob",
    "DescribeTrainingJob",
    "DescribeTransformJob",
    "DescribeTrial",
    "DescribeTrialComponent",
    "DisassociateTrialComponent",
    "ListAutoMLJobs",
    "ListClusterNodes",
    "ListClusters",
    "ListCompilationJobs",
    "ListDataQualityJobDefinitions",
    "ListDomains",
    "ListEndpointConfigs",
    "ListEndpoints",
    "ListExperiments",
    "ListHyperParameterTuningJobs",
    "ListModelBiasJobDefinitions",
    "ListModelCardVersions",
    "ListModelCards",
    "ListModelExplainabilityJobDefinitions",
    "ListModelPackageGroups",
    "ListModelPackages",
    "ListModelQualityJobDefinitions",
    "ListModels",
    "ListNotebookInstances",
    "ListPipelineExecutions",
    "ListPipelineParametersForExecution",
    "ListPipelines",
    "ListProcessingJobs",
    "ListTags",
    "ListTrainingJobs",
    "ListTransformJobs",
    "ListTrialComponents",
    "ListTrials",
    "Search",
    "StartNotebookInstance",
    "StartPipelineExecution",
    "StopAutoMLJob",
    "StopNotebookInstance",
    "StopProcessingJob",
    "UpdateEndpointWeightsAndCapacities",
    "UpdateModelCard",
    "UpdateModelPackage",
    "UpdatePipeline",
    "UpdateTrialComponent",
]

REFUSED = [name for name, each in REGISTRY.services["sagemaker"].operations.items() if each.effect == "refused"]


def least(shape, depth=0):
    """The least value that a shape allows."""
    kind = shape.type_name
    if kind == "structure":
        return {name: least(shape.members[name], depth + 1) for name in shape.required_members}
    if kind == "list":
        return [least(shape.member, depth + 1)] * int(shape.metadata.get("min", 0))
    if kind == "map":
        return {}
    if kind == "string":
        return shape.enum[0] if shape.enum else "a" * max(1, int(shape.metadata.get("min", 1)))
    return {"boolean": False, "integer": 1, "long": 1, "timestamp": 0.0}[kind]


def outcome(inner, operation):
    """The empty list that is answered, or the error's text."""
    params = least(models.operation("sagemaker", operation).input_shape)
    call = Call(inner.principal, "sagemaker", operation, params, "us-east-1")
    try:
        return list(inner._run(REGISTRY.find("sagemaker", operation), call).values())
    except AWSError as refusal:
        return refusal.message


def test_what_is_not_carried_out_says_so_or_is_not_there(inner):
    found = {operation: outcome(inner, operation) for operation in REFUSED}
    assert {name for name, said in found.items() if not said} == set()
    assert {name for name, said in found.items() if not isinstance(said, str) and said != [[]]} == set()
    assert "not executed" in found["StartPipelineExecution"]
    assert "MLflow" in found["CreateMlflowTrackingServer"]


def test_what_others_offer_is_offered():
    """What moto's server carries out of SageMaker (its IMPLEMENTATION_COVERAGE.md), by what becomes of it."""
    operations = REGISTRY.services["sagemaker"].operations
    assert [name for name in OFFERED_BY_MOTO if name not in operations] == []
