"""Grants: rights on a key that are given without a policy, and given back
(https://docs.aws.amazon.com/kms/latest/developerguide/grants.html). They hold at once: tokens are needed for
nothing but retiring."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError
from clary.identity.sealing import BadToken
from clary.keys.material import root
from clary.keys.rows import GRANT, KIND
from clary.services.context import Context
from clary.services.kms.errors import invalid, unsupported
from clary.services.kms.grant_limits import check_narrower, check_operations
from clary.services.kms.keyed import check_asked, check_usable, on_key
from clary.services.kms.rights import authorise, is_named
from clary.services.kms.rows import find, page
from clary.services.kms.service import SERVICE
from clary.services.resources import Output, Params, now, present
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_KEPT = ("Name", "GranteePrincipal", "RetiringPrincipal", "Operations", "Constraints")
_TOKEN = "kms grant"  # noqa: S105  a purpose


@on_key("CreateGrant")
def create(context: Context, params: Params, row: Row) -> Output:
    """Another one with the same name and members is the same. Raises NotFoundException, KMSInvalidStateException."""
    check_usable(row)
    _check(row, params)
    check_narrower(context, row, params)
    check_asked(params)
    spec = {"KeyId": row.arn, **{name: params[name] for name in _KEPT if params.get(name) is not None}}
    stored = context.store.write(lambda transaction: _kept(transaction, context, row, spec))
    return {"GrantToken": _token(context, stored), "GrantId": stored.key.name}


def _kept(transaction: Transaction, context: Context, row: Row, spec: Params) -> Row:
    mark = context.call.invocation_id
    for there in transaction.children(GRANT, row.key):
        same = there.spec == {**spec, "IssuingAccount": there.spec["IssuingAccount"]}
        if same and ("Name" in spec or (mark and there.state["made_by"] == mark)):
            return there
    key, made = Key(GRANT, row.key.account, row.key.region, secrets.token_hex(32)), now()
    issued = {**spec, "IssuingAccount": f"arn:aws:iam::{context.account}:root"}
    arn = f"{row.arn}/grant/{key.name}"  # AWS's grants have none: unique, and never shown
    return transaction.insert(Row(key, arn, "", made, made, issued, {"made_by": mark}, parent=row.key.name))


def _check(row: Row, params: Params) -> None:
    if params.get("GranteeServicePrincipal") or params.get("RetiringServicePrincipal"):
        raise unsupported("Grants to services are not offered by Clary.")
    if not params.get("GranteePrincipal"):
        raise invalid("GranteePrincipal is required.")
    if (params.get("Constraints") or {}).get("SourceArn"):
        raise unsupported("The constraint SourceArn is not offered by Clary.")
    check_operations(row, params)


def _token(context: Context, grant: Row) -> str:
    said = [grant.key.region, grant.parent, grant.key.name]
    sealed = root(context.settings.data_dir).seal(json.dumps(said), _TOKEN)
    return base64.urlsafe_b64encode(base64.b64decode(sealed)).decode()


def _of_token(context: Context, token: str) -> Row:
    """Raises InvalidGrantTokenException, NotFoundException."""
    try:
        raw = base64.b64encode(base64.urlsafe_b64decode(token)).decode()
        region, _key, name = json.loads(root(context.settings.data_dir).open(raw, _TOKEN))
    except (ValueError, BadToken):
        raise AWSError("InvalidGrantTokenException", "Invalid grant token.") from None
    return _require(context, Key(GRANT, context.account, region, name))


def _require(context: Context, key: Key) -> Row:
    row = context.store.read.get(key)
    if row is None:
        raise AWSError("NotFoundException", f"Grant ID {key.name} not found")
    return row


@on_key("ListGrants")
def list_(context: Context, params: Params, row: Row) -> Output:
    """By id. Raises NotFoundException, InvalidMarkerException."""
    said = page(context, GRANT, params, "Grants", _entry, row.key.name)
    wanted = {name: params[name] for name in ("GrantId", "GranteePrincipal") if params.get(name)}
    shown = [each for each in said["Grants"] if all(each.get(name) == value for name, value in wanted.items())]
    return {**said, "Grants": shown}


@SERVICE.operation("ListRetirableGrants")
def list_retirable(context: Context, params: Params) -> Output:
    """By id. Raises InvalidMarkerException."""
    said = page(context, GRANT, params, "Grants", _entry)
    who = params.get("RetiringPrincipal")
    return {**said, "Grants": [each for each in said["Grants"] if each.get("RetiringPrincipal") == who]}


def _entry(row: Row) -> Output:
    shown: dict[str, Any] = {**row.spec, "GrantId": row.key.name, "CreationDate": row.created}
    return present({"Name": "", **shown})


@on_key("RevokeGrant")
def revoke(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException."""
    grant = _require(context, Key(GRANT, context.account, context.region, params["GrantId"]))
    if grant.parent != row.key.name:
        raise AWSError("NotFoundException", f"Grant ID {params['GrantId']} not found")
    check_asked(params)
    context.store.write(lambda transaction: transaction.delete(grant.key))
    return {}


@SERVICE.operation("RetireGrant")
def retire(context: Context, params: Params) -> Output:
    """By whom the grant names for that, by its grantee where it lets it, or by whom policies let. Raises
    NotFoundException, InvalidGrantTokenException, AccessDeniedException."""
    if params.get("GrantToken"):
        grant = _of_token(context, params["GrantToken"])
    elif params.get("GrantId") and params.get("KeyId"):
        key = find(context, params["KeyId"], aliases=False).key
        grant = _require(context, Key(GRANT, key.account, key.region, params["GrantId"]))
        if grant.parent != key.name:
            raise AWSError("NotFoundException", f"Grant ID {params['GrantId']} not found")
    else:
        raise invalid("Grant token OR (grant ID, key ID) must be specified")
    _check_may_retire(context, grant, params)
    check_asked(params)
    context.store.write(lambda transaction: transaction.delete(grant.key))
    return {}


def _check_may_retire(context: Context, grant: Row, params: Params) -> None:
    spec, who = grant.spec, context.call.principal
    by_itself = "RetireGrant" in spec["Operations"] and is_named(spec.get("GranteePrincipal", ""), who)
    if by_itself or is_named(spec.get("RetiringPrincipal", ""), who):
        return
    row = context.store.read.get(Key(KIND, grant.key.account, grant.key.region, grant.parent))
    if row is None:
        raise AWSError("NotFoundException", f"Grant ID {grant.key.name} not found")
    authorise(context, "RetireGrant", row, params)
