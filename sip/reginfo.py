"""What a network says of our registrations: application/reginfo+xml (RFC 3680 section 5).

The document comes from outside: it is read strictly, in one pass, without a DOCTYPE (so no entity is ever
declared, let alone expanded), and its size, depth and number of elements are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from sip.errors import Malformed
from sip.uri import Uri

TYPE = "application/reginfo+xml"
MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_ELEMENTS = 2000
MAX_TEXT = 4096
MAX_SECONDS = 604_800
_NAMESPACE = "urn:ietf:params:xml:ns:reginfo"


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact. state: "active" or "terminated". event: why ("registered", "shortened", "deactivated"…).
    expires, retry_after: seconds, None when not said.
    """

    uri: Uri
    state: str
    event: str
    expires: int | None = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """One address of record, its state ("init", "active", "terminated") and its contacts."""

    aor: str
    state: str
    bindings: tuple[Binding, ...] = ()


class MalformedReginfo(Malformed):
    """It is no document of RFC 3680, or a larger one than anybody needs."""


def read(body: bytes) -> tuple[int, tuple[Registered, ...]]:
    """(version, what is registered). Raises MalformedReginfo."""
    if len(body) > MAX_BYTES:
        raise MalformedReginfo("size")
    try:
        # What it declares of its coding is not believed: two readers could then read two documents.
        text = body.decode()
    except UnicodeDecodeError as error:
        raise MalformedReginfo("coding") from error
    reader = _Reader()
    try:
        reader.parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise MalformedReginfo("XML") from error
    if reader.version is None:
        raise MalformedReginfo("root element")
    return reader.version, tuple(Registered(aor, state, tuple(found)) for aor, state, found in reader.rows)


@dataclass(slots=True)
class _Contact:
    attributes: dict[str, str]
    depth: int
    uri: list[str] = field(default_factory=list)


class _Reader:
    """Collects what the parser meets; what it does not know it passes over (section 5.1 allows more)."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.rows: list[tuple[str, str, list[Binding]]] = []
        self._path: list[str] = []
        self._elements = 0
        self._contact: _Contact | None = None
        parser = self.parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype

    def _doctype(self, *declared: object) -> None:
        raise MalformedReginfo("DOCTYPE")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        self._elements += 1
        self._path.append(local if namespace == _NAMESPACE else "")
        if self._elements > MAX_ELEMENTS or len(self._path) > MAX_DEPTH:
            raise MalformedReginfo("elements")
        path = "/".join(self._path)
        if path == "reginfo":
            self.version = _number(attributes.get("version"), 2**31)
        elif path == "reginfo/registration":
            self.rows.append((attributes.get("aor", ""), attributes.get("state", ""), []))
        elif path == "reginfo/registration/contact":
            self._contact = _Contact(attributes, len(self._path))

    def _end(self, name: str) -> None:
        contact = self._contact
        if contact is not None and len(self._path) == contact.depth:
            self._contact = None
            self._keep(contact)
        self._path.pop()

    def _text(self, text: str) -> None:
        contact = self._contact
        if contact is not None and self._path[contact.depth :] == ["uri"]:
            contact.uri.append(text)
            if sum(map(len, contact.uri)) > MAX_TEXT:
                raise MalformedReginfo("URI")

    def _keep(self, contact: _Contact) -> None:
        said = contact.attributes
        try:
            uri = Uri.parse("".join(contact.uri).strip())
        except Malformed:
            return  # whoever that is, it is not us
        expires, after = (_number(said.get(name), MAX_SECONDS) for name in ("expires", "retry-after"))
        self.rows[-1][2].append(Binding(uri, said.get("state", ""), said.get("event", ""), expires, after))


def _number(text: str | None, most: int) -> int | None:
    if text is None or not (text.isascii() and text.isdecimal()) or len(text) > 10:
        return None
    return min(int(text), most)
