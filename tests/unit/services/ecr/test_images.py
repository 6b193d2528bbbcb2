"""Images and layers as ECR's own operations push and fetch them."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from clary.errors import AWSError
from clary.identity.sealing import Sealer
from clary.services.ecr.tokens import opened
from tests.unit.services.ecr.pushing import digest, has, index, manifest, push, push_layer, put

ACCOUNT = "000000000000"


def ids(ecr, **more):
    listed = ecr.call("ListImages", repositoryName="app", **more)["imageIds"]
    return {(each["imageDigest"], each.get("imageTag")) for each in listed}


def test_a_pushed_image_is_fetched_as_it_was_written(ecr):
    text = push(ecr, "one", "latest")
    fetched = ecr.call("BatchGetImage", repositoryName="app", imageIds=[{"imageTag": "latest"}])
    assert fetched["failures"] == []
    assert fetched["images"][0]["imageManifest"] == text
    assert fetched["images"][0]["imageId"] == {"imageDigest": digest(text.encode()), "imageTag": "latest"}
    detail = ecr.call("DescribeImages", repositoryName="app")["imageDetails"][0]
    assert detail["imageTags"] == ["latest"]
    assert detail["imageSizeInBytes"] == len(b"config") + len(b"layer of one")
    assert "lastRecordedPullTime" in detail


def test_a_layer_of_many_parts_is_joined_and_checked(inner, ecr):
    data = bytes(range(256)) * 5000
    layer = push_layer(ecr, data, part=100_000)
    stored = inner.objects.head("ecr/layers", f"{ACCOUNT}/us-east-1/app@{layer}")
    assert b"".join(inner.objects.read(stored)) == data
    assert [each.key for each in inner.objects.list("ecr/layers", "uploads/")] == []


def test_a_part_that_does_not_follow_the_last_is_refused_and_says_where_to_go_on(ecr):
    upload = {"repositoryName": "app", "uploadId": ecr.call("InitiateLayerUpload", repositoryName="app")["uploadId"]}
    ecr.call("UploadLayerPart", **upload, partFirstByte=0, partLastByte=4, layerPartBlob=b"hello")
    with pytest.raises(AWSError) as raised:
        ecr.call("UploadLayerPart", **upload, partFirstByte=4, partLastByte=8, layerPartBlob=b"world")
    assert raised.value.code == "InvalidLayerPartException"
    assert raised.value.members["lastValidByteReceived"] == 4
    ecr.call("UploadLayerPart", **upload, partFirstByte=5, partLastByte=9, layerPartBlob=b"world")
    ecr.call("CompleteLayerUpload", **upload, layerDigests=[digest(b"helloworld")])
    assert has(ecr, digest(b"helloworld"))


def test_the_wrong_digest_makes_no_layer_and_leaves_no_file(inner, ecr):
    for parts in ([b"hello"], [b"hel", b"lo"]):
        upload = {
            "repositoryName": "app",
            "uploadId": ecr.call("InitiateLayerUpload", repositoryName="app")["uploadId"],
        }
        first = 0
        for part in parts:
            last = first + len(part) - 1
            ecr.call("UploadLayerPart", **upload, partFirstByte=first, partLastByte=last, layerPartBlob=part)
            first = last + 1
        said = [digest(b"something else")]
        assert ecr.refusal("CompleteLayerUpload", **upload, layerDigests=said)[0] == "InvalidLayerException"
    assert list(inner.objects.list("ecr/layers")) == []
    assert not has(ecr, digest(b"something else"))


def test_an_upload_without_a_byte_is_no_layer(ecr):
    upload = {"repositoryName": "app", "uploadId": ecr.call("InitiateLayerUpload", repositoryName="app")["uploadId"]}
    assert ecr.refusal("CompleteLayerUpload", **upload, layerDigests=[digest(b"")])[0] == "EmptyUploadException"
    unknown = {**upload, "uploadId": "00000000-0000-0000-0000-000000000000"}
    assert ecr.refusal("CompleteLayerUpload", **unknown, layerDigests=[digest(b"x")])[0] == "UploadNotFoundException"


def test_an_image_needs_its_layers_and_an_index_its_images(ecr):
    code, text = ecr.refusal("PutImage", repositoryName="app", imageManifest=manifest(b"nowhere"))
    assert code == "LayersNotFoundException"
    assert digest(b"nowhere") in text
    listed = manifest(b"nowhere")
    assert ecr.refusal("PutImage", repositoryName="app", imageManifest=index(listed))[0] == (
        "ReferencedImagesNotFoundException"
    )
    assert ecr.call("ListImages", repositoryName="app")["imageIds"] == []


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"schemaVersion": 1}',
        '{"schemaVersion": 2, "config": 7, "layers": []}',
        '{"schemaVersion": 2, "mediaType": "text/plain"}',
        '{"schemaVersion": 2, "config": {"digest": "md5:0", "size": 1}, "layers": []}',
    ],
)
def test_what_is_no_manifest_is_refused(ecr, text):
    code, message = ecr.refusal("PutImage", repositoryName="app", imageManifest=text)
    assert (code, message[:38]) == ("InvalidParameterException", "Invalid parameter at 'ImageManifest' f")


def test_the_same_image_and_tag_again_is_told_and_another_tag_is_added(ecr):
    text = push(ecr, "one", "a")
    said = digest(text.encode())
    assert ecr.refusal("PutImage", repositoryName="app", imageManifest=text, imageTag="a") == (
        "ImageAlreadyExistsException",
        (
            f"Image with digest '{said}' and tag 'a' already exists in the repository with name 'app' "
            f"in registry with id '{ACCOUNT}'"
        ),
    )
    put(ecr, text, "b")
    assert ids(ecr) == {(said, "a"), (said, "b")}


def test_a_tag_moves_and_what_it_left_stays_untagged(ecr):
    first, second = push(ecr, "one", "latest"), push(ecr, "two", "latest")
    assert ids(ecr) == {(digest(first.encode()), None), (digest(second.encode()), "latest")}
    assert ids(ecr, filter={"tagStatus": "UNTAGGED"}) == {(digest(first.encode()), None)}


# The text is the one that Docker shows of AWS's registry (many public issues, among them GoogleContainerTools/jib's).
def test_an_immutable_tag_stays(ecr):
    ecr.call(
        "PutImageTagMutability",
        repositoryName="app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev-*"}],
    )
    push(ecr, "one", "1.0")
    push(ecr, "one", "dev-1")
    other = push(ecr, "two", "dev-1")
    assert ecr.refusal("PutImage", repositoryName="app", imageManifest=other, imageTag="1.0") == (
        "ImageTagAlreadyExistsException",
        (
            "The image tag '1.0' already exists in the 'app' repository and cannot be overwritten because the tag is "
            "immutable."
        ),
    )


def test_two_pushes_of_one_tag_at_once_leave_the_tag_on_one_of_them(ecr):
    texts = [push(ecr, f"image {number}") for number in range(8)]
    with ThreadPoolExecutor(8) as together:
        list(together.map(lambda text: put(ecr, text, "latest"), texts))
    tagged = [each for each in ids(ecr) if each[1]]
    assert len(ids(ecr)) == 8
    assert len(tagged) == 1


def test_two_pushes_of_one_immutable_tag_at_once_succeed_once(ecr):
    ecr.call("PutImageTagMutability", repositoryName="app", imageTagMutability="IMMUTABLE")
    texts = [push(ecr, f"image {number}") for number in range(8)]

    def attempt(text):
        try:
            return put(ecr, text, "1.0")
        except AWSError as refused:
            return refused.code

    with ThreadPoolExecutor(8) as together:
        outcomes = list(together.map(attempt, texts))
    assert outcomes.count("ImageTagAlreadyExistsException") == 7


def test_deleting_by_tag_takes_the_image_with_its_last_tag(ecr):
    said = digest(push(ecr, "one", "a").encode())
    put(ecr, push_text(ecr), "b")
    gone = ecr.call("BatchDeleteImage", repositoryName="app", imageIds=[{"imageTag": "a"}])
    assert gone["imageIds"] == [{"imageDigest": said, "imageTag": "a"}]
    assert ids(ecr) == {(said, "b")}
    ecr.call("BatchDeleteImage", repositoryName="app", imageIds=[{"imageTag": "b"}])
    assert ids(ecr) == set()


def push_text(ecr):
    return ecr.call("BatchGetImage", repositoryName="app", imageIds=[{"imageTag": "a"}])["images"][0]["imageManifest"]


def test_what_cannot_be_deleted_is_told_one_by_one(ecr):
    text = push(ecr, "one", "a")
    child, listing = digest(text.encode()), index(text)
    put(ecr, listing, "all")
    wanted = [{"imageDigest": child}, {"imageTag": "none"}, {"imageDigest": "md5:1"}, {}]
    failures = ecr.call("BatchDeleteImage", repositoryName="app", imageIds=wanted)["failures"]
    assert [each["failureCode"] for each in failures] == [
        "ImageReferencedByManifestList",
        "ImageNotFound",
        "InvalidImageDigest",
        "MissingDigestAndTag",
    ]
    assert failures[1]["failureReason"] == "Requested image not found"
    ecr.call("BatchDeleteImage", repositoryName="app", imageIds=[{"imageTag": "all"}])
    assert not ecr.call("BatchDeleteImage", repositoryName="app", imageIds=[{"imageDigest": child}])["failures"]


def test_an_unknown_image_is_named_by_describe(ecr):
    assert ecr.refusal("DescribeImages", repositoryName="app", imageIds=[{"imageTag": "x"}]) == (
        "ImageNotFoundException",
        (
            "The image with imageId {imageDigest:'null', imageTag:'x'} does not exist within the repository with name "
            f"'app' in the registry with id '{ACCOUNT}'"
        ),
    )


def test_pages_of_images_show_each_once(ecr):
    for number in range(5):
        push(ecr, f"image {number}", f"t{number}")
    seen, token = [], None
    while True:
        more = {"nextToken": token} if token else {}
        page = ecr.call("ListImages", repositoryName="app", maxResults=2, **more)
        seen += [each["imageTag"] for each in page["imageIds"]]
        token = page.get("nextToken")
        if token is None:
            break
    assert sorted(seen) == [f"t{number}" for number in range(5)]


def test_what_says_something_of_an_image_is_found_by_it(ecr):
    text = push(ecr, "one", "a")
    subject = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(text.encode()), "size": 1}
    signature = manifest(b"config", subject=subject, artifactType="application/signature", annotations={"by": "me"})
    put(ecr, signature)
    found = ecr.call("ListImageReferrers", repositoryName="app", subjectId={"imageDigest": digest(text.encode())})
    assert [(each["digest"], each["artifactType"]) for each in found["referrers"]] == [
        (digest(signature.encode()), "application/signature")
    ]


def test_the_url_of_a_layer_names_it_and_opens_nothing_else(inner, ecr):
    layer = push_layer(ecr, b"data")
    url = ecr.call("GetDownloadUrlForLayer", repositoryName="app", layerDigest=layer)["downloadUrl"]
    assert url.startswith(f"{inner.settings.endpoint_url}/v2/app/blobs/{layer}?token=")
    assert ecr.refusal("GetDownloadUrlForLayer", repositoryName="app", layerDigest=digest(b"x"))[0] == (
        "LayersNotFoundException"
    )


def test_a_layers_url_is_never_worth_more_than_the_session_that_asked_for_it(inner, ecr):
    layer = push_layer(ecr, b"data")
    own = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}})
    inner.principal = replace(inner.principal, session_policies=(own,))
    url = ecr.call("GetDownloadUrlForLayer", repositoryName="app", layerDigest=layer)["downloadUrl"]
    key, token = opened(url.partition("?token=")[2])
    session = Sealer.of(inner.settings.data_dir).open_session(token, key)
    assert session.policies[0] == own
    effects = [statement["Effect"] for statement in json.loads(session.policies[1])["Statement"]]
    assert effects == ["Deny", "Deny"]


def test_one_layer_pushed_twice_at_once_is_there_once(inner, ecr):
    data = b"the same" * 1000
    uploads = [ecr.call("InitiateLayerUpload", repositoryName="app")["uploadId"] for _ in range(6)]

    def finish(upload):
        named = {"repositoryName": "app", "uploadId": upload}
        last = len(data) - 1
        ecr.call("UploadLayerPart", **named, partFirstByte=0, partLastByte=last, layerPartBlob=data)
        try:
            ecr.call("CompleteLayerUpload", **named, layerDigests=[digest(data)])
        except AWSError as refused:
            return refused.code
        return "done"

    with ThreadPoolExecutor(6) as together:
        outcomes = set(together.map(finish, uploads))
    assert outcomes <= {"done", "LayerAlreadyExistsException"}
    assert "done" in outcomes
    [stored] = inner.objects.list("ecr/layers")
    assert b"".join(inner.objects.read(stored)) == data


def test_a_repository_deleted_while_a_layer_is_finished_keeps_nothing(inner, ecr):
    upload = {"repositoryName": "app", "uploadId": ecr.call("InitiateLayerUpload", repositoryName="app")["uploadId"]}
    ecr.call("UploadLayerPart", **upload, partFirstByte=0, partLastByte=3, layerPartBlob=b"data")
    with ThreadPoolExecutor(2) as together:
        together.submit(ecr.call, "DeleteRepository", repositoryName="app", force=True)
        together.submit(ecr.call, "CompleteLayerUpload", **upload, layerDigests=[digest(b"data")])
    assert list(inner.objects.list("ecr/layers")) == []


def test_s3_knows_nothing_of_layers(inner, ecr):
    layer = push_layer(ecr, b"data")
    key = f"{ACCOUNT}/us-east-1/app@{layer}"
    s3 = inner.service("s3")
    assert s3.refusal("DeleteObject", Bucket="ecr/layers", Key=key)[0] == "NoSuchBucket"
    assert [bucket.name for bucket in inner.objects.buckets(ACCOUNT)] == ["data"]
