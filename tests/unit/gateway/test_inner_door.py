import pytest

from clary.calls import Access, Call, Principal
from clary.errors import AccessDenied, AWSError, ValidationError
from clary.gateway.call import InnerDoor
from clary.services.registry import Registry, Service

ROLE = Principal("assumed-role", "000000000000", "arn:session", "arn:role", "AROA:s")


class Nobody:
    """Allows nothing."""

    def authorise(self, call, needed):
        raise AccessDenied(f"{call.principal.arn} is not authorized to perform: {needed[0].action}")


class Everybody:
    """Allows everything, and remembers what was asked."""

    def __init__(self):
        self.needed = []

    def authorise(self, call, needed):
        self.needed += needed


def door(authorizer):
    service = Service("sagemaker", lambda call: [Access(f"sagemaker:{call.operation}", call.params["ModelName"])])
    service.operation("DeleteModel")(lambda context, params: {"deleted": params["ModelName"]})
    return InnerDoor(Registry([service]), authorizer, lambda operation, call: operation.handler(None, call.params))


def call(operation="DeleteModel", **params):
    return Call(ROLE, "sagemaker", operation, params, "us-east-1")


def test_an_inner_call_is_authorised_and_carried_out():
    everybody = Everybody()
    assert door(everybody)(call(ModelName="m")) == {"deleted": "m"}
    assert everybody.needed == [Access("sagemaker:DeleteModel", "m")]


def test_an_inner_call_is_validated_before_its_rights_are_read():
    with pytest.raises(ValidationError, match="Value null at 'modelName'"):
        door(Everybody())(call())


def test_an_inner_call_without_rights_is_denied():
    with pytest.raises(AccessDenied, match="sagemaker:DeleteModel"):
        door(Nobody())(call(ModelName="m"))


def test_an_inner_call_of_what_is_not_offered_says_so():
    with pytest.raises(AWSError, match="clary coverage"):
        door(Everybody())(call("CreateModel"))
