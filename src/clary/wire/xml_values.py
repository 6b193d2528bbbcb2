"""Values as XML, by their shapes: the bodies of the rest-xml protocol, and the answers of the query protocol."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import lru_cache
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

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


def render(root: Element) -> bytes:
    """The document in UTF-8, with its declaration. Written here, since the library's own way takes three times as long:
    a listing has thousands of elements."""
    written: list[str] = []
    _put(root, written.append)
    text = "".join(written).encode("utf-8", "xmlcharrefreplace")
    return _DECLARATION + text.replace(b"\r", b"&#13;")  # a bare one would be read as a line feed


def _put(element: Element, put: Callable[[str], None]) -> None:
    tag, text = element.tag, element.text
    begun = f"<{tag}{_attributes(element.attrib)}" if element.attrib else f"<{tag}"
    if not len(element):
        put(f"{begun}>{_escaped(text)}</{tag}>" if text else f"{begun} />")
        return
    put(f"{begun}>{_escaped(text)}" if text else f"{begun}>")
    for child in element:
        _put(child, put)
    put(f"</{tag}>")


def _attributes(known: Mapping[str, str]) -> str:
    return "".join(f' {name}="{value.translate(_ATTRIBUTE)}"' for name, value in known.items())


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


def write(shape: Shape, value: Value, parent: Element, name: str, *, milliseconds: bool = False) -> None:
    """Put the value below `parent` as element `name` (several, where the shape is flattened)."""
    _Writer(milliseconds).write(shape, value, parent, name)


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
def _written_members(shape: Shape) -> tuple[tuple[str, Shape, str, bool], ...]:
    """Of a structure, those that its element holds: name, shape, as what it is written, and whether as an attribute."""
    inside = [(name, member) for name, member in shape.members.items() if "location" not in member.serialization]
    return tuple(
        (name, member, wire_name(member, name), True)
        if member.serialization.get("xmlAttribute")
        else (name, member, element_name(member, name), False)
        for name, member in inside
    )


class _Writer:
    def __init__(self, milliseconds: bool) -> None:
        self._milliseconds = milliseconds

    def write(self, shape: Shape, value: Value, parent: Element, name: str) -> None:
        kind = shape.type_name
        if kind == "structure":
            self.members(shape, value, _element(shape, parent, name))
        elif kind == "list":
            self._list(shape, value, parent, name)
        elif kind == "map":
            self._map(shape, value, parent, name)
        else:
            _element(shape, parent, name).text = self._text(shape, value)

    def members(self, shape: Shape, value: Value, element: Element) -> None:
        for name, member, written, is_attribute in _written_members(shape):
            item = value.get(name)
            if item is None:
                continue
            if is_attribute:
                element.set(written, str(item))
            else:
                self.write(member, item, element, written)

    def _list(self, shape: Shape, value: Value, parent: Element, name: str) -> None:
        if shape.serialization.get("flattened"):
            for item in value:
                self.write(shape.member, item, parent, name)
            return
        element = _element(shape, parent, name)
        for item in value:
            self.write(shape.member, item, element, wire_name(shape.member, "member"))

    def _map(self, shape: Shape, value: Value, parent: Element, name: str) -> None:
        flat = shape.serialization.get("flattened")
        around = parent if flat else _element(shape, parent, name)
        for key, item in value.items():
            entry = SubElement(around, name if flat else "entry")
            self.write(shape.key, key, entry, wire_name(shape.key, "key"))
            self.write(shape.value, item, entry, wire_name(shape.value, "value"))

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


def _element(shape: Shape, parent: Element, name: str) -> Element:
    element = SubElement(parent, name)
    namespace = shape.serialization.get("xmlNamespace")
    if isinstance(namespace, dict):
        prefix = namespace.get("prefix")
        element.set(f"xmlns:{prefix}" if prefix else "xmlns", namespace["uri"])
    elif namespace:
        element.set("xmlns", namespace)
    return element


def write_members(shape: Shape, value: Value, element: Element, *, milliseconds: bool = False) -> None:
    """Put a structure's members directly below `element`."""
    _Writer(milliseconds).members(shape, value, element)
