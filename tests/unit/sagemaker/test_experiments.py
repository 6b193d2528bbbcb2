"""Experiments, trials, trial components and lineage, as their clients use them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.errors import AWSError
from clary.services.sagemaker.lineage_query import Edge, walk
from clary.store import Key

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"


@pytest.fixture
def inner(stocked_inner):
    return stocked_inner


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    service.call("CreateExperiment", ExperimentName="e")
    service.call("CreateTrial", TrialName="t", ExperimentName="e")
    return service


def component(sagemaker, name, *trials, **more):
    sagemaker.call("CreateTrialComponent", TrialComponentName=name, **more)
    for trial in trials:
        sagemaker.call("AssociateTrialComponent", TrialComponentName=name, TrialName=trial)


def names(answer, member, list_member):
    return [each[member] for each in answer[list_member]]


def test_components_belong_to_trials_and_trials_to_experiments(sagemaker):
    sagemaker.call("CreateTrial", TrialName="u", ExperimentName="e")
    component(sagemaker, "one", "t", "u")
    component(sagemaker, "two", "u")
    component(sagemaker, "three")

    def components(**params):
        answer = sagemaker.call("ListTrialComponents", SortBy="Name", SortOrder="Ascending", **params)
        return names(answer, "TrialComponentName", "TrialComponentSummaries")

    assert components(TrialName="t") == ["one"]
    assert components(ExperimentName="e") == ["one", "two"]
    assert components() == ["one", "three", "two"]
    answer = sagemaker.call("ListTrials", TrialComponentName="one", SortBy="Name", SortOrder="Ascending")
    assert names(answer, "TrialName", "TrialSummaries") == ["t", "u"]
    assert sagemaker.refusal("ListTrialComponents", TrialName="none")[0] == "ResourceNotFound"


def test_nothing_is_deleted_that_others_belong_to(sagemaker):
    component(sagemaker, "one", "t")
    assert sagemaker.refusal("DeleteExperiment", ExperimentName="e")[0] == "ValidationException"
    assert sagemaker.refusal("DeleteTrial", TrialName="t")[0] == "ValidationException"
    assert sagemaker.refusal("DeleteTrialComponent", TrialComponentName="one")[0] == "ValidationException"
    sagemaker.call("DisassociateTrialComponent", TrialComponentName="one", TrialName="t")
    sagemaker.call("DeleteTrialComponent", TrialComponentName="one")
    sagemaker.call("DeleteTrial", TrialName="t")
    assert sagemaker.call("DeleteExperiment", ExperimentName="e") == {"ExperimentArn": f"{ARN}:experiment/e"}
    assert sagemaker.refusal("CreateTrial", TrialName="t", ExperimentName="e")[0] == "ResourceNotFound"


def test_a_components_entries_are_joined_and_removed(sagemaker):
    component(sagemaker, "one", Parameters={"a": {"NumberValue": 1.0}, "b": {"StringValue": "x"}})
    sagemaker.call(
        "UpdateTrialComponent",
        TrialComponentName="one",
        Parameters={"c": {"NumberValue": 2.5}},
        ParametersToRemove=["a"],
        InputArtifacts={"data": {"Value": "s3://data/train"}},
        Status={"PrimaryStatus": "Completed"},
    )
    found = sagemaker.call("DescribeTrialComponent", TrialComponentName="one")
    assert found["Parameters"] == {"b": {"StringValue": "x"}, "c": {"NumberValue": 2.5}}
    assert found["InputArtifacts"] == {"data": {"Value": "s3://data/train"}}
    assert found["Status"] == {"PrimaryStatus": "Completed"}


def train(sagemaker, name, **config):
    data = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train/"}}
    return sagemaker.call(
        "CreateTrainingJob",
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        HyperParameters={"eta": "0.3", "objective": "reg:squarederror"},
        InputDataConfig=[{"ChannelName": "train", "DataSource": data}],
        OutputDataConfig={"S3OutputPath": "s3://data/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        ExperimentConfig=config,
    )["TrainingJobArn"]


def finish(inner, name):
    def change(transaction):
        row = transaction.get(Key("training-job", ACCOUNT, "us-east-1", name))
        metrics = [{"MetricName": "validation:rmse", "Value": 0.5, "Timestamp": 1.0}]
        state = {**row.state, "metrics": metrics, "training_start": 10.0, "training_end": 20.0}
        transaction.save(replace(row, status="Completed", state=state))

    inner.store.write(change)


def test_a_training_job_has_a_component_that_shows_what_it_shows(inner, sagemaker):
    arn = train(sagemaker, "job", ExperimentName="e", TrialName="t", TrialComponentDisplayName="Training")
    [listed] = sagemaker.call("ListTrialComponents", TrialName="t")["TrialComponentSummaries"]
    assert listed["TrialComponentName"] == "job-aws-training-job"
    assert listed["TrialComponentSource"] == {"SourceArn": arn, "SourceType": "SageMakerTrainingJob"}
    assert (listed["Status"]["PrimaryStatus"], listed["DisplayName"]) == ("InProgress", "Training")
    finish(inner, "job")
    found = sagemaker.call("DescribeTrialComponent", TrialComponentName="job-aws-training-job")
    assert found["Status"]["PrimaryStatus"] == "Completed"
    assert found["Parameters"]["eta"] == {"NumberValue": 0.3}
    assert found["Parameters"]["objective"] == {"StringValue": "reg:squarederror"}
    assert found["InputArtifacts"]["train"] == {"Value": "s3://data/train/"}
    assert found["OutputArtifacts"]["SageMaker.ModelArtifact"]["Value"] == "s3://data/out/job/output/model.tar.gz"
    assert (found["Metrics"][0]["MetricName"], found["Metrics"][0]["Last"]) == ("validation:rmse", 0.5)
    assert found["StartTime"].timestamp() == 10
    [by_source] = sagemaker.call("ListTrialComponents", SourceArn=arn)["TrialComponentSummaries"]
    assert by_source["TrialComponentName"] == listed["TrialComponentName"]
    sagemaker.call("DeleteTrainingJob", TrainingJobName="job")
    kept = sagemaker.call("DescribeTrialComponent", TrialComponentName="job-aws-training-job")
    assert {name: kept[name] for name in ("Status", "Metrics", "Parameters")} == {
        name: found[name] for name in ("Status", "Metrics", "Parameters")
    }, "a job that is gone has left what it said"


def test_a_job_of_an_experiment_without_a_trial_has_one_of_its_own(sagemaker):
    train(sagemaker, "job", ExperimentName="e")
    answer = sagemaker.call("ListTrials", ExperimentName="e", SortBy="Name", SortOrder="Ascending")
    assert names(answer, "TrialName", "TrialSummaries") == ["job-aws-training-job", "t"]
    assert len(sagemaker.call("ListTrialComponents", ExperimentName="e")["TrialComponentSummaries"]) == 1


def test_a_job_of_an_experiment_that_is_not_there_is_refused_and_leaves_nothing(inner, sagemaker):
    with pytest.raises(AWSError, match="ResourceNotFound"):
        train(sagemaker, "job", ExperimentName="none")
    assert inner.store.read.rows("training-job") == []


def searched(sagemaker, resource, member, **expression):
    answer = sagemaker.call("Search", Resource=resource, SearchExpression=expression)
    return [each[member] for each in answer["Results"]]


def test_components_are_found_by_their_trials_parameters_and_metrics(inner, sagemaker):
    train(sagemaker, "job", ExperimentName="e", TrialName="t")
    finish(inner, "job")
    component(sagemaker, "other")
    parent = {
        "NestedPropertyName": "Parents",
        "Filters": [
            {"Name": "Parents.ExperimentName", "Operator": "Equals", "Value": "e"},
            {"Name": "Parents.TrialName", "Operator": "Equals", "Value": "t"},
        ],
    }
    [found] = searched(sagemaker, "ExperimentTrialComponent", "TrialComponent", NestedFilters=[parent])
    assert found["Parents"] == [{"TrialName": "t", "ExperimentName": "e"}]
    assert found["SourceDetail"]["TrainingJob"]["TrainingJobName"] == "job"
    [trial] = searched(
        sagemaker, "ExperimentTrial", "Trial", Filters=[{"Name": "ExperimentName", "Operator": "Equals", "Value": "e"}]
    )
    assert [each["TrialComponentName"] for each in trial["TrialComponentSummaries"]] == ["job-aws-training-job"]


def artifact(sagemaker, uri, kind="DataSet", **more):
    return sagemaker.call("CreateArtifact", Source={"SourceUri": uri}, ArtifactType=kind, **more)["ArtifactArn"]


def test_an_artifact_is_known_by_its_source(sagemaker):
    arn = artifact(sagemaker, "s3://data/a", ArtifactName="a", Properties={"k": "v"})
    code, message = sagemaker.refusal("CreateArtifact", Source={"SourceUri": "s3://data/a"}, ArtifactType="DataSet")
    assert (code, "already exists" in message) == ("ValidationException", True)
    found = sagemaker.call("DescribeArtifact", ArtifactArn=arn)
    assert (found["ArtifactName"], found["LineageGroupArn"].rpartition(":")[2][:13]) == ("a", "lineage-group")
    sagemaker.call("UpdateArtifact", ArtifactArn=arn, Properties={"x": "y"})
    assert sagemaker.call("DescribeArtifact", ArtifactArn=arn)["Properties"] == {"x": "y"}
    assert sagemaker.call("DeleteArtifact", Source={"SourceUri": "s3://data/a"}) == {"ArtifactArn": arn}


def link(sagemaker, source, destination, kind="ContributedTo"):
    sagemaker.call("AddAssociation", SourceArn=source, DestinationArn=destination, AssociationType=kind)


@pytest.fixture
def graph(sagemaker):
    """Data → training → model → context."""
    component(sagemaker, "training")
    context = sagemaker.call(
        "CreateContext", ContextName="c", Source={"SourceUri": "e"}, ContextType="Endpoint", Properties={"p": "1"}
    )["ContextArn"]
    training = f"{ARN}:experiment-trial-component/training"
    arns = [artifact(sagemaker, "s3://data/a"), training, artifact(sagemaker, "s3://data/m", "Model"), context]
    for source, destination in pairwise(arns):
        link(sagemaker, source, destination)
    return arns


def vertices(sagemaker, **params):
    return [each["Arn"] for each in sagemaker.call("QueryLineage", **params)["Vertices"]]


def test_lineage_is_followed_in_both_directions(sagemaker, graph):
    data, training, model, context = graph
    assert vertices(sagemaker, StartArns=[data], Direction="Descendants") == graph
    assert vertices(sagemaker, StartArns=[context], Direction="Ascendants") == graph[::-1]
    assert set(vertices(sagemaker, StartArns=[training])) == set(graph)
    assert vertices(sagemaker, StartArns=[data], Direction="Descendants", MaxDepth=1) == [data, training]
    filters = {"Types": ["Model"], "LineageTypes": ["Artifact"]}
    assert vertices(sagemaker, StartArns=[data], Direction="Descendants", Filters=filters) == [model]
    properties = {"Properties": {"p": "1"}}
    assert vertices(sagemaker, StartArns=[data], Direction="Descendants", Filters=properties) == [context]
    assert set(vertices(sagemaker)) == set(graph)
    edges = sagemaker.call("QueryLineage", StartArns=[data], Direction="Descendants", MaxDepth=1)["Edges"]
    assert edges == [{"SourceArn": data, "DestinationArn": training, "AssociationType": "ContributedTo"}]
    assert sagemaker.refusal("QueryLineage", StartArns=[f"{ARN}:artifact/none"])[0] == "ResourceNotFound"


def test_lineage_has_pages(sagemaker, graph):
    found, asked = [], {"StartArns": graph[:1], "Direction": "Descendants", "MaxResults": 3}
    answer = sagemaker.call("QueryLineage", **asked)
    found += answer["Vertices"]
    answer = sagemaker.call("QueryLineage", NextToken=answer["NextToken"], **asked)
    found += answer["Vertices"]
    assert ([each["Arn"] for each in found], answer.get("NextToken")) == (graph, None)


def test_associations_are_listed_by_their_ends_and_guard_them(sagemaker, graph):
    data, training, model, _ = graph

    def listed(**params):
        answer = sagemaker.call("ListAssociations", **params)
        return [(each["SourceArn"], each["DestinationArn"]) for each in answer["AssociationSummaries"]]

    assert listed(SourceArn=data) == [(data, training)]
    assert listed(DestinationArn=model) == [(training, model)]
    assert listed(SourceArn=data, DestinationArn=model) == []
    assert listed(SourceType="Model") == [(model, graph[3])]
    assert len(listed(SortBy="SourceArn", SortOrder="Ascending")) == 3
    assert "already exists" in sagemaker.refusal("AddAssociation", SourceArn=data, DestinationArn=training)[1]
    assert sagemaker.refusal("DeleteArtifact", ArtifactArn=data)[0] == "ValidationException"
    sagemaker.call("DeleteAssociation", SourceArn=data, DestinationArn=training)
    sagemaker.call("DeleteArtifact", ArtifactArn=data)
    assert vertices(sagemaker, StartArns=[training], Direction="Ascendants") == [training]


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30), st.integers(0, 8))
def test_a_walk_reaches_what_is_near_enough_and_nothing_else(pairs, depth):
    edges = [Edge(str(a), str(b)) for a, b in sorted(pairs)]

    def neighbours(arn):
        return ((edge.destination, edge) for edge in edges if edge.source == arn)

    distance = {"0": 0}
    for step in range(depth):
        for edge in edges:
            if distance.get(edge.source) == step:
                distance.setdefault(edge.destination, step + 1)
    assert walk(["0"], neighbours, depth).reached == distance
