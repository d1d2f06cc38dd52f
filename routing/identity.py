"""Whose number a call over a line shows, and whom to believe about a call that came over one.

Out: the policy says whether the caller's own number may be shown, one of ours stands for it, or it may be
where it is among those that the carrier lets us show. What is shown in From, asserted (P-Asserted-Identity,
RFC 3325) or preferred (P-Preferred-Identity), is one number; who diverted the call (Diversion, RFC 5806;
History-Info, RFC 7044) is told where the line takes it. In: what the network asserts counts only where the
line is trusted, else From does.

An emergency call always shows a number that can be called back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from routing.rewriting import NumberStyle


class Show(StrEnum):
    """CALLER: the caller's number. OWN: the line's, always. LISTED: the caller's where it begins as `listed`
    says.
    """

    CALLER = "caller"
    OWN = "own"
    LISTED = "listed"


class Assert(StrEnum):
    """The header that carries the number beside From."""

    NONE = "none"
    ASSERTED = "p-asserted-identity"
    PREFERRED = "p-preferred-identity"
    REMOTE_PARTY = "remote-party-id"


class Divert(StrEnum):
    """The header that tells who diverted a call."""

    NONE = "none"
    DIVERSION = "diversion"
    HISTORY = "history-info"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class CallerId:
    """One line's policy. number: the line's own, E.164. listed: beginnings of numbers that may be shown.
    names: send display names. anonymous_from: what stands in From of a private call is `anonymous`, the
    number is asserted only. trusted: believe what the far end asserts.
    """

    show: Show = Show.LISTED
    number: str = ""
    listed: tuple[str, ...] = ()
    names: bool = False
    anonymous_from: bool = True
    asserted: Assert = Assert.ASSERTED
    diverted: Divert = Divert.NONE
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """number: E.164, "" for unknown. private: it is not to be shown to the callee."""

    number: str = ""
    name: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class Diverted:
    """One diversion, the first that happened first. reason: as RFC 5806 has it, such as `unconditional`."""

    number: str
    reason: str = "unknown"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the INVITE says, numbers as the line writes them; empty where a header is not to be sent.

    user, name: of From; asserted: with `header`. privacy: values of Privacy (RFC 3323).
    """

    user: str
    name: str = ""
    asserted: str = ""
    header: Assert = Assert.NONE
    privacy: tuple[str, ...] = ()
    diversion: tuple[Diverted, ...] = ()
    history: tuple[Diverted, ...] = ()


ANONYMOUS = "anonymous"


def shown(
    policy: CallerId,
    style: NumberStyle,
    caller: Caller,
    *,
    diverted: tuple[Diverted, ...] = (),
    emergency: bool = False,
) -> Shown:
    """What a call over the line says of its caller."""
    number = _number(policy, caller)
    written = style.outgoing(number) if number else ANONYMOUS
    private = caller.private and not emergency
    hidden = private and policy.anonymous_from and policy.asserted is not Assert.NONE
    told = tuple(Diverted(style.outgoing(each.number), each.reason) for each in diverted)
    own = number == caller.number
    return Shown(
        user=ANONYMOUS if hidden or (private and policy.asserted is Assert.NONE) else written,
        name=caller.name if policy.names and own and not private else "",
        asserted=written if number and policy.asserted is not Assert.NONE else "",
        header=policy.asserted if number else Assert.NONE,
        privacy=_privacy(private, hidden) if policy.asserted is not Assert.NONE else (),
        diversion=told if policy.diverted in (Divert.DIVERSION, Divert.BOTH) else (),
        history=told if policy.diverted in (Divert.HISTORY, Divert.BOTH) else (),
    )


def received(
    policy: CallerId, style: NumberStyle, claimed: Caller, asserted: str = "", privacy: tuple[str, ...] = ()
) -> Caller:
    """Who calls over the line. claimed: as From has it. asserted: of P-Asserted-Identity, "" without."""
    believed = asserted if policy.trusted and asserted else claimed.number
    number = style.incoming(believed) if believed.lower() != ANONYMOUS else ""
    private = claimed.private or bool({"id", "user", "header"} & set(privacy)) or not number
    return Caller(number, claimed.name, private)


def _privacy(private: bool, hidden: bool) -> tuple[str, ...]:
    """A From that says who calls is for the network to hide, too (RFC 3323 section 4.2, TS 24.607)."""
    if not private:
        return ()
    return ("id",) if hidden else ("user", "id")


def _number(policy: CallerId, caller: Caller) -> str:
    """The number that stands for the caller; empty when neither he nor the line has one that may be shown."""
    if policy.show is Show.OWN or not caller.number:
        return policy.number
    if policy.show is Show.CALLER or caller.number == policy.number:
        return caller.number
    return caller.number if caller.number.startswith(policy.listed or "\0") else policy.number
