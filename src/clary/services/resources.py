"""Resources that are named, kept and listed: what Create…, Describe…, List… and Delete… have in common.

A resource whose effect is only state is one declaration: `declare(service, Resource(…))`. One with a life of its own
uses the functions here for all that is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError, ValidationError
from clary.names import sagemaker_arn
from clary.services.context import Context
from clary.services.registry import Effect, Service
from clary.services.tags import checked_tags
from clary.store.rows import AlreadyExists, Key, Page, Query, Row, SortBy

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

DEFAULT_PAGE = 10
"""MaxResults of SageMaker's lists where the request has none."""

MADE_BY = "made_by"
"""In a row's state: the invocation that made it."""

_SORTS: Mapping[str, SortBy] = {
    "CreationTime": "created",
    "LastModifiedTime": "modified",
    "Name": "name",
    "Status": "status",
}

Output = dict[str, Any]
Params = dict[str, Any]


def _nothing_more(_row: Row) -> Output:
    return {}


def _as_asked(_context: Context, params: Params) -> Params:
    return params


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
    sort_by: str = "CreationTime"
    descending: bool = True
    """The order of a list whose request does not say it."""

    @property
    def name_member(self) -> str:
        """`ModelName`."""
        return f"{self.noun}Name"

    @property
    def arn_member(self) -> str:
        """`ModelArn`."""
        return f"{self.noun}Arn"


def now() -> datetime:
    """The time, as rows hold it."""
    return datetime.now(UTC)


def moment(seconds: float | None) -> datetime | None:
    """A time of a row's state, as outputs hold it."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def present(members: Mapping[str, Any]) -> Output:
    """Without the members that are None."""
    return {name: value for name, value in members.items() if value is not None}


def key_of(resource: Resource, context: Context, name: str) -> Key:
    """The key of the resource `name` of the caller."""
    return Key(resource.kind, context.account, context.region, name)


def arn_of(resource: Resource, key: Key) -> str:
    """The ARN of a key."""
    return sagemaker_arn(key.region, key.account, resource.kind, key.name)


def new_row(resource: Resource, context: Context, spec: Params) -> Row:
    """A row for what a Create asks; `spec` without its tags."""
    key = key_of(resource, context, spec[resource.name_member])
    made = now()
    kept = {name: value for name, value in spec.items() if name != "Tags" and value is not None}
    return Row(key, arn_of(resource, key), "", made, made, kept)


def insert(
    resource: Resource,
    context: Context,
    row: Row,
    tags: Sequence[Mapping[str, str]] | None = None,
    beside: Sequence[Row] = (),
) -> Row:
    """Write a new row with its tags, and the rows `beside` it. Raises the resource's `exists`, also for a name that
    differs only in case: both would have one ARN. The row that this very call has made before is found again: control
    was killed, and the SDK tries again."""
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


def require(resource: Resource, context: Context, name: str) -> Row:
    """The row of the resource `name`. Raises the resource's `missing`."""
    key = key_of(resource, context, name)
    row = context.store.read.get(key)
    if row is None:
        raise resource.missing(arn_of(resource, key))
    return row


def change_row(resource: Resource, context: Context, name: str, change: Callable[[Row], Row]) -> Row:
    """Replace the row by what `change` makes of it, with nothing in between. Raises the resource's `missing`."""
    key = key_of(resource, context, name)

    def apply(transaction: Transaction) -> Row:
        row = transaction.get(key)
        if row is None:
            raise resource.missing(arn_of(resource, key))
        changed = change(row)
        return row if changed is row else transaction.save(replace(changed, modified=now()))

    return context.store.write(apply)


def delete(resource: Resource, context: Context, name: str) -> None:
    """Delete the row and its tags. Raises the resource's `missing`."""
    key = key_of(resource, context, name)
    if not context.store.write(lambda transaction: transaction.delete(key)):
        raise resource.missing(arn_of(resource, key))


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
    return Query(
        kind=resource.kind,
        account=context.account,
        region=context.region,
        sort_by=_SORTS[params.get("SortBy") or resource.sort_by],
        descending=resource.descending if order is None else order == "Descending",
        limit=params.get("MaxResults") or DEFAULT_PAGE,
        token=params.get("NextToken"),
        name_contains=params.get("NameContains"),
        created_after=params.get("CreationTimeAfter"),
        created_before=params.get("CreationTimeBefore"),
        modified_after=params.get("LastModifiedTimeAfter"),
        modified_before=params.get("LastModifiedTimeBefore"),
    )


def page(context: Context, query: Query, wanted: Callable[[Row], bool] | None = None) -> Page:
    """One page of the rows that are `wanted`, where the query alone cannot tell. Raises ValidationError for a token."""
    found: list[Row] = []
    token = query.token
    while True:
        try:
            part = context.store.read.page(replace(query, limit=query.limit - len(found), token=token))
        except ValueError:
            raise ValidationError("Invalid pagination token.") from None
        found += [row for row in part.rows if wanted is None or wanted(row)]
        token = part.token
        if token is None or len(found) == query.limit:
            return Page(tuple(found), token)


def listing(resource: Resource, shown: Page, entry: Callable[[Row], Output] | None = None) -> Output:
    """A List output: the summaries, and the token where there is another page."""
    of = entry or (lambda row: summary(resource, row))
    return present({resource.list_member: [of(row) for row in shown.rows], "NextToken": shown.token})


def declare(service: Service, resource: Resource, *, effect: Effect = "executes") -> None:
    """Offer Create, Describe, List and Delete of a resource whose effect is only state."""

    @service.operation(f"Create{resource.noun}", effect=effect)
    def create(context: Context, params: Params) -> Output:
        row = new_row(resource, context, resource.fill(context, params))
        return {resource.arn_member: insert(resource, context, row, params.get("Tags")).arn}

    @service.operation(f"Describe{resource.noun}")
    def describe(context: Context, params: Params) -> Output:
        return description(resource, require(resource, context, params[resource.name_member]))

    @service.operation(f"List{resource.noun}s")
    def list_(context: Context, params: Params) -> Output:
        return listing(resource, page(context, query_of(resource, context, params)))

    @service.operation(f"Delete{resource.noun}")
    def delete_(context: Context, params: Params) -> Output:
        delete(resource, context, params[resource.name_member])
        return {}
