"""What is published, and when."""

import json

import pytest

from clary.jumpstart import bucket, specs
from clary.jumpstart.names import bucket_name, is_public
from clary.jumpstart.offered import MODELS, VERSIONS
from clary.objects.store import ObjectStore
from clary.wire import models as wire_models

REGION = "eu-west-1"
NAME = bucket_name(REGION)


@pytest.fixture
def objects(tmp_path):
    store = ObjectStore(tmp_path / "objects")
    yield store
    store.close()


def content(objects, key):
    return b"".join(objects.read(objects.head(NAME, key)))


def test_everything_that_is_named_is_there(objects):
    bucket.publish(objects, REGION)
    manifest = json.loads(content(objects, specs.MANIFEST))
    assert {(header["model_id"], header["version"]) for header in manifest} == {
        (model.id, version) for model in MODELS for version in VERSIONS
    }
    for header in manifest:
        told = json.loads(content(objects, header["spec_key"]))
        keys = [value for name, value in told.items() if name.endswith(("_script_key", "_artifact_key"))]
        assert len(keys) == 5
        assert all(objects.head(NAME, key) for key in keys)
        assert list(objects.list(NAME, told["default_training_dataset_key"]))


def test_publishing_again_changes_nothing(objects):
    bucket.publish(objects, REGION)
    before = [(info.key, info.modified) for info in objects.list(NAME)]
    bucket.publish(objects, REGION)
    assert [(info.key, info.modified) for info in objects.list(NAME)] == before


def test_another_edition_is_published_anew(objects):
    bucket.publish(objects, REGION)
    objects.set_bucket(NAME, "Edition", {"Digest": "of an older Clary"})
    objects.delete(NAME, [specs.MANIFEST])
    bucket.publish(objects, REGION)
    assert objects.head(NAME, specs.MANIFEST)


def test_a_crash_in_the_middle_is_made_good(objects):
    objects.create_bucket(NAME, account=bucket.OWNER, region=REGION)
    bucket.publish(objects, REGION)
    assert objects.head(NAME, specs.MANIFEST)


def test_a_users_own_bucket_of_that_name_is_left_alone(objects):
    objects.create_bucket(NAME, account="111122223333", region=REGION)
    bucket.publish(objects, REGION)
    assert not list(objects.list(NAME))


def test_the_same_content_every_time():
    assert dict(bucket.contents()) == dict(bucket.contents())


@pytest.mark.parametrize("shape", ["TrainingInstanceType", "ProductionVariantInstanceType"])
def test_every_instance_family_has_an_image(shape):
    known = wire_models.load("sagemaker").shape_for(shape).enum
    assert {name.split(".")[1] for name in known} <= set(specs.FAMILIES)


def test_what_is_public():
    assert is_public(f"arn:aws:s3:::{NAME}")
    assert is_public(f"arn:aws:s3:::{NAME}/{specs.MANIFEST}")
    assert not is_public("arn:aws:s3:::mine/jumpstart-cache-prod-eu-west-1")
