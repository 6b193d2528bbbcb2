"""Evaluation: AWS's order of denials and allowances, layer by layer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.identity.grammar import check_identity_policy
from clary.identity.managed import managed_policies
from clary.identity.policy import Decision, MalformedPolicy, PolicySet, Question, compile_policy, decide

ENDPOINT = "arn:aws:sagemaker:us-east-1:111111111111:endpoint/x"


def statement(effect: str = "Allow", action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def policies(*statements: dict[str, Any]) -> PolicySet:
    return PolicySet(compile_policy({"Version": "2012-10-17", "Statement": list(statements)}, "test"))


def ask(
    own: PolicySet,
    action: str,
    resource: str = "*",
    context: dict[str, tuple[str, ...]] | None = None,
    **layers: PolicySet,
) -> Decision:
    return decide(Question(action, resource, lambda: context or {}), own, **layers)


def test_what_nothing_allows_is_denied() -> None:
    assert ask(policies(), "s3:GetObject").effect == "implicitDeny"
    assert ask(policies(statement(action="s3:Put*")), "s3:GetObject").effect == "implicitDeny"


def test_an_explicit_deny_wins_wherever_it_stands() -> None:
    own = policies(statement(), statement("Deny", "s3:Delete*"))
    assert ask(own, "s3:DeleteObject").effect == "explicitDeny"
    assert ask(own, "s3:GetObject").allowed


@pytest.mark.parametrize("layer", ["boundary", "session"])
def test_each_layer_must_allow(layer: str) -> None:
    narrow = policies(statement(action="s3:Get*"))
    refused = ask(policies(statement()), "s3:PutObject", **{layer: narrow})
    assert (refused.effect, refused.layer) == ("implicitDeny", layer)
    assert ask(policies(statement()), "s3:GetObject", **{layer: narrow}).allowed


def test_a_layer_gives_nothing_that_the_identity_has_not() -> None:
    decision = ask(policies(), "s3:GetObject", boundary=policies(statement()), session=policies(statement()))
    assert (decision.effect, decision.layer) == ("implicitDeny", "identity")


def test_an_explicit_deny_in_a_session_is_named_before_an_implicit_one_of_the_identity() -> None:
    decision = ask(policies(), "s3:GetObject", session=policies(statement("Deny")))
    assert (decision.effect, decision.layer) == ("explicitDeny", "session")


def test_not_action_and_not_resource_are_all_but_these() -> None:
    own = policies({"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "NotResource": "arn:aws:sagemaker:*:*:domain/*"})
    assert ask(own, "sagemaker:InvokeEndpoint", ENDPOINT).allowed
    assert not ask(own, "IAM:GetRole", ENDPOINT).allowed
    assert not ask(own, "sagemaker:DescribeDomain", "arn:aws:sagemaker:us-east-1:111111111111:domain/d").allowed


def test_a_condition_that_does_not_hold_disarms_its_statement_only() -> None:
    own = policies(
        statement(action="s3:*"),
        statement("Deny", "s3:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
    )
    assert ask(own, "s3:GetObject", context={"aws:sourceip": ("192.0.2.1",)}).allowed
    assert not ask(own, "s3:GetObject", context={"aws:sourceip": ("10.0.0.1",)}).allowed


def test_all_keys_of_a_condition_block_must_hold() -> None:
    block = {"StringEquals": {"a:x": "1", "a:y": "2"}, "Bool": {"a:z": "true"}}
    own = policies(statement(Condition=block))
    full = {"a:x": ("1",), "a:y": ("2",), "a:z": ("true",)}
    assert ask(own, "s3:GetObject", context=full).allowed
    for key in full:
        assert not ask(own, "s3:GetObject", context={**full, key: ("no",)}).allowed


def test_variables_in_resources_follow_the_caller() -> None:
    own = policies(statement(resource="arn:aws:s3:::home/${aws:username}/*"))
    assert ask(own, "s3:GetObject", "arn:aws:s3:::home/ann/x", {"aws:username": ("ann",)}).allowed
    assert not ask(own, "s3:GetObject", "arn:aws:s3:::home/bob/x", {"aws:username": ("ann",)}).allowed
    assert not ask(own, "s3:GetObject", "arn:aws:s3:::home/bob/x").allowed


def test_the_older_version_knows_no_variables() -> None:
    document = {"Version": "2008-10-17", "Statement": statement(resource="arn:aws:s3:::${aws:username}")}
    own = PolicySet(compile_policy(document, "test"))
    assert not ask(own, "s3:GetObject", "arn:aws:s3:::ann", {"aws:username": ("ann",)}).allowed


def test_context_is_gathered_only_where_a_statement_asks() -> None:
    own = policies(statement(action="s3:Get*"), statement(action="s3:*", Condition={"Null": {"a:b": "true"}}))
    question = Question("s3:GetObject", "*", dict)
    assert decide(question, own).allowed
    assert not question.contextual
    question = Question("s3:PutObject", "*", dict)
    assert decide(question, own).allowed
    assert question.contextual


@pytest.mark.parametrize(
    "document", ["", "[]", "null", "3", '{"Statement": 3}', '{"Statement": [{"Effect": 1}, 4]}', "{"]
)
def test_what_is_no_policy_is_refused(document: str) -> None:
    with pytest.raises(MalformedPolicy):
        compile_policy(document, "test")


def test_every_managed_policy_compiles() -> None:
    assert all(compile_policy(policy.document, policy.arn) for policy in managed_policies().values())


@pytest.mark.parametrize(
    "name",
    [
        "AmazonSageMakerFullAccess",
        "AmazonSageMakerCanvasFullAccess",
        "AmazonSageMakerGroundTruthExecution",
        "AmazonSageMakerModelGovernanceUseAccess",
        "SecretsManagerReadWrite",
        "AmazonBedrockFullAccess",
        "AmazonAthenaFullAccess",
        "AWSStepFunctionsFullAccess",
        "service-role/AWSLambdaBasicExecutionRole",
        "service-role/AWSGlueServiceRole",
        "service-role/AmazonAPIGatewayPushToCloudWatchLogs",
        "service-role/AmazonSageMakerServiceCatalogProductsGlueServiceRolePolicy",
        "job-function/DataScientist",
        "job-function/ViewOnlyAccess",
        "aws-service-role/AWSApplicationAutoscalingSageMakerEndpointPolicy",
        "aws-service-role/AmazonSageMakerNotebooksServiceRolePolicy",
    ],
)
def test_policies_that_examples_of_sagemaker_attach_are_here(name: str) -> None:
    policy = managed_policies()[f"arn:aws:iam::aws:policy/{name}"]
    assert (policy.path + policy.name).removeprefix("/") == name
    assert policy.created <= policy.updated
    assert check_identity_policy(policy.document)


def managed(name: str) -> PolicySet:
    arn = f"arn:aws:iam::aws:policy/{name}"
    return PolicySet(compile_policy(managed_policies()[arn].document, arn))


@pytest.mark.parametrize(
    ("name", "action", "resource", "allowed"),
    [
        ("AdministratorAccess", "iam:CreateUser", "*", True),
        ("PowerUserAccess", "sagemaker:CreateEndpoint", ENDPOINT, True),
        ("PowerUserAccess", "iam:CreateUser", "*", False),
        ("ReadOnlyAccess", "s3:GetObject", "arn:aws:s3:::b/k", True),
        ("ReadOnlyAccess", "s3:PutObject", "arn:aws:s3:::b/k", False),
        ("ReadOnlyAccess", "sagemaker:DescribeEndpoint", ENDPOINT, True),
        ("ReadOnlyAccess", "sagemaker:InvokeEndpoint", ENDPOINT, False),
        ("AmazonSageMakerFullAccess", "sagemaker:InvokeEndpoint", ENDPOINT, True),
        ("AmazonSageMakerFullAccess", "s3:GetObject", "arn:aws:s3:::my-sagemaker-bucket/k", True),
        ("AmazonSageMakerFullAccess", "s3:GetObject", "arn:aws:s3:::other/k", False),
        ("AmazonSageMakerFullAccess", "iam:CreateRole", "*", False),
        ("AmazonSageMakerReadOnly", "sagemaker:DescribeEndpoint", ENDPOINT, True),
        ("AmazonSageMakerReadOnly", "sagemaker:CreateEndpoint", ENDPOINT, False),
        ("AmazonS3ReadOnlyAccess", "s3:ListBucket", "arn:aws:s3:::b", True),
        ("AmazonS3ReadOnlyAccess", "s3:DeleteObject", "arn:aws:s3:::b/k", False),
        ("IAMReadOnlyAccess", "iam:GetRole", "arn:aws:iam::111111111111:role/r", True),
    ],
)
def test_managed_policies_mean_what_aws_says(name: str, action: str, resource: str, allowed: bool) -> None:
    assert ask(managed(name), action, resource).allowed is allowed


def test_sagemaker_full_access_passes_roles_to_sagemaker_only() -> None:
    own, role = managed("AmazonSageMakerFullAccess"), "arn:aws:iam::111111111111:role/anything"
    to = {"iam:passedtoservice": ("sagemaker.amazonaws.com",)}
    assert ask(own, "iam:PassRole", role, to).allowed
    assert not ask(own, "iam:PassRole", role, {"iam:passedtoservice": ("ec2.amazonaws.com",)}).allowed
    assert not ask(own, "iam:PassRole", role).allowed


_TEXTS = st.sampled_from(["*", "s3:*", "s3:GetObject", "s3:Put?bject", "iam:*"])
_RESOURCES = st.sampled_from(["*", "arn:aws:s3:::a/*", "arn:aws:s3:::b/*"])
_STATEMENTS = st.builds(statement, st.sampled_from(["Allow", "Deny"]), st.lists(_TEXTS, min_size=1), _RESOURCES)


@given(
    st.lists(_STATEMENTS), st.permutations(range(6)), st.sampled_from(["s3:GetObject", "s3:PutObject", "iam:GetUser"])
)
def test_the_order_of_statements_changes_nothing(raw: list[dict[str, Any]], order: list[int], action: str) -> None:
    shuffled = [raw[index] for index in order if index < len(raw)] + raw[6:]
    resource = "arn:aws:s3:::a/key"
    assert ask(policies(*raw), action, resource).effect == ask(policies(*shuffled), action, resource).effect


@given(st.lists(_STATEMENTS), st.sampled_from(["s3:GetObject", "iam:GetUser"]))
def test_a_deny_of_everything_leaves_nothing(raw: list[dict[str, Any]], action: str) -> None:
    assert ask(policies(*raw, json.loads(json.dumps(statement("Deny")))), action).effect == "explicitDeny"
