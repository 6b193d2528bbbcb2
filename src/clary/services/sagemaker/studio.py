"""Domains of Studio, who works in them, and the spaces they share: kept. No app runs in them: CreateApp and addresses
that would open one are refused (`unmade_places.py`)
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDomain.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError, ValidationError
from clary.names import random_hex
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import declare, listed, sieve
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.code import ALL
from clary.services.sagemaker.kept_errors import does_not_exist, in_use
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_SETTINGS = ("DefaultUserSettings", "DefaultSpaceSettings", "UserSettings")


def _fill_domain(context: Context, params: Params) -> Params:
    """Raises ValidationError, AccessDenied."""
    _check_roles(context, params)
    if params.get("AppNetworkAccessType") == "VpcOnly" and not ("VpcId" in params and "SubnetIds" in params):
        raise ValidationError("VpcId and SubnetIds are required where AppNetworkAccessType is VpcOnly.")
    return {"AppNetworkAccessType": "PublicInternetOnly", **params, "DomainId": f"d-{random_hex(6)}"}


def _check_roles(context: Context, params: Params) -> None:
    for settings in filter(None, map(params.get, _SETTINGS)):
        check_role(context, settings.get("ExecutionRole"))


def _update_domain(context: Context, row: Row, params: Params) -> Params:
    _check_roles(context, params)
    asked = {name: value for name, value in params.items() if name != "DomainSettingsForUpdate"}
    settings = {**row.spec.get("DomainSettings", {}), **params.get("DomainSettingsForUpdate", {})}
    return {**joined(row.spec, asked), **({"DomainSettings": settings} if settings else {})}


def joined(before: Mapping[str, Any], asked: Mapping[str, Any]) -> Params:
    """Settings after a change: what the request leaves out stays, at any depth."""
    found = dict(before)
    for name, value in asked.items():
        there = found.get(name)
        found[name] = joined(there, value) if isinstance(there, Mapping) and isinstance(value, Mapping) else value
    return found


def _empty(transaction: Transaction, row: Row) -> None:
    for kind in ("user-profile", "space"):
        if transaction.children(kind, row.key):
            raise AWSError("ResourceInUse", f"Unable to delete Domain {row.key.name} because it still has a {kind}.")


DOMAIN = Resource(
    kind="domain",
    noun="Domain",
    named="DomainId",
    list_member="Domains",
    status="InService",
    exists=in_use("Domain"),
    missing=does_not_exist("Domain"),
    fill=_fill_domain,
    update=_update_domain,
    unused=_empty,
    verbs=ALL,
)


def _fill_within(context: Context, params: Params) -> Params:
    """What is in a domain. Raises ResourceNotFound, ValidationError, AccessDenied."""
    resources.require(DOMAIN, context, params["DomainId"])
    _check_roles(context, params)
    if ("OwnershipSettings" in params) != ("SpaceSharingSettings" in params):
        raise ValidationError("OwnershipSettings and SpaceSharingSettings must be given together.")
    owner = params.get("OwnershipSettings", {}).get("OwnerUserProfileName")
    if owner:
        resources.require(USER_PROFILE, context, f"{params['DomainId']}/{owner}")
    return params


def _update_within(context: Context, row: Row, params: Params) -> Params:
    _check_roles(context, params)
    return joined(row.spec, params)


def _domain_of(_context: Context, spec: Params) -> str:
    return str(spec["DomainId"])


def _owns_nothing(transaction: Transaction, row: Row) -> None:
    domain = Key(DOMAIN.kind, row.key.account, row.key.region, row.parent)
    for space in transaction.children("space", domain):
        if space.spec.get("OwnershipSettings", {}).get("OwnerUserProfileName") == row.spec["UserProfileName"]:
            raise AWSError("ResourceInUse", f"Unable to delete UserProfile {row.arn}: it owns the space {space.arn}.")


def _of_domain(noun: str, kind: str, **more: Any) -> Resource:  # noqa: ANN401  any member of a Resource
    return Resource(
        kind=kind,
        noun=noun,
        within=("DomainId",),
        list_member=f"{noun}s",
        status="InService",
        exists=in_use(noun),
        missing=does_not_exist(noun),
        fill=_fill_within,
        update=_update_within,
        parent=_domain_of,
        group="DomainIdEquals",
        descending=False,
        verbs=("Create", "Describe", "Update", "Delete"),
        **more,
    )


USER_PROFILE = _of_domain("UserProfile", "user-profile", unused=_owns_nothing)


def _summaries(row: Row) -> Output:
    """A space's settings, as its list has them."""
    spec = row.spec
    settings = spec.get("SpaceSettings", {})
    volume = settings.get("SpaceStorageSettings", {})
    of = {
        "SpaceSettingsSummary": {"AppType": settings.get("AppType"), "SpaceStorageSettings": volume or None},
        "SpaceSharingSettingsSummary": spec.get("SpaceSharingSettings"),
        "OwnershipSettingsSummary": spec.get("OwnershipSettings"),
    }
    return resources.present(of)


SPACE = _of_domain("Space", "space", listed=_summaries)

APP = Resource(
    kind="app",
    noun="App",
    named="AppName",
    within=("DomainId", "AppType"),
    list_member="Apps",
    exists=in_use("App"),
    missing=does_not_exist("App"),
    group="DomainIdEquals",
    equal={"UserProfileNameEquals": "UserProfileName", "SpaceNameEquals": "SpaceName"},
    descending=False,
    verbs=("Describe", "List"),
)
"""Nobody can make one: `unmade_places.py` offers what there is of it."""

for _each in (DOMAIN, USER_PROFILE, SPACE):
    declare(SERVICE, _each, effect="keeps state")


def _listing(resource: Resource, operation: str, member: str) -> Callable[[Context, Params], Output]:
    """A list that is narrowed by a part of the name without the domain's."""

    def list_(context: Context, params: Params) -> Output:
        part, others = params.get(member), sieve(resource, params)

        def wanted(row: Row) -> bool:
            named = part is None or part in row.spec[resource.name_member]
            return named and (others is None or others(row))

        found = resources.page(context, resources.query_of(resource, context, params), wanted)
        return resources.listing(resource, found, lambda row: listed("sagemaker", operation, resource, row))

    return list_


SERVICE.operation("ListUserProfiles", effect="keeps state", on=lambda _call: ["*"])(
    _listing(USER_PROFILE, "ListUserProfiles", "UserProfileNameContains")
)
SERVICE.operation("ListSpaces", effect="keeps state", on=lambda _call: ["*"])(
    _listing(SPACE, "ListSpaces", "SpaceNameContains")
)
