"""What TensorFlow's image addresses mean."""

import pytest

from clary.images.catalogue import Catalogue, ImageNotFound
from tests.unit.images.test_catalogue import ALL, HasPythons

TRAINING = "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training"
INFERENCE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference"
SCRIPTS = "520713654638.dkr.ecr.us-west-2.amazonaws.com/sagemaker-tensorflow-scriptmode"
SERVING = "520713654638.dkr.ecr.us-west-2.amazonaws.com/sagemaker-tensorflow-serving"


@pytest.mark.parametrize(
    ("uri", "version", "python"),
    [
        (f"{TRAINING}:2.19.0-cpu-py312-ubuntu22.04-sagemaker", "2.19.0", "3.12"),
        (f"{TRAINING}:2.19-gpu-py312-cu125-ubuntu22.04-sagemaker-v1.3", "2.19.0", "3.12"),
        (f"{TRAINING}:2.8-cpu-py39", "2.8.4", "3.9"),
        (f"{TRAINING}:2.13.0-cpu-py310", "2.13.0", "3.10"),
        (f"{INFERENCE}:2.16.1-cpu", "2.16.1", "3.10"),
        (f"{INFERENCE}-graviton:2.14.1-cpu-py310-ubuntu20.04-sagemaker", "2.14.1", "3.10"),
    ],
)
def test_a_tag_means_its_exact_version(uri, version, python):
    image = Catalogue(ALL).resolve(uri)
    assert image.environment.requirements[0].partition("==")[2] == version
    assert image.environment.python == python
    assert image.notices == ()


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        (f"{SCRIPTS}:1.12.0-cpu-py3", "1.12.0"),
        (f"{SERVING}:1.12.0-cpu", "1.12.0"),
        (f"{TRAINING}:2.3-cpu-py37", "2.3.2"),
    ],
)
def test_before_2_8_the_nearest_version_stands_in_with_a_notice(uri, wanted):
    [notice] = Catalogue(ALL).resolve(uri).notices
    assert f"{wanted} cannot be had" in notice
    assert "2.8.0 is used instead" in notice


def test_python_2_is_answered_by_python_3_with_a_line():
    image = Catalogue(ALL).resolve(f"{SCRIPTS}:1.12.0-cpu-py2")
    assert image.notices[1] == "Python 2 cannot be had; Python 3.8 is used instead."


def test_training_and_serving_of_one_version_share_an_environment():
    catalogue = Catalogue(HasPythons("3.11"))
    training = catalogue.resolve(f"{TRAINING}:2.14.1-cpu-py310")
    assert training.environment.key == catalogue.resolve(f"{INFERENCE}:2.14.1-cpu").environment.key


@pytest.mark.parametrize(
    ("account", "image", "advice"),
    [
        ("763104351884", "mxnet-training:1.9.0-cpu-py38", "PyTorch"),
        ("520713654638", "sagemaker-mxnet:1.2.1-cpu-py3", "PyTorch"),
        ("520713654638", "sagemaker-chainer:5.0.0-cpu-py3", "PyTorch"),
        ("462105765813", "sagemaker-rl-ray-container:ray-1.6.0-tf-cpu-py37", "rllib"),
        ("520713654638", "sagemaker-tensorflow:1.10.0-cpu-py2", "script_mode=True"),
        ("763104351884", "tensorflow-inference-eia:2.3.0-cpu", "accelerator_type"),
        ("763104351884", "huggingface-tensorflow-training:4.6.1-tf2.4", "pytorch_version"),
    ],
)
def test_a_framework_that_has_ended_says_what_to_use(account, image, advice):
    with pytest.raises(ImageNotFound, match=r"Requested image .* not found\.") as refused:
        Catalogue(ALL).resolve(f"{account}.dkr.ecr.us-west-2.amazonaws.com/{image}")
    assert advice in refused.value.hint


def test_a_users_own_mxnet_training_is_the_users():
    with pytest.raises(ImageNotFound) as refused:
        Catalogue(ALL).resolve("123456789012.dkr.ecr.us-east-1.amazonaws.com/mxnet-training:1")
    assert "clary images list" in refused.value.hint
