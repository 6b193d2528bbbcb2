"""Policies of secrets
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html)."""

from __future__ import annotations

from dataclasses import replace

from clary.errors import AWSError
from clary.identity.grammar import check_resource_policy
from clary.identity.policy import MalformedPolicy, listed
from clary.services.context import Context
from clary.services.resources import Output, Params, present
from clary.services.secretsmanager.errors import bad_policy
from clary.services.secretsmanager.found import allowed, change, check_name, on_secret
from clary.services.secretsmanager.service import SERVICE
from clary.store.rows import Row


@on_secret("PutResourcePolicy")
def put(context: Context, params: Params, row: Row) -> Output:
    """Raises MalformedPolicyDocumentException, PublicPolicyException."""
    document = params["ResourcePolicy"]
    _check(document)
    if params.get("BlockPublicPolicy") and _is_public(document):
        raise AWSError("PublicPolicyException", "You can't attach a resource policy that allows broad access.")
    change(context, row, lambda there: replace(there, spec={**there.spec, "Policy": document}))
    return {"ARN": row.arn, "Name": row.key.name}


@on_secret("GetResourcePolicy", deleted_too=True)
def get(_context: Context, _params: Params, row: Row) -> Output:
    """Raises ResourceNotFoundException."""
    return present({"ARN": row.arn, "Name": row.key.name, "ResourcePolicy": row.spec.get("Policy")})


@on_secret("DeleteResourcePolicy")
def delete(context: Context, _params: Params, row: Row) -> Output:
    """Raises ResourceNotFoundException."""

    def changed(there: Row) -> Row:
        return replace(there, spec={name: value for name, value in there.spec.items() if name != "Policy"})

    change(context, row, changed)
    return {"ARN": row.arn, "Name": row.key.name}


@SERVICE.operation("ValidateResourcePolicy")
def validate(context: Context, params: Params) -> Output:
    """Raises AccessDeniedException, ValidationException."""
    if params.get("SecretId"):
        if not params["SecretId"].startswith("arn:"):
            check_name(params["SecretId"])
        allowed(context, "ValidateResourcePolicy", params["SecretId"], params)
    try:
        _check(params["ResourcePolicy"])
    except AWSError as error:
        found = [{"CheckName": "POLICY_SYNTAX", "ErrorMessage": error.message}]
        return {"PolicyValidationPassed": False, "ValidationErrors": found}
    if _is_public(params["ResourcePolicy"]):
        found = [{"CheckName": "PUBLIC_POLICY", "ErrorMessage": "The policy allows broad access."}]
        return {"PolicyValidationPassed": False, "ValidationErrors": found}
    return {"PolicyValidationPassed": True, "ValidationErrors": []}


def _check(document: str) -> None:
    try:
        check_resource_policy(document)
    except MalformedPolicy as error:
        raise bad_policy(f"This resource policy contains invalid syntax: {error}") from None


def _is_public(document: str) -> bool:
    """Whether anybody may do something, under no condition."""
    for statement in listed(check_resource_policy(document)["Statement"]):
        named = statement["Principal"]
        everyone = named == "*" or "*" in listed(named.get("AWS"))
        if statement["Effect"] == "Allow" and everyone and not statement.get("Condition"):
            return True
    return False
