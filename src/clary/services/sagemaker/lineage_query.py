"""QueryLineage: what can be reached from some entities along associations
(https://docs.aws.amazon.com/sagemaker/latest/dg/querying-lineage-entities.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from clary.calls import Call
from clary.errors import ValidationError
from clary.services import placed
from clary.services.context import Context
from clary.services.resources import Output, Params, present
from clary.services.sagemaker.associations import LINEAGE_TYPES, entity, type_of
from clary.services.sagemaker.lineage import FROM, TO
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Key, Row

_DEPTH = 10
_PAGE = 50
_MOST = 10_000
"""Vertices of one query: a graph that is larger is asked for from nearer."""

Neighbours = Callable[[str], Iterator[tuple[str, "Edge"]]]
"""Of an ARN: the ARNs that an association leads to, and the association."""


@dataclass(frozen=True)
class Edge:
    """One association."""

    source: str
    destination: str
    type: str | None = None

    def shown(self) -> Output:
        """In the API's words."""
        said = {"SourceArn": self.source, "DestinationArn": self.destination, "AssociationType": self.type}
        return present(said)


@dataclass
class Walk:
    """What was reached, nearest first, and the associations on the way."""

    reached: dict[str, int] = field(default_factory=dict)
    """The steps from the nearest start, by ARN."""
    edges: dict[Edge, None] = field(default_factory=dict)


def walk(starts: Sequence[str], neighbours: Neighbours, depth: int, most: int = _MOST) -> Walk:
    """Breadth first, at most `depth` steps. Raises OverflowError beyond `most` vertices."""
    found = Walk(dict.fromkeys(starts, 0))
    waiting = list(found.reached)
    for arn in waiting:  # grows as it is read
        if found.reached[arn] == depth:
            continue
        for other, edge in neighbours(arn):
            found.edges[edge] = None
            if other not in found.reached:
                found.reached[other] = found.reached[arn] + 1
                waiting.append(other)
                if len(waiting) > most:
                    raise OverflowError
    return found


def _neighbours(context: Context, direction: str) -> Neighbours:
    def ends(kind: str, arn: str) -> Iterator[Edge]:
        for row in context.store.read.children(kind, Key("", context.account, context.region, arn)):
            yield Edge(row.spec["SourceArn"], row.spec["DestinationArn"], row.spec.get("AssociationType"))

    def neighbours(arn: str) -> Iterator[tuple[str, Edge]]:
        if direction in ("Descendants", "Both"):
            yield from ((edge.destination, edge) for edge in ends(FROM, arn))
        if direction in ("Ascendants", "Both"):
            yield from ((edge.source, edge) for edge in ends(TO, arn))

    return neighbours


def _on(call: Call) -> Sequence[str]:
    return list(call.params.get("StartArns", ())) or ["*"]


@SERVICE.operation("QueryLineage", on=_on)
def query(context: Context, params: Params) -> Output:
    """The start is part of what is found; filters choose what is shown, not where the way leads.

    Raises ResourceNotFound, ValidationError.
    """
    starts = [entity(context, context.store.read, arn).arn for arn in params.get("StartArns", ())]
    starts = starts or [row.arn for kind in LINEAGE_TYPES for row in _own(context, kind)]
    depth, direction = params.get("MaxDepth") or _DEPTH, params.get("Direction", "Both")
    try:
        found = walk(starts, _neighbours(context, direction), depth)
    except OverflowError:
        raise ValidationError(f"More than {_MOST} vertices are reached: ask with a smaller MaxDepth.") from None
    return _answer(context, params, found)


def _own(context: Context, kind: str) -> list[Row]:
    own = (context.account, context.region)
    return [row for row in context.store.read.rows(kind) if (row.key.account, row.key.region) == own]


def _answer(context: Context, params: Params, found: Walk) -> Output:
    rows = (context.store.read.by_arn(arn) for arn in found.reached)
    wanted = [row for row in rows if row is not None and _passes(params.get("Filters") or {}, row)]
    entries: list[tuple[list[object], Row]] = [([found.reached[row.arn], row.arn], row) for row in wanted]
    page, token = placed.page(entries, params, params.get("MaxResults") or _PAGE, descending=False)
    edges = _edges(found, {row.arn for row in page}) if params.get("IncludeEdges", True) else None
    return present({"Vertices": [_vertex(row) for row in page], "Edges": edges, "NextToken": token})


def _edges(found: Walk, shown: set[str]) -> list[Output]:
    """Each with the vertex that it was found at the end of."""
    return [edge.shown() for edge in found.edges if _far_end(found, edge) in shown]


def _far_end(found: Walk, edge: Edge) -> str:
    return max((edge.source, edge.destination), key=lambda arn: (found.reached.get(arn, 0), arn))


def _vertex(row: Row) -> Output:
    said = {"Arn": row.arn, "Type": type_of(row), "LineageType": LINEAGE_TYPES.get(row.key.kind)}
    return present(said)


def _passes(filters: Params, row: Row) -> bool:
    properties = row.spec.get("Properties", {})
    return (
        type_of(row) in filters.get("Types", [type_of(row)])
        and LINEAGE_TYPES.get(row.key.kind) in filters.get("LineageTypes", [LINEAGE_TYPES.get(row.key.kind)])
        and ("CreatedBefore" not in filters or row.created < filters["CreatedBefore"])
        and ("CreatedAfter" not in filters or row.created > filters["CreatedAfter"])
        and ("ModifiedBefore" not in filters or row.modified < filters["ModifiedBefore"])
        and ("ModifiedAfter" not in filters or row.modified > filters["ModifiedAfter"])
        and all(properties.get(name) == value for name, value in filters.get("Properties", {}).items())
    )
