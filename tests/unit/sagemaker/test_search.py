"""Search as its clients use it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clary.calls import Call
from clary.services.catalogue import REGISTRY
from clary.services.sagemaker.search_expressions import condition
from clary.services.sagemaker.search_properties import Searchable
from clary.store import Key

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def job(name, **hyperparameters):
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "HyperParameters": {key: str(value) for key, value in hyperparameters.items()},
        "InputDataConfig": [
            {
                "ChannelName": channel,
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train/"}},
            }
            for channel in ("train", f"of-{name}")
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://data/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


@pytest.fixture
def inner(stocked_inner):
    return stocked_inner


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    for number, name in enumerate(("a", "b", "c")):
        tags = [{"Key": "team", "Value": f"t{number}"}] if number else []
        service.call("CreateTrainingJob", **job(name, eta=number / 2, objective="reg"), Tags=tags)
        finish(inner, name, accuracy=(7 + number) / 10)
    return service


def finish(inner, name, **metrics):
    def change(transaction):
        row = transaction.get(Key("training-job", ACCOUNT, "us-east-1", name))
        found = [{"MetricName": key, "Value": value, "Timestamp": 1.0} for key, value in metrics.items()]
        later = row.created + timedelta(seconds=ord(name))
        transaction.save(replace(row, state={**row.state, "metrics": found}, modified=later))

    inner.store.write(change)


def found(sagemaker, *filters, **params):
    """The names of the jobs that are found, in order."""
    if filters:
        params["SearchExpression"] = {"Filters": list(filters)}
    answer = sagemaker.call("Search", Resource="TrainingJob", **params)
    return "".join(result["TrainingJob"]["TrainingJobName"] for result in answer["Results"])


def f(name, operator=None, value=None):
    return {"Name": name, **({"Operator": operator} if operator else {}), **({"Value": value} if value else {})}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (f("TrainingJobName", "Equals", "a"), "a"),
        (f("TrainingJobName", value="a"), "a"),
        (f("TrainingJobName", "NotEquals", "a"), "cb"),
        (f("TrainingJobName", "In", "a, c"), "ca"),
        (f("TrainingJobArn", "Contains", "training-job/b"), "b"),
        (f("TrainingJobStatus", "Equals", "InProgress"), "cba"),
        (f("Metrics.accuracy", "GreaterThan", "0.75"), "cb"),
        (f("Metrics.accuracy", "GreaterThanOrEqualTo", "0.8"), "cb"),
        (f("Metrics.loss", "Exists"), ""),
        (f("Metrics.loss", "NotExists"), "cba"),
        (f("HyperParameters.eta", "LessThan", "0.75"), "ba"),
        (f("HyperParameters.eta", "Equals", "0"), "ba"),
        (f("HyperParameters.eta", "Equals", "0.0"), "a"),
        (f("HyperParameters.objective", "Equals", "reg"), "cba"),
        (f("HyperParameters.objective", "Contains", "eg"), "cba"),
        (f("Tags.team", "Exists"), "cb"),
        (f("Tags.team", "NotExists"), "a"),
        (f("Tags.team", "Equals", "t2"), "c"),
        (f("ResourceConfig.InstanceCount", "Equals", "1"), "cba"),
        (f("ResourceConfig.InstanceType", "Equals", "ml.m5.xlarge"), ""),
        (f("InputDataConfig.ChannelName", "Equals", "of-b"), "b"),
        (f("EnableNetworkIsolation", "Equals", "false"), "cba"),
        (f("CreationTime", "GreaterThan", "2020-01-01T00:00:00"), "cba"),
        (f("CreationTime", "LessThan", "2020-01-01T00:00:00"), ""),
        (f("FailureReason", "NotExists"), "cba"),
        (f("InputDataConfig", "Exists"), "cba"),
    ],
)
def test_filters(sagemaker, given, names):
    assert found(sagemaker, given) == names


def test_filters_are_joined_by_and_or_or(sagemaker):
    one, two = f("TrainingJobName", "Equals", "a"), f("Tags.team", "Equals", "t2")
    assert found(sagemaker, one, two) == ""
    assert found(sagemaker, SearchExpression={"Filters": [one, two], "Operator": "Or"}) == "ca"
    inner = {"Filters": [one, two], "Operator": "Or"}
    outer = {"SubExpressions": [inner], "Filters": [f("Metrics.accuracy", "LessThan", "0.8")]}
    assert found(sagemaker, SearchExpression=outer) == "a"


def nested(*filters):
    return {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": list(filters)}]}


def test_nested_filters_are_all_about_one_element(sagemaker):
    place = f("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "data/train")
    channel = f("InputDataConfig.ChannelName", "Equals", "of-c")
    assert found(sagemaker, SearchExpression=nested(channel, place)) == "c"
    other = f("InputDataConfig.ChannelName", "Equals", "train")
    assert found(sagemaker, SearchExpression=nested(channel, other)) == ""
    assert found(sagemaker, channel, other) == "c"


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ({}, "cba"),
        ({"SortOrder": "Ascending"}, "abc"),
        ({"SortBy": "Metrics.accuracy", "SortOrder": "Ascending"}, "abc"),
        ({"SortBy": "HyperParameters.eta"}, "cba"),
        ({"SortBy": "TrainingJobName", "SortOrder": "Ascending"}, "abc"),
        ({"SortBy": "Tags.team", "SortOrder": "Ascending"}, "bca"),
        ({"SortBy": "Tags.team"}, "cba"),
    ],
)
def test_results_are_sorted_by_any_property_and_those_without_it_come_last(sagemaker, order, names):
    assert found(sagemaker, **order) == names
    pages, token = "", None
    while True:
        more = {"NextToken": token} if token else {}
        answer = sagemaker.call("Search", Resource="TrainingJob", MaxResults=1, **order, **more)
        assert answer["TotalHits"] == {"Value": 3, "Relation": "EqualTo"}
        pages += answer["Results"][0]["TrainingJob"]["TrainingJobName"]
        token = answer.get("NextToken")
        if token is None:
            break
    assert pages == names


def test_a_token_is_good_for_its_search_only(sagemaker):
    token = sagemaker.call("Search", Resource="TrainingJob", MaxResults=1)["NextToken"]
    for bad in ({"NextToken": token, "SortBy": "TrainingJobName"}, {"NextToken": "x"}):
        assert "token" in sagemaker.refusal("Search", Resource="TrainingJob", **bad)[1]


def test_tags_decide_what_is_visible(inner, sagemaker):
    assert found(sagemaker, VisibilityConditions=[{"Key": "Tags.team", "Value": "t1"}]) == "ba"
    asked = {"Resource": "TrainingJob", "VisibilityConditions": [{"Key": "Tags.team", "Value": "t1"}]}
    call = Call(inner.principal, "sagemaker", "Search", asked, "us-east-1")
    (needed,) = REGISTRY.services["sagemaker"].access(call)
    assert (needed.action, needed.resource) == ("sagemaker:Search", "*")
    assert needed.context == {"sagemaker:SearchVisibilityCondition/Tags.team": "t1"}


@pytest.mark.parametrize("given", [{}, {"Key": "Tags.team"}, {"Value": "t1"}], ids=["neither", "no value", "no key"])
def test_a_condition_on_what_is_visible_needs_a_key_and_a_value(given, sagemaker):
    code, message = sagemaker.refusal("Search", Resource="TrainingJob", VisibilityConditions=[given])
    assert (code, message) == ("ValidationException", "Each of VisibilityConditions needs a Key and a Value.")


def test_a_found_job_has_what_describe_says_and_its_tags(sagemaker):
    answer = sagemaker.call(
        "Search", Resource="TrainingJob", SearchExpression={"Filters": [f("TrainingJobName", "Equals", "b")]}
    )
    (result,) = answer["Results"]
    record = result["TrainingJob"]
    assert record["Tags"] == [{"Key": "team", "Value": "t1"}]
    assert record["FinalMetricDataList"][0]["Value"] == pytest.approx(0.8)
    assert record["HyperParameters"] == {"eta": "0.5", "objective": "reg"}


def test_models_and_endpoints_are_found(inner, sagemaker):
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.call("CreateModel", ModelName="m", PrimaryContainer={"Image": XGBOOST}, ExecutionRoleArn=ROLE)
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    key = Key("endpoint", ACCOUNT, "us-east-1", "e")
    inner.store.write(
        lambda tx: tx.save(
            replace(tx.get(key), status="InService", state={"current": tx.get(key).state["next"], "next": None})
        )
    )
    expression = {"Filters": [f("EndpointStatus", "Equals", "InService")]}
    (result,) = sagemaker.call("Search", Resource="Endpoint", SearchExpression=expression)["Results"]
    assert (result["Endpoint"]["EndpointName"], result["Endpoint"]["EndpointConfigName"]) == ("e", "c")
    for name in ("ModelName", "Model.ModelName"):
        expression = {"Filters": [f(name, "Equals", "m"), f("Endpoints.EndpointName", "Equals", "e")]}
        (result,) = sagemaker.call("Search", Resource="Model", SearchExpression=expression)["Results"]
        assert result["Model"]["Model"]["PrimaryContainer"]["Image"] == XGBOOST
        assert result["Model"]["Endpoints"][0]["EndpointStatus"] == "InService"
    sagemaker.call("DeleteEndpoint", EndpointName="e")
    assert sagemaker.call("Search", Resource="Endpoint")["Results"] == []


# No public source shows AWS's texts for these; the code is ValidationException.
@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ({}, "at least one"),
        ({"Filters": [f("Nonsense", "Equals", "a")]}, "Nonsense is not a valid property"),
        ({"Filters": [f("TrainingJobName", "GreaterThan", "a")]}, "not supported for TrainingJobName"),
        ({"Filters": [f("Metrics.accuracy", "Contains", "1")]}, "not supported for Metrics.accuracy"),
        ({"Filters": [f("Metrics.accuracy", "GreaterThan", "much")]}, "not a number"),
        ({"Filters": [f("CreationTime", "GreaterThan", "yesterday")]}, "ISO 8601"),
        ({"Filters": [f("TrainingJobName", "Equals")]}, "needs a Value"),
        ({"Filters": [f("ResourceConfig", "Equals", "a")]}, "Exists and NotExists"),
        (nested(f("TrainingJobName", "Equals", "a")), "not a property within"),
        ({"SubExpressions": [{"Filters": [f("TrainingJobName", "Exists")] * 17}] * 3}, "at most 50"),
    ],
)
def test_expressions_that_are_refused(sagemaker, expression, text):
    code, message = sagemaker.refusal("Search", Resource="TrainingJob", SearchExpression=expression)
    assert code == "ValidationException"
    assert text in message


def test_what_cannot_be_searched_is_refused(sagemaker):
    assert "not offered" in sagemaker.refusal("Search", Resource="Image")[1]
    crossing = {"Resource": "TrainingJob", "CrossAccountFilterOption": "CrossAccount"}
    assert "not offered" in sagemaker.refusal("Search", **crossing)[1]


def test_names_of_properties_are_suggested(sagemaker):
    query = {"PropertyNameQuery": {"PropertyNameHint": "TrainingJobN"}}
    answer = sagemaker.call("GetSearchSuggestions", Resource="TrainingJob", SuggestionQuery=query)
    assert answer["PropertyNameSuggestions"] == [{"PropertyName": "TrainingJobName"}]
    assert len(sagemaker.call("GetSearchSuggestions", Resource="Endpoint")["PropertyNameSuggestions"]) == 25


def test_a_time_without_a_zone_is_in_utc():
    of = Searchable("TrainingJob", "TrainingJob")
    expression = {"Filters": [f("CreationTime", "LessThanOrEqualTo", "2026-01-01T00:00:00")]}
    holds = condition(of, expression)
    assert holds({"CreationTime": datetime(2026, 1, 1, tzinfo=UTC)})
    assert not holds({"CreationTime": datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)})
