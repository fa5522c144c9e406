"""The one way in which SVG enters a page: parsed, allow-listed, its ids made unique by a hash of the content.

`sanitise` may be applied again to its own output and changes nothing. What comes out reads the same as XML and inlined
in HTML: no declaration, no prefix, no entity beyond the five of XML, only elements and attributes of `svg_rules`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from markupsafe import Markup, escape

from reportgen.errors import InputRefused
from reportgen.report import limits, svg_rules

_PREFIX = re.compile(r"^(?:s[0-9a-f]{10}-)+")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_.-]")
_NOT_SHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
_SPECIAL_TEXT = re.compile("[&<>\r]")
_SPECIAL_VALUE = re.compile('[&<>"\r\n\t]')


_MARK = "\0"  # stands before every id until the prefix is known; XML cannot hold it
_REMEMBERED = 4096
_clean: set[bytes] = set()


@dataclass(slots=True)
class _Element:
    """One kept element; `attributes` as they stood in the file, xlink:href as href."""

    name: str
    attributes: dict[str, str]
    children: list[_Element | str] = field(default_factory=list)


def sanitise(data: bytes) -> bytes:
    """Return the drawing with only what is allowed in it; raises InputRefused if it is no SVG or declares entities."""
    digest = hashlib.sha256(data).digest()
    if digest in _clean:
        return data
    result = _sanitise(data)
    # What came out once comes out unchanged again (tests hold it to that), so it need not be parsed again.
    if len(_clean) >= _REMEMBERED:
        _clean.clear()
    _clean.add(hashlib.sha256(result).digest())
    return result


def _sanitise(data: bytes) -> bytes:
    """Parse, filter and write a drawing."""
    root = _Reader().read(data)
    names = _name_ids(root)
    text = _write(root, {old: _MARK + new for old, new in names.items()})
    prefix = f"s{hashlib.sha256(text.encode('utf-8')).hexdigest()[:10]}-"
    return text.replace(_MARK, prefix).encode("utf-8")


def inline(data: bytes) -> Markup:
    """Return the drawing as markup for a page: `data` itself when it is clean, else cleaned first."""
    try:
        clean = sanitise(data)
    except InputRefused:
        return escape("This drawing could not be shown: it is not a plain SVG.")
    return Markup(clean.decode("utf-8"))  # noqa: S704 - the one place; sanitise() is what makes it safe


class _Reader:
    """Reads SVG into elements, leaving out what is not on the list together with everything in it."""

    def __init__(self) -> None:
        self._root: _Element | None = None
        self._open: list[_Element] = []
        self._skipping = 0
        self._count = 0

    def read(self, data: bytes) -> _Element:
        """Return the root element."""
        if len(data) > limits.SVG_BYTES:
            raise InputRefused(f"SVG: {len(data):,} bytes are more than the {limits.SVG_BYTES:,} that are read")
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._entity
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(data, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise InputRefused(f"SVG: not well-formed ({error})") from error
        if self._root is None:
            raise InputRefused("SVG: the root element is not an SVG element")
        return self._root

    def _doctype(self, _name: str, _system: str | None, _public: str | None, internal: int) -> None:
        """Refuse a document type with declarations of its own; a plain one is left out."""
        if internal:
            raise InputRefused("SVG: declares entities or a document type of its own")

    def _entity(self, *_: object) -> None:
        """Refuse any entity that is not one of XML's five."""
        raise InputRefused("SVG: uses entities")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element, or begin to skip."""
        self._count += 1
        if self._count > limits.SVG_ELEMENTS:
            raise InputRefused(f"SVG: more than {limits.SVG_ELEMENTS:,} elements")
        space, _, local = name.rpartition(" ")
        inside_text = bool(self._open) and self._open[-1].name in svg_rules.PLAIN_TEXT
        if self._skipping or space != svg_rules.SVG or local not in svg_rules.ELEMENTS or inside_text:
            self._skipping += 1
            return
        if not self._open and local != "svg":
            raise InputRefused("SVG: the root element is not an SVG element")
        if len(self._open) >= limits.SVG_DEPTH:
            raise InputRefused(f"SVG: more than {limits.SVG_DEPTH} levels deep")
        element = _Element(local, _plain_names(attributes))
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        """Close an element."""
        if self._skipping:
            self._skipping -= 1
        else:
            self._open.pop()

    def _text(self, text: str) -> None:
        """Keep text where text is shown."""
        if not self._skipping and self._open and self._open[-1].name in svg_rules.TEXT_ELEMENTS:
            self._open[-1].children.append(_NOT_SHOWN.sub("\ufffd", text))


def _plain_names(attributes: dict[str, str]) -> dict[str, str]:
    """Return the attributes without namespaces: xlink:href becomes href, xml:space stays, all others go."""
    plain = {name: value for name, value in attributes.items() if " " not in name}
    link = attributes.get(f"{svg_rules.XLINK} href")
    if link is not None:
        plain.setdefault("href", link)
    if attributes.get(f"{svg_rules.XML} space") == "preserve":
        plain["xml:space"] = "preserve"
    return plain


def _walk(element: _Element) -> Iterator[_Element]:
    """Yield an element and all in it, in document order."""
    yield element
    for child in element.children:
        if isinstance(child, _Element):
            yield from _walk(child)


def _name_ids(root: _Element) -> dict[str, str]:
    """Return each id's plain name: without an earlier prefix, safe characters only, no two alike."""
    names: dict[str, str] = {}
    taken: dict[str, int] = {}
    for element in _walk(root):
        old = element.attributes.get("id", "")
        if not old or old in names:
            continue
        base = new = _NOT_IN_ID.sub("_", _PREFIX.sub("", old)) or "_"
        while new in taken:
            taken[base] += 1
            new = f"{base}-{taken[base]}"
        taken[new] = 1
        names[old] = new
    return names


def _copyable(root: _Element) -> dict[str, int]:
    """Return the ids that <use> may draw again, with their size: parts that hold no reference of their own."""
    sizes: dict[str, int] = {}

    def measure(element: _Element) -> tuple[int, bool]:
        size, plain = 1, element.name not in {"use", "svg"}
        for child in element.children:
            if isinstance(child, _Element):
                inner, inner_plain = measure(child)
                size, plain = size + inner, plain and inner_plain
        name = element.attributes.get("id")
        if name and plain:
            sizes.setdefault(name, size)
        return size, plain

    measure(root)
    return sizes


def _write(root: _Element, ids: dict[str, str]) -> str:
    """Return the elements as text, with ids and references renamed by `ids`."""
    writer = _Writer(ids, _copyable(root))
    writer.element(root, references=True)
    return "".join(writer.parts)


class _Writer:
    """Writes elements with their allowed attributes."""

    def __init__(self, ids: dict[str, str], copyable: dict[str, int]) -> None:
        self.parts: list[str] = []
        self._ids = ids
        self._copyable = copyable
        self._copies = 0
        self._written: set[str] = set()

    def element(self, element: _Element, *, references: bool) -> None:
        """Write one element and all in it; `references` is False inside patterns and the like."""
        top = not self.parts
        self.parts.append(f"<{element.name}" + (f' xmlns="{svg_rules.SVG}"' if top else ""))
        for name, value in element.attributes.items():
            cleaned = self._value(element.name, name, value, references)
            if cleaned is not None:
                self.parts.append(f' {name}="{_escape(_SPECIAL_VALUE, cleaned)}"')
        if not element.children:
            self.parts.append("/>")
            return
        self.parts.append(">")
        inside = references and element.name not in svg_rules.NO_REFERENCES_INSIDE
        for child in element.children:
            if isinstance(child, str):
                self.parts.append(_escape(_SPECIAL_TEXT, child))
            else:
                self.element(child, references=inside)
        self.parts.append(f"</{element.name}>")

    def _value(self, element: str, name: str, value: str, references: bool) -> str | None:
        """Return the attribute's value as it may stand, or None to leave it out."""
        if name == "href":
            return self._link(element, value, references)
        if name == "id":
            return self._own_id(value)
        if name == "style":
            return svg_rules.clean_style(value, self._ids, references=references) or None
        if name in svg_rules.GEOMETRY:
            return svg_rules.clean_geometry(value)
        if name in svg_rules.STYLE:
            return svg_rules.clean_css(value, self._ids, references=references)
        if name in svg_rules.ID_LISTS:
            return " ".join(self._ids[word] for word in value.split() if word in self._ids) or None
        if name in svg_rules.WORDS or name == "xml:space" or svg_rules.DATA.fullmatch(name):
            return _NOT_SHOWN.sub("\ufffd", value)
        return None

    def _own_id(self, value: str) -> str | None:
        """Return the element's new id; a second element with the same id has none."""
        if value in self._written:
            return None
        self._written.add(value)
        return self._ids.get(value)

    def _link(self, element: str, value: str, references: bool) -> str | None:
        """Return where a link leads: a place in this page, a part of this drawing, or an embedded picture."""
        if element == "image":
            return svg_rules.clean_picture(value)
        target = value[1:] if value.startswith("#") else ""
        if not target:
            return None
        if element == "a":
            return f"#{self._ids[target] if target in self._ids else _NOT_SHOWN.sub(chr(0xFFFD), target)}"
        if element.endswith("Gradient"):
            return f"#{self._ids[target]}" if target in self._ids else None
        if element != "use" or not references or target not in self._copyable:
            return None
        self._copies += self._copyable[target]
        if self._copies > limits.SVG_COPIES:
            raise InputRefused(f"SVG: <use> draws more than {limits.SVG_COPIES:,} elements")
        return f"#{self._ids[target]}"


def _escape(special: re.Pattern[str], text: str) -> str:
    """Return `text` with its special characters as entities that XML and HTML share."""
    return special.sub(lambda match: _ESCAPES[match.group()], text)
