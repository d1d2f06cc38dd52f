"""Signs in the ladder: what was refused and why, what was never answered, what was changed on the way."""

from __future__ import annotations

from collections.abc import Iterator

from engine.insight.facts import Dialogue, Facts, Seen, address, audio, codecs
from engine.insight.faults import Evidence, Found, join
from sip.errors import Malformed
from sip.reach import is_public
from sip.reason import Reason

CHALLENGES = frozenset({401, 407})
UNSUITED = frozenset({488, 606})
# RFC 3398 section 8.2.6.1: what a gateway makes of a status, so that one table has words for both.
CAUSES = {
    400: 41, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 408: 102, 410: 22, 413: 127, 414: 127, 415: 79,
    416: 127, 420: 127, 421: 127, 480: 18, 482: 25, 483: 25, 484: 28, 485: 1, 486: 17, 500: 41, 501: 79,
    502: 38, 503: 41, 504: 102, 505: 127, 513: 127, 600: 17, 603: 21, 604: 1,
}  # fmt: skip
NORMAL = frozenset({0, 16, 31, 26})  # normal clearing, unspecified, and answered elsewhere
FAILED = frozenset({"busy", "no_answer", "refused", "unreachable", "not_acceptable", "overflow_failed"})
REPEATED = 3  # times that something was sent and nothing came back
EARLY_S = 4.0  # that a session timer may run out before or after its time
TAKEN_S = 1.0  # between a digit's INFO and the word of it
DIGITS = ("application/dtmf-relay", "application/dtmf")


def evidence(*seen: Seen | None) -> tuple[Evidence, ...]:
    """Messages of the ladder."""
    there = [each for each in seen if each is not None]
    return tuple(Evidence("message", each.index, each.at, each.line, each.message.leg) for each in there)


def no_common_codec(facts: Facts) -> Iterator[Found]:
    """A description was refused, and nothing else was agreed on instead."""
    for dialogue in facts.dialogues:
        for refusal in dialogue.responses("INVITE", least=300):
            if refusal.status not in UNSUITED:
                continue
            invite = _request_of(dialogue, refusal)
            media = audio(invite.sdp) if invite is not None else None
            sure = 0.95 if not facts.connected and dialogue.established is None else 0.35
            values = {"offered": join(codecs(media)), "status": str(refusal.status)}
            sealed = media is not None and "SAVP" in media.proto.upper()
            proof = evidence(invite, refusal)
            if sealed:
                variant = "refused" if refusal.inward else "ours"
                yield Found("srtp_mismatch", sure, dialogue.side, variant, values, proof)
            yield Found("no_common_codec", sure, dialogue.side, "", values, proof)
    if facts.reason == "not_acceptable":
        yield Found("no_common_codec", 0.85, "", "", {"offered": "—", "status": "488"})


def _request_of(dialogue: Dialogue, response: Seen) -> Seen | None:
    asked = dialogue.requests(response.method, inward=not response.inward)
    return next((each for each in reversed(asked) if each.number == response.number), None)


def codec_changed(facts: Facts) -> Iterator[Found]:
    """Somebody wanted another description in the middle of the call, and was refused it."""
    for dialogue in facts.dialogues:
        settled = dialogue.established
        if settled is None:
            continue
        for refusal in dialogue.responses("INVITE", least=300):
            if refusal.status in UNSUITED and refusal.at > settled.at:
                invite = _request_of(dialogue, refusal)
                offered = join(codecs(audio(invite.sdp))) if invite is not None else "—"
                values = {"offered": offered, "seconds": "0", "what": refusal.line}
                yield Found("codec_changed", 0.8, dialogue.side, "refused", values, evidence(invite, refusal))


def wrong_credentials(facts: Facts) -> Iterator[Found]:
    """Whoever was called wants a password and does not take ours; callers that fail have no call."""
    for dialogue in facts.dialogues:
        if not dialogue.outward or dialogue.established is not None:
            continue
        tried = refused = None
        for each in dialogue.responses("INVITE", inward=True, least=300):
            invite = _request_of(dialogue, each)
            signed = invite is not None and _signed(invite)
            wrong = each.status in CHALLENGES and "stale=true" not in _challenge(each)
            if signed and (wrong or each.status == 403):
                tried, refused = invite, each
        final = dialogue.final
        sure = 0.95 if not facts.connected else 0.4
        if refused is not None:
            values = {"status": str(refused.status), "host": refused.message.host}
            yield Found("wrong_credentials", sure, dialogue.side, "", values, evidence(tried, refused))
        elif final is not None and final.status in CHALLENGES:
            values = {"status": str(final.status), "host": final.message.host}
            yield Found("wrong_credentials", sure - 0.05, dialogue.side, "none", values, evidence(final))


def _signed(seen: Seen) -> bool:
    return bool(seen.header("Authorization") or seen.header("Proxy-Authorization"))


def _challenge(seen: Seen) -> str:
    return (seen.header("WWW-Authenticate") + seen.header("Proxy-Authenticate")).lower().replace(" ", "")


def carrier_cause(facts: Facts) -> Iterator[Found]:
    """What whoever was called, or the network in between, gave as its reason."""
    offered = bool(facts.events("call.offered"))
    failed = not facts.connected and (facts.reason in FAILED or not facts.reason)
    for dialogue in facts.dialogues:
        final = dialogue.final
        if dialogue.outward and final is not None and final.inward and final.status >= 400:
            cause, said = _cause(final)
            if cause and not (offered and dialogue.side == "agent" and not facts.events("call.line_chosen")):
                values = {"cause": str(cause), "said": said, "host": final.message.host}
                yield Found(
                    "carrier_cause", 0.85 if failed else 0.4, dialogue.side, "", values, evidence(final)
                )
        for each in (*dialogue.requests("BYE", inward=True), *dialogue.requests("CANCEL", inward=True)):
            why = Reason.parse(each.header("Reason")) if each.header("Reason") else None
            if why is not None and why.protocol.upper() == "Q.850" and why.cause not in NORMAL:
                values = {
                    "cause": str(why.cause),
                    "said": why.text or str(why.cause),
                    "host": each.message.host,
                }
                yield Found("carrier_cause", 0.88, dialogue.side, "ended", values, evidence(each))
    if facts.reason == "no_answer" and not offered and not facts.connected:
        rung = next((d.responses("INVITE", inward=True) for d in facts.dialogues if d.outward), [])
        if any(each.status in (180, 183) for each in rung):
            values = {"cause": "19", "said": "180", "host": rung[-1].message.host}
            yield Found("carrier_cause", 0.8, "agent", "", values, evidence(rung[-1]))


def _cause(final: Seen) -> tuple[int, str]:
    """The cause of Q.850 that a refusal has or stands for, 0 for none; and how it was said."""
    why = Reason.parse(final.header("Reason")) if final.header("Reason") else None
    if why is not None and why.protocol.upper() == "Q.850" and why.cause:
        return why.cause, f"{final.status}, Q.850 {why.cause} {why.text}".strip()
    return CAUSES.get(final.status, 0), final.line.partition(" ")[2] or str(final.status)


def unreachable(facts: Facts) -> Iterator[Found]:
    """Messages did not go: the network refused them, or TLS was not agreed on."""
    for dialogue in facts.dialogues:
        for each in dialogue.seen:
            reason = each.message.fault
            if not reason or each.inward:
                continue
            sure = 0.95 if not facts.connected else 0.45
            values = {"host": f"{each.message.host}:{each.message.port}", "what": reason}
            sealed = reason.lower().startswith(("certificate", "tls"))
            if dialogue.established is None or sealed:
                fault = "tls_failure" if sealed else "unreachable"
                yield Found(fault, sure, dialogue.side, "", values, evidence(each))
            else:
                yield Found("far_end_vanished", 0.75, dialogue.side, "", _gone(each), evidence(each))


def no_reply(facts: Facts) -> Iterator[Found]:
    """Whoever was called says nothing at all, or its network gives up waiting."""
    for dialogue in facts.dialogues:
        invites = dialogue.requests("INVITE", inward=False)
        if not dialogue.outward or not invites or any(each.inward for each in dialogue.seen):
            continue
        if any(each.message.fault for each in dialogue.seen):
            continue
        waited = facts.until - invites[0].at
        if len(invites) >= 2 or waited >= 0.4:
            values = {
                "host": f"{invites[0].message.host}:{invites[0].message.port}",
                "times": str(len(invites)),
            }
            sure = 0.4 if facts.connected else 0.92
            yield Found("no_reply", sure, dialogue.side, "", values, evidence(invites[0], invites[-1]))


def no_ack(facts: Facts) -> Iterator[Found]:
    """Our answer is repeated and never acknowledged: it does not get there, or what comes back does not."""
    for dialogue in facts.dialogues:
        answers = [
            each for each in dialogue.responses("INVITE", inward=False, least=200) if each.status < 300
        ]
        if not answers:
            continue
        number = answers[0].number
        acked = any(each.number == number for each in dialogue.requests("ACK", inward=True))
        if not acked and (len(answers) >= REPEATED or facts.reason == "signalling_lost"):
            values = {"times": str(len(answers)), "host": answers[0].message.host}
            yield Found("no_ack", 0.95, dialogue.side, "", values, evidence(answers[0], answers[-1]))


def session_timer(facts: Facts) -> Iterator[Found]:
    """Nobody refreshed the session within its time (RFC 4028), so that it was ended."""
    for dialogue in facts.dialogues:
        expires, refreshed = 0.0, None
        for each in dialogue.seen:
            granted = each.header("Session-Expires").partition(";")[0].strip()
            timed = each.method in ("INVITE", "UPDATE") and granted.isascii() and granted.isdecimal()
            if timed and 200 <= each.status < 300:
                expires, refreshed = float(granted[:6]), each
        for bye in dialogue.requests("BYE"):
            if refreshed is None or not expires:
                continue
            due = refreshed.at + expires - min(32.0, expires / 3.0)  # section 10
            if abs(bye.at - due) <= EARLY_S or abs(bye.at - refreshed.at - expires) <= EARLY_S:
                values = {"seconds": f"{expires:.0f}"}
                yield Found("session_timer", 0.96, dialogue.side, "", values, evidence(refreshed, bye))


def far_end_vanished(facts: Facts) -> Iterator[Found]:
    """In the middle of the call a far end says nothing more, or knows nothing of the call any more."""
    for dialogue in facts.dialogues:
        settled = dialogue.established
        if settled is None:
            continue
        for method in ("INVITE", "UPDATE", "OPTIONS", "BYE"):
            asked = [each for each in dialogue.requests(method, inward=False) if each.at > settled.at]
            numbers = {each.number for each in asked}
            for number in numbers:
                same = [each for each in asked if each.number == number]
                answer = dialogue.answered(same[0], 100)
                forgot = answer is not None and answer.status in (481, 408)
                silent = answer is None and len(same) >= REPEATED
                if not (forgot or silent):
                    continue
                sure = 0.9 if method != "BYE" or facts.reason == "signalling_lost" else 0.35
                variant = "forgot" if forgot else ""
                proof = evidence(same[0], answer or same[-1])
                yield Found("far_end_vanished", sure, dialogue.side, variant, _gone(same[-1]), proof)
    if facts.reason in ("signalling_lost", "not_rescued"):
        quiet = [each for each in facts.trouble("no_rtp", "one_way") if each.ended is None]
        for trouble in quiet:
            values = {"host": "", "method": "RTP"}
            event = Evidence("event", trouble.seq, trouble.began, f"leg.troubled {trouble.kind}", trouble.leg)
            yield Found("far_end_vanished", 0.8, trouble.side, "", values, (event,))


def _gone(seen: Seen) -> dict[str, str]:
    return {"host": f"{seen.message.host}:{seen.message.port}", "method": seen.method}


def dtmf_mismatch(facts: Facts) -> Iterator[Found]:
    """Digits are told in a way that the other side was not asked for, or cannot take."""
    for dialogue in facts.dialogues:
        for info in dialogue.requests("INFO", inward=True):
            kind = info.header("Content-Type").partition(";")[0].strip().lower()
            if kind not in DIGITS:
                continue
            answer = dialogue.answered(info, 300)
            if answer is not None:
                values = {"method": "SIP INFO", "status": str(answer.status)}
                yield Found("dtmf_mismatch", 0.92, dialogue.side, "refused", values, evidence(info, answer))
            elif _has_events(dialogue) and not _taken(facts, dialogue.side, info.at):
                values = {"method": "SIP INFO", "status": ""}
                yield Found("dtmf_mismatch", 0.8, dialogue.side, "", values, evidence(info))
    began = min((entry.at for entry in facts.events("call.connected")), default=float("inf"))
    for entry in facts.events("call.digit"):
        if entry.at < began:
            continue  # it was for us
        pressed = str(entry.data.get("side", ""))
        for dialogue in facts.dialogues:
            deaf = dialogue.established is not None and not _has_events(dialogue)
            if deaf and dialogue.side not in ("", pressed):
                seen = next((each for each in dialogue.seen if each.inward and audio(each.sdp)), None)
                proof = (*evidence(seen), Evidence("event", entry.seq, entry.at, "call.digit"))
                yield Found(
                    "dtmf_mismatch", 0.75, dialogue.side, "deaf", {"method": "RFC 4733", "status": ""}, proof
                )


def _taken(facts: Facts, side: str, at: float) -> bool:
    """Whether a digit counted that was told then."""
    pressed = [entry.at for entry in facts.events("call.digit") if entry.data.get("side") == side]
    return any(abs(each - at) <= TAKEN_S for each in pressed)


def _has_events(dialogue: Dialogue) -> bool:
    """Whether the far end's newest description takes telephone events (RFC 4733)."""
    for each in reversed(dialogue.seen):
        media = audio(each.sdp) if each.inward else None
        if media is not None:
            return any(codec.name.lower() == "telephone-event" for codec in media.rtpmap.values())
    return False


def sip_alg(facts: Facts) -> Iterator[Found]:
    """Somebody on the way rewrites messages, and not all of each."""
    for dialogue in facts.dialogues:
        for each in dialogue.seen:
            if each.inward and "Content-Length" in each.fault:
                values = {"what": each.fault, "host": each.message.host}
                yield Found("sip_alg", 0.93, dialogue.side, "length", values, evidence(each))
            elif each.inward and (patched := _half_rewritten(each)):
                troubled = facts.reason in ("signalling_lost", "media_lost") or any(
                    trouble.side == dialogue.side for trouble in facts.trouble("one_way", "no_rtp")
                )
                values = {"what": patched, "host": each.message.host}
                yield Found("sip_alg", 0.96 if troubled else 0.3, dialogue.side, "", values, evidence(each))


def _half_rewritten(seen: Seen) -> str:
    """Where a message still names a private address, while its sound's is where it came from; "" for none.

    A phone that finds its address by STUN names it everywhere; what is half private, and half not, two wrote.
    """
    description, request = seen.sdp, seen.request
    if description is None or request is None or address(description) != seen.message.host:
        return ""
    origin = description.origin.address
    try:
        contacts = [contact.uri.host for contact in request.contacts]
        vias = [via.host for via in request.vias[-1:]]
    except Malformed:
        return ""
    private = [host for host in (*vias, origin) if host != seen.message.host and _private(host)]
    moved = bool(contacts) and contacts[0] == seen.message.host
    return join(private) if moved and private else ""


def _private(host: str) -> bool:
    return (
        host not in ("0.0.0.0", "::", "127.0.0.1") and host.replace(".", "").isdigit() and not is_public(host)
    )


SIGNS = (
    no_common_codec, codec_changed, wrong_credentials, carrier_cause, unreachable, no_reply, no_ack,
    session_timer, far_end_vanished, dtmf_mismatch, sip_alg,
)  # fmt: skip
