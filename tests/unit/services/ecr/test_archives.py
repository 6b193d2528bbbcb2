"""Images of the registry as `docker load` takes them."""

import io
import json
import platform
import tarfile
from dataclasses import replace

import pytest

from clary.errors import ClaryError
from clary.images.addresses import Address
from clary.images.registry import NoRepository
from clary.services.ecr.archives import RegistryImages
from tests.unit.services.ecr.pushing import digest, index, push, put

HOST = "000000000000.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def registry(inner):
    return RegistryImages("000000000000", inner.store, inner.objects)


def address(tag="", of=""):
    found = Address.parse(f"{HOST}/app" + (f":{tag}" if tag else "") + (f"@{of}" if of else ""))
    assert found
    return found


def members(registry, of):
    packed = b"".join(registry.archive(address(of=of), "name:1"))
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as opened:
        return {each.name: opened.extractfile(each).read() for each in opened}


def test_an_archive_has_the_configuration_every_layer_and_their_order(ecr, registry):
    text = push(ecr, "one", "1")
    found = members(registry, digest(text.encode()))
    (image,) = json.loads(found.pop("manifest.json"))
    assert image["RepoTags"] == ["name:1"]
    assert found[image["Config"]] == b"config"
    assert [found[layer] for layer in image["Layers"]] == [b"layer of one"]


def test_a_tag_means_what_it_points_to_now(ecr, registry):
    first, second = push(ecr, "one", "latest"), push(ecr, "two")
    assert registry.digest(address()) == digest(first.encode())
    put(ecr, second, "latest")
    assert registry.digest(address("latest")) == digest(second.encode())
    assert registry.digest(address("1")) is None


def test_a_digest_is_there_or_is_not(ecr, registry):
    said = digest(push(ecr, "one").encode())
    assert registry.digest(address(of=said)) == said
    assert registry.digest(address(of=digest(b"nothing"))) is None


def test_a_repository_that_is_not_there(registry):
    with pytest.raises(NoRepository, match="no repository app"):
        registry.digest(address())


def test_of_an_index_this_machines_image_is_taken(ecr, registry):
    mine, other = push(ecr, "mine"), push(ecr, "other")
    document = json.loads(index(other, mine))
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    for listed, architecture in zip(document["manifests"], ("s390x", machine), strict=True):
        listed["platform"] = {"os": "linux", "architecture": architecture}
    text = json.dumps(document)
    put(ecr, text, "both")
    assert b"layer of mine" in members(registry, digest(text.encode())).values()


def test_an_index_without_this_machine_is_refused(ecr, registry):
    text = index(push(ecr, "one"))
    put(ecr, text)
    with pytest.raises(ClaryError, match="has no image for linux/"):
        members(registry, digest(text.encode()))


def test_an_image_that_was_deleted_meanwhile(ecr, registry):
    said = digest(push(ecr, "one").encode())
    ecr.call("BatchDeleteImage", repositoryName="app", imageIds=[{"imageDigest": said}])
    with pytest.raises(ClaryError, match="not in the registry any more"):
        members(registry, said)


def test_loading_one_is_a_pull(ecr, registry):
    said = digest(push(ecr, "one").encode())
    assert "lastRecordedPullTime" not in ecr.call("DescribeImages", repositoryName="app")["imageDetails"][0]
    members(registry, said)
    assert "lastRecordedPullTime" in ecr.call("DescribeImages", repositoryName="app")["imageDetails"][0]


def test_only_the_own_accounts_addresses_are_the_registrys(registry):
    assert registry.owns(address())
    assert not registry.owns(replace(address(), account="763104351884"))
