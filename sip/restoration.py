"""A mobile network that has forgotten us asks to be registered with anew (TS 24.229 section 5.1.2A.1.6).

It does so by a 504 to a request, with a document of its own (section 7.6), of which two words are needed.
"""

from __future__ import annotations

from xml.parsers import expat

from sip.message import Response

TYPE = "application/3gpp-ims+xml"
MAX_BYTES = 4096
MAX_ELEMENTS = 32
_WANTED = {"type": "restoration", "action": "initial-registration"}


def wanted(response: Response) -> bool:
    """Whether a refusal asks for an initial registration. Hostile documents want nothing."""
    body = response.body
    if response.status != 504 or response.content_type != TYPE or not 0 < len(body) <= MAX_BYTES:
        return False
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except (expat.ExpatError, _Refused):
        return False
    return reader.found == _WANTED


class _Refused(Exception):
    """More than such a document has."""


class _Reader:
    """The words of `type` and `action` in `alternative-service`, whatever the namespace."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self._elements = 0
        parser = self.parser = expat.ParserCreate("utf-8", " ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype

    def _doctype(self, *declared: object) -> None:
        raise _Refused

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _Refused
        self._path.append(name.rpartition(" ")[2])

    def _end(self, name: str) -> None:
        self._path.pop()

    def _text(self, text: str) -> None:
        parents, name = self._path[:-1], self._path[-1]
        if name in _WANTED and parents[-1:] == ["alternative-service"]:
            self.found[name] = self.found.get(name, "") + text.strip()
