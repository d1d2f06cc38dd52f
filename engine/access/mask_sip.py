"""SIP messages without the numbers, names and addresses of people in them, for who may not read those.

    start line, URIs        the user part: sip:+34******567@host, sip:m***@host, tel:+34******567
    display names           "***"
    other header fields     runs of seven digits and more, however they are separated; e-mail, cards
    fields of the protocol  as they are: who called is not in a branch, a tag, a Call-ID or a CSeq
    SDP                     its user, name, information, telephone and e-mail; all that sound needs stays
    other bodies            as header fields, and names in XML

Methods, statuses, hosts, ports, codecs and parameters stay, and a message stays one. Messages are hostile:
all patterns are possessive or atomic, or end within some characters, so that each takes a time linear in its
length; a line that no phone writes is not looked into, for a pattern at work lets no other thread run.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from engine.access import mask

HIDDEN = mask.STAR * 3
LONGEST = 16 * 1024  # of a line; twice of what is answered (sip/head.py)
LEAST = 7  # digits of a number that stands anywhere; in a URI it is known to be one
# Header fields and parameters that nobody is named in, whose digits tell one transaction from another.
KEPT = frozenset(
    "via v cseq rseq rack call-id i content-length l max-forwards in-reply-to replaces target-dialog join "
    "session-id session-expires x min-se expires min-expires timestamp date sip-etag sip-if-match event o "
    "subscription-state security-client security-server security-verify p-charging-vector allow allow-events "
    "u supported k require proxy-require unsupported accept "
    "accept-encoding accept-language content-type c content-encoding e content-disposition mime-version "
    "www-authenticate proxy-authenticate authentication-info proxy-authentication-info".split()
)
WORDS = frozenset({"user-agent", "server", "warning", "reason", "retry-after"})  # in which nobody is named
CREDENTIALS = frozenset({"authorization", "proxy-authorization"})
OPAQUE = frozenset({"identity", "y", "user-to-user", "subject", "s"})  # RFC 8224, RFC 7433: numbers in code
NAMING = frozenset(  # of whom or to whom: what stands before an address without brackets is a name as well
    "from f to t reply-to referred-by b contact m diversion history-info remote-party-id p-asserted-identity "
    "p-preferred-identity p-called-party-id p-served-user".split()
)
OPEN = frozenset({"http", "https", "urn", "cid", "data", "file"})  # schemes that name nobody before an @
HEADERS_KEPT = frozenset({"replaces", "require", "method"})  # of a URI

_LINE = re.compile(r"(\r?\n(?![ \t]))")  # what is folded is one line
_FIELD = re.compile(r"([^\s:]++)([ \t]*+:\s*+)", re.DOTALL)
_REQUEST = re.compile(r"([A-Za-z]++ ++)(.*)( SIP/[\d.]++\s*)", re.DOTALL)
_STATUS = re.compile(r"SIP/[\d.]++ ++\d{3}(?!\d) ?")
_PART = re.compile(r'"(?>(?:[^"\\]|\\.)*)"?+|<[^>]*+>?+|[^"<]++', re.DOTALL)
_USERNAME = re.compile(r"(\busername\*?\s*+=\s*+)(\"(?>(?:[^\"\\]|\\.)*)\"?+|[^\s,;\"]++)", re.IGNORECASE)
_SCHEMES = r"(?:sips?|tel|fax|sms|im|pres|xmpp|mailto|h323)"
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_SCHEMED = re.compile(rf"\b{_SCHEMES}:", re.IGNORECASE)
_IP = re.compile(rf"((?<![\d.]){_BYTE}(?:\.{_BYTE}){{3}}(?!\.?\d))")
_FOUND = re.compile(
    rf"(?P<uri>\b{_SCHEMES}:[^\s<>\",]*+)"
    r"|(?P<kept>\b(?:(?:from-|to-)?tag|branch|index|icid-value|cseq|expires|received|rport)=[^;,\s<>\"]*+)"
    rf"|(?P<number>\+?\(?\d(?>(?:[ .\-/()\u00a0]{{0,2}}\d){{{LEAST - 1},}}))",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\s*+([A-Za-z][A-Za-z0-9+.-]{0,31}+)\s*+:")
_DIALLED = re.compile(r"\+?\(?\d(?>(?:[ .\-/()\u00a0]{0,2}\d){4,})")
_MAIL = re.compile(r"[^\s@<>()]++@[\w.-]++")
_CNAME = re.compile(r"(\bcname:)\S++")  # RFC 5576: of a user at a host
_SDP = re.compile(r"([a-z])=")
_NAMES = re.compile(
    r"(<(?:[\w-]{1,32}:)?(?:display-name|name)(?:\s[^<>]*+)?>)[^<]*+|(\bdisplay(?:-name)?\s{0,9}=\s{0,9})"
    r"(?:\"[^\"<>]*+|'[^'<>]*+)",
    re.IGNORECASE,
)


def hidden(message: str) -> str:
    """A message of SIP, or what is left of one."""
    head, blank, body = message.partition("\r\n\r\n")
    if not blank:
        head, blank, body = message.partition("\n\n")
    first, *rest = map(_bounded, _LINE.split(head))
    fields = [each if at % 2 == 0 else _field(each) for at, each in enumerate(rest)]
    return "".join([_start(first), *fields, blank, *map(_body, map(_bounded, _LINE.split(body)))])


def _bounded(line: str) -> str:
    if len(line) <= LONGEST:
        return line
    name, colon, _ = line[:64].partition(":")
    return f"{name}{colon} {HIDDEN}" if colon and name.replace("-", "").isalpha() else HIDDEN


def _start(line: str) -> str:
    request = _REQUEST.fullmatch(line)
    if request is not None:
        return request[1] + _uri(request[2]) + request[3]
    status = _STATUS.match(line)
    return status[0] + _words(line[status.end() :]) if status else _field(line)


def _field(line: str) -> str:
    found = _FIELD.match(line)
    if found is None:
        return _address(line)
    name, value = found[1].lower(), line[found.end() :]
    if name in KEPT:
        return line
    if name in OPAQUE:
        value = HIDDEN + value[value.find(";") :] if ";" in value else HIDDEN
    elif name in CREDENTIALS:
        return found[0] + _USERNAME.sub(_username, _uris(value))
    elif name in NAMING and "<" not in value:
        value = _unnamed(value)
    return found[0] + (_words(value) if name in WORDS else _address(value))


def _address(value: str) -> str:
    """A value in which somebody may be named before an address. Parts: quoted, in brackets, all between."""
    parts = _PART.findall(value)
    for at, part in enumerate(parts):
        before = parts[at - 1].rstrip()[-1:] if at else ""
        if part[0] == "<":
            parts[at] = f"<{_uri(part[1:].removesuffix('>'))}{'>' if part[-1] == '>' else ''}"
        elif part[0] == '"':
            parts[at] = _words(part) if before == "=" else f'"{HIDDEN}"'
        elif at + 1 < len(parts):
            parts[at] = _named(part, first=at == 0 or parts[at - 1] == f'"{HIDDEN}"')
        else:
            parts[at] = _words(part)
    return mask.line("".join(parts))


def _unnamed(value: str) -> str:
    scheme = _SCHEMED.search(value)
    end = scheme.start() if scheme else len(value.partition(";")[0])
    named = value[:end].strip() not in ("", "*")
    return (f'"{HIDDEN}" ' if named else value[:end]) + value[end:]


def _named(part: str, *, first: bool) -> str:
    """What stands before a bracket or a quote: parameters of the address before it, and behind a comma
    somebody's name. first: there is no address before it.
    """
    bare = part.rstrip()
    if not bare or bare[-1] == "=":
        return _words(part)
    of_last, comma, name = ("", "", part) if first else part.partition(",")
    if not name.strip():
        return _words(of_last) + comma + name
    return f'{_words(of_last)}{comma}{name[: len(name) - len(name.lstrip())]}"{HIDDEN}" '


def _words(text: str) -> str:
    """Text, with URIs, numbers, e-mail and cards in it."""
    return mask.line(_FOUND.sub(_seen, text))


def _uris(text: str) -> str:
    return _FOUND.sub(lambda found: _uri(found[0]) if found["uri"] else found[0], text)


def _seen(found: re.Match[str]) -> str:
    if found["uri"]:
        return _uri(found[0])
    if found["kept"]:
        return found[0]
    pieces = _IP.split(found[0])  # a number may stand beside an address
    return "".join(each if at % 2 else _long(each) for at, each in enumerate(pieces))


def _long(piece: str) -> str:
    number = piece.strip()
    if sum(each.isdigit() for each in number) < LEAST:
        return piece
    return piece.replace(number, mask.who(number.rstrip(" .-/()")))


def _uri(uri: str) -> str:
    """One URI, without its brackets. Whoever it names is before its last @, or all of it (RFC 3966)."""
    found = _SCHEME.match(uri)
    scheme, rest = (uri[: found.end()], uri[found.end() :]) if found else ("", uri)
    if found and found[1].lower() in OPEN:
        return scheme + _long_ones(rest)
    user, at, host = rest.rpartition("@")
    if at:
        return scheme + _user(user) + at + _behind(host)
    end = re.search(r"[;?]|$", rest)
    assert end is not None
    whole = rest[: end.start()]
    bare = unquote(whole)
    named = found is not None and found[1].lower() not in ("sip", "sips")
    if named or (_DIALLED.match(bare) and not _IP.match(bare)):
        return scheme + _user(whole) + _behind(rest[end.start() :])
    return scheme + _behind(rest)


def _user(user: str) -> str:
    """Parameters of a number go with it (RFC 3966): a subaddress, another number."""
    name, *more = user.split(";")
    shown = quote(_long_ones(mask.who(unquote(name))), safe="+*-_.!~'()&=$,/: ")
    return shown + (f";{HIDDEN}" if more else "")


def _behind(host: str) -> str:
    """A host with parameters, and headers that are to be sent there."""
    place, mark, headers = host.partition("?")
    return _long_ones(place) + mark + "&".join(map(_header, headers.split("&")))


def _header(field: str) -> str:
    name, sign, value = field.partition("=")
    return field if name.lower() in HEADERS_KEPT or not value else f"{name}{sign}{HIDDEN}"


def _long_ones(text: str) -> str:
    return _FOUND.sub(lambda found: found[0] if found["uri"] else _seen(found), text)


def _username(found: re.Match[str]) -> str:
    name = found[2].strip('"')
    sign = '"' if found[2][0] == '"' else ""
    return f"{found[1]}{sign}{_user(name)}{sign}"


def _body(line: str) -> str:
    kind = _SDP.match(line)
    if kind is None:
        if _FIELD.match(line) and "<sip" in line.lower():
            return _field(line)  # of a message within (RFC 3420)
        return _words(_NAMES.sub(_nameless, line))
    value = line[2:]
    match kind[1]:
        case "o":
            user, space, rest = value.partition(" ")
            return f"o={user if user == '-' else mask.who(user)}{space}{rest}"
        case "s" | "i" | "u" if value.strip() not in ("", "-"):
            return f"{kind[0]}{HIDDEN}"
        case "p" | "e":
            sure = _MAIL.fullmatch(value) or _DIALLED.fullmatch(value)
            return kind[0] + (mask.who(value) if sure else HIDDEN)
    return mask.line(_uris(_CNAME.sub(rf"\1{HIDDEN}", line)))


def _nameless(found: re.Match[str]) -> str:
    return f"{found[1]}{HIDDEN}" if found[1] else f"{found[2]}{found[0][len(found[2])]}{HIDDEN}"
