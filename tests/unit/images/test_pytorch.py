"""What PyTorch's image addresses mean, and what wheels on this machine change."""

from __future__ import annotations

from pathlib import Path

import pytest

from clary.images.catalogue import Catalogue
from clary.images.wheels import Wheels
from tests.unit.images.test_catalogue import ALL, HasPythons

TRAINING = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training"
INFERENCE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference"
FIRST = "520713654638.dkr.ecr.us-west-2.amazonaws.com/sagemaker-pytorch"
NOTHING = Wheels(())


def lay(folder: Path, *names: str) -> Wheels:
    for name in names:
        (folder / name).write_bytes(b"")
    return Wheels.of({"PIP_FIND_LINKS": f"https://example.com/wheels {folder}"})


@pytest.mark.parametrize(
    ("uri", "version", "python"),
    [
        (f"{TRAINING}:2.6.0-cpu-py312-ubuntu22.04-sagemaker", "2.6.0", "3.12"),
        (f"{TRAINING}:2.8-gpu-py312-cu129-ubuntu22.04-sagemaker-v1.3", "2.8.0", "3.12"),
        (f"{TRAINING}:1.10-cpu-py38", "1.10.2", "3.8"),
        (f"{TRAINING}:1.4.0-cpu-py36", "1.4.0", "3.8"),
        (f"{INFERENCE}:2.2-cpu-py310", "2.2.0", "3.10"),
        (f"{INFERENCE}-graviton:2.2.1-cpu-py310-ubuntu20.04-sagemaker", "2.2.1", "3.10"),
        ("727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/pytorch-training:1.13.1-cpu-py39", "1.13.1", "3.9"),
    ],
)
def test_a_tag_means_its_exact_version(uri: str, version: str, python: str) -> None:
    image = Catalogue(ALL, wheels=NOTHING).resolve(uri)
    assert image.environment.requirements[0] == f"torch=={version}"
    assert image.environment.python == python
    assert image.notices == ()


@pytest.mark.parametrize("wanted", ["0.4.0", "1.0.0", "1.1.0"])
def test_before_1_4_the_nearest_version_stands_in_with_a_notice(wanted: str) -> None:
    [notice] = Catalogue(ALL, wheels=NOTHING).resolve(f"{FIRST}:{wanted}-cpu-py3").notices
    assert notice == f"torch {wanted} cannot be had on this machine; torch 1.4.0 is used instead."


def test_python_2_is_answered_by_python_3_with_a_line() -> None:
    image = Catalogue(ALL, wheels=NOTHING).resolve(f"{FIRST}:0.4.0-cpu-py2")
    assert image.notices[1] == "Python 2 cannot be had; Python 3.8 is used instead."


def test_training_and_inference_of_one_version_share_an_environment() -> None:
    catalogue = Catalogue(HasPythons("3.11"), wheels=NOTHING)
    training = catalogue.resolve(f"{TRAINING}:2.5.1-cpu-py311")
    assert training.environment.key == catalogue.resolve(f"{INFERENCE}:2.5.1-cpu-py311").environment.key


def test_scripts_of_an_older_pytorch_load_whole_models_as_they_could() -> None:
    catalogue = Catalogue(ALL, wheels=NOTHING)
    assert catalogue.resolve(f"{TRAINING}:2.5.1-cpu-py311").env["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"
    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD" not in catalogue.resolve(f"{TRAINING}:2.6.0-cpu-py312").env


def test_a_wheel_on_this_machine_comes_before_all_that_could_be_fetched(tmp_path: Path) -> None:
    wheels = lay(tmp_path, "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl", "scikit_learn-1.2-cp39-cp39-x.whl")
    image = Catalogue(ALL, wheels=wheels).resolve(f"{TRAINING}:2.6.0-cpu-py312")
    assert image.environment.requirements[0] == "torch==2.13.0"
    assert image.environment.python == "3.11"
    assert image.notices == ("torch 2.6.0 cannot be had on this machine; torch 2.13.0 is used instead.",)


def test_of_several_wheels_the_nearest_newer_is_used_even_one_that_no_table_names(tmp_path: Path) -> None:
    wheels = lay(tmp_path, "torch-2.3.1-cp310-cp310-linux_x86_64.whl", "torch-2.14.1-1-cp312-cp312-linux_x86_64.whl")
    catalogue = Catalogue(ALL, wheels=wheels)
    assert catalogue.resolve(f"{TRAINING}:2.2.0-cpu-py310").environment.requirements[0] == "torch==2.3.1"
    newest = catalogue.resolve(f"{TRAINING}:2.8.0-cpu-py312").environment
    assert newest.requirements[:2] == ("torch==2.14.1", "numpy>=2")


def test_what_stands_on_pytorch_runs_on_the_pythons_of_its_wheels(tmp_path: Path) -> None:
    uri = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-training:2.5.1-transformers4.49.0-cpu-py311"
    wheels = lay(tmp_path, "torch-2.13.0+cpu-cp310-cp310-manylinux_2_28_x86_64.whl")
    assert Catalogue(ALL, wheels=wheels).resolve(uri).environment.python == "3.10"


def test_a_folder_that_is_not_there_holds_no_wheels() -> None:
    assert Wheels.of({"UV_FIND_LINKS": "/nowhere/at/all"}).supply("torch") == {}
