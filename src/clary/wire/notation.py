"""Values in one notation, by their shapes: what JSON and CBOR have in common. Each says how its scalars look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from clary.wire.models import Shape
from clary.wire.values import Mismatch, Params, Value, integer

Convert = Callable[[Shape, Value], Value]

Members: TypeAlias = dict[str, tuple[str, Shape, Convert | None]]
"""A structure's, by their names: what each is called in the notation, its shape, what writes it; None for what is
written as it is."""

_SHAPES_KEPT = 32_768
"""Of which members are remembered: more than all models have."""


class Notation:
    """Reads and writes whatever a shape says. `readers` and `writers` are for scalars, by their types' names; `kinds`
    are a notation's own words for its values where they cannot be what is wanted."""

    def __init__(
        self, readers: Mapping[str, Convert], writers: Mapping[str, Convert], kinds: Mapping[type, str]
    ) -> None:
        self._kinds = kinds
        self._readers: dict[str, Convert] = {
            "structure": self._read_structure,
            "list": self._read_list,
            "map": self._read_map,
            "string": self._read_string,
            "character": self._read_string,
            "boolean": self._read_boolean,
            "integer": self._read_integer,
            "long": self._read_integer,
            **readers,
        }
        self._writers: dict[str, Convert | None] = {
            "structure": self._write_structure,
            "list": self._write_list,
            "map": self._write_map,
            **dict.fromkeys(("string", "character", "boolean", "integer", "long"), None),
            **writers,
        }
        self._members: Callable[[Shape], Members] = lru_cache(maxsize=_SHAPES_KEPT)(self._members_of)

    def read(self, shape: Shape, value: Value) -> Value:
        """The notation's value as the shape's: timestamps become datetimes; unknown members fall away.

        Raises Mismatch. A null within a list or map stays None, for the validation to name its place.
        """
        return self._readers[shape.type_name](shape, value)

    def write(self, shape: Shape, value: Value) -> Value:
        """The inverse of `read`. Members that are None or not in the model are left out."""
        writer = self._writers[shape.type_name]
        return value if writer is None else writer(shape, value)

    def wrong(self, value: Value, wanted: str) -> Mismatch:
        """The refusal of a value that is not what is wanted (`a String`)."""
        if isinstance(value, dict):
            return Mismatch("Start of structure or map found where not expected.")
        if isinstance(value, list):
            return Mismatch("Start of list found where not expected")
        return Mismatch(f"{self._kinds.get(type(value), 'NULL_VALUE')} can not be converted to {wanted}")

    def _read_structure(self, shape: Shape, value: Value) -> Value:
        if shape.is_document_type:
            return value
        if type(value) is not dict:
            raise self.wrong(value, "a Structure")
        result: Params = {}
        for name, member in shape.members.items():
            found = value.get(member.serialization.get("name", name))
            if found is not None:
                result[name] = self._readers[member.type_name](member, found)
        return result

    def _read_list(self, shape: Shape, value: Value) -> Value:
        if type(value) is not list:
            raise self.wrong(value, "a List")
        member = shape.member
        reader = self._readers[member.type_name]
        return [None if item is None else reader(member, item) for item in value]

    def _read_map(self, shape: Shape, value: Value) -> Value:
        if type(value) is not dict:
            raise self.wrong(value, "a Map")
        member = shape.value
        reader = self._readers[member.type_name]
        return {
            self._read_string(shape.key, key): None if item is None else reader(member, item)
            for key, item in value.items()
        }

    def _read_string(self, _: Shape, value: Value) -> str:
        if type(value) is not str:
            raise self.wrong(value, "a String")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Mismatch("A string holds half of a surrogate pair.") from None
        return value

    def _read_boolean(self, _: Shape, value: Value) -> bool:
        if type(value) is not bool:
            raise self.wrong(value, "a Boolean")
        return value

    def _read_integer(self, shape: Shape, value: Value) -> int:
        if type(value) not in (int, float):
            raise self.wrong(value, "an Integer" if shape.type_name == "integer" else "a Long")
        return integer(shape, value)

    def _write_structure(self, shape: Shape, value: Value) -> Value:
        if shape.is_document_type:
            return value
        members, result = self._members(shape), {}
        for name, item in value.items():
            member = members.get(name)
            if member is not None and item is not None:
                said, inner, writer = member
                result[said] = item if writer is None else writer(inner, item)
        return result

    def _members_of(self, shape: Shape) -> Members:
        """Looked up once for each shape: answers are full of them."""
        return {
            name: (member.serialization.get("name", name), member, self._writers[member.type_name])
            for name, member in shape.members.items()
        }

    def _write_list(self, shape: Shape, value: Value) -> Value:
        member = shape.member
        writer = self._writers[member.type_name]
        return list(value) if writer is None else [writer(member, item) for item in value]

    def _write_map(self, shape: Shape, value: Value) -> Value:
        member = shape.value
        writer = self._writers[member.type_name]
        return dict(value) if writer is None else {key: writer(member, item) for key, item in value.items()}
