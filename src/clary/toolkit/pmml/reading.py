"""A PMML file as plain elements. What it says is not trusted: no document type, no entities, no bottomless nesting."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Tuple
from xml.parsers import expat

MOST_BYTES = 256 * 2**20
MOST_ELEMENTS = 2_000_000
MOST_DEPTH = 400
"""Levels of nesting, most of them a tree's nodes."""
MOST_NESTED = 60
"""Levels of anything but nodes."""
VERSIONS = ("4.0", "4.1", "4.2", "4.3", "4.4")
_NAMESPACE = "http://www.dmg.org/PMML-4_"
_SEPARATOR = " "
_EXTENSION = "Extension"
_NODE = "Node"


class Invalid(Exception):
    """The file is no PMML that can be asked; the message says why."""


class Element:
    """One element, without its namespace."""

    __slots__ = ("attributes", "children", "tag", "text")

    def __init__(self, tag: str, attributes: Dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: List[Element] = []
        self.text = ""

    def get(self, name: str, default: str = "") -> str:
        """An attribute."""
        return self.attributes.get(name, default)

    def need(self, name: str) -> str:
        """An attribute that must be there. Raises Invalid."""
        if name not in self.attributes:
            raise Invalid(f"{self.tag} has no {name}")
        return self.attributes[name]

    def number(self, name: str, default: Any = None) -> float:  # noqa: ANN401 - a number, or None: it must be there
        """An attribute as a number. Raises Invalid."""
        text = self.need(name) if default is None else self.attributes.get(name)
        return float(default) if text is None else number(text, f"{self.tag}: {name}")

    def all(self, *tags: str) -> Iterator[Element]:
        """The children of such names."""
        return (child for child in self.children if child.tag in tags)

    def first(self, *tags: str) -> Any:  # noqa: ANN401 - an Element, or None
        """The first child of such a name; None where there is none."""
        return next(self.all(*tags), None)

    def only(self, *tags: str) -> Element:
        """The one child of such a name. Raises Invalid."""
        found = list(self.all(*tags))
        if len(found) != 1:
            raise Invalid(f"{self.tag} has {len(found)} of {', '.join(tags[:6])} where one is wanted")
        return found[0]


def number(text: str, what: str) -> float:
    """Raises Invalid."""
    try:
        return float(text)
    except ValueError:
        raise Invalid(f"{what} {text[:60]!r} is no number") from None


def words(array: Element) -> List[str]:
    """The entries of an Array: separated by blanks, those that hold blanks in double quotes."""
    found: List[str] = []
    text, place = array.text, 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        word, place = _quoted(text, place + 1) if text[place] == '"' else _bare(text, place)
        found.append(word)
    return found


def _bare(text: str, place: int) -> Tuple[str, int]:
    end = place
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[place:end], end


def _quoted(text: str, place: int) -> Tuple[str, int]:
    letters = []
    while place < len(text) and text[place] != '"':
        if text[place] == "\\" and text[place + 1 : place + 2] == '"':
            place += 1
        letters.append(text[place])
        place += 1
    return "".join(letters), place + 1


def read(content: bytes) -> Element:
    """The root of a file. Raises Invalid."""
    if len(content) > MOST_BYTES:
        raise Invalid(f"the file has {len(content)} bytes, more than {MOST_BYTES}")
    root = _Reader().read(content)
    version = root.get("version").strip()
    if root.tag != "PMML" or version[:3] not in VERSIONS:
        known = f"{VERSIONS[0]} to {VERSIONS[-1]}"
        raise Invalid(f"the file is {root.tag[:60]} of version {version[:20] or 'none'}, not PMML of {known}")
    return root


class _Reader:
    """Elements as expat tells of them: nothing here calls itself, however deep they are."""

    def __init__(self) -> None:
        self._open: List[Element] = []
        self._texts: List[List[str]] = []
        self._count = 0
        self._nodes = 0
        self._skipped = 0
        self._root: Any = None

    def read(self, content: bytes) -> Element:
        parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.ExternalEntityRefHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise Invalid(f"the file is no XML: {error}") from None
        root: Element = self._root
        return root

    def _start(self, name: str, attributes: Dict[str, str]) -> None:
        namespace, _, tag = name.rpartition(_SEPARATOR)
        if self._skipped or tag == _EXTENSION or not (namespace.startswith(_NAMESPACE) or not namespace):
            self._skip(namespace, tag)
            return
        self._count += 1
        self._nodes += tag == _NODE
        self._check()
        element = Element(tag, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)
        self._texts.append([])

    def _check(self) -> None:
        depth = len(self._open)
        if depth >= MOST_DEPTH or depth - self._nodes >= MOST_NESTED:
            raise Invalid(f"the file has more than {MOST_DEPTH} levels, or more than {MOST_NESTED} besides nodes")
        if self._count > MOST_ELEMENTS:
            raise Invalid(f"the file has more than {MOST_ELEMENTS} elements")

    def _skip(self, namespace: str, tag: str) -> None:
        """What other programs have added is for them."""
        if not self._open:
            raise Invalid(f"the file is {tag[:60]} of {namespace[:80] or 'no namespace'}, not PMML")
        self._skipped += 1

    def _end(self, _name: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        closed = self._open.pop()
        closed.text = "".join(self._texts.pop())
        self._nodes -= closed.tag == _NODE

    def _text(self, text: str) -> None:
        if not self._skipped:
            self._texts[-1].append(text)


def _refuse(*_said: Any) -> Any:  # noqa: ANN401 - expat's
    raise Invalid("the file declares a document type or entities, which are not read")
