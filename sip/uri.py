"""URIs and name-addrs (RFC 3261 sections 19.1, 20.10 and 25.1; RFC 3966 for tel:).

User and password are held in one canonical escaped form: what needs no escape is not escaped, all else
is %XX in upper case. So values compare, hash and print as they stand, and no control character or
delimiter can hide in them; `user_text` gives the plain words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Any
from urllib.parse import quote as percent_quote
from urllib.parse import unquote as percent_unquote

from sip.errors import MalformedHeader, MalformedUri
from sip.headers import Params, format_params, parse_params, quote, unquote, visible

MAX_URI = 2048
MAX_URI_PARAMS = 64

_SIP = re.compile(
    r"([Ss][Ii][Pp][Ss]?):"
    r"(?:([^@:\x00-\x20\"<>\x7f]++)(?::([^@\x00-\x20\"<>\x7f]*+))?@)?"
    r"([A-Za-z0-9_.\-]{1,255}+|\[[0-9A-Fa-f:.]{2,45}+\])"
    r"(?::([0-9]{1,5}+))?"
    r"(?:;([!#-;=@-~]*+))?"
    r"(?:\?([!#-;=?@-~]*+))?"
)
_TEL = re.compile(r"tel:(\+?[0-9A-Fa-f*#()\-.]++)(?:;([!#-;=@-~]*+))?", re.IGNORECASE)
_OTHER = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,63}):([!#-;=?-~]+)")
_is_plain_user = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/#]*").fullmatch
_USER_SAFE = "-_.!~*'()&=+$,;?/#"
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()+")
_VISUAL_SEPARATORS = str.maketrans("", "", "-.()")
# In only one of two URIs these keep them from matching (RFC 3261 section 19.1.4, transport by its examples).
_MUST_BE_IN_BOTH = frozenset({"user", "ttl", "method", "maddr", "transport"})
_QUOTED_NAME = re.compile(r'\s*+("(?>(?:[^"\\]++|\\.)*)")\s*+<', re.DOTALL)
_BAD_DISPLAY = re.compile(r'[",;<>@]')


@dataclass(frozen=True, slots=True)
class Uri:
    """A sip:, sips: or tel: URI; of any other scheme `user` holds the opaque rest and `host` is empty.

    host: lower case, IPv6 without brackets. params: lower-case names, None for a flag. headers: as
    after `?`, escapes resolved.
    """

    scheme: str
    user: str
    password: str
    host: str
    port: int | None = None
    params: Params = ()
    headers: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def parse(text: str) -> Uri:
        """Read one URI. Raises MalformedUri."""
        # Most messages of a dialog carry the URIs of the one before; what is remembered is bounded.
        return _parse_short(text) if len(text) <= _SHORT else Uri._parse(text)

    @staticmethod
    def _parse(text: str) -> Uri:
        found = _SIP.fullmatch(text)
        if found is None or len(text) > MAX_URI:
            return _parse_other(text)
        scheme, user, password, host, port, params, headers = found.groups()
        if not user:
            user = ""
        elif not _is_plain_user(user):
            user = _canonical_escapes(user)
        uri = _make_uri(
            scheme.lower(),
            user,
            _canonical_escapes(password) if password else "",
            host.lower() if host[0] != "[" else _ipv6(host[1:-1]),
            None if port is None else _port(port),
            _parse_uri_params(params) if params else (),
            _parse_uri_headers(headers) if headers else (),
        )
        # Escapes make it longer: what we would write must stay within what we would read.
        if len(text) > MAX_URI // 3 and len(str(uri)) > MAX_URI:
            raise MalformedUri("URI length")
        return uri

    @staticmethod
    def sip(user: str, host: str, port: int | None = None, *, scheme: str = "sip", **params: str) -> Uri:
        """A URI from plain words: `user` is escaped as needed, IPv6 hosts stand without brackets."""
        return Uri(scheme, escape_user(user), "", host.lower(), port, tuple(params.items()))

    def __str__(self) -> str:
        if self.scheme == "tel":
            return "tel:" + self.user + _format_uri_params(self.params)
        if self.scheme != "sip" and self.scheme != "sips":
            return f"{self.scheme}:{self.user}"
        text = self.scheme + ":"
        if self.user:
            text += f"{self.user}:{self.password}@" if self.password else self.user + "@"
        text += f"[{self.host}]" if ":" in self.host else self.host
        if self.port is not None:
            text += f":{self.port}"
        if self.params:
            text += _format_uri_params(self.params)
        if self.headers:
            text += "?" + "&".join(f"{_escape(name)}={_escape(value)}" for name, value in self.headers)
        return text

    def param(self, name: str) -> str | None:
        """The value of a parameter, "" when it is a flag, None when it is not there."""
        for key, value in self.params:
            if key == name:
                return value or ""
        return None

    def has(self, name: str) -> bool:
        """Whether the parameter is there."""
        return any(key == name for key, _ in self.params)

    def with_params(self, **params: str | None) -> Uri:
        """A copy with these parameters set; "" makes a flag and None takes the parameter away."""
        names = {name.replace("_", "-"): value for name, value in params.items()}
        kept = [(key, value) for key, value in self.params if key not in names]
        kept += [(key, value or None) for key, value in names.items() if value is not None]
        return replace(self, params=tuple(kept))

    @property
    def user_text(self) -> str:
        """The user part with escapes resolved and control characters left out."""
        return visible(percent_unquote(self.user)) if "%" in self.user else self.user

    @property
    def aor(self) -> str:
        """The canonical address of record: `sip:user@host`, or `tel:number` (RFC 3261 section 10.3)."""
        if self.scheme == "tel" or not self.host:
            return f"{self.scheme}:{self.user}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"sip:{self.user}@{host}" if self.user else "sip:" + host

    def matches(self, other: Uri) -> bool:
        """Equivalence by RFC 3261 section 19.1.4 (RFC 3966 section 4 for tel:)."""
        if (self.scheme, self.user, self.password, self.host, self.port) != (
            other.scheme,
            other.user,
            other.password,
            other.host,
            other.port,
        ):
            return False
        mine = {name: percent_unquote(value or "").lower() for name, value in self.params}
        theirs = {name: percent_unquote(value or "").lower() for name, value in other.params}
        if any(mine[name] != theirs[name] for name in mine.keys() & theirs.keys()):
            return False
        alone = mine.keys() ^ theirs.keys()
        if alone if self.scheme == "tel" else alone & _MUST_BE_IN_BOTH:
            return False
        return sorted((name.lower(), value) for name, value in self.headers) == sorted(
            (name.lower(), value) for name, value in other.headers
        )


@dataclass(frozen=True, slots=True)
class NameAddr:
    """`"display" <uri>;params`, as in From, To, Contact, Route (RFC 3261 section 20.10).

    display: escapes resolved and control characters left out. params: header parameters, lower-case names.
    """

    display: str
    uri: Uri
    params: Params = ()

    @staticmethod
    def parse(text: str) -> NameAddr:
        """Read one name-addr or addr-spec. Raises MalformedUri or MalformedHeader."""
        name, bracket, rest = text.partition("<")
        if '"' in name:
            display, rest = _quoted_display(text, name.strip(), rest)
        elif bracket:
            display = _unquoted_display(name) if name and not name.isspace() else ""
        else:
            return _parse_addr_spec(text.strip())
        uri, bracket, tail = rest.partition(">")
        if not bracket:
            raise MalformedHeader("angle brackets")
        if not tail or tail.isspace():
            return _make_name_addr(display, Uri.parse(uri), ())
        if tail[0] != ";" and tail.lstrip()[0] != ";":
            raise MalformedHeader("text after URI")
        return _make_name_addr(display, Uri.parse(uri), parse_params(tail))

    def __str__(self) -> str:
        text = f"{quote(self.display)} <{self.uri}>" if self.display else f"<{self.uri}>"
        return text + format_params(self.params) if self.params else text

    @property
    def tag(self) -> str | None:
        """The tag parameter, or None."""
        for name, value in self.params:
            if name == "tag":
                return value or None
        return None

    def param(self, name: str) -> str | None:
        """The value of a header parameter, "" when it is a flag, None when it is not there."""
        for key, value in self.params:
            if key == name:
                return value or ""
        return None

    def has(self, name: str) -> bool:
        """Whether the header parameter is there."""
        return any(key == name for key, _ in self.params)

    def with_tag(self, tag: str | None) -> NameAddr:
        """A copy with this tag in place of any other; None takes it away."""
        params = tuple(param for param in self.params if param[0] != "tag")
        return NameAddr(self.display, self.uri, params if tag is None else (*params, ("tag", tag)))


_SHORT = 96
_parse_short = lru_cache(maxsize=2048)(Uri._parse)

# The generated initialisers of frozen dataclasses take half the time of reading a URI; these write the slots.
_new: Any = object.__new__
_uri_slots: tuple[Any, ...] = tuple(Uri.__dict__[field.name].__set__ for field in fields(Uri))
_set_scheme, _set_user, _set_password, _set_host, _set_port, _set_params, _set_headers = _uri_slots
_name_addr_slots: tuple[Any, ...] = tuple(NameAddr.__dict__[field.name].__set__ for field in fields(NameAddr))
_set_display, _set_uri, _set_name_params = _name_addr_slots


def _make_uri(
    scheme: str,
    user: str,
    password: str,
    host: str,
    port: int | None,
    params: Params,
    headers: tuple[tuple[str, str], ...],
) -> Uri:
    made: Uri = _new(Uri)
    _set_scheme(made, scheme)
    _set_user(made, user)
    _set_password(made, password)
    _set_host(made, host)
    _set_port(made, port)
    _set_params(made, params)
    _set_headers(made, headers)
    return made


def _make_name_addr(display: str, uri: Uri, params: Params) -> NameAddr:
    made: NameAddr = _new(NameAddr)
    _set_display(made, display)
    _set_uri(made, uri)
    _set_name_params(made, params)
    return made


def escape_user(text: str) -> str:
    """Plain words as the user part of a URI."""
    return percent_quote(text, safe=_USER_SAFE)


_HEADER_SAFE = "[]/?:+$-_.!~*'()"


def _parse_other(text: str) -> Uri:
    if len(text) > MAX_URI:
        raise MalformedUri("URI length")
    found = _TEL.fullmatch(text)
    if found is not None:
        number = found[1].translate(_VISUAL_SEPARATORS)
        if not number.lstrip("+"):
            raise MalformedUri("telephone number")
        return Uri("tel", number, "", "", None, _parse_uri_params(found[2] or ""))
    found = _OTHER.fullmatch(text)
    if found is None or found[1].lower() in ("sip", "sips", "tel"):
        raise MalformedUri("URI")
    return Uri(found[1].lower(), found[2], "", "")


def _parse_uri_params(text: str) -> Params:
    if "%" in text:
        text = _unescape(text)
    parts = text.split(";")
    if len(parts) > MAX_URI_PARAMS:
        raise MalformedUri("URI parameter count")
    params: list[tuple[str, str | None]] = []
    for part in parts:
        name, equals, value = part.partition("=")
        if name:
            params.append((name.lower(), value if equals else None))
        elif equals:
            raise MalformedUri("URI parameter")
    return tuple(params)


def _format_uri_params(params: Params) -> str:
    return "".join(";" + name if value is None else f";{name}={value}" for name, value in params)


def _parse_uri_headers(text: str) -> tuple[tuple[str, str], ...]:
    parts = text.split("&")
    if len(parts) > MAX_URI_PARAMS:
        raise MalformedUri("URI header count")
    pairs = (part.partition("=") for part in parts if part)
    return tuple((percent_unquote(name), percent_unquote(value)) for name, _, value in pairs)


def _escape(text: str) -> str:
    return percent_quote(text, safe=_HEADER_SAFE)


def _canonical_escapes(text: str) -> str:
    return percent_quote(_unescape(text), safe=_USER_SAFE + "%")


def _unescape(text: str) -> str:
    # A stray percent sign could become an escape by what is unescaped behind it.
    if _STRAY_PERCENT.search(text):
        raise MalformedUri("URI escape")
    return _ESCAPE.sub(_canonical_escape, text)


def _canonical_escape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise MalformedUri("URI port")
    return port


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError as error:
        raise MalformedUri("IPv6 address") from error


def _parse_addr_spec(text: str) -> NameAddr:
    # Without <> a parameter belongs to the header field, and "?" and "," may not stand (section 20.10).
    spec, semicolon, tail = text.partition(";")
    if "?" in spec or "," in spec:
        raise MalformedHeader("URI without angle brackets")
    return NameAddr("", Uri.parse(spec.rstrip()), parse_params(tail) if semicolon else ())


def _quoted_display(text: str, name: str, rest: str) -> tuple[str, str]:
    """The name, and what follows the `<` behind it; `name` and `rest` are `text` cut at its first `<`."""
    inner = name[1:-1]
    if len(name) > 1 and name[0] == '"' == name[-1] and '"' not in inner and "\\" not in inner:
        return visible(inner), rest
    found = _QUOTED_NAME.match(text)
    if found is None:
        raise MalformedHeader("display name")
    return visible(unquote(found[1])), text[found.end() :]


def _unquoted_display(text: str) -> str:
    # Phones send names in any script without quotes; only what would be read in two ways is refused.
    if _BAD_DISPLAY.search(text):
        raise MalformedHeader("unquoted display name")
    return visible(text.strip())
