"""How the node writes its log: one event a line, the same keys everywhere, no secret, nobody's number, no
flood.

Keys: `at` (RFC 3339, UTC), `level`, `room` (the logger), `event` (what happened, in words that stay the
same), then the event's own, with `call`, `leg`, `queue`, `agent` and `why` meaning what they mean in the
journal.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import quote, unquote, urlsplit

import msgspec
import structlog

from engine.access import mask

HIDDEN = "[hidden]"
MAX_DEPTH = 6
PEOPLE = frozenset({"customer", "caller", "party", "phone"})  # keys whose values are somebody's
LOUD = frozenset({"warning", "error", "critical", "exception"})
REPEATS = 5  # of one event in PERIOD_S; further ones are counted, and told with the next that passes
PERIOD_S = 10.0
MIN_SECRET = 8  # characters
MOST_SECRETS = 2000
MAX_KINDS = 1024  # events the limiter remembers

Event = MutableMapping[str, Any]
Processor = Callable[[Any, str, Event], Event]

_SECRET_KEYS = re.compile(
    r"(?:^|[_-])(?:password|passwd|secret|secrets|token|tokens|authorization|credential|credentials|cookie"
    r"|api_?key|private_?key|key|ha1|nonce|cnonce|crypto|inline)$",
    re.IGNORECASE,
)
# What gives a secret away, and the words without which it cannot be there: looking for words is a hundred
# times cheaper.
_SECRET_TEXT = tuple(
    (tuple(words.split()), re.compile(pattern))
    for words, pattern in (
        # A header of SIP or HTTP: all of its value, folded lines too.
        (
            "authorization",
            r"(?im)^((?:proxy-)?authorization\s*:\s*)[^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*",
        ),
        ("cookie", r"(?im)^((?:set-)?cookie\s*:\s*)[^\r\n]*"),
        # SDP: a line's SRTP keys (RFC 4568), and an ICE password.
        ("a=crypto:", r"(?im)^(a=crypto:\S+\s+\S+\s+)[^\r\n]*"),
        ("inline:", r"(?i)(\binline:)[A-Za-z0-9+/=|:]+"),
        ("ice-pwd", r"(?im)^(a=ice-pwd:)[^\r\n]*"),
        # Anywhere in a line.
        ("bearer basic", r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}"),
        ("digest", r'(?i)(\bdigest\s+)(?:\w+\s*=\s*(?:"[^"]*"|[^\s,]+)\s*,?\s*)+'),
        (
            "passw secret token api ha1",
            r"(?i)(\b(?:password|passwd|secret|token|api[_-]?key|ha1)\b[\"']?\s*[=:]\s*)"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&]+)",
        ),
        ("://", r"(?i)\b([a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,200}:)[^\s@/]+(?=@)"),
        ("sip: sips:", r"(?i)(\bsips?:[^\s:@;<>]{1,200}:)[^\s@;<>]+(?=@)"),
    )
)


class _Kept:
    """Secrets that this process knows, the newest of too many, and how they may be written, by what these
    begin with: thousands are looked for at the price of one.
    """

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self._written: dict[str, set[str]] = {}

    def add(self, values: Iterable[str]) -> None:
        for value in (part for each in values for part in (each, _password_of(each))):
            if len(value) >= MIN_SECRET:
                self._values.pop(value, None)
                self._values[value] = None
        for old in list(self._values)[:-MOST_SECRETS]:
            del self._values[old]
        written: dict[str, set[str]] = {}
        for value in self._values:
            for form in (value, quote(value, safe=""), repr(value)[1:-1]):
                written.setdefault(form[:MIN_SECRET], set()).add(form)
        self._written = written  # at once: other threads write to the log meanwhile

    def without(self, text: str) -> str:
        ends = range(MIN_SECRET, len(text) + 1)
        pieces = map(text.__getitem__, map(slice, range(len(ends)), ends))
        written = self._written
        if not written or written.keys().isdisjoint(pieces):
            return text
        found = {form for head, forms in written.items() if head in text for form in forms}
        for form in sorted(found, key=len, reverse=True):  # the longer holds the shorter
            text = text.replace(form, HIDDEN)
        return text


def _password_of(url: str) -> str:
    """Drivers name the parts of a URL, not the URL."""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


_kept = _Kept()


def conceal(values: Iterable[str]) -> None:
    """These are written nowhere from now on, in whatever words they stand: an exception's of a library, say.
    Those of few characters are left, for they are in many a word.
    """
    _kept.add(values)


def scrub_text(text: str) -> str:
    """The text without secrets that are known, without the values of what looks like one, and without numbers
    of people.
    """
    text = _kept.without(text)
    lowered = text.lower()
    for words, pattern in _SECRET_TEXT:
        if any(word in lowered for word in words):
            text = pattern.sub(_hide, text)
    return mask.line(text)


def _hide(found: re.Match[str]) -> str:
    return found.group(1) + HIDDEN


def scrub(_logger: Any, _method: str, event: Event) -> Event:
    """Hide secrets by key and by form, however deep; `event` itself is words of ours and has none by key."""
    for key, value in event.items():
        if key in PEOPLE and isinstance(value, str):
            event[key] = mask.who(value)
        else:
            event[key] = HIDDEN if key != "event" and _secret(key, value) else _scrubbed(value, MAX_DEPTH)
    return event


def _secret(key: object, value: object) -> bool:
    return (
        isinstance(key, str)
        and bool(value)
        and not isinstance(value, bool)
        and bool(_SECRET_KEYS.search(key))
    )


def _scrubbed(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return scrub_text(bytes(value).decode("utf-8", "backslashreplace"))
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return {
            str(key): HIDDEN if _secret(key, item) else _scrubbed(item, depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrubbed(item, depth - 1) for item in value]
    return scrub_text(str(value))


class Limiter:
    """Lets through the first REPEATS of one warning or error in PERIOD_S, and tells how many it kept back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], list[float]] = OrderedDict()  # began, passed, kept back

    def __call__(self, _logger: Any, method: str, event: Event) -> Event:
        if method not in LOUD:
            return event
        now = self._clock()
        key = (str(event.get("room", "")), str(event.get("event", "")))
        seen = self._seen.get(key)
        if seen is None or now - seen[0] >= PERIOD_S:
            kept_back = seen[2] if seen else 0
            self._seen[key] = [now, 1, 0]
            self._seen.move_to_end(key)
            while len(self._seen) > MAX_KINDS:
                self._seen.popitem(last=False)
            if kept_back:
                event["repeated"] = int(kept_back)
            return event
        if seen[1] >= REPEATS:
            seen[2] += 1
            raise structlog.DropEvent
        seen[1] += 1
        return event


def configure(
    format: str = "text",
    level: str = "info",
    *,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Set up structlog and the standard library's logging alike.

    format: "text" for a terminal, "json" for a collector. level: the least severe that is written.
    """
    out = stream if stream is not None else sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    last: list[Any] = [structlog.processors.format_exc_info, scrub, _renderer(format, out)]
    structlog.configure(
        processors=[*shared, _room, Limiter(clock), *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_factory(out),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _room],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    handler.addFilter(_Bounded(clock))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for chatty in ("alembic", "asyncio", "sqlalchemy.engine"):
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))


def tell_crashes() -> None:
    """What ends the process or a thread of it is told as all else is: Python would write it as it is."""
    log = structlog.get_logger("node")

    def ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("the process ends by a fault", exc_info=(kind, error, trace))

    def thread_ended(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            log.critical("a thread ends by a fault", exc_info=args.exc_value)

    sys.excepthook, threading.excepthook = ended, thread_ended


def _room(logger: Any, _method: str, event: Event) -> Event:
    """Name the room that speaks: get_logger("call") says so itself, the standard library by its logger's
    name.
    """
    if "room" not in event:
        record = event.get("_record")  # the standard library's
        event["room"] = record.name if record is not None else getattr(logger, "room", "")
    return event


def _renderer(format: str, out: TextIO) -> Any:
    if format == "json":
        return lambda _logger, _method, event: msgspec.json.encode(event, enc_hook=str).decode()
    return structlog.dev.ConsoleRenderer(
        colors=out.isatty(), timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
    )


class _Lines(structlog.PrintLogger):
    """Writes lines, and knows which room they come from."""

    def __init__(self, out: TextIO, room: str) -> None:
        super().__init__(out)
        self.room = room


def _factory(out: TextIO) -> Callable[..., _Lines]:
    return lambda *names: _Lines(out, str(names[0]) if names else "")


class _Bounded(logging.Filter):
    """The limiter, for records of the standard library."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._limiter = Limiter(clock)

    def filter(self, record: logging.LogRecord) -> bool:
        event = {"room": record.name, "event": str(record.msg)}
        try:
            self._limiter(None, record.levelname.lower(), event)
        except structlog.DropEvent:
            return False
        return True
