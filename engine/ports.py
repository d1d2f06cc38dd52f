"""What a switch needs from the outside, as protocols; a node and the simulation each give their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from engine.events import CallEnded, CallRecord, Event
from media.gate import GateCommand
from media.messages import AnyCommand
from media.recording import RecordingCommand
from media.speech.messages import SpeechCommand
from sip.digest import Account
from sip.hop import Hop
from sip.outbound import Target
from sip.registrar import Binding, Registered, Unregistered
from sip.sdp import CodecOffer
from sip.uri import Uri

if TYPE_CHECKING:
    from engine.call import Call


class MediaPort(Protocol):
    """The media workers of the node."""

    @property
    def address(self) -> str:
        """The address that goes into SDP."""

    @property
    def capabilities(self) -> Sequence[CodecOffer]:
        """Codecs in order of preference, telephone-event among them."""

    def place(self, near: int | None = None) -> int | None:
        """The worker for a new call: `near` while it has room, else the one with most; None when none has."""

    def send(self, worker: int, command: AnyCommand) -> None:
        """Ask a worker; a worker that died swallows it, and its legs are reported lost."""


class GatePort(Protocol):
    """The process that speaks ICE and DTLS for browsers' legs (media/gate.py)."""

    @property
    def doors(self) -> str:
        """The Unix socket that workers bring to it what is no RTP."""

    @property
    def address(self) -> str:
        """Where browsers reach the workers' ports."""

    @property
    def up(self) -> bool:
        """Whether it can be asked at the moment."""

    @property
    def relayed(self) -> bool:
        """Whether browsers are reached by way of relays alone."""

    def send(self, command: GateCommand) -> None:
        """Ask it; one that died swallows it, and its legs are reported lost."""


class ReplicaPort(Protocol):
    """Where calls are written down, so that other nodes can go on with them (engine/cluster)."""

    def touched(self, call: Call, now: float) -> None:
        """Something of it may have changed; cheap."""

    def finish(self, ended: CallEnded, record: CallRecord) -> None:
        """It is over; its record goes to the journal once no other node can write another."""


class PhonesPort(Protocol):
    """Where registered phones are written down, likewise."""

    def changed(self, event: Registered | Unregistered, now: float) -> None:
        """A phone came, said that it is still there, or went."""

    def agent_changed(self, name: str, now: float) -> None:
        """An agent stands otherwise than before."""


class RecorderPort(Protocol):
    """The node's recorder."""

    @property
    def taps(self) -> str:
        """The Unix socket that workers bring sound to."""

    def send(self, command: RecordingCommand) -> None:
        """Ask it; one that died swallows it, and `engine.recording.recorder_ready` is told of the next."""


class EarPort(Protocol):
    """The node's ear, and those who work for it."""

    @property
    def taps(self) -> str:
        """The Unix socket that workers bring sound to."""

    def wake(self) -> None:
        """It will be wanted; cheap, and nothing when it is there."""

    def send(self, command: SpeechCommand) -> None:
        """Ask it; one that died swallows it, and `engine.speech.Speech.ready` is told of the next."""


class JournalPort(Protocol):
    def append(self, event: Event) -> None:
        """Keep the event; cheap, never blocks, never raises."""

    def finish(self, ended: CallEnded, record: CallRecord) -> None:
        """Keep the last event of a call and its record in one transaction."""


class CardsPort(Protocol):
    def attend(self, account: Account | None) -> None:
        """Have its SIM card, where it has one, remember over restarts."""


class Prompts(Protocol):
    def path(self, language: str, name: str) -> str:
        """The WAV file of a prompt in the language, or in the fallback language."""


class Registrations(Protocol):
    def lookup(self, aor: str, now: float) -> Sequence[Binding]:
        """Where an address of record is registered now, best first."""

    def targets(self, aor: str, now: float) -> Sequence[Target]:
        """The phones of an address of record to ring, best first, each once."""


class Resolver(Protocol):
    def resolve(self, uri: Uri, now: float, found: Callable[[Sequence[Hop]], None]) -> None:
        """Find the hops of a request to `uri` (RFC 3263); `found` gets none when there is no way there."""
