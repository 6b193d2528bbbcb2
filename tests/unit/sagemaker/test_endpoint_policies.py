"""Policies of endpoints: what is one, whom it lets in, and that it goes with its endpoint."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from clary.calls import Call, Principal
from clary.identity.directory import EMPTY, Directory
from clary.identity.resources import Resources, resources_path
from clary.publish import Subscriber
from clary.services.sagemaker_runtime.service import SERVICE as RUNTIME
from clary.store import Key

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
KEY = Key("endpoint", ACCOUNT, "us-east-1", "Served")
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/served"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


def settle(inner, status):
    """As the controller does when it is done."""
    inner.store.write(lambda tx: tx.save(replace(tx.get(KEY), status=status)))


@pytest.fixture
def inner(stocked_inner):
    return stocked_inner


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    container = {"Image": XGBOOST, "ModelDataUrl": "s3://data/model.tar.gz"}
    service.call("CreateModel", ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    one = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    service.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[one])
    service.call("CreateEndpoint", EndpointName="Served", EndpointConfigName="c")
    settle(inner, "InService")
    return service


def policy(effect="Allow", action="sagemaker:InvokeEndpoint", resource=ARN, **more):
    said = {"Effect": effect, "Principal": {"AWS": ANN}, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [said]})


def put(sagemaker, text):
    return sagemaker.call("PutEndpointPolicy", EndpointName="Served", ResourcePolicy=text)


def decided(inner, who, operation="InvokeEndpoint"):
    """By what every process reads."""
    published = Subscriber(resources_path(inner.settings.run_dir, "sagemaker")).current()["resources"]
    directory = Directory({**EMPTY, "account": ACCOUNT}, Resources(published, ACCOUNT))
    call = Call(who, "sagemaker-runtime", operation, {"EndpointName": "Served"}, "us-east-1")
    [access] = RUNTIME.access(call)
    return directory.decide(call, access).effect


USER = Principal("user", ACCOUNT, ANN, ANN, "AIDAANN")
ROOT = Principal("root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)


def test_a_policy_lets_in_and_shuts_out_until_it_is_replaced_or_deleted(inner, sagemaker):
    assert put(sagemaker, policy()) == {"EndpointArn": ARN}
    assert decided(inner, USER) == "allowed"
    assert decided(inner, USER, "InvokeEndpointAsync") == "implicitDeny"
    assert decided(inner, ROOT) == "allowed"
    put(sagemaker, policy("Deny", Principal="*"))
    assert (decided(inner, USER), decided(inner, ROOT)) == ("explicitDeny", "explicitDeny")
    found = sagemaker.call("GetEndpointPolicy", EndpointName="Served")
    assert (found["EndpointName"], found["EndpointArn"]) == ("Served", ARN)
    assert json.loads(found["ResourcePolicy"])["Statement"][0]["Effect"] == "Deny"
    for _ in range(2):
        sagemaker.call("DeleteEndpointPolicy", EndpointName="Served")
    assert (decided(inner, USER), decided(inner, ROOT)) == ("implicitDeny", "allowed")
    assert sagemaker.refusal("GetEndpointPolicy", EndpointName="Served")[0] == "ValidationException"


def test_a_new_endpoint_of_the_name_has_no_policy(inner, sagemaker):
    put(sagemaker, policy())
    sagemaker.call("DeleteEndpoint", EndpointName="Served")
    assert decided(inner, USER) == "implicitDeny"
    assert sagemaker.refusal("GetEndpointPolicy", EndpointName="Served")[0] == "ResourceNotFound"
    sagemaker.call("CreateEndpoint", EndpointName="Served", EndpointConfigName="c")
    assert sagemaker.refusal("GetEndpointPolicy", EndpointName="Served")[0] == "ValidationException"
    assert decided(inner, USER) == "implicitDeny"


def test_through_a_router_that_is_not_there_nobody_comes(inner, sagemaker):
    through = {"ArnEquals": {"sagemaker:SourceInferenceRouterArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:x/y"}}
    put(sagemaker, policy(Condition=through))
    assert decided(inner, USER) == "implicitDeny"


def test_another_account_has_no_endpoint_of_the_name(inner, sagemaker):
    inner.principal = replace(inner.principal, account="111111111111")
    code, text = sagemaker.refusal("PutEndpointPolicy", EndpointName="Served", ResourcePolicy=policy())
    assert (code, "Could not find endpoint" in text) == ("ResourceNotFound", True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Invalid resource policy"),
        (policy(Sid="é").replace("\\u00e9", "é"), "not ASCII"),
        (policy(action="sagemaker:DeleteEndpointPolicy"), "sagemaker:DeleteEndpointPolicy is no action"),
        (policy(action="sagemaker:*"), "sagemaker:\\* is no action"),
        (policy(resource="*"), "the resource \\* is not"),
        (policy(resource=ARN.replace("served", "other")), "the resource .*other is not"),
        (json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "a"}]}), "Invalid resource"),
    ],
    ids=["no JSON", "no ASCII", "its own policy", "all actions", "all resources", "another's", "nobody named"],
)
def test_what_is_no_policy_on_it_is_refused(sagemaker, text, said):
    code, message = sagemaker.refusal("PutEndpointPolicy", EndpointName="Served", ResourcePolicy=text)
    assert code == "ValidationException"
    assert re.search(said, message), message


def test_a_failed_endpoint_takes_none(inner, sagemaker):
    settle(inner, "Failed")
    assert (
        "failed endpoint" in sagemaker.refusal("PutEndpointPolicy", EndpointName="Served", ResourcePolicy=policy())[1]
    )
