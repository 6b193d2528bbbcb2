"""What happens to repositories in time, and what a control that died in between has left."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from clary.services.ecr.keeping import Keeper, Patience
from clary.services.ecr.layer_store import LayerStore
from clary.services.ecr.names import BUCKET, REPOSITORY, layer_key
from clary.services.resources import now
from clary.store import Key
from tests.unit.services.ecr.pushing import POLICY_TEXT, digest, has, index, manifest, push, push_layer, put

LATER = timedelta(hours=2)
KEEP_ALL = POLICY_TEXT.replace('"countNumber": 1', '"countNumber": 100')
REPOSITORY_KEY = Key(REPOSITORY, "000000000000", "us-east-1", "app")


@pytest.fixture
def keeper(inner):
    """Each of its rounds is a control's first."""
    return SimpleNamespace(round=lambda moment: Keeper(inner.store, inner.objects).round(moment))


def stored(inner):
    return {info.key.rpartition("@")[2] for info in inner.objects.list(BUCKET)}


def test_a_lifecycle_policy_lets_images_go_and_their_layers_follow(inner, ecr, keeper):
    push(ecr, "old", "a")
    push(ecr, "new", "b")
    ecr.call("PutLifecyclePolicy", repositoryName="app", lifecyclePolicyText=POLICY_TEXT)
    assert [key.name for key in inner.woken] == ["app"]
    keeper.round(now() + LATER)
    assert [each["imageTag"] for each in ecr.call("ListImages", repositoryName="app")["imageIds"]] == ["b"]
    assert stored(inner) == {digest(b"config"), digest(b"layer of new")}
    assert not has(ecr, digest(b"layer of old"))
    assert ecr.call("GetLifecyclePolicy", repositoryName="app")["lastEvaluatedAt"].year > 1970


def test_artifacts_follow_their_image_and_wait_for_one_that_comes(inner, ecr, keeper):
    text = push(ecr, "signed", "a")
    signature = manifest(b"config", b"layer of signed", subject={"digest": digest(text.encode()), "size": 1})
    put(ecr, signature)
    put(ecr, manifest(b"config", b"layer of signed", subject={"digest": digest(b"not pushed yet"), "size": 1}))
    ecr.call("PutLifecyclePolicy", repositoryName="app", lifecyclePolicyText=KEEP_ALL)
    keeper.round(now() + timedelta(minutes=50))
    assert len(ecr.call("ListImages", repositoryName="app")["imageIds"]) == 3
    keeper.round(now() + LATER)
    left = {each["imageDigest"] for each in ecr.call("ListImages", repositoryName="app")["imageIds"]}
    assert left == {digest(text.encode()), digest(signature.encode())}
    ecr.call("BatchDeleteImage", repositoryName="app", imageIds=[{"imageTag": "a"}])
    keeper.round(now() + LATER)
    assert ecr.call("ListImages", repositoryName="app")["imageIds"] == []


def test_a_preview_tells_and_does_nothing(ecr):
    push(ecr, "old", "a")
    push(ecr, "new", "b")
    assert ecr.refusal("GetLifecyclePolicyPreview", repositoryName="app")[0] == (
        "LifecyclePolicyPreviewNotFoundException"
    )
    ecr.call("StartLifecyclePolicyPreview", repositoryName="app", lifecyclePolicyText=POLICY_TEXT)
    preview = ecr.call("GetLifecyclePolicyPreview", repositoryName="app")
    assert (preview["status"], preview["summary"]) == ("COMPLETE", {"expiringImageTotalCount": 1})
    assert [(each["imageTags"], each["appliedRulePriority"]) for each in preview["previewResults"]] == [(["a"], 1)]
    assert len(ecr.call("ListImages", repositoryName="app")["imageIds"]) == 2


def test_a_layer_that_was_just_pushed_or_asked_for_waits_for_its_image(inner, ecr, keeper):
    layer = push_layer(ecr, b"early")
    keeper.round(now() + timedelta(minutes=50))
    assert has(ecr, layer)
    age(inner, layer)
    assert has(ecr, layer)  # and whoever asks relies on the answer
    keeper.round(now() + timedelta(minutes=50))
    assert has(ecr, layer)
    age(inner, layer)
    keeper.round(now())
    assert stored(inner) == set()
    assert push_layer(ecr, b"early") == layer


def age(inner, layer):
    def change(transaction):
        row = transaction.get(layer_key(REPOSITORY_KEY, layer))
        transaction.save(type(row)(**{**vars(row), "modified": row.modified - LATER}))

    inner.store.write(change)


def test_layers_of_images_that_an_index_lists_stay(ecr, keeper):
    text = push(ecr, "one")
    put(ecr, index(text), "all")
    keeper.round(now() + timedelta(days=30))
    assert has(ecr, digest(b"layer of one"))


def test_an_upload_that_was_given_up_is_dropped(inner, ecr, keeper):
    upload = {"repositoryName": "app", "uploadId": ecr.call("InitiateLayerUpload", repositoryName="app")["uploadId"]}
    ecr.call("UploadLayerPart", **upload, partFirstByte=0, partLastByte=4, layerPartBlob=b"hello")
    keeper.round(now() + timedelta(hours=23))
    assert len(stored(inner)) == 1
    keeper.round(now() + timedelta(hours=25))
    assert stored(inner) == set()
    assert ecr.refusal("CompleteLayerUpload", **upload, layerDigests=[digest(b"hello")])[0] == (
        "UploadNotFoundException"
    )


def test_control_dies_between_a_layers_object_and_its_row(inner, ecr, keeper):
    push(ecr, "whole", "a")
    stray = f"000000000000/us-east-1/app@{digest(b'stray')}"
    inner.objects.put_bytes(BUCKET, stray, b"stray")
    assert not has(ecr, digest(b"stray"))
    keeper.round(now() + timedelta(minutes=50))
    assert digest(b"stray") in stored(inner)
    keeper.round(now() + LATER)
    assert stored(inner) == {digest(b"config"), digest(b"layer of whole")}
    assert push_layer(ecr, b"stray") == digest(b"stray")


def test_a_layer_pushed_anew_while_the_old_one_goes_stays(inner, ecr):
    layer = push_layer(ecr, b"again")
    old = inner.store.read.get(layer_key(REPOSITORY_KEY, layer)).spec["file"]
    inner.store.write(lambda transaction: transaction.delete(layer_key(REPOSITORY_KEY, layer)))
    push_layer(ecr, b"again")
    LayerStore(inner.objects).remove(REPOSITORY_KEY, layer, old)  # the keeper comes late
    assert stored(inner) == {layer}


def test_the_thread_does_its_round_when_it_is_woken(inner, ecr):
    keeper = Keeper(inner.store, inner.objects, Patience(layers=timedelta(0), round_seconds=3600))
    push_layer(ecr, b"unneeded")
    keeper.start()
    keeper.wake()
    gone = inner.store.wait(layer_key(REPOSITORY_KEY, digest(b"unneeded")), lambda row: row is None, 10)
    keeper.close()
    assert gone is None
