"""SRTP and SRTCP (RFC 3711, RFC 7714) between the legs' ports and everybody else.

A network around another one: what comes in is authenticated and decrypted before anybody judges it, what goes
out is encrypted behind everybody's back. A forged or replayed packet is counted and gone: it neither moves a
latch nor a figure. Legs without keys pass by untouched.
"""

from __future__ import annotations

import numpy as np

from media import libsrtp
from media.columns import I64, Bool
from media.libsrtp import OK, TRAILER, Context, Rows
from media.messages import Address, Keys
from media.network import HEADER, STRIDE, Batch, Judge, Layer, Network, remove

GRACE = 5.0  # s that the former receive key is taken for, at most, after a change
MAX_SSRCS = 256  # of one far end under one key; each takes memory, and an honest one needs a few
MOST_WRAPS = 24  # of sequence numbers before a stream comes here: eight hours of packets of 20 ms
SEARCHES = 16  # packets for which those are tried, under one key: each costs what 100 others do
MAX_REPORT = 1500  # bytes of SRTCP looked at

_REPORTS = np.zeros(256, np.bool_)  # by second byte: RTCP beside RTP (RFC 5761 section 4)
_REPORTS[192:224] = True
_ODD_SIZES = np.ones(STRIDE + 1, np.bool_)  # by bytes of a packet
_ODD_SIZES[HEADER:STRIDE] = False


def fit(keys: Keys) -> bool:
    """Whether the suite is known and both keys have its length."""
    suite = libsrtp.SUITES.get(keys.suite)
    return suite is not None and len(keys.send) == len(keys.receive) == suite.key + suite.salt


class Guard:
    """One leg's keys at work. refused: packets that were forged, replayed, or not encrypted."""

    __slots__ = ("_keys", "_searches", "former", "former_until", "receiver", "refused", "sender")

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.sender = Context(keys.suite, keys.send, inbound=False)
        self.receiver = Context(keys.suite, keys.receive, inbound=True)
        self.former: Context | None = None
        self.former_until = 0.0
        self.refused = 0
        self._searches = SEARCHES

    @property
    def settled(self) -> bool:
        """Packets come under the receive key, and none are taken under another."""
        return self.former is None and bool(self.receiver.ssrcs)

    def change(self, keys: Keys, now: float) -> None:
        """Other keys from now on, each with a rollover counter that begins at 0. A key that stays goes on
        where it was: with the counter begun anew it would encrypt two packets alike.

        What still comes under the former receive key is taken until the first packet under the new one, for
        GRACE seconds at most.
        """
        before, self._keys = self._keys, keys
        if (keys.suite, keys.send) != (before.suite, before.send):
            self.sender = Context(keys.suite, keys.send, inbound=False)
        if (keys.suite, keys.receive) != (before.suite, before.receive):
            self.former, self.former_until = self.receiver, now + GRACE
            self.receiver = Context(keys.suite, keys.receive, inbound=True)
            self._searches = SEARCHES

    def unprotect(self, packet: bytes | memoryview, *, report: bool) -> bytes | None:
        """What the packet says; None when it is refused."""
        plain = self._try(self.receiver, packet, report)
        if plain is not None:
            self.former = None
        elif self.former is not None:
            plain = self._try(self.former, packet, report)
        if plain is None and not report and not self.receiver.ssrcs and self._searches:
            plain = self._search(packet)
        if plain is None:
            self.refused += 1
        return plain

    def _try(self, context: Context, packet: bytes | memoryview, report: bool) -> bytes | None:
        plain = libsrtp.unprotect_one(context, packet, report=report)
        if isinstance(plain, int):
            return None
        at = 4 if report else 8  # where the SSRC stands
        return plain if admit(context, int.from_bytes(plain[at : at + 4], "big")) else None

    def _search(self, packet: bytes | memoryview) -> bytes | None:
        """A stream that has run for long: its far end goes on counting where we begin, because the leg came
        from another worker, or because a new key is no reason for it to begin anew.
        """
        self._searches -= 1
        found = libsrtp.join_late(self._keys.suite, self._keys.receive, packet, MOST_WRAPS)
        if found is None:
            return None
        self.receiver, plain = found
        self.former = None
        admit(self.receiver, int.from_bytes(plain[8:12], "big"))
        return plain


def admit(context: Context, ssrc: int) -> bool:
    """Whether an authenticated packet's SSRC is known, or not yet one too many."""
    if ssrc in context.ssrcs:
        return True
    if len(context.ssrcs) >= MAX_SSRCS:
        context.forget(ssrc)
        return False
    context.ssrcs.add(ssrc)
    return True


class SecureNetwork(Layer):
    """See the module; `network` has the ports."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._guards: dict[int, Guard] = {}
        self._secured: Bool = np.zeros(64, np.bool_)  # by row
        self._changing: dict[int, Guard] = {}  # whose packets may have to be tried twice
        self._ssrc: I64 = np.full(64, -1)  # of the row's newest packet
        self._judge: Judge | None = None
        self._judged: dict[int, int] = {}  # plain size of packets of this round that the judge let in, by row
        self._inbox: tuple[Batch, Rows] | None = None
        self._outbox = Batch(1)
        self._outgoing = Rows(self._outbox.buffer)

    # --- keys -------------------------------------------------------------------------------------

    def secure(self, row: int, keys: Keys | None, now: float) -> None:
        """The leg's keys from now on; None: plain RTP. Raises ValueError for a key of a wrong length."""
        guard = self._guards.get(row)
        self._ssrc[row] = -1
        if keys is None:
            self._forget(row)
        elif guard is None:
            self._guards[row] = self._changing[row] = Guard(keys)
            self._secured[row] = True
        else:
            guard.change(keys, now)
            self._changing[row] = guard

    def _forget(self, row: int) -> None:
        self._guards.pop(row, None)
        self._changing.pop(row, None)
        self._secured[row] = False

    def expire(self, now: float) -> None:
        """Former keys whose time is over are taken no more."""
        for row, guard in list(self._changing.items()):
            if now >= guard.former_until:
                guard.former = None
            if guard.settled:
                del self._changing[row]

    def refused(self, rows: I64) -> I64:
        """Packets of each leg that were forged, replayed or not encrypted, since it has keys."""
        counts = np.zeros(len(rows), np.int64)
        if self._guards:
            for i in self._secured[rows].nonzero()[0].tolist():
                counts[i] = self._guards[int(rows[i])].refused
        return counts

    # --- ports ------------------------------------------------------------------------------------

    def open(self, row: int) -> int:
        port = self._network.open(row)
        if row >= len(self._secured):
            more = 2 * row - len(self._secured)
            self._secured = np.concatenate((self._secured, np.zeros(more, np.bool_)))
            self._ssrc = np.concatenate((self._ssrc, np.full(more, -1)))
        return port

    def close(self, row: int) -> None:
        self._forget(row)
        self._network.close(row)

    # --- what comes -------------------------------------------------------------------------------

    def receive(self, batch: Batch, judge: Judge) -> int:
        if not self._guards:
            return self._network.receive(batch, judge)
        self._judge = judge
        self._judged.clear()
        count = self._network.receive(batch, self._judge_plain)
        if not count:
            return 0
        secured = self._secured[batch.rows[:count]]
        slots = batch.slots[:count] if secured.all() else secured.nonzero()[0]
        return self._open_round(batch, count, slots) if len(slots) else count

    def _judge_plain(self, row: int, source: Address, packet: memoryview, size: int) -> bool:
        """The judge is asked about what a packet says, never about one that nobody vouches for."""
        assert self._judge is not None
        guard = self._guards.get(row)
        if guard is None:
            return self._judge(row, source, packet, size)
        plain = self._unprotect(guard, packet[:size]) if HEADER <= size < STRIDE else None
        if plain is None:
            return False
        packet[: len(plain)] = plain
        if not self._judge(row, source, packet, len(plain)):
            return False
        self._judged[row] = len(plain)
        return True

    @staticmethod
    def _unprotect(guard: Guard, packet: memoryview) -> bytes | None:
        return guard.unprotect(packet, report=_is_report(packet[1]))

    def _open_round(self, batch: Batch, count: int, slots: I64) -> int:
        """Decrypt the packets in `slots`, all of them legs' with keys; how many packets are left."""
        sizes, rows = batch.sizes, batch.rows[slots]
        done = np.zeros(len(slots), np.bool_)
        if self._judged:
            for i, row in enumerate(rows.tolist()):
                if row in self._judged:
                    sizes[slots[i]] = self._judged[row]
                    done[i] = True
        odd = _REPORTS[batch.buffer[slots, 1]] | _ODD_SIZES[np.minimum(sizes[slots], STRIDE)]
        if self._changing:
            odd |= np.fromiter((row in self._changing for row in rows.tolist()), np.bool_, len(slots))
        if not (self._judged or odd.any()):
            refused = self._open_usual(batch, slots, rows)
        else:
            odd &= ~done
            refused = self._open_odd(batch, slots[odd].tolist()) if odd.any() else []
            usual = ~odd & ~done
            if usual.any():
                refused += self._open_usual(batch, slots[usual], rows[usual])
        if refused:
            count = remove(batch, count, refused)
        left = sizes[:count]
        batch.size = int(left[0]) if count and (left == left[0]).all() else 0
        return count

    def _open_usual(self, batch: Batch, slots: I64, rows: I64) -> list[int]:
        """Decrypt packets of streams under one key; the slots of those that are refused."""
        if self._inbox is None or self._inbox[0] is not batch:
            self._inbox = batch, Rows(batch.buffer)
        inbox, guards = self._inbox[1], [self._guards[row] for row in rows.tolist()]
        inbox.lengths[slots] = batch.sizes[slots]
        places = slots.tolist()
        statuses = libsrtp.unprotect(
            [guard.receiver for guard in guards],
            [inbox.packets[place] for place in places],
            [inbox.sizes[place] for place in places],
        )
        batch.sizes[slots] = inbox.lengths[slots]
        refused = []
        if any(statuses):
            refused = [i for i, status in enumerate(statuses) if status != OK]
        ssrcs = batch.words[slots, 2].astype(np.int64)
        for i in (ssrcs != self._ssrc[rows]).nonzero()[0].tolist():
            if statuses[i] == OK and not admit(guards[i].receiver, int(ssrcs[i])):
                refused.append(i)
            elif statuses[i] == OK:
                self._ssrc[rows[i]] = ssrcs[i]
        for i in refused:
            guards[i].refused += 1
        return [places[i] for i in refused]

    def _open_odd(self, batch: Batch, slots: list[int]) -> list[int]:
        """The same for one packet after the other, whatever it is."""
        refused = []
        for slot in slots:
            size, guard = int(batch.sizes[slot]), self._guards[int(batch.rows[slot])]
            view = batch.views[slot]
            plain = self._unprotect(guard, view[:size]) if HEADER <= size < STRIDE else None
            if plain is None:
                refused.append(slot)
            else:
                view[: len(plain)] = plain
                batch.sizes[slot] = len(plain)
        return refused

    def receive_reports(self) -> list[tuple[int, bytes, Address]]:
        found = self._network.receive_reports()
        if not self._guards:
            return found
        plain: list[tuple[int, bytes, Address]] = []
        for row, data, source in found:
            guard = self._guards.get(row)
            said = data if guard is None else None
            if guard is not None and 8 <= len(data) <= MAX_REPORT:
                said = guard.unprotect(data, report=True)
            if said is not None:
                plain.append((row, said, source))
        return plain

    # --- what goes --------------------------------------------------------------------------------

    def forward(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None:
        secured = self._secured[targets] if self._guards else None
        if secured is None or not secured.any():
            self._network.forward(targets, batch, slots, sizes)
            return
        if not secured.all():
            plain = ~secured
            self._network.forward(targets[plain], batch, slots[plain], sizes[plain])
            targets, slots, sizes = targets[secured], slots[secured], sizes[secured]
        self._forward_protected(targets, batch, slots, sizes)

    def _forward_protected(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None:
        """Encrypt copies: the packets themselves may go on to other legs, under other keys or none."""
        count, widest = len(targets), int(sizes.max())
        if widest > STRIDE - TRAILER:
            fit = sizes <= STRIDE - TRAILER
            if fit.any():
                self._forward_protected(targets[fit], batch, slots[fit], sizes[fit])
            return
        if count > self._outbox.capacity:
            self._outbox = Batch(max(2 * count, 64))
            self._outgoing = Rows(self._outbox.buffer)
        outbox, outgoing = self._outbox, self._outgoing
        outbox.buffer[:count, :widest] = batch.buffer[slots, :widest]
        outgoing.lengths[:count] = sizes
        guards = self._guards
        statuses = libsrtp.protect(
            [guards[row].sender for row in targets.tolist()],
            outgoing.packets[:count],
            outgoing.sizes[:count],
        )
        left, longer = outbox.slots[:count], outgoing.lengths[:count].astype(np.int64)
        if any(statuses):
            good = np.array(statuses) == OK
            left, longer, targets = left[good], longer[good], targets[good]
            if not len(left):
                return
        outbox.size = int(longer[0]) if (longer == longer[0]).all() else 0
        self._network.forward(targets, outbox, left, longer)

    def send(self, rows: list[int], packets: list[memoryview]) -> None:
        if not self._guards:
            self._network.send(rows, packets)
            return
        to: list[int] = []
        out: list[memoryview] = []
        for row, packet in zip(rows, packets):
            guard = self._guards.get(row)
            if guard is not None:
                data = libsrtp.protect_one(guard.sender, packet, report=_is_report(packet[1]))
                if data is None:
                    continue
                packet = memoryview(data)
            to.append(row)
            out.append(packet)
        self._network.send(to, out)

    def send_report(self, row: int, data: bytes, address: Address) -> None:
        guard = self._guards.get(row)
        said = data if guard is None else libsrtp.protect_one(guard.sender, data, report=True)
        if said is not None:
            self._network.send_report(row, said, address)


def _is_report(second: int) -> bool:
    """Whether a packet with this second byte is RTCP (RFC 5761 section 4)."""
    return 192 <= second <= 223
