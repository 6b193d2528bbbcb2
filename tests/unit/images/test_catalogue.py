"""Which image an address means."""

import pytest

from clary.images.accounts import REGISTRIES
from clary.images.catalogue import REPOSITORIES, Catalogue, ImageNotFound

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost"
FIRST_XGBOOST = "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost"


class HasPythons:
    """A machine with these Pythons."""

    def __init__(self, *versions):
        self._versions = versions

    def find(self, version):
        return f"/usr/bin/python{version}" if version in self._versions else None


ALL = HasPythons("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue(ALL)


@pytest.mark.parametrize("repository", sorted(REGISTRIES))
def test_every_region_of_a_repository_is_known(catalogue, repository):
    tag = next(iter(REPOSITORIES[repository].tags))
    for region, account in REGISTRIES[repository].items():
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        assert catalogue.resolve(f"{account}.dkr.ecr.{region}.{domain}/{repository}:{tag}").environment.requirements


@pytest.mark.parametrize(
    ("uri", "requirement", "python"),
    [
        (f"{SKLEARN}:1.2-1-cpu-py3", "scikit-learn==1.2.1", "3.9"),
        (f"{SKLEARN}:1.2-1", "scikit-learn==1.2.1", "3.9"),
        (f"{SKLEARN}:1.0-1-cpu-py3", "scikit-learn==1.0.2", "3.8"),
        (f"{SKLEARN}:1.4-2-cpu-py3", "scikit-learn==1.4.2", "3.10"),
        (f"{XGBOOST}:1.7-1", "xgboost==1.7.4", "3.9"),
        (f"{XGBOOST}:1.5-1", "xgboost==1.5.2", "3.8"),
        (f"{XGBOOST}:1.3-1-cpu-py3", "xgboost==1.3.3", "3.8"),
        (f"{XGBOOST}:1.2-2", "xgboost==1.2.0", "3.8"),
        (f"{XGBOOST}:1.0-1-cpu-py3", "xgboost==1.0.0", "3.8"),
        (f"{XGBOOST}:0.90-2-cpu-py3", "xgboost==0.90", "3.8"),
        (f"{XGBOOST}:3.0-5", "xgboost==3.0.5", "3.10"),
    ],
)
def test_a_tag_means_its_exact_version(catalogue, uri, requirement, python):
    image = catalogue.resolve(uri)
    assert image.environment.requirements[0] == requirement
    assert image.environment.python == python
    assert image.notices == ()


@pytest.mark.parametrize("uri", [f"{FIRST_XGBOOST}:1", f"{FIRST_XGBOOST}:latest", FIRST_XGBOOST])
def test_the_first_xgboost_is_the_nearest_that_can_be_had_and_says_so(catalogue, uri):
    image = catalogue.resolve(uri)
    assert image.environment.requirements[0] == "xgboost==0.90"
    assert "0.72 cannot be had" in image.notices[0]


def test_without_an_old_python_a_newer_version_stands_in_with_a_notice():
    image = Catalogue(HasPythons("3.13")).resolve(f"{SKLEARN}:1.2-1")
    assert image.environment.requirements[0] == "scikit-learn==1.5.2"
    assert "scikit-learn 1.2.1 cannot be had" in image.notices[0]
    assert "scikit-learn 1.5.2 is used instead" in image.notices[0]


def test_without_a_newer_one_an_older_version_stands_in():
    image = Catalogue(HasPythons("3.9")).resolve(f"{XGBOOST}:3.0-5")
    assert image.environment.requirements[0] == "xgboost==2.1.4"


def test_without_any_usable_python_the_hint_says_what_is_needed():
    with pytest.raises(ImageNotFound) as refused:
        Catalogue(HasPythons()).resolve(f"{SKLEARN}:1.2-1")
    assert "needs one of Python" in refused.value.hint


@pytest.mark.parametrize(
    "uri",
    [
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
        "811284229777.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        f"{XGBOOST}:9.9-9",
        f"{XGBOOST}:latest",
        "xgboost",
        "",
        "docker.io/library/python:3.11",
    ],
)
def test_an_own_or_unknown_image_is_not_found_in_awss_words(catalogue, uri):
    with pytest.raises(ImageNotFound, match=r"Requested image .* not found"):
        catalogue.resolve(uri)


def test_equal_content_has_an_equal_key_and_other_content_another(catalogue):
    first, second = catalogue.resolve(f"{XGBOOST}:1.2-1"), catalogue.resolve(f"{XGBOOST}:1.2-2")
    assert first.environment.key == second.environment.key
    assert first.environment.key != catalogue.resolve(f"{XGBOOST}:1.3-1").environment.key


def test_the_answers_version_reaches_the_program(catalogue):
    assert catalogue.resolve(f"{XGBOOST}:1.2-2-cpu-py3").serve.args == ("1.2-2",)
    assert catalogue.resolve(f"{FIRST_XGBOOST}:latest").train.args == ("1",)


def test_builtin_xgboost_has_awss_metric_definitions(catalogue):
    definitions = {metric.name: metric.regex for metric in catalogue.resolve(f"{XGBOOST}:1.7-1").metric_definitions}
    number = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"
    assert definitions["validation:rmse"] == rf".*\[[0-9]+\].*#011validation-rmse:{number}"
    assert definitions["train:cox-nloglik"] == rf".*\[[0-9]+\].*#011train-cox-nloglik:{number}"


@pytest.mark.parametrize("name", sorted(REGISTRIES))
def test_a_warm_parent_imports_the_server_that_its_forks_are(catalogue, name):
    """What a fork imports by itself is memory of its own: 4 MiB for scikit-learn's."""
    region, account = next(iter(REGISTRIES[name].items()))
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    tag = next(iter(REPOSITORIES[name].tags))
    image = catalogue.resolve(f"{account}.dkr.ecr.{region}.{domain}/{name}:{tag}")
    assert image.serve.module in image.environment.preload
