"""Values as XML, by their shapes: the bodies of the rest-xml protocol, and the answers of the query protocol."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from clary.wire.models import Shape
from clary.wire.values import Mismatch, Params, Value, from_text, to_text, wire_name

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_ALLOWED_CONTROLS = frozenset("\t\n\r")
_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#09;", "\n": "&#10;"})


class _PlainTree(ET.TreeBuilder):
    """Refuses document types: entities that grow without bound come with them, and no AWS client sends one."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise Mismatch("A document type is not allowed.")


def parse(body: bytes) -> Element:
    """The root of an XML document. Raises Mismatch where it is none."""
    parser = ET.XMLParser(target=_PlainTree())  # noqa: S314  what makes XML dangerous is refused by the tree
    try:
        parser.feed(body)
        root: Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Mismatch(f"The XML is not well-formed: {error}") from None
    return root


def document(root: str) -> bytes:
    """An element as a document of its own: in UTF-8, with its declaration."""
    text = root.encode("utf-8", "xmlcharrefreplace")
    return _DECLARATION + text.replace(b"\r", b"&#13;")  # a bare one would be read as a line feed


def element(name: str, inner: str, namespace: str = "") -> str:
    """An element around what is XML already. Answers are written as text: a listing has thousands of elements, and a
    tree of them takes three times as long."""
    return _around(name, f' xmlns="{namespace}"' if namespace else "", inner)


def text_element(name: str, text: str, namespace: str = "") -> str:
    """An element that holds a text, without what XML cannot hold."""
    return element(name, _escaped(writable(text)), namespace)


def _around(name: str, attributes: str, inner: str) -> str:
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes} />"


def _escaped(text: str) -> str:
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    return text.replace(">", "&gt;") if ">" in text else text


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def read(shape: Shape, element: Element) -> Value:
    """The element as the shape's value; unknown elements fall away. Raises Mismatch."""
    kind = shape.type_name
    if kind == "structure":
        return _read_structure(shape, element)
    if kind == "list":
        return [read(shape.member, child) for child in element]
    if kind == "map":
        return dict(_read_entry(shape, entry) for entry in element)
    return _read_scalar(shape, element.text or "")


def _read_structure(shape: Shape, element: Element) -> Params:
    children: dict[str, list[Element]] = {}
    for child in element:
        children.setdefault(local_name(child), []).append(child)
    result: Params = {}
    for name, member in shape.members.items():
        if "location" in member.serialization:
            continue
        if member.serialization.get("xmlAttribute"):
            _read_attribute(name, member, element, result)
        elif found := children.get(element_name(member, name)):
            result[name] = _read_member(member, found)
    return result


def _read_member(shape: Shape, found: list[Element]) -> Value:
    if not shape.serialization.get("flattened"):
        return read(shape, found[0])
    if shape.type_name == "map":
        return dict(_read_entry(shape, entry) for entry in found)
    return [read(shape.member, child) for child in found]


def _read_attribute(name: str, shape: Shape, element: Element, result: Params) -> None:
    wanted = wire_name(shape, name).rpartition(":")[2]
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == wanted:
            result[name] = value


def _read_entry(shape: Shape, entry: Element) -> tuple[Value, Value]:
    parts = {local_name(child): child for child in entry}
    try:
        key, value = parts[wire_name(shape.key, "key")], parts[wire_name(shape.value, "value")]
    except KeyError as missing:
        raise Mismatch(f"An entry has no {missing}") from None
    return read(shape.key, key), read(shape.value, value)


def _read_scalar(shape: Shape, text: str) -> Value:
    if shape.type_name != "blob":
        return from_text(shape, text if shape.type_name == "string" else text.strip())
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise Mismatch("not base64") from None


def element_name(shape: Shape, default: str) -> str:
    """The name of a member's elements: a flattened list's are named by its member."""
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        name: str | None = shape.member.serialization.get("name")
        if name is not None:
            return name
    return wire_name(shape, default)


@lru_cache(maxsize=4096)
def _attributes(shape: Shape) -> tuple[tuple[str, str], ...]:
    """Of a structure, the members that are attributes of its element: name, and as what it is written."""
    found = [(name, member) for name, member in shape.members.items() if member.serialization.get("xmlAttribute")]
    return tuple((name, wire_name(member, name)) for name, member in found)


@lru_cache(maxsize=4096)
def _inside(shape: Shape) -> tuple[tuple[str, Shape, str, bool], ...]:
    """Of a structure, the members that stand in its element: name, shape, as what it is written, and whether it is a
    plain text."""
    return tuple(
        (name, member, element_name(member, name), member.type_name == "string" and not _namespace(member))
        for name, member in shape.members.items()
        if "location" not in member.serialization and not member.serialization.get("xmlAttribute")
    )


def _namespace(shape: Shape) -> str:
    """As an attribute, where the model has one."""
    known = shape.serialization.get("xmlNamespace")
    if isinstance(known, dict):
        prefix = known.get("prefix")
        return f' xmlns:{prefix}="{known["uri"]}"' if prefix else f' xmlns="{known["uri"]}"'
    return f' xmlns="{known}"' if known else ""


class _Writer:
    def __init__(self, milliseconds: bool) -> None:
        self._milliseconds = milliseconds

    def write(self, shape: Shape, value: Value, name: str) -> str:
        kind = shape.type_name
        if kind == "structure":
            return _around(name, _namespace(shape) + self._attributes(shape, value), self.members(shape, value))
        if kind == "list":
            return self._list(shape, value, name)
        if kind == "map":
            return self._map(shape, value, name)
        return _around(name, _namespace(shape), _escaped(self._text(shape, value)))

    def members(self, shape: Shape, value: Value) -> str:
        written: list[str] = []
        for name, member, tag, plain in _inside(shape):
            item = value.get(name)
            if item is None:
                continue
            written.append(_around(tag, "", _escaped(writable(str(item)))) if plain else self.write(member, item, tag))
        return "".join(written)

    def _attributes(self, shape: Shape, value: Value) -> str:
        known = [(written, value.get(name)) for name, written in _attributes(shape)]
        return "".join(f' {name}="{str(text).translate(_ATTRIBUTE)}"' for name, text in known if text is not None)

    def _list(self, shape: Shape, value: Value, name: str) -> str:
        if shape.serialization.get("flattened"):
            return "".join([self.write(shape.member, item, name) for item in value])
        tag = wire_name(shape.member, "member")
        return _around(name, _namespace(shape), "".join([self.write(shape.member, item, tag) for item in value]))

    def _map(self, shape: Shape, value: Value, name: str) -> str:
        flat = shape.serialization.get("flattened")
        key, held = wire_name(shape.key, "key"), wire_name(shape.value, "value")
        entries = "".join(
            _around(name if flat else "entry", "", self.write(shape.key, k, key) + self.write(shape.value, v, held))
            for k, v in value.items()
        )
        return entries if flat else _around(name, _namespace(shape), entries)

    def _text(self, shape: Shape, value: Value) -> str:
        kind = shape.type_name
        if kind == "string":
            return writable(str(value))
        if kind == "blob":
            return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
        return writable(to_text(shape, value, milliseconds=self._milliseconds))


def writable(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold."""
    if text.isprintable():
        return text
    return "".join(c for c in text if (c >= " " or c in _ALLOWED_CONTROLS) and c not in "\ufffe\uffff")


def members(shape: Shape, value: Value, *, milliseconds: bool = False) -> str:
    """A structure's members, one element after another (several, where a list is flattened)."""
    return _Writer(milliseconds).members(shape, value)
