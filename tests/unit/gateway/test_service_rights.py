"""What services may do that call by their own names."""

import pytest

from clary.calls import Call, account_root, service_principal
from clary.errors import AccessDenied
from clary.gateway.service_rights import ServiceRights, acting

ALARMS = service_principal("000000000000", "lambda.alarms.cloudwatch.amazonaws.com")


class Nobody:
    """Allows no identity anything."""

    def authorise(self, call, needed):
        raise AccessDenied(f"{call.principal.arn} may not")


def call(principal, service="lambda", operation="Invoke"):
    return Call(principal, service, operation, {"FunctionName": "f"}, "us-east-1")


def test_a_service_invokes_the_functions_that_let_it_in():
    asked = []
    rights = ServiceRights(Nobody(), lambda call, service: asked.append(service) or True, everyone=False)
    rights.authorise(call(ALARMS), [])
    assert asked == ["lambda.alarms.cloudwatch.amazonaws.com"]


@pytest.mark.parametrize(
    "wanted",
    [
        call(ALARMS),
        call(ALARMS, "s3", "GetObject"),
        call(ALARMS, "lambda", "DeleteFunction"),
        call(account_root("000000000000")),
    ],
)
def test_nobody_else_is_let_in(wanted):
    with pytest.raises(AccessDenied):
        ServiceRights(Nobody(), lambda call, service: False, everyone=False).authorise(wanted, [])


def test_where_no_rights_are_checked_services_invoke_any_function_and_nothing_else():
    rights = ServiceRights(Nobody(), lambda call, service: False, everyone=True)
    rights.authorise(call(ALARMS), [])
    with pytest.raises(AccessDenied, match="not authorized to perform: s3:GetObject"):
        rights.authorise(call(ALARMS, "s3", "GetObject"), [])


def test_what_a_service_was_let_into_it_does_as_the_account():
    assert acting(call(ALARMS)).principal == account_root("000000000000")
    own = call(account_root("000000000000"))
    assert acting(own) is own
