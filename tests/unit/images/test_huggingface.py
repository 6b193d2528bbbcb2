"""What the addresses of Hugging Face's images mean."""

import pytest

from clary.images.catalogue import Catalogue, ImageNotFound
from clary.images.wheels import Wheels
from tests.unit.images.test_catalogue import ALL, HasPythons

TRAINING = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-training"
INFERENCE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference"


@pytest.mark.parametrize(
    ("uri", "version", "python"),
    [
        (f"{TRAINING}:2.5.1-transformers4.49.0-gpu-py311-cu124-ubuntu22.04", "4.49.0", "3.11"),
        (f"{TRAINING}:2.0-transformers4.28-gpu-py310-cu118-ubuntu20.04", "4.28.1", "3.10"),
        (f"{INFERENCE}:2.6.0-transformers4.51.3-cpu-py312-ubuntu22.04", "4.51.3", "3.12"),
        (f"{INFERENCE}:1.13.1-transformers4.26.0-cpu-py39-ubuntu20.04", "4.26.0", "3.10"),
    ],
)
def test_a_tag_means_its_transformers_and_the_torch_that_there_is(uri, version, python):
    image = Catalogue(ALL, wheels=Wheels(())).resolve(uri)
    assert image.environment.requirements[:2] == (f"transformers=={version}", "torch==2.13.0")
    assert image.environment.python == python
    [notice] = image.notices
    assert notice.endswith("torch 2.13.0 is used instead.")


def test_before_4_26_the_nearest_version_stands_in():
    transformers, torch = (
        Catalogue(ALL, wheels=Wheels(()))
        .resolve(f"{TRAINING}:1.7.1-transformers4.6.1-gpu-py36-cu110-ubuntu18.04")
        .notices
    )
    assert transformers.startswith("transformers 4.6.1 cannot be had")
    assert torch.startswith("torch 1.7.1 cannot be had")


def test_isolated_the_libraries_do_not_try_the_hub():
    image = Catalogue(HasPythons("3.11"), wheels=Wheels(())).resolve(
        f"{INFERENCE}:2.1.0-transformers4.37.0-cpu-py310-ubuntu22.04"
    )
    assert image.isolated_env["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in image.env


def test_a_combination_that_was_never_published_is_not_found():
    with pytest.raises(ImageNotFound) as refused:
        Catalogue(ALL, wheels=Wheels(())).resolve(f"{TRAINING}:2.5.1-transformers4.28.1-gpu-py310")
    assert "2.5.1-transformers4.49.0" in refused.value.hint
