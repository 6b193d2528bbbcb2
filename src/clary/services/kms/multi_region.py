"""ReplicateKey, UpdatePrimaryRegion (https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html).
A replica is there when this is answered: AWS lets it be Creating for a moment first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.calls import Access
from clary.errors import AWSError
from clary.keys.families import following, in_regions, is_primary, regions, regrouped
from clary.keys.rows import ENABLED, PENDING_IMPORT, materials
from clary.services.context import Context
from clary.services.kms import policy_documents
from clary.services.kms.errors import no_key, unsupported
from clary.services.kms.key_view import metadata
from clary.services.kms.keyed import check_usable, on_key
from clary.services.kms.names import key_arn
from clary.services.kms.rights import authorise
from clary.services.kms.tags import checked
from clary.services.resources import MADE_BY, Output, Params, made_before, now
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


def _check_primary(row: Row) -> None:
    if not is_primary(row):
        raise unsupported(f"{row.arn} is not a multi-region primary key.")
    check_usable(row)


@on_key("ReplicateKey")
def replicate(context: Context, params: Params, row: Row) -> Output:
    """Needs the right to create keys, too. Raises NotFoundException, UnsupportedOperationException, DisabledException,
    KMSInvalidStateException, AlreadyExistsException, MalformedPolicyDocumentException, TagException."""
    _check_primary(row)
    replica, tags = _replica(context, params, row), checked(params.get("Tags") or ())
    asked: dict[str, str | list[str]] = {"kms:MultiRegion": "true", "kms:MultiRegionKeyType": "REPLICA"}
    context.authorise(Access("kms:CreateKey", "*", {**asked, "kms:KeySpec": row.spec["KeySpec"]}))

    def write(transaction: Transaction) -> Row:
        there, primary = transaction.get(replica.key), transaction.get(row.key)
        if there is not None and made_before(context, there):
            return there
        if there is not None:
            raise AWSError("AlreadyExistsException", f"Key {replica.arn} already exists")
        if primary is None:
            raise no_key(row.arn)
        _check_primary(primary)
        return _joined(transaction, primary, replica, tags)

    stored = context.store.write(write)
    shown: dict[str, Any] = {"ReplicaKeyMetadata": metadata(stored), "ReplicaPolicy": stored.spec["Policy"]}
    return shown | ({"ReplicaTags": params["Tags"]} if params.get("Tags") else {})


def _replica(context: Context, params: Params, row: Row) -> Row:
    """As it will be, but for what follows from the primary."""
    key = replace(row.key, region=params["ReplicaRegion"])
    arn, made = key_arn(key.region, key.account, key.name), now()
    policy = params.get("Policy") or policy_documents.default(key.account)
    if params.get("Policy"):
        lockout = not params.get("BypassPolicyLockoutSafetyCheck")
        policy_documents.check(context, policy, arn, lockout=lockout)
    spec = {**row.spec, "Policy": policy, "Description": params.get("Description") or ""}
    return Row(key, arn, ENABLED, made, made, spec, {MADE_BY: context.call.invocation_id})


def _joined(transaction: Transaction, primary: Row, replica: Row, tags: dict[str, str]) -> Row:
    """The replica, with the primary's material; where that was imported it waits for the same to be imported."""
    names = [*regions(primary), replica.key.region]
    fresh = following(in_regions(replica, names), primary)
    if primary.spec["Origin"] != "AWS_KMS":
        bare = [{**each, "sealed": "", "expires": None} for each in materials(primary)]
        fresh = replace(fresh, status=PENDING_IMPORT, state={**fresh.state, "materials": bare})
    stored = transaction.insert(fresh)
    transaction.set_tags(stored.arn, tags)
    regrouped(transaction, stored, names)
    return stored


@on_key("UpdatePrimaryRegion")
def update_primary(context: Context, params: Params, row: Row) -> Output:
    """The caller needs the right on both keys. Raises NotFoundException, UnsupportedOperationException,
    DisabledException, KMSInvalidStateException."""
    _check_primary(row)
    place = replace(row.key, region=params["PrimaryRegion"])
    chosen = context.store.read.get(place) if place.region in regions(row) else None
    if chosen is None:
        raise no_key(key_arn(place.region, place.account, place.name))
    authorise(context, "UpdatePrimaryRegion", chosen, params)

    def write(transaction: Transaction) -> None:
        primary, replica = transaction.get(row.key), transaction.get(place)
        if primary is None or replica is None:
            raise no_key(row.arn)
        if regions(primary)[0] != place.region:
            _check_primary(primary)
            check_usable(replica)
            _exchange(transaction, primary, replica)

    context.store.write(write)
    for key in (row.key, place):
        context.wake(key)
    return {}


def _exchange(transaction: Transaction, primary: Row, replica: Row) -> None:
    """The next rotation is the new primary's to make."""
    first = replica.key.region
    names = [first, *(each for each in regions(primary) if each != first)]
    regrouped(transaction, primary, names)
    rotates = primary.state.get("rotates")
    transaction.save(in_regions(replace(primary, state={**primary.state, "rotates": None}), names))
    fresh = transaction.get(replica.key)
    if fresh is not None and rotates:
        transaction.save(replace(fresh, state={**fresh.state, "rotates": rotates}))
