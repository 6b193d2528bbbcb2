"""Key policies (https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html)."""

from __future__ import annotations

from dataclasses import replace

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.kms import policy_documents
from clary.services.kms.errors import unsupported
from clary.services.kms.keyed import check_not_going, on_key
from clary.services.kms.rows import change
from clary.services.resources import Output, Params
from clary.store.rows import Row

_NAME = "default"
"""The only name that there is."""


@on_key("GetKeyPolicy")
def get(_context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException."""
    if (params.get("PolicyName") or _NAME) != _NAME:
        raise AWSError("NotFoundException", "No such policy exists")
    return {"Policy": row.spec["Policy"], "PolicyName": _NAME}


@on_key("PutKeyPolicy")
def put(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException, MalformedPolicyDocumentException, UnsupportedOperationException."""
    if (params.get("PolicyName") or _NAME) != _NAME:
        raise unsupported("Only default policy is supported")
    lockout = not params.get("BypassPolicyLockoutSafetyCheck")
    policy_documents.check(context, params["Policy"], row.arn, lockout=lockout)

    def changed(there: Row) -> Row:
        check_not_going(there)
        return replace(there, spec={**there.spec, "Policy": params["Policy"]})

    change(context, row, changed)
    return {}


@on_key("ListKeyPolicies")
def list_(_context: Context, _params: Params, _row: Row) -> Output:
    """Raises NotFoundException."""
    return {"PolicyNames": [_NAME], "Truncated": False}
