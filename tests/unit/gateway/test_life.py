"""What a request meets on its way, when all is well and when it is not."""

import json
import logging

import pytest

from clary.errors import AWSError
from clary.gateway.steps import STEPS
from clary.wire.http import Extent

ROOT = "http://127.0.0.1:4599"


def test_the_life_of_a_request_is_one_list():
    names = [step.__name__ for step in STEPS]
    assert names == [
        "admit",
        "identify",
        "receive",
        "authenticate",
        "parse",
        "validate",
        "authorise",
        "take_in",
        "call",
        "respond",
    ]


BROKEN_JSON = [
    b"{",
    b"[]",
    b'"x"',
    b"nul",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"TrainingJobName": 5}',
    b'{"TrainingJobName": []}',
    b'{"TrainingJobName": "\\ud800"}',
    b'{"TrainingJobName": {"a": 1}}',
    b"null",
    b"1e999",
]


@pytest.mark.parametrize("body", BROKEN_JSON, ids=range(len(BROKEN_JSON)))
async def test_broken_json_is_the_clients_fault(open_world, target, body):
    answer = await open_world.ask("POST", ROOT, target("DescribeTrainingJob"), body)
    assert (answer.status, json.loads(answer.body)["__type"]) == (400, "SerializationException")
    assert not open_world.calls


async def test_a_constraint_is_told_in_awss_words(open_world, target):
    answer = await open_world.ask("POST", ROOT, target("DescribeTrainingJob"), b'{"TrainingJobName": "a_b"}')
    said = json.loads(answer.body)
    assert said["__type"] == "ValidationException"
    assert said["message"].startswith(
        "1 validation error detected: Value 'a_b' at 'trainingJobName' failed to satisfy constraint: Member must"
        " satisfy regular expression pattern: "
    )


async def test_services_name_broken_constraints_in_their_own_codes(open_world, target):
    logs = await open_world.ask("POST", ROOT, target("PutLogEvents", "Logs_20140328"), b"{}")
    assert json.loads(logs.body)["__type"] == "InvalidParameterException"
    runtime = await open_world.ask("POST", f"{ROOT}/endpoints/a_b/invocations", {}, b"")
    assert runtime.headers["x-amzn-errortype"] == "ValidationError"


async def test_an_error_of_the_operation_travels_with_its_members(open_world, target):
    open_world.outputs["DescribeTrainingJob"] = AWSError("ResourceNotFound", "Requested resource not found.")
    answer = await open_world.ask("POST", ROOT, target("DescribeTrainingJob"), b'{"TrainingJobName": "job"}')
    said = json.loads(answer.body)
    assert (answer.status, said["__type"], said["Message"]) == (
        400,
        "ResourceNotFound",
        "Requested resource not found.",
    )


async def test_an_operation_without_output_answers_an_empty_body(open_world, target):
    answer = await open_world.ask("POST", ROOT, target("DeleteModel"), b'{"ModelName": "m"}')
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")


async def test_what_is_not_offered_says_where_to_look(open_world, target):
    answer = await open_world.ask("POST", ROOT, target("CreatePipeline"), b"{}")
    said = json.loads(answer.body)
    assert (answer.status, said["__type"]) == (501, "UnknownOperationException")
    assert "sagemaker.CreatePipeline" in said["message"] and "clary coverage" in said["message"]
    s3 = await open_world.ask("GET", f"{ROOT}/b?acl")
    assert s3.status == 501 and b"<Code>NotImplemented</Code>" in s3.body


async def test_a_service_that_is_not_offered_says_so_in_its_own_protocol(world, signed, target):
    url, headers = signed("v4", "dynamodb", "POST", ROOT + "/", target("ListTables", "DynamoDB_20120810"), b"{}")
    answer = await world.ask("POST", url, headers, b"{}")
    assert answer.status == 501 and "dynamodb" in json.loads(answer.body)["message"]
    url, headers = signed("v4", "lambda", "GET", f"{ROOT}/2015-03-31/functions/")
    answer = await world.ask("GET", url, headers)
    assert answer.status == 501 and "lambda" in json.loads(answer.body)["message"]
    form = b"Action=DescribeStacks&Version=2010-05-15"
    sent = {"content-type": "application/x-www-form-urlencoded"}
    url, headers = signed("v4", "cloudformation", "POST", ROOT + "/", sent, form)
    answer = await world.ask("POST", url, headers, form)
    assert answer.status == 501 and b"<Code>NotImplemented</Code>" in answer.body


async def test_names_that_no_service_has_are_unknown(open_world, target):
    answer = await open_world.ask("POST", ROOT, target("MakeCoffee"), b"{}")
    assert (answer.status, json.loads(answer.body)["__type"]) == (404, "UnknownOperationException")
    form = b"Action=MakeCoffee&Version=2011-06-15"
    query = await open_world.ask("POST", ROOT, {"content-type": "application/x-www-form-urlencoded"}, form)
    assert query.status == 400 and b"<Code>InvalidAction</Code>" in query.body
    s3 = await open_world.ask("PATCH", f"{ROOT}/b/k")
    assert s3.status == 405 and b"<Code>MethodNotAllowed</Code>" in s3.body


async def test_what_goes_wrong_within_is_logged_and_never_told(open_world, target, caplog):
    with caplog.at_level(logging.ERROR):
        answer = await open_world.ask("GET", f"{ROOT}/b?list-type=2")
    assert answer.status == 500 and b"<Code>InternalError</Code>" in answer.body
    assert b"secret" not in answer.body and "a secret inside" in caplog.text
    assert answer.headers["x-amz-request-id"] in caplog.text
    open_world.outputs["DeleteModel"] = KeyError("a secret inside")
    answer = await open_world.ask("POST", ROOT, target("DeleteModel"), b'{"ModelName": "m"}')
    assert (answer.status, json.loads(answer.body)["__type"]) == (500, "InternalFailure")
    assert b"secret" not in answer.body


async def test_a_body_that_is_too_large_is_refused_before_it_is_kept(open_world, target):
    answer = await open_world.ask("POST", ROOT, target("DeleteModel"), chunks=[b"x" * 2**20] * 17)
    assert answer.status == 413
    model = await open_world.ask("POST", f"{ROOT}/endpoints/e/invocations", {}, b"x" * 6_291_457)
    assert model.status == 413
    assert (await open_world.ask("POST", f"{ROOT}/endpoints/e/invocations", {}, b"x" * 6_291_456)).status == 200


async def test_denied_calls_are_told_in_each_protocols_code(world, signed, target):
    world.rules.denied = {"sagemaker:DeleteModel", "s3:PutObject", "sts:GetCallerIdentity"}
    body = b'{"ModelName": "m"}'
    url, headers = signed("v4", "sagemaker", "POST", ROOT + "/", target("DeleteModel"), body)
    answer = await world.ask("POST", url, headers, body)
    assert (answer.status, json.loads(answer.body)["__type"]) == (400, "AccessDeniedException")
    url, headers = signed("s3v4", "s3", "PUT", f"{ROOT}/b/k", {}, b"x")
    answer = await world.ask("PUT", url, headers, b"x")
    assert answer.status == 403 and b"<Code>AccessDenied</Code>" in answer.body
    assert not world.bodies.kept and not world.calls


async def test_a_large_body_of_a_refused_call_is_not_read(world):
    answer = await world.ask("PUT", f"{ROOT}/b/k", {"content-length": str(2**40)}, chunks=[b"x"], hang=True)
    assert answer.status == 403 and answer.headers["connection"] == "close"


async def test_head_answers_sizes_without_a_body(open_world):
    answer = await open_world.ask("HEAD", f"{ROOT}/b/k")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "11")


async def test_bad_paths_are_told(open_world):
    answer = await open_world.ask("GET", f"{ROOT}/b/%ff")
    assert answer.status == 400 and b"<Code>InvalidURI</Code>" in answer.body


BROKEN_XML = [
    b"<",
    b"<a/>" * 2,
    b"\xff",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><Delete>&b;</Delete>",
    b"<Delete><Object/></Delete",
    b"",
    b'<?xml version="1.0" encoding="nonsense"?><Delete/>',
    b"<Delete><Quiet>perhaps</Quiet></Delete>",
]


@pytest.mark.parametrize("body", BROKEN_XML, ids=range(len(BROKEN_XML)))
async def test_broken_xml_is_the_clients_fault(open_world, body):
    answer = await open_world.ask("POST", f"{ROOT}/b?delete", {}, body)
    assert answer.status == 400 and not open_world.calls


async def test_a_number_that_is_none_is_told_with_its_name(open_world):
    answer = await open_world.ask("GET", f"{ROOT}/b?list-type=2&max-keys=many")
    assert answer.status == 400 and b"<ArgumentName>max-keys</ArgumentName>" in answer.body


async def test_files_are_streamed_across_segments(open_world, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"a" * 700_000)
    second.write_bytes(b"b" * 700_000)
    open_world.extent = Extent(((first, 1, 600_000), (second, 2, 600_000)), 1_200_000)
    answer = await open_world.ask("GET", f"{ROOT}/b/some/key")
    assert answer.body == b"a" * 600_000 + b"b" * 600_000
    assert answer.headers["content-length"] == "1200000"
    assert answer.headers["x-amz-meta-key"] == "some/key"


@pytest.mark.parametrize("size", [10, 500_000])
async def test_a_file_that_is_gone_is_an_error_and_not_half_an_answer(open_world, tmp_path, size):
    open_world.extent = Extent(((tmp_path / "gone", 0, size),), size)
    answer = await open_world.ask("GET", f"{ROOT}/b/k")
    assert answer.status == 500 and b"<Code>InternalError</Code>" in answer.body


async def test_header_values_cannot_become_headers(open_world):
    answer = await open_world.ask("GET", f"{ROOT}/b/a%0d%0aset-cookie:x")
    assert "\r" not in answer.headers["x-amz-meta-key"] and "set-cookie" not in answer.headers


async def test_own_paths_are_answered_and_fail_without_telling(open_world):
    assert (await open_world.ask("GET", f"{ROOT}/_clary/health")).body == b"fine"
    assert (await open_world.ask("GET", f"{ROOT}/_clary/nothing")).status == 404
    broken = await open_world.ask("GET", f"{ROOT}/_clary/credentials/c-1")
    assert broken.status == 500 and b"secret" not in broken.body


async def test_pages_of_other_sites_may_not_ask_own_paths(open_world):
    assert (await open_world.ask("POST", f"{ROOT}/_clary/health", {"origin": "http://evil.example"})).status == 403
    assert (await open_world.ask("POST", f"{ROOT}/_clary/health", {"origin": ROOT})).status == 200
