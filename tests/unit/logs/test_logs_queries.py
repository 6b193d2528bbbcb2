"""Queries, exports and what Logs keeps, as their clients use them. No controller runs."""

from __future__ import annotations

import time

import pytest

from clary.lifecycles.log_query import KIND
from clary.services.logs import queries
from clary.store.rows import Key

ACCOUNT, REGION = "000000000000", "us-east-1"
POLICY = '{"Version":"2012-10-17","Statement":[]}'


@pytest.fixture
def logs(inner):
    service = inner.service("logs")
    service.call("CreateLogGroup", logGroupName="g")
    service.call("CreateLogStream", logGroupName="g", logStreamName="s")
    return service


def query(**more):
    return {"logGroupName": "g", "startTime": 0, "endTime": 10, "queryString": "fields @message", **more}


def test_a_query_waits_its_turn_and_can_be_stopped(inner, logs):
    id_ = logs.call("StartQuery", **query())["queryId"]
    assert Key(KIND, ACCOUNT, REGION, id_) in inner.woken
    answer = logs.call("GetQueryResults", queryId=id_)
    assert (answer["status"], answer["results"]) == ("Scheduled", [])
    assert logs.call("StopQuery", queryId=id_) == {"success": True}
    (listed,) = logs.call("DescribeQueries", status="Cancelled")["queries"]
    assert (listed["queryId"], listed["logGroupName"]) == (id_, "g")
    assert listed["queryString"] == 'SOURCE "g" START=0 END=10999 | fields @message'
    assert logs.call("DescribeQueries", logGroupName="other") == {"queries": []}


BAD = (
    (query(queryString="frobnicate"), "MalformedQueryException"),
    (query(queryString="filter @message like /(/"), "MalformedQueryException"),
    (query(logGroupName="no"), "ResourceNotFoundException"),
    (query(endTime=0, startTime=5), "InvalidParameterException"),
    (query(queryLanguage="SQL"), "InvalidParameterException"),
    ({key: value for key, value in query().items() if key != "logGroupName"}, "InvalidParameterException"),
)


def test_queries_that_cannot_be_carried_out_are_refused(logs):
    for asked, code in BAD:
        assert logs.refusal("StartQuery", **asked)[0] == code


def test_what_is_no_query_is_not_there(logs):
    for operation in ("GetQueryResults", "StopQuery"):
        assert logs.refusal(operation, queryId="no")[0] == "ResourceNotFoundException"


def test_queries_of_an_account_are_limited(logs, monkeypatch):
    monkeypatch.setattr(queries, "MOST_AT_ONCE", 2)
    first, _ = (logs.call("StartQuery", **query())["queryId"] for _ in range(2))
    assert logs.refusal("StartQuery", **query()) == (
        "LimitExceededException",
        "Account maximum query concurrency limit of [2] reached.",
    )
    logs.call("StopQuery", queryId=first)  # which shows itself as ended at once
    logs.call("StartQuery", **query())


def test_fields_of_a_group_are_counted(logs):
    at = int(time.time() * 1000)
    events = [{"timestamp": at, "message": text} for text in ('{"a":{"b":1}}', "text", '{"a":{"b":2},"c":3}', "text")]
    logs.call("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=events)
    fields = logs.call("GetLogGroupFields", logGroupName="g")["logGroupFields"]
    found = {field["name"]: field["percent"] for field in fields}
    assert (found["@message"], found["a.b"], found["c"]) == (100, 50, 25)
    assert logs.call("GetLogGroupFields", logGroupName="g", time=1)["logGroupFields"] == []


def test_pointers_that_were_never_given_are_refused(logs):
    for pointer in ("", "x", "WyJnIl0", "WyJcdWQ4MDAiLCJzIiwxLDJd"):
        assert logs.refusal("GetLogRecord", logRecordPointer=pointer)[0] == "InvalidParameterException"


def test_query_definitions_are_kept(logs):
    asked = {"name": "errors", "queryString": "filter level = 'ERROR'", "logGroupNames": ["g"]}
    id_ = logs.call("PutQueryDefinition", **asked)["queryDefinitionId"]
    logs.call("PutQueryDefinition", **{**asked, "name": "all errors"}, queryDefinitionId=id_)
    (kept,) = logs.call("DescribeQueryDefinitions", queryDefinitionNamePrefix="all")["queryDefinitions"]
    assert (kept["queryDefinitionId"], kept["name"], kept["logGroupNames"]) == (id_, "all errors", ["g"])
    assert logs.refusal("PutQueryDefinition", **asked, queryDefinitionId="no")[0] == "ResourceNotFoundException"
    assert logs.call("DeleteQueryDefinition", queryDefinitionId=id_) == {"success": True}
    assert logs.refusal("DeleteQueryDefinition", queryDefinitionId=id_)[0] == "ResourceNotFoundException"


def test_resource_policies_are_kept_and_ten_at_most(logs):
    kept = logs.call("PutResourcePolicy", policyName="p", policyDocument=POLICY)["resourcePolicy"]
    assert (kept["policyName"], kept["policyDocument"], kept["policyScope"]) == ("p", POLICY, "ACCOUNT")
    assert logs.refusal("PutResourcePolicy", policyName="p", policyDocument="{")[0] == "InvalidParameterException"
    for number in range(9):
        logs.call("PutResourcePolicy", policyName=f"p{number}", policyDocument=POLICY)
    refused = logs.refusal("PutResourcePolicy", policyName="more", policyDocument=POLICY)
    assert refused == ("LimitExceededException", "Resource limit exceeded.")
    logs.call("DeleteResourcePolicy", policyName="p")
    assert len(logs.call("DescribeResourcePolicies")["resourcePolicies"]) == 9
    assert logs.refusal("DeleteResourcePolicy", policyName="p") == (
        "ResourceNotFoundException",
        "Policy with name [p] does not exist.",
    )


def test_destinations_are_kept_with_their_policies_and_tags(logs):
    asked = {"destinationName": "d", "targetArn": "arn:aws:kinesis:::s", "roleArn": "arn:aws:iam::000000000000:role/r"}
    made = logs.call("PutDestination", **asked, tags={"a": "b"})["destination"]
    assert made["arn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:destination:d"
    logs.call("PutDestinationPolicy", destinationName="d", accessPolicy=POLICY)
    logs.call("PutDestination", **{**asked, "targetArn": "arn:aws:kinesis:::t"})
    (kept,) = logs.call("DescribeDestinations", DestinationNamePrefix="d")["destinations"]
    assert (kept["targetArn"], kept["accessPolicy"]) == ("arn:aws:kinesis:::t", POLICY)
    assert logs.call("ListTagsForResource", resourceArn=made["arn"]) == {"tags": {"a": "b"}}
    logs.call("DeleteDestination", destinationName="d")
    assert logs.call("DescribeDestinations") == {"destinations": []}
    assert logs.refusal("DeleteDestination", destinationName="d")[0] == "ResourceNotFoundException"


def export(**more):
    return {"logGroupName": "g", "from": 0, "to": 10, "destination": "data", **more}


def test_one_export_at_a_time_waits_its_turn_and_can_be_cancelled(logs):
    task = logs.call("CreateExportTask", **export(taskName="t"))["taskId"]
    assert logs.refusal("CreateExportTask", **export())[0] == "LimitExceededException"
    (shown,) = logs.call("DescribeExportTasks", statusCode="PENDING")["exportTasks"]
    assert (shown["taskId"], shown["destinationPrefix"], shown["from"]) == (task, "exportedlogs", 0)
    logs.call("CancelExportTask", taskId=task)
    (shown,) = logs.call("DescribeExportTasks", taskId=task)["exportTasks"]
    assert shown["status"] == {"code": "PENDING_CANCEL"}
    assert logs.refusal("CancelExportTask", taskId="no") == (
        "ResourceNotFoundException",
        "The specified export task does not exist.",
    )
    assert logs.call("DescribeExportTasks", taskId="no") == {"exportTasks": []}


def test_exports_need_a_bucket_of_ones_own(inner, logs):
    inner.objects.create_bucket("others", account="111111111111", region=REGION)
    for bucket in ("no", "others"):
        assert logs.refusal("CreateExportTask", **export(destination=bucket)) == (
            "InvalidParameterException",
            "The given bucket does not exist. Please make sure the bucket is valid.",
        )
    assert logs.refusal("CreateExportTask", **export(to=1, **{"from": 2}))[0] == "InvalidParameterException"


def test_groups_are_protected_and_found_by_parts_of_their_names(logs):
    logs.call("CreateLogGroup", logGroupName="production/api")
    arn = logs.call("ListLogGroups", logGroupNamePattern="^prod|nothing")["logGroups"][0]["logGroupArn"]
    assert logs.call("ListLogGroups", logGroupNamePattern="^api")["logGroups"] == []
    logs.call("PutLogGroupDeletionProtection", logGroupIdentifier=arn, deletionProtectionEnabled=True)
    assert logs.refusal("DeleteLogGroup", logGroupName="production/api")[0] == "ValidationException"
    logs.call("PutLogGroupDeletionProtection", logGroupIdentifier=arn, deletionProtectionEnabled=False)
    logs.call("DeleteLogGroup", logGroupName="production/api")


def test_keys_of_groups_are_kept(logs):
    logs.call("AssociateKmsKey", logGroupName="g", kmsKeyId="arn:aws:kms:::key/k")
    assert logs.call("DescribeLogGroups")["logGroups"][0]["kmsKeyId"] == "arn:aws:kms:::key/k"
    logs.call("DisassociateKmsKey", logGroupName="g")
    assert "kmsKeyId" not in logs.call("DescribeLogGroups")["logGroups"][0]
    assert logs.refusal("DisassociateKmsKey")[0] == "InvalidParameterException"


def test_a_querys_rights_are_those_of_each_group(inner, logs):
    logs.call("CreateLogGroup", logGroupName="h")
    inner.authorizer.needed.clear()
    asked = {key: value for key, value in query().items() if key != "logGroupName"}
    logs.call("StartQuery", **asked, logGroupNames=["g", "h"])
    assert [(access.action, access.resource) for access in inner.authorizer.needed] == [
        ("logs:StartQuery", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:log-stream:") for name in "gh"
    ]
