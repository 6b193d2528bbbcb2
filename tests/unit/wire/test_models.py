import json

import pytest
from botocore.loaders import Loader

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
    botocores = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    assert models.known_services() == set(botocores.list_available_services("service-2"))


@pytest.mark.parametrize("service", ["sts", "s3", "lambda", "sagemaker-runtime"])
def test_names_of_operations_are_the_models(service):
    assert models.operation_names(service) == tuple(models.load(service).operation_names)


def test_names_of_operations_of_an_unknown_service_are_a_key_error():
    with pytest.raises(KeyError):
        models.operation_names("no-such-service")


def test_a_model_holds_no_text_for_people():
    model = models.load("apigateway")
    assert model.documentation == ""
    assert model.operation_model("CreateRestApi").documentation == ""


def test_a_member_called_documentation_is_no_text_for_people():
    hook = {"members": {"documentation": {"shape": "String", "documentation": "What it is."}}}
    lean = json.loads(json.dumps(hook), object_hook=models._without_documentation)
    assert lean == {"members": {"documentation": {"shape": "String"}}}


@pytest.mark.parametrize("service", ["sts", "s3", "lambda", "sagemaker", "cloudwatch", "ecr"])
def test_an_outline_tells_what_the_model_tells_of_the_service(service):
    outline, model = models.outline(service), models.load(service)
    assert outline.metadata == model.metadata
    assert (outline.signing_name, outline.endpoint_prefix) == (model.signing_name, model.endpoint_prefix)
    assert not outline.operation_names
