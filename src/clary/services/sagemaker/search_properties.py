"""The properties by which Search finds, compares and sorts: what a record holds under a dotted name, by its shape
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Filter.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from clary.wire import models
from clary.wire.models import Shape

_SUMMARIES = frozenset({"Avg", "Count", "Last", "Max", "Min", "Stddev"})
"""What is told of a trial component's metric."""

Kind = Literal["text", "number", "moment", "flag", "parameter", "whole"]
"""`parameter`: a text that is compared as a number where it is one. `whole`: something that only is there or not."""

Record = Mapping[str, Any]

_KINDS: Mapping[str, Kind] = {
    "string": "text",
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "timestamp": "moment",
    "boolean": "flag",
}


@cache
def shape_of(name: str) -> Shape:
    """One of SageMaker's shapes."""
    return models.load("sagemaker").shape_for(name)


@dataclass(frozen=True)
class Property:
    """One property of a resource."""

    name: str
    kind: Kind
    values: Callable[[Record], list[Any]]
    """All that a record holds under it: several where the path leads through a list, none where it is not there."""


@dataclass(frozen=True)
class Searchable:
    """A resource as Search sees it."""

    resource: str
    """As the request names it."""
    shape: str
    """Of its record in the API model."""
    within: str = ""
    """The member of the record that holds the resource itself, where that is not the record."""

    def find(self, name: str) -> Property | None:
        """The property of this name; None where it has none."""
        inner = f"{self.within}." if self.within else ""
        found = self._find(inner + name) or (self._find(name) if inner else None)
        return found if found or name[:1].isupper() else self._find(inner + name[:1].upper() + name[1:])

    def names(self) -> list[str]:
        """All names that the model knows, in order: not those of tags, hyperparameters and metrics."""
        shape = shape_of(self.shape)
        within = shape.members[self.within] if self.within else shape
        return sorted(dict.fromkeys(_names(within, "", 0)))

    def _find(self, name: str) -> Property | None:
        shape = shape_of(self.shape)
        parts = name.split(".")
        if parts[0] == "Metrics" and "FinalMetricDataList" in shape.members and len(parts) > 1:
            return Property(name, "number", _metric(name.partition(".")[2]))
        of_component = self.shape == "TrialComponent" and parts[0] == "Metrics" and len(parts) > 2
        if of_component and parts[-1].title() in _SUMMARIES:
            return Property(name, "number", _summary(".".join(parts[1:-1]), parts[-1].title()))
        return _property(shape, name)


def _property(shape: Shape, name: str) -> Property | None:
    parts = name.split(".")
    path: list[str] = []
    for index, part in enumerate(parts):
        shape = _element(shape)
        key = ".".join(parts[index:])
        if shape.type_name == "map":
            return Property(name, "parameter", _entry(path, key))
        if shape.name == "Tag" and path[-1:] == ["Tags"]:
            return Property(name, "text", _tag(path, key))
        if shape.type_name != "structure" or part not in shape.members:
            return None
        shape = shape.members[part]
        path.append(part)
    kind = _KINDS.get(_element(shape).type_name, "whole")
    return Property(name, kind, lambda record: list(walk(record, path)))


def _element(shape: Shape) -> Shape:
    """Of a list, what is in it."""
    return _element(shape.member) if shape.type_name == "list" else shape


def walk(value: Any, path: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401  any part of a record
    """What lies at the end of a path, through all elements of the lists on its way."""
    if isinstance(value, list):
        for item in value:
            yield from walk(item, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and value.get(path[0]) is not None:
        yield from walk(value[path[0]], path[1:])


def _entry(path: Sequence[str], key: str) -> Callable[[Record], list[Any]]:
    return lambda record: [_plain(found[key]) for found in walk(record, path) if key in found]


def _plain(value: Any) -> Any:  # noqa: ANN401  a map's
    """A trial component's parameter is a number or a text in a structure of its own, its artifact a place."""
    if not isinstance(value, Mapping):
        return value
    return next((value[member] for member in ("NumberValue", "StringValue", "Value") if member in value), "")


def _tag(path: Sequence[str], key: str) -> Callable[[Record], list[Any]]:
    return lambda record: [tag["Value"] for tag in walk(record, path) if tag["Key"] == key]


def _metric(name: str) -> Callable[[Record], list[Any]]:
    return lambda record: [
        metric["Value"] for metric in record.get("FinalMetricDataList", ()) if metric["MetricName"] == name
    ]


def _summary(name: str, statistic: str) -> Callable[[Record], list[Any]]:
    """Of a metric of a trial component: `Metrics.test:loss.max`."""
    member = "StdDev" if statistic == "Stddev" else statistic
    return lambda record: [
        metric[member]
        for metric in walk(record, ["Metrics"])
        if metric["MetricName"] == name and metric.get(member) is not None
    ]


def _names(shape: Shape, prefix: str, depth: int) -> Iterator[str]:
    shape = _element(shape)
    if shape.type_name != "structure" or depth > 4:
        return
    for name, member in shape.members.items():
        yield f"{prefix}{name}"
        yield from _names(member, f"{prefix}{name}.", depth + 1)
