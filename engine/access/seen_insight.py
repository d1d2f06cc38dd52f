"""Why calls were bad, as somebody may see it (engine/access/seen.py): of calls within reach, and without
numbers and names for who may not read them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from msgspec.structs import replace as with_fields

from engine.access import addresses, mask, mask_sip
from engine.insight.insight import Refused
from engine.insight.sources import SourceView
from engine.insight.trace import Look, Message, Trace

if TYPE_CHECKING:
    from engine.access.seen import Seen
    from engine.api.deps import InsightView, RefusedSight

BLANK = b"\r\n\r\n"
LENGTH = re.compile(rb"^((?:content-length|l)[ \t]*:[ \t]*)([0-9]{1,9})", re.IGNORECASE | re.MULTILINE)
NOWHERE = "0"  # the end of a cut address: a message can be read, and be a packet, with it


class SeenInsight:
    """See engine.api.deps.InsightView, which this is."""

    def __init__(self, insight: InsightView, seen: Seen) -> None:
        self._insight = insight
        self._seen = seen

    def look(self, call: str) -> Look | None:
        """Of a call that ended a moment ago, who is limited waits until it is written where it belonged."""
        limited = self._seen.principal.limited
        return None if limited and self._seen.call(call) is None else self._insight.look(call)

    def refused(
        self, *, challenges: bool, source: str | None, since: float | None, until: float | None, limit: int
    ) -> Sequence[RefusedSight]:
        """What was refused belongs to no market."""
        if self._seen.principal.limited:
            return ()
        found = self._insight.refused(
            challenges=challenges, source=source, since=since, until=until, limit=limit
        )
        return found if self._seen.unmasked else [Masked(each) for each in found]

    def turned_away(self) -> Sequence[SourceView]:
        """Nor does who was turned away."""
        if self._seen.principal.limited:
            return ()
        found = self._insight.turned_away()
        return (
            found
            if self._seen.unmasked
            else [replace(each, user=mask.who(each.user), source=_source(each.source)) for each in found]
        )

    def let_off(self, address: str, by: str) -> bool:
        return False if self._seen.principal.limited else self._insight.let_off(address, by)

    def trace(self, call: str, look: Look | None) -> Trace | None:
        if look is None and self._seen.principal.limited and not self._hers(call):
            return None
        found = self._insight.trace(call, look)
        if found is None or self._seen.unmasked:
            return found
        return with_fields(found, messages=[masked(each) for each in found.messages])

    def _hers(self, call: str) -> bool:
        return self._seen.record(call) is not None or bool(self._seen.events(call))


@dataclass(frozen=True, slots=True)
class Masked:
    """A refused request that is not read yet."""

    sight: RefusedSight

    def read(self) -> Refused:
        found = self.sight.read()
        messages = tuple(masked(each) for each in found.messages)
        return replace(
            found,
            caller=mask.who(found.caller),
            called=mask.who(found.called),
            source=_source(found.source),
            messages=messages,
        )


def _source(source: str) -> str:
    """An address, or the network that an IPv6 one is of."""
    host, _, bits = source.partition("/")
    return f"{addresses.cut(host)}/{bits}" if bits else addresses.cut(host)


def masked(message: Message) -> Message:
    """Without the numbers, names and addresses of people in it. Our own stay, of their nodes."""
    text = mask_sip.hidden(addresses.without(message.text, NOWHERE))
    return with_fields(
        message,
        host=addresses.cut(message.host, NOWHERE),
        data=_measured(message.data, text.encode()),
        fault=mask.line(addresses.without(message.fault)),
        who=mask.line(message.who),
    )


def _measured(data: bytes, hidden: bytes) -> bytes:
    """With a Content-Length as right as it was: a wrong one is a sign of an ALG (sip_alg)."""
    head, blank, body = hidden.partition(BLANK)
    grown = len(body) - len(data.partition(BLANK)[2])
    if not grown:
        return hidden
    return LENGTH.sub(lambda found: b"%b%d" % (found[1], max(0, int(found[2]) + grown)), head) + blank + body
