"""One call of the softphone: a pjsua2 Call, its player, its recorder and its statistics.

Runs inside the softphone process only. Traps of pjsua2 under Python decide its shape. A Call that is
collected while PJSIP still knows it takes the process down, and so does one that is deleted inside its own
callback or after the endpoint: the phone holds every call until after the callback that ended it, and none
longer. A vector inside a value (`info.media`) dies with the value, so values are named before being walked.
"""

from __future__ import annotations

import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pjsua2 as pj

from sip.pjsip.statistics import Quality

MEDIA_STATES = {
    pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
    pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "local_hold",
    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "remote_hold",
    pj.PJSUA_CALL_MEDIA_NONE: "none",
    pj.PJSUA_CALL_MEDIA_ERROR: "error",
}
DTMF_METHODS = {"rfc4733": pj.PJSUA_DTMF_METHOD_RFC2833, "info": pj.PJSUA_DTMF_METHOD_SIP_INFO}


class Owner(Protocol):
    """What a call needs of its phone."""

    def emit(self, event: str, **fields: Any) -> None: ...

    def silence(self) -> Any: ...

    def adopt(self, call_id: int = pj.PJSUA_INVALID_ID) -> PhoneCall: ...

    def finished(self, call: PhoneCall) -> None: ...

    def later(self, delay_s: float, what: Callable[[], None]) -> None: ...


class PhoneCall(pj.Call):  # type: ignore[misc]
    """A call and what the phone does in it."""

    def __init__(self, owner: Owner, account: Any, number: int, call_id: int) -> None:
        super().__init__(account, call_id)
        self.owner = owner
        self.number = number
        self.dialled_at: float | None = None
        self.post_dial_delay_s: float | None = None
        self.confirmed = False
        self.past = Quality()
        self.reported: set[int] = set()
        self.player: Any = None
        self.recorder: Any = None
        self.recorder_file = ""
        self.recorder_hears_us = False
        self.echoes = False
        self.unsaved: list[str] = []
        self.final: dict[str, Any] = {}
        self.play_file = ""
        self.play_loop = False

    # ------------------------------------------------------------------ commands
    def dial(self, uri: str, headers: dict[str, str]) -> None:
        prm = pj.CallOpParam(True)
        prm.opt.videoCount = 0
        for name, value in headers.items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            prm.txOption.headers.push_back(header)
        self.dialled_at = time.monotonic()
        self.makeCall(uri, prm)

    def reply(self, status: int) -> None:
        prm = pj.CallOpParam(True)
        prm.opt.videoCount = 0
        prm.statusCode = status
        self.answer(prm)

    def end(self, status: int = 0) -> None:
        prm = pj.CallOpParam()
        prm.statusCode = status
        self.hangup(prm)

    def put_on_hold(self) -> None:
        self.setHold(pj.CallOpParam(True))

    def resume(self) -> None:
        prm = pj.CallOpParam(True)
        prm.opt.videoCount = 0
        prm.opt.flag = pj.PJSUA_CALL_UNHOLD
        self.reinvite(prm)

    def press(self, digits: str, method: str) -> None:
        prm = pj.CallSendDtmfParam()
        prm.digits = digits
        prm.method = DTMF_METHODS[method]
        prm.duration = 160
        self.sendDtmf(prm)

    def refer_to(self, uri: str) -> None:
        self.xfer(uri, pj.CallOpParam(True))

    def join(self, other: PhoneCall) -> None:
        self.xferReplaces(other, pj.CallOpParam(True))

    def play(self, file: str, loop: bool) -> None:
        if not Path(file).is_file():
            raise FileNotFoundError(file)
        self.stop("play")
        self.play_file, self.play_loop = file, loop
        self._wire()

    def record(self, file: str, sent: bool = False) -> None:
        self.stop("record")
        self.recorder_file, self.recorder_hears_us = file, sent
        self.recorder = pj.AudioMediaRecorder()
        self.recorder.createRecorder(file)
        # Silence keeps the file's clock running while the call has no media, so sounds stay in place.
        self.owner.silence().startTransmit(self.recorder)
        self._wire()

    def echo(self) -> None:
        """Let the far end hear itself."""
        self.echoes = True
        self._wire()

    def bridge(self, other: PhoneCall) -> None:
        """Let both far ends hear each other, as a gateway does."""
        mine, theirs = self._audio(), other._audio()
        if mine is None or theirs is None:
            raise ValueError("a call without sound cannot be bridged")
        mine.startTransmit(theirs)
        theirs.startTransmit(mine)

    def stop(self, what: str = "") -> None:
        if what in ("", "play"):
            self.player, self.play_file = None, ""
        if what in ("", "record"):
            self.recorder = None
            if self.recorder_file:
                self.unsaved.append(self.recorder_file)
                self.recorder_file = ""

    def saved(self) -> bool:
        """Whether the recordings that were stopped are whole: PJSIP writes the header of a WAV file last."""
        self.unsaved = [file for file in self.unsaved if not _is_wav(file)]
        return not self.unsaved

    def quality(self) -> Quality:
        """Statistics so far, of all streams the call has had."""
        return self.past.plus(self._stream_quality(0))

    # ----------------------------------------------------------------- callbacks
    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_EARLY and info.lastStatusCode not in self.reported:
            self.reported.add(info.lastStatusCode)
            if info.role == pj.PJSIP_ROLE_UAC:
                self._heard_ringing()
                self.owner.emit(
                    "progress", call=self.number, status=info.lastStatusCode, sdp=self._has_media(info)
                )
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED and not self.confirmed:
            self.confirmed = True
            self._heard_ringing()
            self.owner.emit(
                "answered",
                call=self.number,
                post_dial_delay_s=self.post_dial_delay_s,
                codec=self._stream_quality(0).codec,
                call_id=info.callIdString,
            )
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            stats = self.quality().data()
            self.final = {"status": info.lastStatusCode, "reason": info.lastReason, "stats": stats}
            self.owner.finished(self)

    def onCallMediaState(self, prm: Any) -> None:
        info = self.getInfo()
        audio = [each for each in info.media if each.type == pj.PJMEDIA_TYPE_AUDIO]
        state = MEDIA_STATES.get(audio[0].status, "none") if audio else "none"
        self._wire()
        self.owner.emit("media", call=self.number, state=state)

    def onStreamDestroyed(self, prm: Any) -> None:
        self.past = self.past.plus(self._stream_quality(prm.streamIdx))

    def onDtmfDigit(self, prm: Any) -> None:
        names = {number: name for name, number in DTMF_METHODS.items()}
        self.owner.emit("dtmf", call=self.number, digit=prm.digit, method=names.get(prm.method, "other"))

    def onCallTransferStatus(self, prm: Any) -> None:
        self.owner.emit(
            "transfer",
            call=self.number,
            status=prm.statusCode,
            reason=prm.reason,
            final=bool(prm.finalNotify),
        )

    def onCallTransferRequest(self, prm: Any) -> None:
        other = self.owner.adopt()
        other.dialled_at = time.monotonic()
        prm.newCall = other
        self.owner.emit("referred", call=self.number, other=other.number, target=prm.dstUri)

    def onCallReplaceRequest(self, prm: Any) -> None:
        prm.newCall = self.owner.adopt()

    def onCallReplaced(self, prm: Any) -> None:
        if prm.newCall is not None:
            self.owner.emit("replaced", call=self.number, other=getattr(prm.newCall, "number", 0))

    # ------------------------------------------------------------------- inside
    def _heard_ringing(self) -> None:
        if self.post_dial_delay_s is None and self.dialled_at is not None:
            self.post_dial_delay_s = round(time.monotonic() - self.dialled_at, 4)

    @staticmethod
    def _has_media(info: Any) -> bool:
        return any(each.status == pj.PJSUA_CALL_MEDIA_ACTIVE for each in info.media)

    def _audio(self) -> Any:
        """The call's port of the conference bridge; None while it has no media."""
        info = self.getInfo()
        for index, each in enumerate(info.media):
            usable = each.status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
            if each.type == pj.PJMEDIA_TYPE_AUDIO and usable and each.audioConfSlot != pj.PJSUA_INVALID_ID:
                return self.getAudioMedia(index)
        return None

    def _wire(self) -> None:
        """Connect player and recorder to the call's media, as often as the media changes."""
        audio = self._audio() if self.isActive() else None
        if audio is None:
            return
        # A phone with a microphone never stops sending; PJSIP without a source does.
        self.owner.silence().startTransmit(audio)
        if self.play_file and self.player is None:
            self.player = pj.AudioMediaPlayer()
            self.player.createPlayer(self.play_file, 0 if self.play_loop else pj.PJMEDIA_FILE_NO_LOOP)
            self._announce_end(self.player, self.play_file)
        if self.player is not None:
            # First to the recorder: what is in the file stands there when the call was given it, or earlier.
            if self.recorder is not None and self.recorder_hears_us:
                self.player.startTransmit(self.recorder)
            self.player.startTransmit(audio)
        if self.echoes:
            audio.startTransmit(audio)
        if self.recorder is not None:
            audio.startTransmit(self.recorder)

    def _announce_end(self, player: Any, file: str) -> None:
        """Say `played` when the file is through. By its length, for this wheel never calls onEof2."""
        if self.play_loop:
            return
        with wave.open(file) as wav:
            length = wav.getnframes() / wav.getframerate()

        def played() -> None:
            if self.player is player:
                self.stop("play")
                self.owner.emit("played", call=self.number, file=file)

        self.owner.later(length + 0.1, played)

    def _stream_quality(self, index: int) -> Quality:
        """What PJSIP counts for the stream now; empty when there is none."""
        try:
            stream, info = self.getStreamStat(index), self.getStreamInfo(index)
        except pj.Error:  # the call has no stream at that index (any more)
            return Quality()
        received, sent = stream.rtcp.rxStat, stream.rtcp.txStat
        return Quality(
            codec=info.codecName,
            sent=sent.pkt,
            received=received.pkt,
            lost=received.loss,
            discarded=received.discard,
            duplicate=received.dup,
            reordered=received.reorder,
            remote_lost=sent.loss,
            jitter_ms=round(received.jitterUsec.mean / 1000, 3),
            rtt_ms=round(stream.rtcp.rttUsec.mean / 1000, 3) if stream.rtcp.rttUsec.n else None,
            buffer_ms=float(stream.jbuf.avgDelayMsec),
        )


def _is_wav(file: str) -> bool:
    with Path(file).open("rb") as head:
        start = head.read(12)
    return start[:4] == b"RIFF" and start[8:] == b"WAVE" and start[4:8] != bytes(4)
