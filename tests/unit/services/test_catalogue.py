"""Nothing that is written is left out of what is offered."""

import importlib
import pkgutil
import sys

import clary.services
from clary.services.catalogue import REGISTRY
from clary.wire import models


def modules():
    return [
        found.name for found in pkgutil.walk_packages(clary.services.__path__, "clary.services.") if not found.ispkg
    ]


def test_every_file_of_operations_is_in_the_catalogue():
    def offered():
        return {(name, each) for name, service in REGISTRY.services.items() for each in service.operations}

    before = offered()
    for name in modules():
        importlib.import_module(name)
    assert offered() == before
    services = {sys.modules[name].SERVICE for name in modules() if name.endswith(".service")}
    assert services == set(REGISTRY.services.values())


def test_every_operation_is_one_of_its_model():
    for name, service in REGISTRY.services.items():
        assert set(service.operations) <= set(models.load(name).operation_names)
