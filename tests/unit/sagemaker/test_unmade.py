"""Kinds that nobody can make yet: what is there is read from the store, which today is nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clary.calls import Call
from clary.errors import AWSError
from clary.services.catalogue import REGISTRY
from clary.services.declaring import operation_name
from clary.services.sagemaker import unmade_jobs, unmade_places
from clary.services.sagemaker.unmade import Unmade
from clary.store import Key
from clary.store.rows import Row
from clary.wire import models

from . import asked

ACCOUNT = "000000000000"
KINDS = {
    name: each
    for module in (unmade_jobs, unmade_places)
    for name, each in vars(module).items()
    if isinstance(each, Unmade)
}
LISTED = [name for name, each in KINDS.items() if "List" in each.resource.verbs]
DESCRIBED = [name for name, each in KINDS.items() if "Describe" in each.resource.verbs]
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:some/one"


@pytest.fixture
def inner(emptied_inner):
    return emptied_inner


def ask(inner, operation, account=ACCOUNT, **params):
    """Without what the model says of texts: an ARN is one, whatever its kind."""
    who = inner.principal if account == ACCOUNT else type(inner.principal)("root", account, "", "", account)
    return inner._run(REGISTRY.find("sagemaker", operation), Call(who, "sagemaker", operation, params, "us-east-1"))


def shape_of(resource, verb):
    return models.operation("sagemaker", operation_name(resource, verb)).output_shape


def put(inner, resource):
    """One as an executing Clary would keep it: with all that lists and descriptions show."""
    spec = asked.full(shape_of(resource, "Describe")) if "Describe" in resource.verbs else {}
    if "List" in resource.verbs:
        spec |= asked.full(shape_of(resource, "List").members[resource.list_member].member)
    names = dict.fromkeys((*resource.within, resource.name_member), "one")
    key = Key(resource.kind, ACCOUNT, "us-east-1", resource.name_in(names))
    now = datetime.now(UTC)
    inner.store.write(lambda tx: tx.insert(Row(key, ARN, "", now, now, {**spec, **names})))


def naming(resource, name="one"):
    by_arn = resource.name_member.endswith("Arn")
    return {**dict.fromkeys(resource.within, name), resource.name_member: ARN if by_arn else name}


@pytest.mark.parametrize("kind", LISTED)
def test_a_list_shows_what_is_in_the_store(inner, kind):
    resource = KINDS[kind].resource
    name = operation_name(resource, "List")
    assert ask(inner, name) == {resource.list_member: []}
    put(inner, resource)
    [entry] = ask(inner, name)[resource.list_member]
    assert set(shape_of(resource, "List").members[resource.list_member].member.required_members) <= set(entry)
    assert ask(inner, name, account="111111111111") == {resource.list_member: []}


@pytest.mark.parametrize("kind", DESCRIBED)
def test_what_is_not_there_is_absent_and_what_is_there_is_told(inner, kind):
    unmade = KINDS[kind]
    resource = unmade.resource
    acts = [REGISTRY.find("sagemaker", said.partition(":")[0]) for said in unmade.acts if ":" not in said]
    describe = f"Describe{resource.noun}"
    for name in (describe, *(each.name for each in acts)):
        with pytest.raises(AWSError) as absent:
            ask(inner, name, **naming(resource))
        assert absent.value.message == resource.missing(resource_arn(resource)).message
    put(inner, resource)
    found = ask(inner, describe, **naming(resource))
    assert set(shape_of(resource, "Describe").required_members) <= set(found)
    for each in acts:
        with pytest.raises(AWSError, match=f"{each.name} is not offered by Clary"):
            ask(inner, each.name, **naming(resource))


def resource_arn(resource):
    if resource.name_member.endswith("Arn"):
        return ARN
    kind, name = resource.arn_type or resource.kind, "/".join(naming(resource).values())
    return f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:{kind}/{name}"


@pytest.mark.parametrize("kind", KINDS)
def test_what_would_make_one_says_why_it_does_not(inner, kind):
    for name in KINDS[kind].makes:
        with pytest.raises(AWSError) as refusal:
            ask(inner, name, **asked.full(models.operation("sagemaker", name).input_shape))
        assert refusal.value.message == f"{name} is not offered by Clary. {KINDS[kind].because}."


def test_a_list_of_executions_is_that_of_its_pipeline(inner):
    put(inner, KINDS["PIPELINE_EXECUTION"].resource)
    for name in ("mine", "other"):
        pipeline = {"PipelineName": name, "ClientRequestToken": "t" * 32, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/R"}
        inner("sagemaker", "CreatePipeline", PipelineDefinition='{"Version": "2020-12-01", "Steps": []}', **pipeline)

    def belong(transaction):
        [row] = transaction.rows("pipeline-execution")
        transaction.delete(row.key)
        transaction.insert(type(row)(row.key, ARN, "", row.created, row.modified, row.spec, parent="mine"))

    inner.store.write(belong)
    listed = {name: ask(inner, "ListPipelineExecutions", PipelineName=name) for name in ("mine", "other")}
    assert [len(listed[name]["PipelineExecutionSummaries"]) for name in ("mine", "other")] == [1, 0]


def test_every_operation_of_the_model_is_answered():
    offered = REGISTRY.services["sagemaker"].operations
    assert set(models.load("sagemaker").operation_names) == set(offered)


def test_service_catalogs_status_is_kept_for_a_region(inner):
    def status(region):
        return inner("sagemaker", "GetSagemakerServicecatalogPortfolioStatus", region=region)["Status"]

    assert status("us-east-1") == "Disabled"
    for _ in range(2):
        inner("sagemaker", "EnableSagemakerServicecatalogPortfolio")
    assert (status("us-east-1"), status("eu-west-1")) == ("Enabled", "Disabled")
    for _ in range(2):
        inner("sagemaker", "DisableSagemakerServicecatalogPortfolio")
    assert status("us-east-1") == "Disabled"
