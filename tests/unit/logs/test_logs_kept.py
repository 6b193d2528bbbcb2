"""Deliveries, policies and detectors of Logs: what is kept, given back and refused."""

from __future__ import annotations

import json

import pytest

ACCOUNT, REGION = "000000000000", "us-east-1"
PREFIX = f"arn:aws:logs:{REGION}:{ACCOUNT}"
GROUP = f"{PREFIX}:log-group:g"
POLICY = '{"Version":"2012-10-17","Statement":[]}'
KNOWLEDGE = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:knowledge-base/KB"
PROTECTION = json.dumps({"Name": "p", "Version": "2021-06-01", "Statement": []})
INDEX = json.dumps({"Fields": ["requestId", "status"]})
MISSING = "ResourceNotFoundException"


@pytest.fixture
def logs(emptied_inner):
    service = emptied_inner.service("logs")
    service.call("CreateLogGroup", logGroupName="g")
    return service


@pytest.fixture
def source(logs):
    return logs.call("PutDeliverySource", name="s", resourceArn=KNOWLEDGE, logType="APPLICATION_LOGS")["deliverySource"]


def destination(logs, name="d", target="arn:aws:s3:::data", **more):
    configured = {"deliveryDestinationConfiguration": {"destinationResourceArn": target}}
    return logs.call("PutDeliveryDestination", name=name, **configured, **more)["deliveryDestination"]


def test_a_delivery_joins_a_source_and_a_destination(logs, source):
    there = destination(logs, outputFormat="json", tags={"a": "b"})
    assert (source["arn"], source["service"]) == (f"{PREFIX}:delivery-source:s", "bedrock")
    assert (there["deliveryDestinationType"], there["tags"]) == ("S3", {"a": "b"})
    joined = {"deliverySourceName": "s", "deliveryDestinationArn": there["arn"]}
    made = logs.call("CreateDelivery", **joined, recordFields=["event_timestamp"])["delivery"]
    assert made["arn"] == f"{PREFIX}:delivery:{made['id']}"
    logs.call("UpdateDeliveryConfiguration", id=made["id"], fieldDelimiter=",")
    kept = logs.call("GetDelivery", id=made["id"])["delivery"]
    assert (kept["recordFields"], kept["fieldDelimiter"]) == (["event_timestamp"], ",")
    assert logs.call("DescribeDeliveries", deliverySourceNames=["s"])["deliveries"] == [kept]
    assert logs.call("DescribeDeliveries", deliverySourceNames=["other"])["deliveries"] == []
    assert logs.refusal("CreateDelivery", **joined)[0] == "ConflictException"
    assert logs.refusal("DeleteDeliverySource", name="s")[0] == "ConflictException"
    assert logs.refusal("DeleteDeliveryDestination", name="d")[0] == "ConflictException"
    logs.call("DeleteDelivery", id=made["id"])
    assert logs.refusal("GetDelivery", id=made["id"])[0] == MISSING
    logs.call("DeleteDeliverySource", name="s")
    logs.call("DeleteDeliveryDestination", name="d")
    assert logs.call("DescribeDeliverySources")["deliverySources"] == []
    assert logs.call("DescribeDeliveryDestinations")["deliveryDestinations"] == []


def test_sources_and_destinations_that_cannot_be(logs, source):
    assert logs.call("GetDeliverySource", name="s") == {"deliverySource": source}
    assert logs.call("DescribeDeliverySources", resourceArns=[KNOWLEDGE])["deliverySources"] == [source]
    asked = {"name": "s", "logType": "APPLICATION_LOGS"}
    assert logs.refusal("PutDeliverySource", **asked, resourceArn=f"{KNOWLEDGE}2")[0] == "ConflictException"
    assert logs.refusal("PutDeliverySource", **asked, resourceArn="no")[0] == "ValidationException"
    told = ("ResourceNotFoundException", "Cannot access provided service.")
    assert logs.refusal("PutDeliverySource", **asked, resourceArn="arn:aws:s3:::a-bucket") == told
    missing = ("ResourceNotFoundException", "Requested Delivery Source does not exist in this account.")
    assert logs.refusal("GetDeliverySource", name="none") == missing
    for target in ("arn:aws:sqs:::q", "no"):
        configured = {"deliveryDestinationConfiguration": {"destinationResourceArn": target}}
        assert logs.refusal("PutDeliveryDestination", name="d", **configured)[0] == "ValidationException"
    assert logs.refusal("CreateDelivery", deliverySourceName="s", deliveryDestinationArn="arn:x")[0] == MISSING


def test_a_destinations_policy_is_kept(logs):
    destination(logs, target=f"{GROUP}:*")
    named = {"deliveryDestinationName": "d"}
    assert logs.call("GetDeliveryDestinationPolicy", **named) == {"policy": {}}
    logs.call("PutDeliveryDestinationPolicy", **named, deliveryDestinationPolicy=POLICY)
    destination(logs, target=f"{GROUP}:*", outputFormat="plain")
    kept = logs.call("GetDeliveryDestinationPolicy", **named)["policy"]
    assert kept == {"deliveryDestinationPolicy": POLICY}, "it stays when the destination changes"
    assert logs.call("GetDeliveryDestination", name="d")["deliveryDestination"]["deliveryDestinationType"] == "CWL"
    logs.call("DeleteDeliveryDestinationPolicy", **named)
    assert logs.call("GetDeliveryDestinationPolicy", **named) == {"policy": {}}
    bad = {"deliveryDestinationPolicy": "{"}
    assert logs.refusal("PutDeliveryDestinationPolicy", **named, **bad)[0] == "InvalidParameterException"
    assert logs.refusal("GetDeliveryDestinationPolicy", deliveryDestinationName="no")[0] == MISSING


def test_account_policies_are_kept_by_type_and_name(logs):
    asked = {"policyName": "p", "policyType": "DATA_PROTECTION_POLICY", "policyDocument": PROTECTION}
    kept = logs.call("PutAccountPolicy", **asked)["accountPolicy"]
    assert (kept["scope"], kept["accountId"], kept["policyDocument"]) == ("ALL", ACCOUNT, PROTECTION)
    logs.call("PutAccountPolicy", policyName="p", policyType="FIELD_INDEX_POLICY", policyDocument=INDEX)
    named = {"policyType": "DATA_PROTECTION_POLICY", "policyName": "p"}
    assert logs.call("DescribeAccountPolicies", **named)["accountPolicies"] == [kept]
    assert logs.refusal("PutAccountPolicy", **{**asked, "policyDocument": "["})[0] == "InvalidParameterException"
    logs.call("DeleteAccountPolicy", **named)
    assert logs.refusal("DeleteAccountPolicy", **named)[0] == MISSING
    assert len(logs.call("DescribeAccountPolicies", policyType="FIELD_INDEX_POLICY")["accountPolicies"]) == 1


def test_a_groups_data_protection_is_kept_and_goes_with_it(logs):
    named = {"logGroupIdentifier": GROUP}
    assert logs.call("GetDataProtectionPolicy", **named) == named
    logs.call("PutDataProtectionPolicy", **named, policyDocument=PROTECTION)
    assert logs.call("GetDataProtectionPolicy", **named)["policyDocument"] == PROTECTION
    (group,) = logs.call("DescribeLogGroups")["logGroups"]
    assert "dataProtectionStatus" not in group, "nothing is masked"
    assert logs.refusal("PutDataProtectionPolicy", **named, policyDocument="{}")[0] == "InvalidParameterException"
    logs.call("DeleteDataProtectionPolicy", **named)
    assert logs.call("GetDataProtectionPolicy", **named) == named
    assert logs.refusal("GetDataProtectionPolicy", logGroupIdentifier="no")[0] == MISSING


def test_indexes_of_fields_are_kept(logs):
    named = {"logGroupIdentifier": "g"}
    logs.call("PutIndexPolicy", **named, policyDocument=INDEX)
    (policy,) = logs.call("DescribeIndexPolicies", logGroupIdentifiers=[GROUP])["indexPolicies"]
    assert (policy["logGroupIdentifier"], policy["policyDocument"], policy["source"]) == (GROUP, INDEX, "LOG_GROUP")
    fields = logs.call("DescribeFieldIndexes", logGroupIdentifiers=["g"])["fieldIndexes"]
    assert [field["fieldIndexName"] for field in fields] == ["requestId", "status"]
    for document in ('{"Fields": []}', '{"Fields": "x"}', '{"FieldsV2": 5}', json.dumps({"Fields": ["f"] * 21})):
        refused = logs.refusal("PutIndexPolicy", **named, policyDocument=document)
        assert refused[0] == "InvalidParameterException"
    logs.call("DeleteIndexPolicy", **named)
    assert logs.call("DescribeIndexPolicies", logGroupIdentifiers=["g"]) == {"indexPolicies": []}
    assert logs.refusal("DescribeIndexPolicies", logGroupIdentifiers=["no"])[0] == MISSING


def test_detectors_of_anomalies_are_kept_and_find_none(logs):
    arn = logs.call("CreateLogAnomalyDetector", logGroupArnList=[GROUP], detectorName="d")["anomalyDetectorArn"]
    named = {"anomalyDetectorArn": arn}
    assert logs.call("GetLogAnomalyDetector", **named)["anomalyDetectorStatus"] == "INITIALIZING"
    logs.call("UpdateLogAnomalyDetector", **named, enabled=False, evaluationFrequency="ONE_HOUR")
    (kept,) = logs.call("ListLogAnomalyDetectors", filterLogGroupArn=GROUP)["anomalyDetectors"]
    assert (kept["anomalyDetectorStatus"], kept["evaluationFrequency"], kept["anomalyDetectorArn"]) == (
        "PAUSED",
        "ONE_HOUR",
        arn,
    )
    assert logs.call("ListAnomalies", **named) == {"anomalies": []}
    logs.call("DeleteLogAnomalyDetector", **named)
    assert logs.refusal("GetLogAnomalyDetector", **named)[0] == MISSING
    refused = logs.refusal("CreateLogAnomalyDetector", logGroupArnList=[f"{GROUP}2"])
    assert refused[0] == MISSING


def test_rights_are_on_what_is_named(emptied_inner, logs):
    emptied_inner.authorizer.needed.clear()
    logs.call("PutDeliverySource", name="s", resourceArn=KNOWLEDGE, logType="L", tags={"a": "b"})
    logs.call("DescribeDeliverySources")
    logs.call("PutIndexPolicy", logGroupIdentifier=GROUP, policyDocument=INDEX)
    logs.call("DescribeIndexPolicies", logGroupIdentifiers=["g"])
    needed = [(each.action, each.resource) for each in emptied_inner.authorizer.needed]
    assert needed == [
        ("logs:PutDeliverySource", f"{PREFIX}:delivery-source:s"),
        ("logs:DescribeDeliverySources", "*"),
        ("logs:PutIndexPolicy", f"{GROUP}:log-stream:"),
        ("logs:DescribeIndexPolicies", f"{GROUP}:log-stream:"),
    ]
    assert emptied_inner.authorizer.needed[0].context == {"aws:RequestTag/a": "b"}


def test_the_groups_of_a_query_are_listed(logs):
    logs.call("CreateLogGroup", logGroupName="h")
    asked = {"startTime": 0, "endTime": 10, "queryString": "fields @message"}
    query = logs.call("StartQuery", logGroupNames=["g", "h"], **asked)["queryId"]
    assert logs.call("ListLogGroupsForQuery", queryId=query) == {"logGroupIdentifiers": ["g", "h"]}
    assert logs.refusal("ListLogGroupsForQuery", queryId="no")[0] == MISSING
