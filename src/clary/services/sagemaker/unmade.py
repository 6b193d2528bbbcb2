"""Kinds of resources that nobody can make yet: what would make one, and what acts on one, is refused with its reason.

Whether there is one is asked of the store all the same: lists show what is there, and what is named is found or is
absent in AWS's words. A kind that comes to be made has its declaration here already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from clary.errors import AWSError
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import declare, named
from clary.services.registry import Service
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.errors import not_carried_out
from clary.services.sagemaker.kept_errors import Told, does_not_exist, in_use


@dataclass(frozen=True)
class Unmade:
    """One kind."""

    resource: Resource
    """Its verbs are Describe and List, as far as the API has them."""
    because: str
    """Why, as a sentence without its stop."""
    makes: tuple[str, ...] = ()
    """The operations that would make one."""
    acts: tuple[str, ...] = ()
    """Those that act on one that is there; behind a colon the member that names it, where it is another one."""


def refuse(service: Service, kind: Unmade) -> None:
    """Offer all operations of the kind."""
    declare(service, kind.resource, effect="refused")
    for name in kind.makes:
        service.refuse(not_carried_out(name, kind.because), name, on=named(kind.resource))
    for said in kind.acts:
        name, _, member = said.partition(":")
        resource = replace(kind.resource, named=member, within=()) if member else kind.resource
        _act(service, name, resource, not_carried_out(name, kind.because))


def _act(service: Service, name: str, resource: Resource, refusal: AWSError) -> None:
    @service.operation(name, effect="refused", on=named(resource))
    def act(context: Context, params: Params) -> Output:
        """Raises the resource's `missing`; the refusal where it is there, or is not said."""
        if resource.name_member in params:
            resources.require(resource, context, resource.name_in(params))
        raise AWSError(refusal.code, refusal.message)


def kind_of(noun: str, kind: str, list_member: str = "", missing: Told | None = None, **more: Any) -> Resource:  # noqa: ANN401  any member of a Resource
    """As its API declares it, and nothing of what a Create would do."""
    declared = {"verbs": ("Describe", "List"), "equal": {"StatusEquals": f"{noun}Status"}, **more}
    missing = missing or does_not_exist(noun)
    return Resource(kind=kind, noun=noun, list_member=list_member, exists=in_use(noun), missing=missing, **declared)
