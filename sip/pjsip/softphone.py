"""`python -m sip.pjsip.softphone`: the phone itself. Commands and events are described in `sip.pjsip`.

PJSIP gets no worker threads and its callbacks run in the one thread that also reads the commands
(`threadCnt = 0`, `mainThreadOnly`), so nothing here is locked and no thread needs `libRegisterThread`. Only
the media clock and the RTP sockets have C threads of their own. The sound device is PJSIP's null device:
clock-driven, so real time.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from sip.pjsip.call import PhoneCall
from sip.pjsip.options import hurry, parsed

POLL_MS = 10
GOODBYE_S = 1.0  # for the far ends to answer BYE and un-REGISTER when the phone is switched off
MAX_LINE = 65_536
TRANSPORTS = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP, "tls": pj.PJSIP_TRANSPORT_TLS}
SRTP = {
    "disabled": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "mandatory": pj.PJMEDIA_SRTP_MANDATORY,
}
COMMANDS = frozenset(
    "account register unregister call ring progress answer hangup hold resume dtmf transfer attended play "
    "record bridge stop stats auto ping quit".split()
)


class PhoneAccount(pj.Account):  # type: ignore[misc]
    """Who the phone is; tells the phone what the registrar says and who calls."""

    def __init__(self, phone: Phone) -> None:
        super().__init__()
        self.phone = phone

    def onRegState(self, prm: Any) -> None:
        self.phone.registration(prm.code, prm.reason, prm.expiration)

    def onIncomingCall(self, prm: Any) -> None:
        self.phone.incoming(prm.callId, prm.rdata.wholeMsg)


class Phone:
    """One PJSIP endpoint, one account, up to four calls."""

    def __init__(self, options: argparse.Namespace, output: int) -> None:
        self.options = options
        self.output = output
        self.endpoint = pj.Endpoint()
        self.account: PhoneAccount | None = None
        self.domain = ""
        self.calls: dict[int, PhoneCall] = {}
        self.ended: list[PhoneCall] = []
        self.numbers = 0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.policy: dict[str, Any] = {}
        self.running = True
        self.registered = False
        self.late_s = 0.0  # how long it had to wait for its turn, at most
        self.pending = b""

    # ---------------------------------------------------------------- life cycle
    def start(self) -> None:
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = 4
        config.uaConfig.userAgent = "Isogloss softphone (PJSIP)"
        config.logConfig.level = config.logConfig.consoleLevel = 0
        if self.options.log:
            config.logConfig.level, config.logConfig.filename = 5, self.options.log
        config.medConfig.clockRate = config.medConfig.sndClockRate = self.options.rate
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        config.medConfig.sndAutoCloseTime = -1
        config.medConfig.rxDropPct = config.medConfig.txDropPct = self.options.drop
        if self.options.buffer:
            for name in ("jbInit", "jbMinPre", "jbMaxPre"):
                setattr(config.medConfig, name, self.options.buffer)
        self.endpoint.libCreate()
        self.endpoint.libInit(config)
        addresses = {name: self._open(kind) for name, kind in TRANSPORTS.items()}
        self.endpoint.audDevManager().setNullDev()
        self._choose_codecs(self.options.codec or ["PCMA", "PCMU"])
        self.endpoint.libStart()
        self.emit("ready", pid=os.getpid(), transports=addresses, version=self.endpoint.libVersion().full)

    def _open(self, kind: int) -> str:
        transport = pj.TransportConfig()
        transport.port = 0
        transport.boundAddress = self.options.address
        return str(self.endpoint.transportGetInfo(self.endpoint.transportCreate(kind, transport)).localName)

    def _choose_codecs(self, wanted: list[str]) -> None:
        for codec in self.endpoint.codecEnum2():
            name = codec.codecId.split("/")[0]
            place = 255 - wanted.index(name) if name in wanted else 0
            self.endpoint.codecSetPriority(codec.codecId, place)

    def run(self) -> None:
        last = time.monotonic()
        while self.running:
            now = time.monotonic()
            self.late_s, last = max(self.late_s, now - last - POLL_MS / 1000), now
            for line in self._lines():
                self.command(line)
            for due in [each for each in self.timers if each[0] <= now]:
                self.timers.remove(due)
                due[1]()
            self.endpoint.libHandleEvents(POLL_MS)
            self._say_ended()

    def _say_ended(self) -> None:
        """Tell of calls that are over, once their recordings are whole, and let go of them."""
        for call in [each for each in self.ended if each.saved()]:
            self.ended.remove(call)
            self.emit("ended", call=call.number, **call.final)

    def close(self) -> None:
        """End calls and registration, then all objects in PJSIP's order: calls, account, endpoint."""
        self.timers.clear()
        self._stop_media()
        self.endpoint.hangupAllCalls()
        if self.registered and self.account is not None:
            self.account.setRegistration(False)
        deadline = time.monotonic() + GOODBYE_S
        while (self.calls or self.ended or self.registered) and time.monotonic() < deadline:
            self.endpoint.libHandleEvents(POLL_MS)
            self._say_ended()
        self.calls.clear()
        self.ended.clear()
        self.account = None
        # All goodbyes are said: without the flag PJSIP waits another second for answers to them.
        self.endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)

    def _stop_media(self) -> None:
        for call in self.calls.values():
            call.stop()

    def _lines(self) -> list[bytes]:
        """Whole commands that have come in. At the end of stdin the parent is gone, so the phone goes too."""
        if not select.select([0], [], [], 0)[0]:
            return []
        data = os.read(0, MAX_LINE)
        if not data:
            self.running = False
        *lines, self.pending = (self.pending + data).split(b"\n")
        if len(self.pending) > MAX_LINE:
            self.pending = b""
            self.emit("fault", reason="command line too long")
        return lines

    def emit(self, event: str, **fields: Any) -> None:
        data = json.dumps({"event": event, "at": round(time.monotonic(), 4)} | fields).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self.output, data) :]
        except BrokenPipeError:  # nobody listens any more
            self.running = False

    # ------------------------------------------------------------------ commands
    def command(self, line: bytes) -> None:
        try:
            fields = json.loads(line)
            name, number = fields.pop("do"), fields.pop("id", None)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            self.emit("fault", reason=f"not a command: {error}")
            return
        if name not in COMMANDS:
            self.emit("failed", id=number, reason=f"no such command: {name}")
            return
        try:
            result = getattr(self, f"do_{name}")(**fields) or {}
        except pj.Error as error:
            self.emit("failed", id=number, reason=f"{error.reason} ({error.title})")
        except (KeyError, TypeError, ValueError, OSError) as error:
            self.emit("failed", id=number, reason=f"{type(error).__name__}: {error}")
        else:
            self.emit("done", id=number, **result)

    def do_account(
        self,
        user: str,
        domain: str,
        node: str,
        password: str = "",
        transport: str = "udp",
        expires: int = 300,
        srtp: str = "disabled",
        register: bool = False,
    ) -> None:
        config = pj.AccountConfig()
        config.idUri = f"sip:{user}@{domain}"
        config.regConfig.registrarUri = f"sip:{domain}" if register else ""
        config.regConfig.registerOnAdd = register
        config.regConfig.timeoutSec = expires
        config.regConfig.retryIntervalSec = 0
        # `hide` keeps the Route header off the wire: the node is where to send, not a proxy to name.
        config.sipConfig.proxies.push_back(f"<sip:{node};transport={transport};lr;hide>")
        config.sipConfig.authCreds.push_back(pj.AuthCredInfo("digest", "*", user, 0, password))
        config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_OPTIONAL
        config.callConfig.prackUse = (
            pj.PJSUA_100REL_OPTIONAL if self.options.reliable else pj.PJSUA_100REL_NOT_USED
        )
        config.mediaConfig.transportConfig.port = self.options.rtp_port
        config.mediaConfig.transportConfig.boundAddress = self.options.address
        config.mediaConfig.transportConfig.publicAddress = self.options.announce
        config.mediaConfig.srtpUse = SRTP[srtp]
        config.mediaConfig.srtpSecureSignaling = 0
        self.domain = domain
        if self.account is None:
            self.account = PhoneAccount(self)
            self.account.create(config, True)
        else:
            self.account.modify(config)

    def do_register(self, **fields: Any) -> None:
        self.do_account(**fields, register=True)

    def do_unregister(self) -> None:
        self._account().setRegistration(False)

    def do_call(self, target: str, headers: dict[str, str] | None = None) -> dict[str, int]:
        uri = target if ":" in target else f"sip:{target}@{self.domain}"
        call = self.adopt()
        try:
            call.dial(uri, headers or {})
        except pj.Error:
            self.finished(call)
            raise
        return {"call": call.number}

    def do_ring(self, call: int) -> None:
        self.calls[call].reply(180)

    def do_progress(self, call: int) -> None:
        self.calls[call].reply(183)

    def do_answer(self, call: int, code: int = 200) -> None:
        self.calls[call].reply(code)

    def do_hangup(self, call: int, code: int = 0) -> None:
        self.calls[call].end(code)

    def do_hold(self, call: int) -> None:
        self.calls[call].put_on_hold()

    def do_resume(self, call: int) -> None:
        self.calls[call].resume()

    def do_dtmf(self, call: int, digits: str, method: str = "rfc4733") -> None:
        self.calls[call].press(digits, method)

    def do_transfer(self, call: int, target: str) -> None:
        self.calls[call].refer_to(target if ":" in target else f"sip:{target}@{self.domain}")

    def do_attended(self, call: int, other: int) -> None:
        self.calls[call].join(self.calls[other])

    def do_play(self, call: int, file: str, loop: bool = False) -> None:
        self.calls[call].play(file, loop)

    def do_record(self, call: int, file: str, sent: bool = False) -> None:
        self.calls[call].record(file, sent)

    def do_bridge(self, call: int, other: int) -> None:
        self.calls[call].bridge(self.calls[other])

    def do_stop(self, call: int, what: str = "") -> None:
        ongoing = self.calls[call]
        ongoing.stop(what)
        deadline = time.monotonic() + GOODBYE_S
        while not ongoing.saved() and time.monotonic() < deadline:
            self.endpoint.libHandleEvents(1)

    def do_stats(self, call: int) -> None:
        late, self.late_s = round(1000 * self.late_s, 1), 0.0
        self.emit("stats", call=call, late_ms=late, **self.calls[call].quality().data())

    def do_auto(self, **policy: Any) -> None:
        unknown = set(policy) - {"ring", "answer_after", "reject", "play", "record", "echo"}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        self.policy = policy

    def do_ping(self) -> None:
        """Whoever is asked whether it lives says `done`."""

    def do_quit(self) -> None:
        self.running = False

    # ---------------------------------------------------------------- what happens
    def registration(self, status: int, reason: str, expires: int) -> None:
        self.registered = status // 100 == 2 and expires > 0
        if status // 100 != 2:
            self.emit("register_failed", status=status, reason=reason)
        elif self.registered:
            self.emit("registered", status=status, expires=expires)
        else:
            self.emit("unregistered", status=status)

    def incoming(self, call_id: int, message: str) -> None:
        call = self.adopt(call_id)
        info = call.getInfo()
        self.emit(
            "incoming",
            call=call.number,
            source=info.remoteUri,
            target=info.localUri,
            headers=_headers(message),
            call_id=info.callIdString,
        )
        self._follow_policy(call)

    def _follow_policy(self, call: PhoneCall) -> None:
        policy = self.policy
        if "reject" in policy:
            call.reply(int(policy["reject"]))
            return
        if policy.get("record"):
            call.record(str(policy["record"]).replace("{call}", str(call.number)))
        if policy.get("echo"):
            call.echo()
        if policy.get("play"):
            call.play(str(policy["play"]), False)
        if policy.get("ring", True):
            call.reply(180)
        if "answer_after" in policy:
            self.later(float(policy["answer_after"]), lambda: self._answer(call))

    def later(self, delay_s: float, what: Callable[[], None]) -> None:
        self.timers.append((time.monotonic() + delay_s, what))

    def _answer(self, call: PhoneCall) -> None:
        if call.number in self.calls:
            call.reply(200)

    def adopt(self, call_id: int = pj.PJSUA_INVALID_ID) -> PhoneCall:
        """A call under a number of the phone's own, kept alive until PJSIP is through with it."""
        self.numbers += 1
        call = PhoneCall(self, self._account(), self.numbers, call_id)
        self.calls[call.number] = call
        return call

    def finished(self, call: PhoneCall) -> None:
        call.stop()
        self.calls.pop(call.number, None)
        self.ended.append(call)  # deleting it now would be inside its own callback

    def silence(self) -> Any:
        """The null device's side of the conference bridge: a microphone in an empty room."""
        return self.endpoint.audDevManager().getCaptureDevMedia()

    def _account(self) -> PhoneAccount:
        if self.account is None:
            raise ValueError("the phone has no account yet")
        return self.account


def _headers(message: str) -> dict[str, str]:
    """First value of each header of a SIP message as PJSIP printed it, by name; folded lines are left out."""
    head = message.split("\r\n\r\n", 1)[0].split("\r\n")[1:]
    pairs = (line.split(":", 1) for line in head if ":" in line and not line.startswith((" ", "\t")))
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.strip(), value.strip())
    return found


def main() -> int:
    options = parsed()
    if options.urgent:
        hurry()
    # PJSIP prints to stdout until it knows its log level; events keep a descriptor of their own.
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    phone = Phone(options, output)
    try:
        phone.start()
        phone.run()
    finally:
        phone.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
