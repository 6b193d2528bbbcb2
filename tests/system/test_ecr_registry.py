"""The registry's protocol against a started Clary, and what happens to a push that goes wrong."""

from __future__ import annotations

import http.client
import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from clary.services.ecr.manifests import OCI_INDEX, OCI_MANIFEST
from tests.running import RunningClary, wait_until
from tests.system.registry import RegistryClient, basic, digest, manifest

NAME = "team/app"


@pytest.fixture(scope="module")
def client(shared: RunningClary) -> RegistryClient:
    shared.client("ecr").create_repository(repositoryName=NAME)
    return RegistryClient.of(shared)


def test_who_has_not_logged_in_is_asked_to(shared: RunningClary, client: RegistryClient) -> None:
    assert client("GET", "/v2/").status == 200
    stranger = RegistryClient(shared.port)("GET", "/v2/")
    assert stranger.status == 401
    assert stranger.headers["www-authenticate"].startswith("Basic realm=")
    for token in (basic("AWS", "nonsense"), basic("somebody", "else"), "%%%"):
        assert RegistryClient(shared.port, token)("GET", "/v2/").error == "DENIED"


def test_an_image_is_pushed_and_pulled(shared: RunningClary, client: RegistryClient) -> None:
    layer = os.urandom(3_000_000)
    said = client.push(NAME, "latest", b"config", layer)
    pulled = client("GET", f"/v2/{NAME}/manifests/latest", Accept=OCI_MANIFEST)
    assert pulled.headers["content-type"] == OCI_MANIFEST
    assert pulled.headers["docker-content-digest"] == said == digest(pulled.body)
    assert client("HEAD", f"/v2/{NAME}/manifests/{said}").headers["content-length"] == str(len(pulled.body))
    assert client("GET", f"/v2/{NAME}/manifests/{said}", If_None_Match=f'"{said}"').status == 304
    assert client("GET", f"/v2/{NAME}/blobs/{digest(layer)}").body == layer
    assert client("HEAD", f"/v2/{NAME}/blobs/{digest(layer)}").headers["content-length"] == str(len(layer))
    part = client("GET", f"/v2/{NAME}/blobs/{digest(layer)}", Range="bytes=100-199")
    assert (part.status, part.body) == (206, layer[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(layer)}"
    assert client("GET", f"/v2/{NAME}/blobs/{digest(layer)}", Range="bytes=3000000-").status == 416
    detail = shared.client("ecr").describe_images(repositoryName=NAME)["imageDetails"][0]
    assert (detail["imageDigest"], detail["imageTags"]) == (said, ["latest"])


def test_pushing_the_same_again_is_no_error(client: RegistryClient) -> None:
    assert client.push(NAME, "same", b"config") == client.push(NAME, "same", b"config")


def test_a_push_in_one_request_and_one_in_many(client: RegistryClient) -> None:
    whole = os.urandom(100_000)
    done = client("POST", f"/v2/{NAME}/blobs/uploads/?digest={digest(whole)}", whole)
    assert (done.status, done.headers["location"]) == (201, f"/v2/{NAME}/blobs/{digest(whole)}")
    data = os.urandom(250_000)
    upload = client.begin(NAME)
    for first in (0, 100_000):
        last = first + 99_999
        sent = client("PATCH", upload, data[first : last + 1], Content_Range=f"{first}-{last}")
        assert (sent.status, sent.headers["range"]) == (202, f"0-{last}")
    assert client("PUT", f"{upload}?digest={digest(data)}", data[200_000:]).status == 201
    assert client("GET", f"/v2/{NAME}/blobs/{digest(data)}").body == data
    assert client("GET", upload).error == "BLOB_UPLOAD_UNKNOWN"


def test_a_chunk_out_of_order_is_told_where_to_go_on(client: RegistryClient) -> None:
    upload = client.begin(NAME)
    assert client("PATCH", upload, b"hello", Content_Range="0-4").status == 202
    refused = client("PATCH", upload, b"world", Content_Range="6-10")
    assert (refused.status, refused.headers["range"]) == (416, "0-4")
    assert client("GET", upload).headers["range"] == "0-4"
    assert client("DELETE", upload).status == 204
    assert client("DELETE", upload).status == 404


def test_a_push_that_was_cut_off_goes_on_where_it_broke(shared: RunningClary, client: RegistryClient) -> None:
    data, upload = os.urandom(4_000_000), client.begin(NAME)
    with socket.create_connection(("127.0.0.1", shared.port)) as line:
        head = f"PATCH {upload} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {client.token}\r\n"
        line.sendall(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data[:2_500_000])
    wait_until(lambda: client("GET", upload).headers["range"] == "0-2499999", 60, "what had arrived counts")
    assert client("PATCH", upload, data[2_500_000:], Content_Range="2500000-3999999").status == 202
    assert client("PUT", f"{upload}?digest={digest(data)}").status == 201
    assert client("GET", f"/v2/{NAME}/blobs/{digest(data)}").body == data


def test_the_wrong_digest_makes_no_layer(client: RegistryClient) -> None:
    upload = client.begin(NAME)
    assert client("PATCH", upload, b"what was sent").status == 202
    wrong = digest(b"what was meant")
    assert client("PUT", f"{upload}?digest={wrong}").error == "DIGEST_INVALID"
    assert client("PUT", f"{client.begin(NAME)}?digest=md5:1").error == "DIGEST_INVALID"
    assert client("GET", f"/v2/{NAME}/blobs/{wrong}").error == "BLOB_UNKNOWN"
    text = client("GET", f"/v2/{NAME}/manifests/latest").body
    assert client("PUT", f"/v2/{NAME}/manifests/{wrong}", text).error == "DIGEST_INVALID"


def test_a_layer_is_mounted_from_another_repository(shared: RunningClary, client: RegistryClient) -> None:
    shared.client("ecr").create_repository(repositoryName="other")
    layer = client.push_layer(NAME, b"shared by two")
    mounted = client("POST", f"/v2/other/blobs/uploads/?mount={layer}&from={NAME}")
    assert (mounted.status, mounted.headers["location"]) == (201, f"/v2/other/blobs/{layer}")
    assert client("GET", f"/v2/other/blobs/{layer}").body == b"shared by two"
    assert client("POST", f"/v2/other/blobs/uploads/?mount={digest(b'x')}&from={NAME}").status == 202
    shared.client("ecr").delete_repository(repositoryName="other", force=True)
    assert client("GET", f"/v2/{NAME}/blobs/{layer}").body == b"shared by two"


def test_an_index_lists_images_and_keeps_them(client: RegistryClient) -> None:
    said = client.push(NAME, "amd64", b"config", b"of amd64")
    entry = {"mediaType": OCI_MANIFEST, "digest": said, "size": 1, "platform": {"architecture": "amd64", "os": "linux"}}
    text = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    assert client("PUT", f"/v2/{NAME}/manifests/all", text, Content_Type=OCI_INDEX).status == 201
    assert client("GET", f"/v2/{NAME}/manifests/all").headers["content-type"] == OCI_INDEX
    assert client("DELETE", f"/v2/{NAME}/manifests/{said}").error == "DENIED"
    missing = text.replace(said.encode(), digest(b"nothing").encode())
    assert client("PUT", f"/v2/{NAME}/manifests/x", missing).error == "MANIFEST_BLOB_UNKNOWN"


def test_tags_come_in_pages(shared: RunningClary, client: RegistryClient) -> None:
    shared.client("ecr").create_repository(repositoryName="tags")
    for tag in ("b", "c", "a"):
        client.push("tags", tag, b"config")
    first = client("GET", "/v2/tags/tags/list?n=2")
    assert json.loads(first.body) == {"name": "tags", "tags": ["a", "b"]}
    following = first.headers["link"].partition(">")[0].removeprefix("<")
    rest = client("GET", following)
    assert json.loads(rest.body)["tags"] == ["c"]
    assert "link" not in rest.headers
    assert {"tags", NAME} <= set(json.loads(client("GET", "/v2/_catalog").body)["repositories"])


def test_deleting_by_tag_and_by_digest(client: RegistryClient) -> None:
    said = client.push(NAME, "one", b"config", b"to be deleted")
    client.push(NAME, "two", b"config", b"to be deleted")
    assert client("DELETE", f"/v2/{NAME}/manifests/one").status == 202
    assert client("GET", f"/v2/{NAME}/manifests/one").error == "MANIFEST_UNKNOWN"
    assert client("DELETE", f"/v2/{NAME}/manifests/{said}").status == 202
    assert client("GET", f"/v2/{NAME}/manifests/two").error == "MANIFEST_UNKNOWN"


def test_a_repository_that_was_not_created_takes_nothing(client: RegistryClient) -> None:
    assert client("POST", "/v2/nowhere/blobs/uploads/").error == "NAME_UNKNOWN"
    assert client("GET", f"/v2/nowhere/blobs/{digest(b'x')}").error == "NAME_UNKNOWN"
    assert client("GET", "/v2/nowhere/manifests/latest").error == "NAME_UNKNOWN"
    assert client("GET", "/v2/NOT-A-NAME/manifests/latest").error == "NAME_INVALID"
    assert client("GET", "/v2/a/b/c").status == 404


def test_a_manifest_without_its_layers_and_what_is_no_manifest(client: RegistryClient) -> None:
    assert client("PUT", f"/v2/{NAME}/manifests/x", manifest(b"nowhere")).error == "MANIFEST_BLOB_UNKNOWN"
    assert client("PUT", f"/v2/{NAME}/manifests/x", b"{}").error == "MANIFEST_INVALID"
    assert client("PUT", f"/v2/{NAME}/manifests/x", b"\xff").error == "MANIFEST_INVALID"
    assert client("PUT", f"/v2/{NAME}/manifests/x", b" " * (4 * 2**20 + 1)).error == "SIZE_INVALID"


def test_two_pushes_of_one_immutable_tag_at_once(shared: RunningClary, client: RegistryClient) -> None:
    shared.client("ecr").create_repository(repositoryName="fixed", imageTagMutability="IMMUTABLE")
    layers = [f"layer {number}".encode() for number in range(4)]
    for layer in layers:
        client.push_layer("fixed", layer)
    texts = [manifest(layer) for layer in layers]
    with ThreadPoolExecutor(4) as together:
        answers = list(together.map(lambda text: client("PUT", "/v2/fixed/manifests/1.0", text), texts))
    assert sorted(answer.status for answer in answers) == [201, 400, 400, 400]
    assert {answer.error for answer in answers if answer.status == 400} == {"TAG_INVALID"}
    assert digest(client("GET", "/v2/fixed/manifests/1.0").body) in {digest(text) for text in texts}


def test_a_lifecycle_policy_is_applied_as_soon_as_it_is_put(shared: RunningClary, client: RegistryClient) -> None:
    ecr = shared.client("ecr")
    ecr.create_repository(repositoryName="few")
    for tag in ("old", "new"):
        client.push("few", tag, b"config", tag.encode())
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
    rule = {"rulePriority": 1, "description": "one", "selection": selection, "action": {"type": "expire"}}
    ecr.put_lifecycle_policy(repositoryName="few", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    wait_until(lambda: len(ecr.list_images(repositoryName="few")["imageIds"]) == 1, 60, "the old image has gone")
    assert client("GET", "/v2/few/manifests/new").status == 200
    assert client("GET", "/v2/few/manifests/old").error == "MANIFEST_UNKNOWN"


def test_a_host_names_its_region(shared: RunningClary, client: RegistryClient) -> None:
    account = shared.client("sts").get_caller_identity()["Account"]
    key = json.loads((shared.data_dir / "credentials.json").read_text())
    west = boto3.client(
        "ecr",
        "eu-west-1",
        endpoint_url=shared.endpoint_url,
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
    )
    uri = west.create_repository(repositoryName="only-there")["repository"]["repositoryUri"]
    host = uri.partition("/")[0]
    assert host == f"{account}.dkr.ecr.eu-west-1.amazonaws.com"
    there = RegistryClient(shared.port, client.token, {"Host": host})
    there.push("only-there", "latest", b"config")
    assert client("GET", "/v2/only-there/manifests/latest").error == "NAME_UNKNOWN"


def test_the_policies_of_who_logged_in_decide(shared: RunningClary, client: RegistryClient) -> None:
    iam = shared.client("iam")
    iam.create_user(UserName="reader")
    actions = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    ecr = boto3.client(
        "ecr",
        "us-east-1",
        endpoint_url=shared.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    reader = RegistryClient(shared.port, ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"])
    layer = client.push_layer(NAME, b"to be read")
    assert reader("GET", f"/v2/{NAME}/blobs/{layer}").status == 200
    refused = reader("POST", f"/v2/{NAME}/blobs/uploads/")
    assert (refused.status, refused.error) == (403, "DENIED")
    assert b"not authorized to perform: ecr:InitiateLayerUpload" in refused.body


def test_a_layers_url_needs_no_login_and_opens_no_other_repository(
    shared: RunningClary, client: RegistryClient
) -> None:
    ecr, layer = shared.client("ecr"), client.push_layer(NAME, b"by its url")
    url = ecr.get_download_url_for_layer(repositoryName=NAME, layerDigest=layer)["downloadUrl"]
    path = url.removeprefix(shared.endpoint_url)
    anyone = RegistryClient(shared.port)
    assert anyone("GET", path).body == b"by its url"
    token = path.partition("?")[2]
    assert anyone("GET", f"/v2/{NAME}/manifests/latest?{token}").error == "DENIED"
    assert anyone("POST", f"/v2/{NAME}/blobs/uploads/?{token}").error == "DENIED"


def test_s3_and_its_signatures_are_not_mistaken_for_the_registry(shared: RunningClary) -> None:
    s3 = shared.client("s3")
    s3.create_bucket(Bucket="plain")
    s3.put_object(Bucket="plain", Key="v2/x/manifests/latest", Body=b"an object")
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=60)
    connection.request("GET", "/v2/x/manifests/latest", headers={"Host": f"plain.s3.localhost:{shared.port}"})
    assert b"AccessDenied" in connection.getresponse().read()
    connection.close()


@pytest.mark.parametrize("path", ["/v2/../v2/x", "/v2/%00/manifests/x", "/v2/%ff/tags/list", "/v2/a%0ab/tags/list"])
def test_odd_paths_are_refused(client: RegistryClient, path: str) -> None:
    assert client("GET", path).status in (400, 404)
    assert client("GET", f"/v2/{NAME}/tags/list?n={'9' * 5000}").status == 200


def test_without_signatures_nobody_logs_in_and_pages_of_other_sites_may_not_ask(tmp_path: Path) -> None:
    with RunningClary(tmp_path / "data", "--auth", "off") as clary:
        clary.client("ecr").create_repository(repositoryName=NAME)
        anyone = RegistryClient(clary.port)
        said = anyone.push(NAME, "latest", b"config", b"layer")
        assert anyone("GET", f"/v2/{NAME}/manifests/{said}").status == 200
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            page = RegistryClient(clary.port, headers=headers)
            assert page("GET", f"/v2/{NAME}/manifests/latest").error == "DENIED"


def test_processes_killed_in_the_middle_of_a_push_lose_nothing_that_was_acknowledged(clary: RunningClary) -> None:
    clary.client("ecr").create_repository(repositoryName=NAME)
    client, data = RegistryClient.of(clary), os.urandom(900_000)
    upload = client.begin(NAME)
    for first, killed in ((0, "control"), (300_000, "edge")):
        assert client("PATCH", upload, data[first : first + 300_000]).status == 202
        clary.kill(killed)
        wait_until(lambda: _answers(client, upload), 60, f"{killed} is back")
        assert client("GET", upload).headers["range"] == f"0-{first + 299_999}"
    assert client("PATCH", upload, data[600_000:], Content_Range="600000-899999").status == 202
    assert client("PUT", f"{upload}?digest={digest(data)}").status == 201
    assert client("GET", f"/v2/{NAME}/blobs/{digest(data)}").body == data


def _answers(client: RegistryClient, path: str) -> bool:
    try:
        return client("GET", path).status == 204
    except OSError:
        return False
