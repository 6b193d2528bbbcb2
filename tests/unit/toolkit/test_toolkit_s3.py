"""Fetching sources: one signed request, checked against botocore and a real HTTP server."""

import json
import threading
import urllib.parse
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from clary.toolkit import credentials, s3
from clary.toolkit.credentials import Credentials
from clary.toolkit.errors import ClientError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class S3Signer(SigV4Auth):
    """botocore's signer for S3 takes the path as it stands."""

    def _normalize_url_path(self, path):
        return path


def botocores(url, keys, monkeypatch_time):
    request = AWSRequest("GET", url, headers={"x-amz-content-sha256": s3._EMPTY})
    request.context["timestamp"] = NOW.strftime("%Y%m%dT%H%M%SZ")
    signer = S3Signer(BotocoreCredentials(*keys), "s3", "eu-west-1")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if keys.token:
        request.headers["X-Amz-Security-Token"] = keys.token
    canonical = signer.canonical_request(request)
    return signer.signature(signer.string_to_sign(request, canonical), request)


@given(key=st.text(min_size=1, max_size=40), token=st.sampled_from([None, "a-token"]))
def test_the_signature_is_botocores(key, token):
    keys = Credentials("AKIAEXAMPLE", "secret/key+x", token)
    url = f"http://127.0.0.1:4599/bucket/{urllib.parse.quote(key, safe='/-_.~')}"
    headers = s3.sign(url, "eu-west-1", keys, NOW)
    assert headers["authorization"].endswith("Signature=" + botocores(url, keys, None))


def test_urls_are_taken_apart():
    assert s3.parse("s3://bucket/a/b c?.tar.gz") == ("bucket", "a/b c?.tar.gz")
    for bad in ("http://bucket/key", "s3://bucket", "s3://bucket/", "s3:///key"):
        with pytest.raises(ValueError, match="Expecting 's3' scheme"):
            s3.parse(bad)


CUT = "the connection is closed in the middle of the body"


class Endpoint:
    """An HTTP server that answers from a list, and keeps what it was asked. CUT is a status too."""

    def __init__(self, *answers):
        self.asked = []
        endpoint = self
        remaining = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                endpoint.asked.append((self.path, dict(self.headers)))
                status, body = remaining.pop(0) if len(remaining) > 1 else remaining[0]
                self.send_response(200 if status is CUT else status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if status is CUT else body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def endpoint():
    opened = []

    def start(*answers):
        opened.append(Endpoint(*answers))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def environ(endpoint, **more):
    return {"AWS_ENDPOINT_URL": endpoint.url, "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", **more}


def test_an_object_is_fetched(endpoint, tmp_path):
    s3_ = endpoint((200, b"x" * 3_000_000))
    s3.download("s3://bucket/a b.tar.gz", tmp_path / "x", environ(s3_))
    assert (tmp_path / "x").read_bytes() == b"x" * 3_000_000
    assert s3_.asked[0][0] == "/bucket/a%20b.tar.gz"


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr(s3, "_BACKOFF_SECONDS", 0.0)


@pytest.mark.parametrize("first", [503, CUT])
def test_a_server_that_fails_for_a_moment_is_asked_again(first, endpoint, tmp_path, no_pause):
    s3_ = endpoint((first, b"half"), (200, b"fine"))
    s3.download("s3://bucket/key", tmp_path / "x", environ(s3_))
    assert (tmp_path / "x").read_bytes() == b"fine"


@pytest.mark.parametrize("first", [503, CUT])
def test_credentials_that_do_not_come_for_a_moment_are_asked_for_again(first, endpoint, tmp_path, no_pause):
    answer = json.dumps({"AccessKeyId": "ASIA", "SecretAccessKey": "s"}).encode()
    roles = endpoint((first, answer), (200, answer))
    s3_ = endpoint((200, b"fine"))
    uri = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": roles.url}
    s3.download("s3://bucket/key", tmp_path / "x", {"AWS_ENDPOINT_URL": s3_.url, **uri})
    assert (tmp_path / "x").read_bytes() == b"fine"


def test_credentials_that_never_come_are_said(endpoint, tmp_path, no_pause):
    roles = endpoint((503, b""))
    uri = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": roles.url}
    with pytest.raises(ClientError, match=r"Error when retrieving credentials from container-role: HTTP Error 503"):
        s3.download("s3://bucket/key", tmp_path / "x", {"AWS_ENDPOINT_URL": roles.url, **uri})
    assert len(roles.asked) == 6


def test_a_refusal_is_told_in_s3s_words(endpoint, tmp_path):
    body = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
    with pytest.raises(ClientError, match=r"NoSuchKey.*The specified key does not exist"):
        s3.download("s3://bucket/key", tmp_path / "x", environ(endpoint((404, body))))


def test_container_credentials_are_fetched_with_their_token(endpoint, tmp_path):
    answer = {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
    server = endpoint((200, json.dumps(answer).encode()))
    token = tmp_path / "token"
    token.write_text("from the file\n")
    for extra in (
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "from the file"},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token)},
    ):
        found = credentials.find({"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url + "/c", **extra})
        assert found == Credentials("ASIA", "s", "t")
    assert {headers["Authorization"] for _, headers in server.asked} == {"from the file"}


def test_no_credentials_are_said():
    with pytest.raises(ClientError, match="Unable to locate credentials"):
        credentials.find({})


def test_an_endpoint_that_answers_nonsense_is_said(endpoint):
    with pytest.raises(ClientError, match="Error when retrieving credentials"):
        credentials.find({"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint((200, b"nonsense")).url})
    with pytest.raises(ClientError, match="Unsupported address"):
        credentials.find({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "file:///etc/passwd"})
