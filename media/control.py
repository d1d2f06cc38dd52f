"""The engine's commands put into effect: what a worker does, without its sockets and its clock.

`handle`, `drain` and `tick` return what the engine is to be told. The worker process and the simulation
both run exactly this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from itertools import groupby
from random import Random
from typing import Any

from media import codecs, express
from media.clock import RATE
from media.codecs import Kind
from media.core import Core
from media.delay import BufferSettings
from media.entrance import Entrance, Gates, NoGates
from media.latch import Latch, LatchPolicy
from media.legs import Flow, Leg
from media.messages import (
    Address,
    AnyCommand,
    AnyEvent,
    CloseLeg,
    Codec,
    LegClosed,
    LegFailed,
    LegOpened,
    OpenLeg,
    Ping,
    Play,
    Pong,
    SendDtmf,
    SetGain,
    SetRemote,
    Stop,
    Tap,
    Untap,
)
from media.network import Network, NoPort
from media.numbering import Numbering
from media.player import Player, Sounds
from media.rtp import VERSION
from media.srtp import SecureNetwork, fit
from media.tap import Taps
from media.transmission import release
from media.treatment import Want
from media.watch import Watch
from media.wish import Duck, Treat

RESTING = ("CN", "G729")  # far ends with these may send nothing for seconds while nobody speaks there
STATIC_NOISE = 13  # payload type of comfort noise at 8000 Hz (RFC 3551)
LEAST_PATIENCE_MS = 200  # silence that may pass between two packets of a stream that flows


class Refused(Exception):
    """The command cannot be done for the leg; `reason` is LegFailed's."""

    def __init__(self, leg: int, reason: str) -> None:
        super().__init__(f"leg {leg}: {reason}")
        self.leg = leg
        self.reason = reason


class Control:
    """A worker's legs as the engine commands them.

    rng: for SSRCs, first sequence numbers and timestamps, report times. epoch: add it to `now` for seconds
    since 1970. buffer: bounds of the delay of rendered sound. taps: None where there are no subscribers,
    gates: None where no browsers call.
    """

    def __init__(
        self,
        network: Network,
        sounds: Sounds,
        *,
        rng: Random,
        epoch: float = 0.0,
        policy: LatchPolicy | None = None,
        buffer: BufferSettings | None = None,
        move: express.Mover = express.move,
        taps: Taps | None = None,
        gates: Gates | None = None,
    ) -> None:
        self._entrance = Entrance(network, gates or NoGates())
        self._network = SecureNetwork(self._entrance)
        self._numbering = Numbering(self._network)
        self.core = Core(self._numbering, move=move, rng=rng, policy=policy, buffer=buffer, taps=taps)
        self.load = 0.0
        self._sounds = sounds
        self._watch = Watch(self.core, epoch, self._network.refused, self._numbering.figures)
        self._handlers: dict[type, Callable[[Any, float], None]] = {
            OpenLeg: self._open,
            SetRemote: self._set_remote,
            SetGain: self._set_gain,
            Play: self._play,
            Stop: self._stop,
            SendDtmf: self._send_dtmf,
            Treat: self._treat,
            Duck: self._duck,
            Tap: self._tap,
            Untap: self._untap,
            Ping: self._ping,
        }

    @property
    def idle(self) -> bool:
        """No leg is open."""
        return not len(self.core.table)

    def handle(self, command: AnyCommand, now: float) -> list[AnyEvent]:
        """Do what the engine asks."""
        return self.obey([command], now)

    def obey(self, commands: Sequence[AnyCommand], now: float) -> list[AnyEvent]:
        """Do what the engine asks, in its order."""
        for closing, some in groupby(commands, lambda command: isinstance(command, CloseLeg)):
            if closing:
                self._close([command.leg for command in some if isinstance(command, CloseLeg)])
                continue
            for command in some:
                try:
                    self._handlers[type(command)](command, now)
                except Refused as refused:
                    self.core.events.append(LegFailed(refused.leg, refused.reason))
        return self._told()

    def drain(self, now: float) -> list[AnyEvent]:
        """Take what has arrived and send relayed packets on."""
        self._numbering.now = now
        self._entrance.exchange()
        self.core.drain(now)
        self.core.taps.flush()
        self._watch.read_reports()
        return self._told()

    def note(self, now: float) -> None:
        """Where a drain may wait for the tick: all that is done now."""
        self.core.note(now)
        self.core.taps.flush()

    def tick(self, now: float, skipped: int = 0) -> list[AnyEvent]:
        """One block of every rendered leg, and whatever else is due."""
        self._network.expire(now)
        self._entrance.refill()
        self._numbering.now = now
        self.core.tick(now, skipped)
        self._watch.look(now)
        return self._told()

    def _told(self) -> list[AnyEvent]:
        events, self.core.events = self.core.events, []
        return events

    def _find(self, number: int) -> Leg:
        leg = self.core.table.find(number)
        if leg is None:
            raise Refused(number, "unknown")
        return leg

    # --- legs -------------------------------------------------------------------------------------

    def _open(self, command: OpenLeg, now: float) -> None:
        table, rng = self.core.table, self.core.rng
        if table.find(command.leg) is not None:
            raise Refused(command.leg, "exists")
        self._check(command)
        leg = table.add(command.leg, Latch(self.core.policy))
        try:
            port = self._numbering.open(leg.row)
        except NoPort as error:
            table.remove(leg)
            raise Refused(command.leg, "no_ports") from error
        if command.gate:
            self._entrance.install(leg.row, command.leg, command.gate)
            self.core.plan.awaited.add(leg.row)
        table.tx.ssrc[leg.row] = rng.getrandbits(32)
        table.tx.sequence[leg.row] = rng.getrandbits(15)  # below 2**15: RFC 3711 section 3.3.1
        table.tx.timestamp[leg.row] = rng.getrandbits(32)
        table.common.patience[leg.row] = max(command.patience_ms, LEAST_PATIENCE_MS) / 1000
        self._apply(leg, command, now)
        self._watch.begin(leg, command, now)
        self.core.events.append(LegOpened(command.leg, port))

    def _set_remote(self, command: SetRemote, now: float) -> None:
        leg = self._find(command.leg)
        self._check(command)
        self._apply(leg, command, now)
        self._watch.agreed(leg, command)

    def _check(self, command: OpenLeg | SetRemote) -> None:
        """Raises Refused for what could never be sent to or decoded."""
        if command.codecs and all(codecs.find(codec.name, codec.rate) is None for codec in command.codecs):
            raise Refused(command.leg, "codec")
        if command.remote is not None and not self._reachable(command.remote):
            raise Refused(command.leg, "address")
        if command.keys is not None and not fit(command.keys):
            raise Refused(command.leg, "keys")

    def _reachable(self, remote: Address) -> bool:
        host, port = remote
        try:
            return ip_address(host).version == ip_address(self._network.address).version and 0 <= port < 65536
        except ValueError:
            return False

    def _apply(self, leg: Leg, command: OpenLeg | SetRemote, now: float) -> None:
        """The far end as the newest offer/answer has it."""
        common, row = self.core.table.common, leg.row
        self._apply_codecs(leg, command)
        self._network.secure(row, command.keys, now)
        if command.keys is not None:
            self._entrance.keyed(row)
            self.core.plan.awaited.discard(row)
        self._numbering.agree(row, command.transport_cc)
        if 0 <= command.dscp < 64:
            self._network.mark(row, command.dscp)
        self.core.table.rx.armed[row] = -1
        was_receiving = bool(common.receives[row])
        common.receives[row] = command.direction in ("sendrecv", "recvonly")
        remote = command.remote
        if remote is not None and (not remote[1] or ip_address(remote[0]).is_unspecified):
            remote = None  # "nowhere", as a hold was told before RFC 3264
        if leg.latch.expect(remote, now):
            common.connected[row] = False
            self.core.table.set_flow(row, Flow.AWAITED)
            self.core.uncertain.discard(row)
            self._network.disconnect(row)
            leg.report_to = None
            self._watch.moved(leg)
        leg.rtcp_mux = command.rtcp_mux
        if not common.connected[row]:
            self._network.aim(row, leg.latch.target)
        sends = command.direction in ("sendrecv", "sendonly")
        opens = sends and remote is not None and bool(self.core.table.tx.codec[row] >= 0)
        if opens != self.core.table.tx.open[row]:
            self._watch.turned(leg)
        self.core.table.tx.open[row] = opens
        if not common.receives[row] or remote is None:
            common.expects[row] = float("inf")
            self.core.table.set_flow(row, Flow.AWAITED)
        elif not was_receiving or common.expects[row] == float("inf"):
            common.expects[row] = now
        self.core.plan.touch(row)
        self.core.plan.touch_listeners(row)

    def _apply_codecs(self, leg: Leg, command: OpenLeg | SetRemote) -> None:
        table, row = self.core.table, leg.row
        tx = table.tx
        kinds = table.common.kinds[row]
        kinds[:] = codecs.UNKNOWN
        table.common.rests[row] = any(codec.name.upper() in RESTING for codec in command.codecs)
        tx.dtmf_pt[row] = tx.red_pt[row] = tx.noise_pt[row] = -1
        if command.dtmf_pt is not None and 0 <= command.dtmf_pt < 128:
            kinds[command.dtmf_pt] = codecs.TELEPHONE_EVENT
            tx.dtmf_pt[row], tx.dtmf_clock[row] = command.dtmf_pt, command.dtmf_clock
            leg.listener.clock = command.dtmf_clock
        known: list[tuple[Codec, Kind]] = []
        for codec in command.codecs:
            kind = codecs.find(codec.name, codec.rate)
            if not 0 <= codec.pt < 128:
                continue
            if kind is not None:
                kinds[codec.pt] = kind.number
                known.append((codec, kind))
            elif (codec.name.upper(), codec.rate) == ("CN", RATE):
                kinds[codec.pt] = codecs.COMFORT_NOISE
                tx.noise_pt[row] = codec.pt
        if not known:
            tx.codec[row] = codecs.UNKNOWN
            return
        self._apply_copies(row, command.codecs, [kind.clock for _, kind in known])
        if kinds[STATIC_NOISE] == codecs.UNKNOWN:  # many send it without having said so
            kinds[STATIC_NOISE] = codecs.COMFORT_NOISE
        self.core.hearing.decoding.open(row, {kind.number: codec.params for codec, kind in reversed(known)})
        self._apply_first(leg, *known[0])

    def _apply_copies(self, row: int, agreed: list[Codec], clocks: list[int]) -> None:
        """RFC 2198: its packets are of the clock of what is in them. clocks: of the codecs, the sent one's
        first.
        """
        table = self.core.table
        for codec in agreed:
            if codec.name.upper() == "RED" and codec.rate in clocks and 0 <= codec.pt < 128:
                table.common.kinds[row, codec.pt] = codecs.REDS[codec.rate]
                if codec.rate == clocks[0]:
                    table.tx.red_pt[row] = codec.pt

    def _apply_first(self, leg: Leg, codec: Codec, kind: Kind) -> None:
        """The codec that is sent."""
        row, tx, rx = leg.row, self.core.table.tx, self.core.table.rx
        packet_ms = codecs.packet_ms(kind.number, codec.ptime)
        frame = packet_ms * kind.rate // 1000
        if tx.codec[row] != kind.number or tx.frame[row] != frame:
            release(tx, row)
        tx.codec[row], tx.head[row], tx.frame[row] = kind.number, VERSION | codec.pt << 16, frame
        tx.clock[row], tx.rate[row] = kind.clock, kind.rate
        self.core.table.common.form[row] = codec.params.get("octet-align") == "1"
        if not kind.raw:
            self.core.packer.encoding.open(
                row, kind.number, codec.params, ptime=codec.ptime, pt=codec.pt, red_pt=int(tx.red_pt[row])
            )
        kinds = self.core.table.common.kinds[row]
        if rx.codec[row] < 0 or not (kinds == rx.codec[row]).any():
            self.core.expect_codec(row, kind.number)

    def _close(self, numbers: Sequence[int]) -> None:
        """Legs that are closed one after the other, as those of a call are, have their figures worked out in
        one go: of one alone they cost as much.
        """
        legs: dict[int, Leg] = {}
        for number in numbers:
            leg = self.core.table.find(number)
            if leg is None or number in legs:
                self.core.events.append(LegFailed(number, "unknown"))
            else:
                legs[number] = leg
        if not legs:
            return
        for leg, stats in zip(legs.values(), self._watch.stats(list(legs.values()))):
            self._numbering.close(leg.row)
            self._watch.forget(leg)
            self.core.forget(leg)
            self.core.events.append(LegClosed(stats.leg, stats))

    # --- sound ------------------------------------------------------------------------------------

    def _set_gain(self, command: SetGain, now: float) -> None:
        table = self.core.table
        source, listener = table.find(command.src), table.find(command.dst)
        if command.gain <= 0.0 and (source is None or listener is None):
            return  # a closed leg hears nobody already
        source, listener = self._find(command.src), self._find(command.dst)
        self.core.mixer.connect(source.row, listener.row, command.gain)
        self.core.digits.pass_on(source.row, listener.row, command.keys or command.gain <= 0.0)
        self.core.plan.touch(listener.row)

    def _play(self, command: Play, now: float) -> None:
        leg = self._find(command.leg)
        if leg.player is None:
            leg.player = Player(self._sounds)
        given = (command.play, command.items, command.loop, command.gain, command.barge)
        self.core.tell_played(leg, leg.player.play(*given))
        self.core.plan.touch(leg.row)

    def _stop(self, command: Stop, now: float) -> None:
        leg = self.core.table.find(command.leg)
        if leg is not None and leg.player is not None:
            self.core.tell_played(leg, leg.player.stop(command.play))

    def _treat(self, command: Treat, now: float) -> None:
        wants = Want.NOISE * command.noise | Want.LEVEL * command.level | Want.TONES * command.inband_dtmf
        self.core.studio.ask(self._find(command.leg), Want(wants))

    def _duck(self, command: Duck, now: float) -> None:
        table = self.core.table
        if command.db <= 0.0 and None in (table.find(command.src), table.find(command.dst)):
            return  # a closed leg hears nobody already
        source, listener = self._find(command.src), self._find(command.dst)
        by = self._find(command.by) if command.db > 0.0 else source
        self.core.studio.duck(source, listener, by, command.db)

    def _send_dtmf(self, command: SendDtmf, now: float) -> None:
        if not self.core.digits.dial(self._find(command.leg), command.digits, command.ms):
            raise Refused(command.leg, "dtmf")

    def _tap(self, command: Tap, now: float) -> None:
        self.core.taps.tap(self._find(command.leg), command.to)

    def _untap(self, command: Untap, now: float) -> None:
        leg = self.core.table.find(command.leg)
        if leg is not None:
            self.core.taps.untap(leg, command.to)

    def _ping(self, command: Ping, now: float) -> None:
        self.core.events.append(Pong(command.n, self.load))
