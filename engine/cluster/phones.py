"""Phones that are registered at this node, as others would ring them, and those of nodes that are lost.

A phone behind a proxy (RFC 3327) is reached by its Path from any node. One that registered directly is where
it came from, which a NAT may refuse to others; one that only keeps a connection open (RFC 5626, WebSocket) is
reached by nobody else: it notices that its connection broke, and registers elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated

import msgspec
import structlog

from engine.cluster.inherited import Claimable
from engine.cluster.kept import Kept
from engine.cluster.seal import Seals
from engine.cluster.store import Store
from routing.agent import AgentEvent, AgentState, IllegalTransition
from sip.errors import Malformed
from sip.hop import DEFAULT_PORTS, Hop
from sip.message import NameAddr
from sip.reach import is_numeric
from sip.registrar import Binding, Registered, Unregistered
from sip.uri import Uri

if TYPE_CHECKING:
    from engine.switch import Switch

VERSION = 1
LONGEST = 16_384  # bytes of one phone

Text = Annotated[str, msgspec.Meta(max_length=2048)]

log = structlog.get_logger("takeover")


class PhoneReplica(msgspec.Struct, array_like=True, frozen=True):
    """A binding, and how its agent stood ("" for who is none). expires_at: epoch seconds."""

    version: int
    aor: Text
    contact: Text
    transport: Text
    host: Text
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    expires_at: float
    q: Annotated[float, msgspec.Meta(ge=0, le=1)]
    path: Annotated[list[Text], msgspec.Meta(max_length=8)]
    instance: Text | None
    reg_id: Text | None
    call_id: Text
    cseq: int
    user_agent: Text = ""
    state: Text = ""
    reason: Text = ""

    @property
    def account(self) -> str:
        return self.aor.removeprefix("sip:").partition("@")[0]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(PhoneReplica).decode


class Phones:
    """This node's, and a part of what nodes inherit."""

    word = "phones"

    def __init__(self, switch: Switch, store: Store, life: str, now: float, seals: Seals) -> None:
        self.taken = 0
        self._switch = switch
        self._seals = seals
        self._there: dict[str, tuple[str, Binding]] = {}  # by id
        self.kept = Kept(
            self.word, life, store, switch.timers, describe=self._describe, all=self.present, now=now
        )
        switch.phones = self

    # --- ours ---------------------------------------------------------------------------------------

    def changed(self, event: Registered | Unregistered, now: float) -> None:
        """A phone came, said that it is still there, or went."""
        if isinstance(event, Registered):
            id = _id(event.aor, event.binding.contact)
            self._there[id] = event.aor, event.binding
        else:
            id = _id(event.aor, event.contact)
            self._there.pop(id, None)
        self.kept.touched(id, now)

    def agent_changed(self, name: str, now: float) -> None:
        """How she stands is written with her phones."""
        for id in [id for id, (aor, _) in self._there.items() if _account(aor) == name]:
            self.kept.touched(id, now)

    def present(self) -> list[str]:
        return list(self._there)

    def _describe(self, id: str) -> bytes:
        found = self._there.get(id)
        if found is None or not _is_reached(found[1]):
            return b""
        aor, binding = found
        agent = self._switch.acd.agents.get(_account(aor))
        replica = PhoneReplica(
            version=VERSION,
            aor=aor,
            contact=str(binding.contact),
            transport=binding.hop.transport,
            host=binding.hop.host,
            port=binding.hop.port,
            expires_at=self._switch.wall(binding.expires_at),
            q=binding.q,
            path=list(binding.path),
            instance=binding.instance,
            reg_id=binding.reg_id,
            call_id=binding.call_id,
            cseq=binding.cseq,
            user_agent=binding.user_agent,
            state=agent.state if agent is not None else "",
            reason=agent.reason if agent is not None else "",
        )
        return self._seals.seal(self.word, id, _encode(replica))

    # --- others' ------------------------------------------------------------------------------------

    def room(self) -> int:
        """As many as the registrar has."""
        return 20_000

    def read(self, found: Mapping[str, bytes]) -> list[Claimable]:
        phones: list[Claimable] = []
        for id, data in found.items():
            written = self._seals.open(self.word, id, data[:LONGEST])
            if written is None:
                log.error("a phone in the store is none of this cluster's", phone=id)
                continue
            try:
                phone = _decode(written)
                binding = self._binding(phone)
            except (msgspec.MsgspecError, Malformed, ValueError, RecursionError) as fault:
                log.warning("a phone cannot be read", why=str(fault))
                continue
            agent = phone.account in self._switch.acd.agents
            key = f"agent {phone.account}" if agent else f"phone {phone.aor}"
            phones.append(Claimable(id, key, "", 0.0, data, (phone, binding)))
        return phones

    def have(self, claimed: Sequence[Claimable], former: str, now: float) -> None:
        for each in claimed:
            assert isinstance(each.value, tuple)
            phone, binding = each.value
            self.taken += 1
            self.kept.has(each.id, each.data)
            self._there[each.id] = phone.aor, binding
            self._switch.user_agent.adopt(phone.aor, binding, now=now)
            self._agent_stands(phone, now)

    def _agent_stands(self, phone: PhoneReplica, now: float) -> None:
        """As she stood: whoever was working goes on working, whoever had a break has it still."""
        known = self._switch.acd.agents.get(phone.account)
        if known is None or phone.state in ("", AgentState.LOGGED_OUT):
            return
        try:
            if known.state in (AgentState.LOGGED_OUT, AgentState.TALKING):
                self._switch.acd.agent_event(phone.account, AgentEvent.LOGIN, now)
                if phone.state == AgentState.PAUSED:
                    self._switch.acd.agent_event(phone.account, AgentEvent.PAUSE, now, reason=phone.reason)
        except IllegalTransition as fault:
            log.debug("an agent stays as she is", agent=phone.account, why=str(fault))

    def surrender(self, id: str, node: str, now: float) -> None:
        """Nothing: that it is rung from there, too, does no harm, and it registers again soon."""

    def _binding(self, phone: PhoneReplica) -> Binding:
        """Raises Malformed or ValueError."""
        if phone.version != VERSION or phone.transport not in DEFAULT_PORTS or not is_numeric(phone.host):
            raise ValueError("of another version, or from nowhere")
        for value in phone.path:
            NameAddr.parse(value)
        now = self._switch.instant(phone.expires_at)
        return Binding(
            contact=Uri.parse(phone.contact),
            hop=Hop(phone.transport, phone.host, phone.port),
            expires_at=now,
            updated_at=0.0,
            call_id=phone.call_id,
            cseq=phone.cseq,
            q=phone.q,
            path=tuple(phone.path),
            instance=phone.instance,
            reg_id=phone.reg_id,
            user_agent=phone.user_agent,
        )


def _is_reached(binding: Binding) -> bool:
    """Whether another node could ring it."""
    return bool(binding.path) or not (binding.hop.one_way or binding.hop.connection)


def _account(aor: str) -> str:
    return aor.removeprefix("sip:").partition("@")[0]


def _id(aor: str, contact: Uri) -> str:
    return blake2b(f"{aor}\0{contact}".encode(), digest_size=12).hexdigest()
