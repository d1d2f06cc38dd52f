"""What a node of several has between it and the others: the sharing of queues, and calls that cross.

Synchronous: what is told goes out and comes in by the store's channel, pages are kept in the store for nodes
that come later, and calls cross by the switch's own user agent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from engine import halves
from engine.cluster import news, ticket
from engine.cluster.cluster import Cluster
from engine.cluster.credentials import contexts, keys_of, name_of
from engine.cluster.membership import ClusterEvent, Gone, Joined
from engine.cluster.sharing import Sharing
from engine.cluster.store import Answer
from engine.cluster.ticket import Ticket, Tickets
from sip.admission import Admitted, Identity, Refused, Verdict
from sip.hop import Hop
from sip.io.shell import Listener
from sip.io.tls import TlsContexts
from sip.message import Request
from sip.session import Session

if TYPE_CHECKING:
    from config.schema import Config
    from engine.signalling import Signalling
    from engine.switch import Switch

SAVED_S = 0.5  # a page is written to the store so often at most
LONGEST_PAGE = 8 << 20  # bytes
REMEMBERED_S = 86_400.0  # after which a node that said nothing any more is forgotten

log = structlog.get_logger("cluster")


class Between:
    """settle: see to what the switch has to say and to wait for, after something came in by the store."""

    def __init__(self, switch: Switch, cluster: Cluster, settle: Callable[[], None], now: float) -> None:
        idle_s = cluster.config.cluster.sharing.idle_s_per_ms
        self.sharing = Sharing(
            cluster.name, cluster.life, switch.acd, tell=self._tell, now=now, idle_s_per_ms=idle_s
        )
        self.sharing.look = self._look
        self._switch = switch
        self._cluster = cluster
        self._settle = settle
        self._saved_at = float("-inf")
        self._saved = -1  # the version that was
        store = cluster.store
        self._channel, self._pages = store.key("news"), store.key("pages")
        self._tickets = Tickets(cluster.name, *keys_of(cluster.config))
        cluster.membership.watch(self._member)
        store.subscribe(self._channel, self._heard)
        store.watch(self._store_turned)
        if store.up:
            self._store_turned(True, now)

    # --- what is shared

    def speak(self, now: float) -> None:
        """Tell the others what has changed."""
        self.sharing.speak(now)

    def _look(self) -> None:
        """How this node stands now."""
        sharing, told = self.sharing, self._cluster.me()
        sharing.rtt_ms = {name: 1000 * rtt for name, rtt in told.ways.items()}
        if sharing.draining != told.pulse.draining:
            sharing.draining = told.pulse.draining
            sharing.telling.whole = True

    def _tell(self, data: bytes, now: float) -> None:
        store, telling = self._cluster.store, self.sharing.telling
        store.ask("PUBLISH", self._channel, data, now=now)
        if telling.version != self._saved and now - self._saved_at >= SAVED_S and store.up:
            self._saved, self._saved_at = telling.version, now
            store.ask("HSET", self._pages, telling.node, telling.page(now), now=now)

    def _heard(self, data: bytes, now: float) -> None:
        if len(data) > LONGEST_PAGE:
            return
        self.sharing.heard(data, now)
        self._go_on(now)

    def _store_turned(self, up: bool, now: float) -> None:
        if up:
            self._saved = -1
            self.sharing.telling.whole = True
            self._cluster.store.ask("HGETALL", self._pages, now=now, then=self._remember)

    def _remember(self, answer: Answer, now: float) -> None:
        if isinstance(answer, list):
            for name, page in zip(answer[::2], answer[1::2], strict=False):
                if not isinstance(page, bytes) or not isinstance(name, bytes):
                    continue
                told = news.decode(page) if len(page) <= LONGEST_PAGE else None
                if told is None or self._switch.wall(now) - told.at > REMEMBERED_S:
                    self._cluster.store.ask("HDEL", self._pages, name, now=now)
                else:
                    self.sharing.remember(page, now)
            self._go_on(now)

    def _member(self, event: ClusterEvent, now: float) -> None:
        match event:
            case Joined(member) if member.name != self._cluster.name:
                self.sharing.joined(member.name)
                self.sharing.back(member.name)
                halves.back(self._switch, member.name, now)
            case Gone(member) if member.name != self._cluster.name:
                self.sharing.lost(member.name, now)
                halves.lost(self._switch, member.name, now)
                self._go_on(now)

    def _go_on(self, now: float) -> None:
        self._switch.assign(now)
        self._settle()

    # --- calls that cross

    def address(self, node: str) -> tuple[str, int] | None:
        """Where a node takes calls of others; None for one that is not there."""
        member = self._cluster.membership.members.get(node)
        return (member.host, member.port) if member is not None and member.host else None

    def node_of(self, session: Signalling) -> str:
        """The node that a session's far end spoke from last, by its certificate; "" for none."""
        hop = session.dialog.hop if isinstance(session, Session) and session.dialog is not None else None
        if hop is None or not hop.between:
            return ""
        return next((each for each in self._cluster.membership.members if name_of(each) == hop.name), "")

    def seal(self, claims: Ticket, offer: bytes, now: float) -> str:
        nonce = f"{self._switch.rng.getrandbits(128):032x}"
        return self._tickets.seal(claims, offer, nonce, self._switch.wall(now))

    def admit(self, request: Request, hop: Hop, now: float) -> Verdict | None:
        """Whether a request comes from another node; None where it does not say so."""
        value = request.headers.get(ticket.HEADER)
        if value is None and not hop.between:
            return None
        claims = self._tickets.open(value or "", request.body, self._switch.wall(now))
        good = claims is not None and request.method == "INVITE" and hop.name == name_of(claims.source)
        if claims is None or not good:
            log.warning("refused what said it came from a node", source=hop.host, method=request.method)
            return Refused(403)
        return Admitted(Identity("node", claims.source))


def listener_of(config: Config) -> Listener:
    """Where other nodes' calls come in."""
    between = config.cluster.between
    return Listener("tls", str(between.address), between.port, between=True)


def contexts_of(config: Config) -> TlsContexts:
    """TLS between nodes. Raises OSError."""
    folder = config.node.data_dir / "between"
    return contexts(folder, config.node.name, *keys_of(config), datetime.now(UTC))
