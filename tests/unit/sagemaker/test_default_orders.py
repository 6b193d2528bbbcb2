"""Lists whose requests say no order begin as AWS's documentation, which botocore carries, says that they do."""

import importlib
import pkgutil
import re

import pytest
from botocore.session import get_session

from clary.services import sagemaker
from clary.services.resources import Resource

_DEFAULT = re.compile(r"default (?:value )?is (\w+)")
_OTHER_THAN_SAID = {"ListTrainingJobsForHyperParameterTuningJob"}
"""Its order is that of the tuning job's trials."""


def resources():
    modules = (
        importlib.import_module(f"{sagemaker.__name__}.{each.name}")
        for each in pkgutil.iter_modules(sagemaker.__path__)
    )
    found = (each for module in modules for each in vars(module).values() if isinstance(each, Resource))
    return {each.list_member: each for each in found}


def said(shape, member):
    if member not in shape.members:
        return None
    found = _DEFAULT.search(re.sub("<.*?>", "", shape.members[member].documentation))
    return found.group(1).replace("_", "").lower() if found else None


def lists():
    known, service = resources(), get_session().get_service_model("sagemaker")
    for name in service.operation_names:
        operation = service.operation_model(name)
        if not name.startswith("List") or name in _OTHER_THAN_SAID or operation.output_shape is None:
            continue
        for member in known.keys() & operation.output_shape.members.keys():
            resource, asked = known[member], operation.input_shape
            order, by = said(asked, "SortOrder"), said(asked, "SortBy")
            if order in ("ascending", "descending") and by:
                yield pytest.param(resource, order, by, id=name)


CASES = list(lists())


@pytest.mark.parametrize(("resource", "order", "by"), CASES)
def test_a_list_begins_as_it_is_documented(resource, order, by):
    ours = "descending" if resource.descending else "ascending"
    assert (ours, resource.sort_by.lower()) == (order, by.replace("createdtime", "creationtime"))


def test_most_lists_are_looked_at():
    assert len(CASES) > 20
