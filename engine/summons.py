"""A supervisor's phone that is rung for a call which she is to hear, or to speak in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.attempt import Attempt, Contact, Headers
from engine.crossing import dialled
from routing.number import AgentTarget
from sip.hop import WEBSOCKETS
from sip.uri import NameAddr

if TYPE_CHECKING:
    from engine.call import Call
    from sip.session import Session

# No phone knows all three: RFC 5373; RFC 3261 section 20.9 as Polycom and Yealink have it; section 20.4 as
# Snom does.
AUTO_ANSWER: Headers = (
    ("Answer-Mode", "Auto"),
    ("Call-Info", "<sip:supervision>;answer-after=0"),
    ("Alert-Info", "<http://supervision>;info=alert-autoanswer;delay=0"),
)


class Summons(Attempt):
    """Rings an account, be it an agent's or a user's. agent: whose talk it is, for the display. page: only
    phones in pages. auto_answer: they are asked to answer by themselves.
    """

    def __init__(
        self, call: Call, account: str, agent: str, *, page: bool = False, auto_answer: bool = False
    ) -> None:
        switch = call.switch
        super().__init__(
            call,
            ring_s=switch.config.sip.timers.ring_s,
            to=switch.aor(account),
            agent=account if account in switch.acd.agents else "",
            account=account,
        )
        self._page = page
        self._agent = agent
        self._headers = AUTO_ANSWER if auto_answer else ()

    def contacts(self, now: float) -> Sequence[Contact]:
        found = super().contacts(now)
        return [each for each in found if each.transport in WEBSOCKETS] if self._page else found

    def _caller(self) -> NameAddr:
        call = self.call
        shown = ": ".join(filter(None, (self._agent, call.display)))
        return NameAddr(shown, call.switch.aor(call.caller or "anonymous"), ())

    def _send(self, contact: Contact, offer: bytes, now: float, headers: Headers = ()) -> Session:
        return super()._send(contact, offer, now, (*headers, *self._headers))


def summon(call: Call, account: str, agent: str, *, page: bool, auto_answer: bool) -> Attempt:
    """The ringing of somebody here, or of an agent at another node."""
    elsewhere = dialled(call, AgentTarget(account))
    return elsewhere or Summons(call, account, agent, page=page, auto_answer=auto_answer)
