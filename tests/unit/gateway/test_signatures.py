import datetime as dt
import itertools
import json
from unittest.mock import patch

import pytest

ROOT = "http://127.0.0.1:4599"
KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token/with+odd=chars"
BODY = b'{"TrainingJobName":"job"}'


def at(moment):
    return patch("botocore.auth.get_current_datetime", lambda: moment)


def utc(**ago):
    return dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(**ago)


@pytest.mark.parametrize("token", [None, TOKEN])
async def test_a_signed_json_call_reaches_control_with_its_caller(world, signed, target, token):
    url, headers = signed("v4", "sagemaker", "POST", ROOT + "/", target("DescribeTrainingJob"), BODY, token=token)
    world.outputs["DescribeTrainingJob"] = {"TrainingJobName": "job"}
    answer = await world.ask("POST", url, headers, BODY)
    assert (answer.status, json.loads(answer.body)) == (200, {"TrainingJobName": "job"})
    call = world.calls[0]
    assert (call.service, call.operation, call.region) == ("sagemaker", "DescribeTrainingJob", "us-east-1")
    assert call.principal.kind == "user" and call.params == {"TrainingJobName": "job"}
    assert answer.headers["x-amzn-requestid"] == call.request_id


@pytest.mark.parametrize("name", ["plain", "My%2FName", "a%20b", "a~b", "%C3%BC", "..%2F.."])
async def test_an_encoded_path_is_signed_twice_encoded(world, signed, name):
    url, headers = signed("v4", "sagemaker", "POST", f"{ROOT}/endpoints/{name}/invocations", {}, b"1,2")
    answer = await world.ask("POST", url, headers, b"1,2")
    if name == "plain":
        assert answer.body == b"2,1"
    else:  # the signature held; the name does not
        assert b"at 'endpointName' failed to satisfy constraint" in answer.body


PRESIGNED = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE/20260101/us-east-1/s3/aws4_request"
    "&X-Amz-Signature=b&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Expires="
)

S3_PATHS = [
    "/b/k",
    "/b/a%2Fb",
    "/b/a%20b%2Bc",
    "/b//double//slash/",
    "/b/%C3%BC~-_.",
    "/b/./../x",
    "/b/a%2Bb%40c%3Ad%21%24%27%28%29%2A%2C%3B%3D",
]


@pytest.mark.parametrize("path", S3_PATHS)
@pytest.mark.parametrize("kind", ["s3v4", "s3v4-query", "v2", "v2-query"])
async def test_s3_paths_are_signed_as_they_are(world, signed, kind, path):
    url, headers = signed(kind, "s3", "GET", ROOT + path)
    answer = await world.ask("GET", url, headers)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("kind", ["s3v4", "s3v4-query", "v2", "v2-query"])
@pytest.mark.parametrize("token", [None, TOKEN])
async def test_s3_queries_and_tokens_are_signed(world, signed, kind, token):
    query = "?response-content-type=text%2Fplain&versionId=a%20b&partNumber=2&x-unknown="
    url, headers = signed(kind, "s3", "GET", f"{ROOT}/b/k{query}", token=token)
    answer = await world.ask("GET", url, headers)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize(("kind", "host"), [("s3v4", "b.localhost:4599"), ("v2-query", "b.s3.amazonaws.com")])
async def test_virtual_hosts_name_the_bucket(world, signed, kind, host):
    url, headers = signed(kind, "s3", "DELETE", f"http://{host}/k", path="/b/k")
    assert (await world.ask("DELETE", url, headers)).status == 204
    assert world.calls[0].params == {"Bucket": "b", "Key": "k"}


@pytest.mark.parametrize("path", ["/b", "/b/"])
async def test_an_old_signature_of_a_bucket_is_of_its_path_with_or_without_a_slash(world, signed, path):
    url, headers = signed("v2-query", "s3", "PUT", f"{ROOT}/b", path=path)
    assert (await world.ask("PUT", url, headers)).status == 200
    assert world.calls[0].params == {"Bucket": "b"}


@pytest.mark.parametrize("kind", ["v4", "v4-query"])
async def test_a_form_and_a_presigned_form_are_the_same_call(world, signed, kind):
    world.outputs["GetCallerIdentity"] = {"Account": "000000000000"}
    query = "Action=GetCallerIdentity&Version=2011-06-15"
    if kind == "v4":
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        url, headers = signed(kind, "sts", "POST", ROOT + "/", headers, query.encode())
        answer = await world.ask("POST", url, headers, query.encode())
    else:
        url, headers = signed(kind, "sts", "GET", f"{ROOT}/?{query}")
        answer = await world.ask("GET", url, headers)
    assert answer.status == 200 and b"<Account>000000000000</Account>" in answer.body


@pytest.mark.parametrize("kind", ["s3v4", "s3v4-query", "v2", "v2-query"])
async def test_a_wrong_secret_is_refused_by_s3(world, signed, kind):
    url, headers = signed(kind, "s3", "GET", f"{ROOT}/b/k", secret="wrong")
    answer = await world.ask("GET", url, headers)
    assert answer.status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in answer.body
    assert not world.calls


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secret": "wrong"}, "InvalidSignatureException"),
        ({"key": "AKIDUNKNOWN"}, "UnrecognizedClientException"),
        ({"token": "forged"}, "UnrecognizedClientException"),
    ],
)
async def test_json_services_refuse_in_their_own_codes(world, signed, target, change, code):
    url, headers = signed("v4", "sagemaker", "POST", ROOT + "/", target("DescribeTrainingJob"), BODY, **change)
    answer = await world.ask("POST", url, headers, BODY)
    assert (answer.status, json.loads(answer.body)["__type"]) == (400, code)


async def test_the_query_protocol_refuses_in_its_own_codes(world, signed):
    form = b"Action=GetCallerIdentity&Version=2011-06-15"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    url, sent = signed("v4", "sts", "POST", ROOT + "/", headers, form, key="AKIDUNKNOWN")
    answer = await world.ask("POST", url, sent, form)
    assert answer.status == 403 and b"<Code>InvalidClientTokenId</Code>" in answer.body
    unsigned = await world.ask("POST", ROOT + "/", headers, form)
    assert unsigned.status == 403 and b"<Code>MissingAuthenticationToken</Code>" in unsigned.body


async def test_a_body_that_was_not_signed_is_refused(world, signed, target):
    url, headers = signed("v4", "sagemaker", "POST", ROOT + "/", target("DescribeTrainingJob"), BODY)
    answer = await world.ask("POST", url, headers, BODY.replace(b"job", b"jab"))
    assert json.loads(answer.body)["__type"] == "InvalidSignatureException"


async def test_a_header_that_was_not_signed_is_refused_by_s3(world, signed):
    url, headers = signed("s3v4", "s3", "PUT", f"{ROOT}/b/k", {}, b"x")
    answer = await world.ask("PUT", url, headers | {"x-amz-acl": "public-read"}, b"x")
    assert answer.status == 403 and b"<HeadersNotSigned>x-amz-acl</HeadersNotSigned>" in answer.body


@pytest.mark.parametrize(("ago", "word"), [({"minutes": 16}, "expired"), ({"minutes": -16}, "not yet current")])
async def test_clocks_that_differ_are_told_so(world, signed, target, ago, word):
    with at(utc(**ago)):
        url, headers = signed("v4", "sagemaker", "POST", ROOT + "/", target("DescribeTrainingJob"), BODY)
        s3_url, s3_headers = signed("s3v4", "s3", "GET", f"{ROOT}/b/k")
    answer = json.loads((await world.ask("POST", url, headers, BODY)).body)
    assert answer["__type"] == "InvalidSignatureException" and word in answer["message"]
    s3 = await world.ask("GET", s3_url, s3_headers)
    assert s3.status == 403 and b"<Code>RequestTimeTooSkewed</Code>" in s3.body


@pytest.mark.parametrize("kind", ["s3v4-query", "v2-query"])
async def test_a_presigned_url_ends_when_it_says(world, signed, kind):
    with at(utc(hours=1, minutes=1)), patch("botocore.auth.time.time", lambda: utc_seconds() - 3660):
        url, headers = signed(kind, "s3", "GET", f"{ROOT}/b/k")
    answer = await world.ask("GET", url, headers)
    assert answer.status == 403 and b"<Message>Request has expired</Message>" in answer.body


def utc_seconds():
    return dt.datetime.now(dt.UTC).timestamp()


async def test_a_signature_for_another_service_is_refused(world, signed):
    url, headers = signed("s3v4", "sagemaker", "GET", f"{ROOT}/b/k")
    assert (await world.ask("GET", url, headers)).status >= 400
    assert not world.calls


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
@pytest.mark.parametrize("between", [",", ", "], ids=["bare", "spaced"])
async def test_the_parts_of_a_signature_stand_in_any_order(world, signed, target, order, between):
    headers = target("DescribeTrainingJob")
    _, headers = signed("v4", "sagemaker", "POST", ROOT + "/", headers, BODY)
    algorithm, _, rest = headers["authorization"].partition(" ")
    parts = rest.split(", ")
    headers["authorization"] = f"{algorithm} {between.join(parts[place] for place in order)}"
    assert (await world.ask("POST", ROOT + "/", headers, BODY)).status == 200


@pytest.mark.parametrize(
    "header",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=a/20260101/r/sagemaker/aws4_request, SignedHeaders=host",
        "AWS4-ECDSA-P256-SHA256 Credential=a/20260101/r/sagemaker/aws4_request, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/r/sagemaker/aws4_request, SignedHeaders=host, Signature=ü",
        "AWS4-HMAC-SHA256 ,,,===,",
        "AWS broken",
        "Bearer x",
    ],
)
@pytest.mark.parametrize("date", ["20260101T000000Z", "yesterday", ""])
async def test_broken_signatures_are_refused_and_never_an_error_of_ours(world, target, header, date):
    headers = target("DescribeTrainingJob") | {"authorization": header, "x-amz-date": date}
    answer = await world.ask("POST", ROOT + "/", headers, BODY)
    assert 400 <= answer.status < 500, answer.body
    assert not world.calls


async def test_a_day_after_the_year_9999_is_no_date(world, target):
    scope = "Credential=AKIDEXAMPLE/20260101/r/sagemaker/aws4_request"
    given = {"authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x"}
    given["date"] = "Fri, 31 Dec 9999 23:59:59 -2359"
    answer = await world.ask("POST", ROOT + "/", target("DescribeTrainingJob") | given, BODY)
    assert answer.status == 400, answer.body


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Algorithm=x",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "AWSAccessKeyId=a&Signature=b&Expires=ü",
        "AWSAccessKeyId=AKIDEXAMPLE&Signature=b&Expires=x",
        "AWSAccessKeyId=a",
        PRESIGNED + "1" * 5000,
        PRESIGNED + "0" * 5000,
    ],
    ids=["algorithm", "nothing else", "odd letter", "no number", "key only", "for ever", "zeros"],
)
async def test_broken_presigned_urls_are_refused(world, query):
    answer = await world.ask("GET", f"{ROOT}/b/k?{query}")
    assert 400 <= answer.status < 404


async def test_without_checking_any_signature_is_the_default_role(open_world, signed, target):
    url, headers = signed(
        "v4", "sagemaker", "POST", ROOT + "/", target("DescribeTrainingJob"), BODY, key="x", secret="y"
    )
    assert (await open_world.ask("POST", url, headers, BODY)).status == 200
    assert (await open_world.ask("POST", ROOT + "/", target("DescribeTrainingJob"), BODY)).status == 200
    assert {call.principal.kind for call in open_world.calls} == {"assumed-role"}
