"""Whatever comes, the answer is a refusal in AWS's words and never an error of ours."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=30)
PATHS = (
    st.sampled_from(["/", "/b", "/b/k", "/endpoints/e/invocations", "//", "/%", "/%ff/%00", "/b/" + "x/" * 300])
    | PRINTABLE
)
QUERIES = (
    st.sampled_from(
        [
            "",
            "acl",
            "uploads",
            "uploadId=u&partNumber=x",
            "partNumber=99999999999",
            "max-keys=-1",
            "delete",
            "Action=GetCallerIdentity",
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "&&==&",
        ]
    )
    | PRINTABLE
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "x-amz-target",
            "authorization",
            "content-type",
            "x-amz-content-sha256",
            "x-amz-decoded-content-length",
            "host",
            "x-amz-copy-source",
            "range",
            "if-modified-since",
            "x-amz-meta-a",
            "content-encoding",
            "x-amz-date",
            "expect",
            "x-amz-object-lock-retain-until-date",
            "content-md5",
        ]
    ),
    st.sampled_from(
        [
            "SageMaker.DescribeTrainingJob",
            "AWS4-HMAC-SHA256 Credential=A/20260101/r/s3/aws4_request, SignedHeaders=host, Signature=0",
            "application/x-www-form-urlencoded",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "5",
            "-1",
            "b.localhost",
            "b.s3.amazonaws.com",
            "aws-chunked",
        ]
    )
    | PRINTABLE,
    max_size=5,
)
BODIES = st.binary(max_size=60) | st.sampled_from(
    [b"{}", b"[]", b"<a/>", b"Action=GetCallerIdentity&Version=2011-06-15", b"0\r\n\r\n"]
)


@pytest.mark.parametrize("checked", [True, False])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS", "FOO"]),
    PATHS,
    QUERIES,
    HEADERS,
    BODIES,
)
async def test_no_request_is_an_error_of_ours(  # noqa: PLR0917
    world, open_world, checked, method, path, query, headers, body
):
    asked = world if checked else open_world
    asked.explodes = False
    sent = {"host": "127.0.0.1:4599", "content-length": str(len(body)), **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
        "client": None,
    }
    answer = await asked.talk(scope, [{"type": "http.request", "body": body, "more_body": False}])
    assert answer.status < 500 or answer.status == 501, answer
