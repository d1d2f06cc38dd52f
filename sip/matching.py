"""Which transaction a message belongs to: RFC 3261 sections 17.1.3, 17.2.3 and 8.2.2.2."""

from __future__ import annotations

from sip.hop import DEFAULT_PORTS, Hop
from sip.message import Request, Response
from sip.transaction import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    RECEIVE_ACK,
    RECEIVE_REQUEST,
    SEND_REQUEST,
    TRANSPORT_ERROR,
    Carrier,
    Transaction,
    TransactionUser,
)
from sip.via import MAGIC_COOKIE

Key = tuple[object, ...]


def reply_hop(request: Request, hop: Hop) -> Hop:
    """Where responses to a request that came from `hop` go (RFC 3261 section 18.2.2, RFC 3581 section 4).

    `maddr` is not believed: it would let anyone aim our answers at a third party.
    """
    via = request.top_via
    if hop.one_way or (not hop.reliable and via.rport is not None):
        return hop
    return Hop(hop.transport, hop.host, via.port or DEFAULT_PORTS[hop.transport], hop.connection, hop.name)


def server_key(request: Request) -> Key:
    """What identifies a request with its retransmissions; an ACK has the key of its INVITE."""
    via = request.top_via
    method = "INVITE" if request.method == "ACK" else request.method
    branch = via.branch
    if branch is not None and branch.startswith(MAGIC_COOKIE):
        return (branch, via.host, via.port, method)
    # RFC 2543 peers: everything the ACK and the retransmission have in common with the request.
    return (str(request.uri), request.from_.tag, request.call_id, request.cseq[0], str(via), method)


class Transactions:
    """All transactions of a user agent, by what identifies them on the wire."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._clients: dict[Key, Transaction] = {}
        self._servers: dict[Key, Transaction] = {}
        self._merge: dict[Key, Key] = {}
        self._ways: dict[tuple[str, str], dict[Transaction, None]] = {}  # clients by transport and host

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    def send(
        self, request: Request, branch: str, hop: Hop, user: TransactionUser | None, now: float
    ) -> Transaction:
        """Begin a client transaction; the request carries its Via already."""
        key = (branch, request.method)
        table = INVITE_CLIENT if request.method == "INVITE" else NON_INVITE_CLIENT
        transaction = Transaction(self._carrier, table, key, request, hop, user)
        transaction.data = request.encode()
        self._clients[key] = transaction
        self._ways.setdefault((hop.transport, hop.host), {})[transaction] = None
        transaction.feed(SEND_REQUEST, now)
        return transaction

    def receive_response(self, response: Response, now: float) -> bool:
        """Hand a response to its request.

        False for a stray (RFC 6026 section 8.5: not even a 2xx goes further).
        """
        transaction = self._clients.get((response.top_via.branch, response.cseq[1]))
        if transaction is None:
            return False
        transaction.receive(response, now)
        return True

    def find(self, request: Request) -> Transaction | None:
        """The server transaction that `request` is a retransmission of, or the ACK to."""
        return self._servers.get(server_key(request))

    def find_cancelled(self, cancel: Request) -> Transaction | None:
        """The INVITE that a CANCEL is about (section 9.2)."""
        return self._servers.get((*server_key(cancel)[:-1], "INVITE"))

    def is_merged(self, request: Request) -> bool:
        """Whether the same request is being served already, having come by another way (section 8.2.2.2)."""
        if request.to.tag is not None:
            return False
        return _merge_key(request) in self._merge

    def begin(self, request: Request, hop: Hop, now: float) -> Transaction:
        """A new server transaction."""
        key = server_key(request)
        table = INVITE_SERVER if request.method == "INVITE" else NON_INVITE_SERVER
        transaction = Transaction(self._carrier, table, key, request, reply_hop(request, hop))
        self._servers[key] = transaction
        if request.to.tag is None:
            transaction.merge_key = _merge_key(request)
            self._merge[transaction.merge_key] = key
        transaction.feed(RECEIVE_REQUEST, now)
        return transaction

    def repeat(self, transaction: Transaction, request: Request, now: float) -> bool:
        """Feed a retransmission or an ACK; False for an ACK that is not this transaction's to absorb."""
        if request.method == "ACK":
            return transaction.feed(RECEIVE_ACK, now)
        transaction.feed(RECEIVE_REQUEST, now)
        return True

    def transport_failed(self, hop: Hop, now: float) -> None:
        """Requests on their way over `hop` fail at once; a connection is matched by its number."""
        over = self._ways.get((hop.transport, hop.host), {})
        for transaction in [each for each in over if _same_way(each.hop, hop)]:
            transaction.feed(TRANSPORT_ERROR, now)

    def forget(self, transaction: Transaction) -> None:
        """Take a transaction that is over out of the tables."""
        table, key = transaction.table, transaction.key
        if table is INVITE_CLIENT or table is NON_INVITE_CLIENT:
            if self._clients.get(key) is transaction:
                del self._clients[key]
            way = (transaction.hop.transport, transaction.hop.host)
            over = self._ways.get(way, {})
            over.pop(transaction, None)
            if not over:
                self._ways.pop(way, None)
        elif self._servers.get(key) is transaction:
            del self._servers[key]
            if transaction.merge_key is not None and self._merge.get(transaction.merge_key) == key:
                del self._merge[transaction.merge_key]


def _merge_key(request: Request) -> Key:
    return (request.from_.tag, request.call_id, request.cseq)


def _same_way(ours: Hop, failed: Hop) -> bool:
    if failed.connection and ours.connection:
        return failed.connection == ours.connection
    return (ours.transport, ours.host, ours.port) == (failed.transport, failed.host, failed.port)
