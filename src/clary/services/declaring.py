"""Resources whose effect is only state: one declaration gives Create, Describe, List, Update and Delete, as far as the
resource has them, with tags, pages, filters, and the ARNs that each acts on.

What an output shows is taken from the model: of all that is known of a row (`facts`), the members of its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clary.calls import Call
from clary.names import sagemaker_arn
from clary.services import resources
from clary.services.context import Context, Looking
from clary.services.registry import Effect, Named, Service
from clary.services.resources import Output, Params, Resource, shaped
from clary.services.tags import checked_tags, listed_tags
from clary.store.rows import Row
from clary.wire import models
from clary.wire.models import Shape

Verb = Callable[[Resource, Shape, Context, Params], Output]


def declare(service: Service, resource: Resource, *, effect: Effect = "executes") -> None:
    """Offer what the resource's `verbs` say."""
    for verb in resource.verbs:
        name = operation_name(resource, verb)
        on = _all if verb == "List" else named(resource)
        carried_out = _carried_out(service.model, name, resource, _VERBS[verb])
        service.operation(name, effect=effect, on=on, looks=verb == "Describe")(carried_out)


def _all(_call: Call) -> Sequence[str]:
    return ["*"]


def operation_name(resource: Resource, verb: str) -> str:
    """`CreateContext`, `ListContexts`."""
    return f"List{resource.plural or resource.noun + 's'}" if verb == "List" else f"{verb}{resource.noun}"


def named(resource: Resource) -> Named:
    """The ARN that a request names, by name or by ARN; all of the kind, where it will only get its name."""

    def on(call: Call) -> Sequence[str]:
        members = (*resource.within, resource.name_member)
        name = resource.name_in(call.params) if all(member in call.params for member in members) else "*"
        arn = sagemaker_arn(call.region, call.principal.account, resource.arn_type or resource.kind, name)
        return [name if name.startswith("arn:") else arn]

    return on


def facts(resource: Resource, row: Row) -> Output:
    """All that is known of a row, under every name that the API has for it; what AWS would say of who made it, too."""
    made, changed = row.state.get(resources.CREATED_BY), row.state.get(resources.MODIFIED_BY)
    by = {"CreatedBy": {"IamIdentity": made} if made else {}, "LastModifiedBy": _changed_by(row, made, changed)}
    statuses = {"Status": row.status, f"{resource.noun}Status": row.status} if row.status else {}
    times = {"CreationTime": row.created, "LastModifiedTime": row.modified}
    dates = {"CreateDate": row.created, "LastUpdatedDate": row.modified}
    found = {**row.spec, resource.arn_member: row.arn, **times, **dates, **by, **statuses, **resource.shown(row)}
    return {**found, resource.whole: found} if resource.whole else found


def _changed_by(row: Row, made: object, changed: object) -> Output:
    who = changed or (made if row.modified == row.created else None)
    return {"IamIdentity": who} if who else {}


def shown(model: str, operation: str, found: Mapping[str, Any]) -> Output:
    """Of what is known, the output of an operation."""
    output: Output = shaped(models.operation(model, operation).output_shape, found) or {}
    return output


def listed(model: str, operation: str, resource: Resource, row: Row) -> Output:
    """Of what is known of a row, an entry of a list."""
    output: Shape = models.operation(model, operation).output_shape
    members = output.members[resource.list_member].member
    entry: Output = shaped(members, {**facts(resource, row), **resource.listed(row)})
    return entry


def _carried_out(model: str, name: str, resource: Resource, verb: Verb) -> Callable[[Context, Params], Output]:
    def carry_out(context: Context, params: Params) -> Output:
        return verb(resource, models.operation(model, name).output_shape, context, params)

    return carry_out


def _create(resource: Resource, output: Shape, context: Context, params: Params) -> Output:
    row = resources.new_row(resource, context, resource.fill(context, params))
    return _answer(resource, output, resources.insert(resource, context, row, params.get("Tags")))


def _describe(resource: Resource, output: Shape, context: Looking, params: Params) -> Output:
    row = resources.require(resource, context, resource.name_in(params))
    tags = {"Tags": listed_tags(context.store.read.tags(row.arn))} if "Tags" in output.members else {}
    answer: Output = shaped(output, {**facts(resource, row), **tags})
    return answer


def _update(resource: Resource, output: Shape, context: Context, params: Params) -> Output:
    def change(row: Row) -> Row:
        return changed(context, row, resource.update(context, row, unnamed(resource, params)))

    tags = checked_tags(params.get("Tags") or ())
    row = resources.change_row(resource, context, resource.name_in(params), change)
    if tags:
        context.store.write(lambda transaction: transaction.set_tags(row.arn, tags))
    return _answer(resource, output, row)


def unnamed(resource: Resource, params: Params) -> Params:
    """A request without what names the resource: that may be an ARN."""
    return {name: value for name, value in params.items() if name not in (*resource.within, resource.name_member)}


def changed(context: Context, row: Row, spec: Params) -> Row:
    """The row with another spec, and who has changed it. What names it stays as it was."""
    kept = {name: resources.in_json(value) for name, value in spec.items() if value is not None and name != "Tags"}
    return replace(row, spec=kept, state={**row.state, resources.MODIFIED_BY: resources.identity_of(context)})


def _delete(resource: Resource, output: Shape, context: Context, params: Params) -> Output:
    return _answer(resource, output, resources.delete(resource, context, resource.name_in(params)))


def _answer(resource: Resource, output: Shape, row: Row) -> Output:
    return shaped(output, facts(resource, row)) if output is not None else {}


def _list(resource: Resource, output: Shape, context: Context, params: Params) -> Output:
    entry = output.members[resource.list_member].member
    found = resources.page(context, resources.query_of(resource, context, params), sieve(resource, params))
    return resources.listing(
        resource, found, lambda row: shaped(entry, {**facts(resource, row), **resource.listed(row)})
    )


def sieve(resource: Resource, params: Params) -> Callable[[Row], bool] | None:
    """What a List's own members ask of a row; None where they ask nothing."""
    asked = {member: params[name] for name, member in resource.equal.items() if name in params}
    if not asked:
        return None

    def wanted(row: Row) -> bool:
        """Most members are the spec's own: what else is known is told only where one is not."""
        return all(
            _at(row.spec if member in row.spec else facts(resource, row), member) == value
            for member, value in asked.items()
        )

    return wanted


def _at(found: Mapping[str, Any], path: str) -> object:
    value: Any = found
    for member in path.split("."):
        value = value.get(member) if isinstance(value, Mapping) else None
    return value


_VERBS: Mapping[str, Verb] = {
    "Create": _create,
    "Describe": _describe,
    "List": _list,
    "Update": _update,
    "Delete": _delete,
}
