"""Requests and responses: reading, answering, serialising (RFC 3261 sections 7, 8.2.6 and 18.3).

`parse` reads through all that the layers above rely on, once: what it returns has typed accessors that
do not raise; what it cannot return it raises as MalformedMessage, with enough to answer it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2s
from typing import Any

from sip.errors import Malformed, MalformedHeader, MalformedMessage
from sip.fields import Message, read_cseq, read_list
from sip.head import Head, find_end, read_head
from sip.headers import Headers, is_token, split_list
from sip.reasons import REASONS
from sip.uri import NameAddr, Uri
from sip.via import Via

__all__ = ["REASONS", "Headers", "Message", "NameAddr", "Request", "Response", "Uri", "Via", "build", "parse"]

MAX_VIAS = 70
# Stands for a Request-URI that could not be read, in requests that are only there to be refused.
UNREADABLE = Uri("unreadable", "", "", "")

_TAG = re.compile(r";\s*tag\s*=", re.IGNORECASE)
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE)
_VERSION = re.compile(r"SIP/[0-9]{1,9}\.[0-9]{1,9}", re.IGNORECASE)
# Responses to these set up a dialog and carry the route back (RFC 3261 section 12.1.1, RFC 6665, RFC 3515).
_DIALOG_METHODS = frozenset({"INVITE", "SUBSCRIBE", "REFER", "NOTIFY", "UPDATE"})
# In these a Contact has a meaning; elsewhere an unreadable one is passed over (RFC 3261 section 20.10).
_TARGET_METHODS = frozenset({"INVITE", "REGISTER", "SUBSCRIBE", "NOTIFY", "REFER", "UPDATE"})


class _Fault(Exception):
    """A fault with a verdict of its own, on its way to becoming a MalformedMessage."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Request(Message):
    """A request. charset: of the head as it came, "latin-1" from phones that do not know better."""

    __slots__ = ("method", "uri")

    def __init__(
        self,
        method: str,
        uri: Uri,
        headers: Headers | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        charset: str = "utf-8",
    ) -> None:
        self.method = method
        self.uri = uri
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body
        self.charset = charset

    def _start_line(self) -> str:
        return f"{self.method} {self.uri} SIP/2.0"

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri} {self.call_id}>"

    def respond(
        self,
        status: int,
        reason: str | None = None,
        *,
        tag: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """A response by RFC 3261 section 8.2.6: Via, From, To, Call-ID and CSeq copied as they came.

        tag: To tag when the request had none; without it a tag is derived from the request, the same for
        each retransmission (section 8.2.7). Record-Route is copied where the answer may set up a dialog.
        """
        mine = self.headers
        lines: dict[str, list[str]] = {}
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            values = mine.lines_of(name)
            if values:
                lines[name] = list(values) if name == "Via" else values[:1]
        if status > 100:
            if "To" in lines and not self._has_to_tag():
                lines["To"] = [f"{lines['To'][0]};tag={tag or self._derived_tag()}"]
            if status < 300 and self.method in _DIALOG_METHODS:
                record_route = mine.lines_of("Record-Route")
                if record_route:
                    lines["Record-Route"] = list(record_route)
        else:
            timestamp = mine.lines_of("Timestamp")
            if timestamp:
                lines["Timestamp"] = timestamp[:1]
        answer = Headers.from_lines(lines)
        for name, value in headers:
            answer.add(name, value)
        return Response(status, reason, answer, body, self.charset)

    def stamp(self, host: str, port: int) -> None:
        """Write the source address into the top Via (RFC 3261 section 18.2.1, RFC 3581 section 4)."""
        lines = self.headers.lines_of("Via") or []
        vias = self.vias
        stamped = vias[0].stamped(host, port)
        if stamped == vias[0]:
            return
        first = split_list(lines[0])
        first[0] = str(stamped)
        self.headers.replace("Via", [*first, *lines[1:]])
        self.headers.typed["Via"] = (stamped, *vias[1:])

    def _has_to_tag(self) -> bool:
        try:
            return self.to.tag is not None
        except Malformed:
            return _TAG.search((self.headers.get("To") or "").rpartition(">")[2]) is not None

    def _derived_tag(self) -> str:
        get = self.headers.get
        seed = "\n".join((get("Call-ID") or "", get("From") or "", get("CSeq") or "", get("Via") or ""))
        return blake2s(seed.encode("utf-8", "replace"), digest_size=8).hexdigest()


class Response(Message):
    """A response."""

    __slots__ = ("status", "reason")

    def __init__(
        self,
        status: int,
        reason: str | None = None,
        headers: Headers | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        charset: str = "utf-8",
    ) -> None:
        self.status = status
        self.reason = REASONS.get(status, "") if reason is None else reason
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body
        self.charset = charset

    def _start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason} {self.call_id}>"


def parse(data: bytes) -> Request | Response:
    """Read one datagram; bytes behind Content-Length are passed over (RFC 3261 section 18.3).

    Raises MalformedMessage: with a request when it should be answered, without when it is to be dropped.
    """
    data = data.lstrip(b"\r\n")
    end, begin = find_end(data)
    if end < 0:
        head = read_head(data)
        head.blame(400, "Truncated Message")
        return build(head, b"")
    head = read_head(data[:end])
    body = data[begin:]
    length = head.content_length
    if length is not None:
        if length > len(body):
            head.blame(400, "Body Shorter Than Content-Length")
        elif length < len(body):
            body = body[:length]
    return build(head, body)


def build(head: Head, body: bytes) -> Request | Response:
    """A message from its head and its whole body. Raises MalformedMessage."""
    start = head.start
    if start[:4].upper() == "SIP/":
        return _build_response(head, body)
    method, _, rest = start.partition(" ")
    target, _, version = rest.rpartition(" ")
    if not is_token(method) or not target:
        raise MalformedMessage(400, "Bad Request Line")
    request = Request(method, UNREADABLE, Headers.from_lines(head.lines), body, head.charset)
    try:
        if version != "SIP/2.0" and version.upper() != "SIP/2.0":
            _check_version(version)
        if head.fault is not None:
            raise _Fault(*head.fault)
        request.uri = Uri.parse(target)
        if request.uri.headers:
            raise _Fault(400, "Request-URI With Headers")
        if _check(head.lines, request.headers.typed)[1] != method:
            raise _Fault(400, "CSeq Method Mismatch")
        _check_contacts(request, method in _TARGET_METHODS)
    except _Fault as fault:
        raise MalformedMessage(fault.status, fault.reason, _answerable(request)) from fault
    except Malformed as error:
        raise MalformedMessage(400, f"Bad {error}", _answerable(request)) from error
    return request


def _build_response(head: Head, body: bytes) -> Response:
    found = _STATUS_LINE.fullmatch(head.start)
    if found is None:
        raise MalformedMessage(400, "Bad Status Line")
    if head.fault is not None:
        raise MalformedMessage(*head.fault)
    status = int(found[1])
    response = Response(status, found[2] or "", Headers.from_lines(head.lines), body, head.charset)
    try:
        _check(head.lines, response.headers.typed)
        _check_contacts(response, 100 < status < 400)
    except Malformed as error:
        raise MalformedMessage(400, f"Bad {error}") from error
    return response


def _check(lines: dict[str, list[str]], typed: dict[str, Any]) -> tuple[int, str]:
    """Read what every layer needs into `typed`, so that no accessor raises later; return the CSeq."""
    call_id = lines.get("Call-ID")
    if not call_id or not call_id[0] or " " in call_id[0]:
        raise MalformedHeader("Call-ID")
    try:
        typed["Via"] = vias = read_list(lines["Via"], Via.parse)
        typed["From"] = NameAddr.parse(lines["From"][0])
        typed["To"] = NameAddr.parse(lines["To"][0])
        typed["CSeq"] = cseq = read_cseq(lines["CSeq"][0])
    except KeyError as missing:
        raise MalformedHeader(f"{missing.args[0]}, missing") from missing
    if len(vias) > MAX_VIAS or not lines["Via"][0].strip(", \t"):
        raise MalformedHeader("Via")
    hops = lines.get("Max-Forwards")
    if hops and hops[0] != "70" and not _is_hop_count(hops[0]):
        raise MalformedHeader("Max-Forwards")
    for name in ("Route", "Record-Route"):
        if name in lines:
            typed[name] = read_list(lines[name], NameAddr.parse)
    return cseq


def _is_hop_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 8 and int(text) < 256


def _check_contacts(message: Message, needed: bool) -> None:
    lines = message.headers.lines_of("Contact")
    if lines is None or message.wildcard_contact:
        return
    try:
        message.headers.typed["Contact"] = read_list(lines, NameAddr.parse)
    except Malformed:
        if needed:
            raise
        message.headers.typed["Contact"] = ()


def _check_version(version: str) -> None:
    if _VERSION.fullmatch(version):
        raise _Fault(505, REASONS[505])
    raise _Fault(400, "Bad Request Line")


def _answerable(request: Request) -> Request | None:
    """The request when a response to it can find its way and its transaction; ACK is never answered."""
    if request.method == "ACK":
        return None
    lines = request.headers.lines_of("Via")
    if not lines:
        return None
    try:
        request.headers.typed["Via"] = (Via.parse(split_list(lines[0])[0]),)
    except (Malformed, IndexError):
        return None
    return request
