import pytest

from clary.wire import models


def test_a_model_is_loaded_once():
    assert models.load("sagemaker") is models.load("sagemaker")
    assert models.operation("sagemaker", "CreateModel") is models.operation("sagemaker", "CreateModel")


def test_unknown_names_are_key_errors():
    with pytest.raises(KeyError):
        models.load("no-such-service")
    with pytest.raises(KeyError):
        models.operation("sts", "NoSuchOperation")


def test_known_services_are_botocores():
    assert {"sagemaker", "s3", "sts"} <= models.known_services()
