"""Resources that are named, kept and listed: what Create…, Describe…, List…, Update… and Delete… have in common.

A resource whose effect is only state is one declaration: `declaring.declare(service, Resource(…))`. One with a life of
its own uses the functions here for all that is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError, ValidationError
from clary.names import sagemaker_arn
from clary.services.context import Context, Looking
from clary.services.tags import checked_tags
from clary.store.points import Points
from clary.store.rows import AlreadyExists, Key, Page, Query, Row, SortBy
from clary.wire.models import Shape
from clary.wire.timestamps import in_utc

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

DEFAULT_PAGE = 10
"""MaxResults of SageMaker's lists where the request has none."""

MADE_BY = "made_by"
"""In a row's state: the invocation that made it."""

CREATED_BY, MODIFIED_BY = "created_by", "modified_by"
"""In a row's state: the IAM identity that did so, as `UserContext.IamIdentity`."""

_SORTS: tuple[tuple[str, SortBy], ...] = (
    ("creat", "created"),
    ("lastmodified", "modified"),
    ("status", "status"),
    ("version", "created"),
)
"""How values of SortBy begin or end, without blanks and in lower case (`CREATION_TIME`, `CreateDate`, `HubStatus`);
all others are names."""

_BOUNDS: Mapping[str, tuple[str, ...]] = {
    "created_after": ("CreationTimeAfter", "CreatedAfter"),
    "created_before": ("CreationTimeBefore", "CreatedBefore"),
    "modified_after": ("LastModifiedTimeAfter", "ModifiedTimeAfter"),
    "modified_before": ("LastModifiedTimeBefore", "ModifiedTimeBefore"),
}

Output = dict[str, Any]
Params = dict[str, Any]


def _nothing_more(_row: Row) -> Output:
    return {}


def _as_asked(_context: Context, params: Params) -> Params:
    return params


def _never(_transaction: Transaction, _row: Row) -> None:
    return None


def _alone(_context: Context, _spec: Params) -> str:
    return ""


def merged(_context: Context, row: Row, params: Params) -> Params:
    """The spec with all that an Update says."""
    return {**row.spec, **params}


@dataclass(frozen=True)
class Resource:
    """One kind of resource, in the API's words."""

    kind: str
    """The rows' kind, and the type within the ARN: `endpoint-config`."""
    noun: str
    """As in the operations' names: `EndpointConfig`. Its name's member is `EndpointConfigName`, its ARN's
    `EndpointConfigArn`."""
    list_member: str
    """The member of the List output that holds the summaries."""
    exists: Callable[[str], AWSError]
    """What a Create of a name that is taken answers, from the ARN."""
    missing: Callable[[str], AWSError]
    """What anything else answers for a name that is not there, from the ARN."""
    fill: Callable[[Context, Params], Params] = _as_asked
    """Checks the request of a Create beyond the model, and fills in what AWS fills in. The result is the spec."""
    shown: Callable[[Row], Output] = _nothing_more
    """Members of Describe that are not in the spec."""
    listed: Callable[[Row], Output] = _nothing_more
    """Members of a list's entry that are neither in the spec nor in Describe."""
    sort_by: str = "CreationTime"
    descending: bool = True
    """The order of a list whose request does not say it."""
    verbs: tuple[str, ...] = ("Create", "Describe", "List", "Delete")
    """What `declare` offers, of these and `Update`."""
    plural: str = ""
    """As in the List's name, where that is not the noun with an s."""
    named: str = ""
    """The member of requests that names it, where that is not `<noun>Name`."""
    arn_named: str = ""
    """The member that holds its ARN, where that is not `<noun>Arn`."""
    arn_type: str = ""
    """The type within its ARN, where that is not the rows' kind: `workteam/private-crowd`."""
    whole: str = ""
    """The member of outputs that holds all of it, where the output is not it."""
    within: tuple[str, ...] = ()
    """The members under which it names itself, from the outermost: `DomainId` of a user profile."""
    status: str = ""
    """What its status is from the moment that it is made; empty where it has none."""
    update: Callable[[Context, Row, Params], Params] = merged
    """The spec after an Update. Raises what AWS answers."""
    parent: Callable[[Context, Params], str] = _alone
    """What the rows are grouped by, from a new one's spec."""
    group: str = ""
    """The member of the List's request that asks for one group."""
    equal: Mapping[str, str] = field(default_factory=dict)
    """Members of the List's request, and the members of a description that must be equal to them."""
    unused: Callable[[Transaction, Row], None] = _never
    """Raises what a Delete answers while something depends on it."""

    @property
    def name_member(self) -> str:
        """`ModelName`."""
        return self.named or f"{self.noun}Name"

    @property
    def arn_member(self) -> str:
        """`ModelArn`."""
        return self.arn_named or f"{self.noun}Arn"

    def name_in(self, params: Mapping[str, Any]) -> str:
        """The row's name (or ARN) from a request's members: `d-abc/alice` of a user profile."""
        return "/".join(str(params[member]) for member in (*self.within, self.name_member))


def now() -> datetime:
    """The time, as rows hold it."""
    return datetime.now(UTC)


def moment(seconds: float | None) -> datetime | None:
    """A time of a row's state, as outputs hold it."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def present(members: Mapping[str, Any]) -> Output:
    """Without the members that are None."""
    return {name: value for name, value in members.items() if value is not None}


def key_of(resource: Resource, context: Looking, name: str) -> Key:
    """The key of the resource `name` of the caller."""
    return Key(resource.kind, context.account, context.region, name)


def arn_of(resource: Resource, key: Key) -> str:
    """The ARN of a key."""
    return sagemaker_arn(key.region, key.account, resource.arn_type or resource.kind, key.name)


def new_row(resource: Resource, context: Context, spec: Params) -> Row:
    """A row for what a Create asks; `spec` without its tags."""
    key = key_of(resource, context, resource.name_in(spec))
    made = now()
    kept = {name: in_json(value) for name, value in spec.items() if name != "Tags" and value is not None}
    state = {CREATED_BY: identity_of(context)}
    parent = resource.parent(context, spec)
    return Row(key, arn_of(resource, key), resource.status, made, made, kept, state, parent=parent)


def identity_of(context: Context) -> dict[str, str]:
    """Who asks, as `UserContext.IamIdentity`."""
    principal = context.call.principal
    return {"Arn": principal.arn, "PrincipalId": principal.user_id}


def in_json(value: Any) -> Any:  # noqa: ANN401  any part of a request
    """As rows hold it: times as seconds since 1970, which `shaped` makes times again."""
    if isinstance(value, datetime):
        return in_utc(value).timestamp()
    if isinstance(value, Mapping):
        return {name: in_json(item) for name, item in value.items()}
    return [in_json(item) for item in value] if isinstance(value, list) else value


def shaped(shape: Shape, value: Any) -> Any:  # noqa: ANN401  any part of an output
    """What of a value a shape of the API has, with times where it has times: of all that is known of a row, what one
    output shows."""
    of = _SHAPED.get(shape.type_name)
    return value if of is None else of(shape, value)


def _structure(shape: Shape, value: Mapping[str, Any]) -> Any:  # noqa: ANN401
    if shape.is_document_type:
        return value
    members = shape.members.items()
    return {name: shaped(member, value[name]) for name, member in members if value.get(name) is not None}


def _timestamp(_shape: Shape, value: datetime | float) -> datetime | None:
    return value if isinstance(value, datetime) else moment(value)


_SHAPED: Mapping[str, Callable[[Shape, Any], Any]] = {
    "structure": _structure,
    "list": lambda shape, value: [shaped(shape.member, item) for item in value],
    "map": lambda shape, value: {name: shaped(shape.value, item) for name, item in value.items()},
    "timestamp": _timestamp,
}


def insert(
    resource: Resource,
    context: Context,
    row: Row,
    tags: Sequence[Mapping[str, str]] | None = None,
    beside: Sequence[Row] = (),
) -> Row:
    """Write a new row with its tags, and the rows `beside` it that are not there yet. Raises the resource's `exists`,
    also for a name that differs only in case: both would have one ARN. The row that this very call has made before is
    found again: control was killed, and the SDK tries again."""
    wanted = checked_tags(tags or ())
    marks = {MADE_BY: context.call.invocation_id} if context.call.invocation_id else {}
    marked = replace(row, state={**row.state, **marks})

    def change(transaction: Transaction) -> Row:
        there = transaction.by_arn(row.arn)
        if there is not None:
            if made_before(context, there):
                return there
            raise AlreadyExists(row.key)
        stored = transaction.insert(marked)
        for each in beside:
            if transaction.get(each.key) is None:
                transaction.insert(each)
        transaction.set_tags(row.arn, wanted)
        return stored

    try:
        return context.store.write(change)
    except AlreadyExists:
        raise resource.exists(row.arn) from None


def made_before(context: Context, row: Row) -> bool:
    """Whether this very call has made the row, when it was tried before."""
    return bool(context.call.invocation_id) and row.state.get(MADE_BY) == context.call.invocation_id


def require(resource: Resource, context: Looking, name: str) -> Row:
    """The row of the resource `name`, which may be its ARN. Raises the resource's `missing`."""
    return found(resource, context, context.store.read, name)


def found(resource: Resource, context: Looking, view: Points, name: str) -> Row:
    """`require`, as a view of the rows has it."""
    row = find(resource, context, view, name)
    if row is None:
        raise resource.missing(name if name.startswith("arn:") else arn_of(resource, key_of(resource, context, name)))
    return row


def find(resource: Resource, context: Looking, view: Points, name: str) -> Row | None:
    """The caller's own row of that name or ARN; an ARN of another account or region names nothing here."""
    if not name.startswith("arn:"):
        return view.get(key_of(resource, context, name))
    row = view.by_arn(name) or view.by_arn(name.lower())
    own = row is not None and row.key == key_of(resource, context, row.key.name)
    return row if own else None


def change_row(resource: Resource, context: Context, name: str, change: Callable[[Row], Row]) -> Row:
    """Replace the row by what `change` makes of it, with nothing in between. Raises the resource's `missing`."""

    def apply(transaction: Transaction) -> Row:
        row = found(resource, context, transaction, name)
        changed = change(row)
        return row if changed is row else transaction.save(replace(changed, modified=now()))

    return context.store.write(apply)


def delete(resource: Resource, context: Context, name: str) -> Row:
    """Delete the row and its tags; the row as it was. Raises the resource's `missing`, and what `unused` raises."""

    def change(transaction: Transaction) -> Row:
        row = found(resource, context, transaction, name)
        resource.unused(transaction, row)
        transaction.delete(row.key)
        return row

    return context.store.write(change)


def description(resource: Resource, row: Row) -> Output:
    """Describe's output: the spec, the ARN, the time, and what else the resource shows."""
    return {**row.spec, resource.arn_member: row.arn, "CreationTime": row.created, **resource.shown(row)}


def summary(resource: Resource, row: Row) -> Output:
    """One entry of a list: name, ARN, time."""
    return {
        resource.name_member: row.key.name,
        resource.arn_member: row.arn,
        "CreationTime": row.created,
    }


def query_of(resource: Resource, context: Context, params: Params) -> Query:
    """A List request as a query: paging, sorting, name and times."""
    order = params.get("SortOrder")
    group = params.get(resource.group) if resource.group else None
    return Query(
        kind=resource.kind,
        account=context.account,
        region=context.region,
        sort_by=_sorted_by(params.get("SortBy") or resource.sort_by),
        descending=resource.descending if order is None else order.lower() == "descending",
        limit=params.get("MaxResults") or DEFAULT_PAGE,
        token=params.get("NextToken"),
        name_contains=params.get("NameContains"),
        parent=group,
        **{bound: _first(params, members) for bound, members in _BOUNDS.items()},
    )


def _sorted_by(asked: str) -> SortBy:
    said = asked.replace("_", "").lower()
    return next((by for part, by in _SORTS if said.startswith(part) or said.endswith(part)), "name")


def _first(params: Params, members: Sequence[str]) -> Any:  # noqa: ANN401  whatever stands there
    return next((params[member] for member in members if member in params), None)


def page(context: Context, query: Query, wanted: Callable[[Row], bool] | None = None) -> Page:
    """One page of the rows that are `wanted`, where the query alone cannot tell. Raises ValidationError for a token."""
    try:
        return context.store.read.page(query, wanted)
    except ValueError:
        raise ValidationError("Invalid pagination token.") from None


def listing(resource: Resource, shown: Page, entry: Callable[[Row], Output] | None = None) -> Output:
    """A List output: the summaries, and the token where there is another page."""
    of = entry or (lambda row: summary(resource, row))
    return present({resource.list_member: [of(row) for row in shown.rows], "NextToken": shown.token})
