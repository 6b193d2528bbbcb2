"""Images of Clary's registry in models: what a tag means when something is deployed."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from clary.errors import AWSError
from clary.images.addresses import Address
from clary.images.base import Command, Image
from clary.images.catalogue import ImageNotFound, RepositoryNotFound
from clary.services.sagemaker.images import pinned, resolve_image
from clary.workload.hosting import image_of

TAGGED = "000000000000.dkr.ecr.us-east-1.amazonaws.com/mine:1"
DIGEST = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/mine@sha256:{'a' * 64}"
KNOWN = Image(DIGEST, None, Command(("train",)), Command(("serve",)), engine="loaded", registered=Address.parse(DIGEST))
ROLE = "arn:aws:iam::000000000000:role/r"


def context(answer, auth="off"):
    def resolve(_uri):
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(images=SimpleNamespace(resolve=resolve), settings=SimpleNamespace(auth=auth))


def test_a_tag_is_resolved_and_the_definition_says_both():
    definition = pinned(context(KNOWN), {"Image": TAGGED, "Environment": {}})
    assert definition == {"Image": TAGGED, "Environment": {}, "ResolvedImage": DIGEST}
    assert image_of(definition) == DIGEST


def test_an_address_that_always_means_the_same_stays_alone():
    definition = {"Image": "other"}
    assert pinned(context(replace(KNOWN, uri="other")), definition) == definition
    assert image_of(definition) == "other"


def test_an_image_that_is_gone_is_left_for_the_deployment_to_miss():
    assert pinned(context(ImageNotFound(TAGGED)), {"Image": TAGGED}) == {"Image": TAGGED}


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (ImageNotFound(TAGGED, "Push it."), f"Requested image {TAGGED} not found. Push it."),
        (
            RepositoryNotFound(TAGGED, KNOWN.registered, "Push it."),
            (
                "Cannot find repository: mine in registry ID: 000000000000 Please check if your ECR repository exists "
                f"and role {ROLE} has proper pull permissions for SageMaker: ecr:BatchCheckLayerAvailability, "
                "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer Push it."
            ),
        ),
    ],
    ids=["image", "repository"],
)
def test_what_is_not_there_is_refused_in_awss_words(missing, said):
    with pytest.raises(AWSError) as refused:
        resolve_image(context(missing), TAGGED, ROLE)
    assert refused.value.message == said
