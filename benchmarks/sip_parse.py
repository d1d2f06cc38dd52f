"""SIP messages read, asked for what every layer asks, and written again: the parse part of bench_sip."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from sip.message import Request, parse

CALLS = 200
ROUNDS = 7
ROUND_SECONDS = 0.3

SDP = """v=0
o=- 3890844526 3890844526 IN IP4 192.0.2.{host}
s=-
c=IN IP4 192.0.2.{host}
t=0 0
m=audio {port} RTP/AVP 8 0 9 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:9 G722/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
"""

COMMON = """Via: SIP/2.0/UDP 192.0.2.{host}:5060;branch=z9hG4bK{branch};rport
Max-Forwards: 70
From: "Customer {call}" <sip:customer{call}@example.com>;tag={call}1928301774
To: <sip:+4930{number}@example.com>{to_tag}
Call-ID: {call}-a84b4c76e66710@192.0.2.{host}
CSeq: {cseq}
"""

# Start line, To tag, CSeq, further fields, whether SDP follows: the messages of a call, and a registration.
MIX = (
    (
        "INVITE sip:+4930{number}@example.com;user=phone SIP/2.0",
        "",
        "1 INVITE",
        'Contact: <sip:customer{call}@192.0.2.{host}:5060;transport=udp>\nUser-Agent: Softphone 5.2.1\n'
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY\n"
        "Supported: replaces, 100rel, timer\nSession-Expires: 1800;refresher=uac\n",
        True,
    ),
    (
        "SIP/2.0 200 OK",
        ";tag={call}as7d6f",
        "1 INVITE",
        "Record-Route: <sip:192.0.2.1;lr;ftag={call}>\nContact: <sip:+4930{number}@192.0.2.9:5060>\n"
        "Server: Isogloss\nAllow: INVITE, ACK, CANCEL, BYE\nSupported: replaces, timer\n",
        True,
    ),
    ("ACK sip:+4930{number}@192.0.2.9:5060 SIP/2.0", ";tag={call}as7d6f", "1 ACK", "", False),
    (
        "BYE sip:+4930{number}@192.0.2.9:5060 SIP/2.0",
        ";tag={call}as7d6f",
        "2 BYE",
        'Reason: Q.850;cause=16;text="Terminated"\n',
        False,
    ),
    (
        "REGISTER sip:example.com SIP/2.0",
        "",
        "7 REGISTER",
        "Contact: <sip:customer{call}@192.0.2.{host}:5060>;expires=600\nExpires: 600\n"
        'Authorization: Digest username="customer{call}", realm="example.com", nonce="84a4cc6f{call}", '
        'uri="sip:example.com", response="7587245234b3434cc3412213e5f113a5", algorithm=MD5\n',
        False,
    ),
)  # fmt: skip


def corpus() -> list[bytes]:
    """The messages of CALLS calls, no two calls with an address, tag or branch in common."""
    made = []
    for call in range(CALLS):
        for step, (start, to_tag, cseq, extra, described) in enumerate(MIX):
            values = {
                "call": 1000 + call,
                "number": 5550000 + call,
                "host": 10 + call % 200,
                "port": 20000 + 2 * call,
                "branch": f"{call}776asd{step}",
                "to_tag": to_tag.replace("{call}", str(call)),
                "cseq": cseq,
            }
            body = SDP.format(**values).replace("\n", "\r\n") if described else ""
            kind = "Content-Type: application/sdp\n" if described else ""
            head = f"{start}\n{COMMON}{extra}{kind}".format(**values)
            head += f"Content-Length: {len(body)}\n\n"
            made.append((head.replace("\n", "\r\n") + body).encode())
    return made


def read_and_write(data: bytes) -> None:
    """One message as a user agent handles it: read, asked for its dialog and transaction, written."""
    message = parse(data)
    message.top_via, message.from_, message.to, message.cseq, message.call_id  # noqa: B018 - asked, not used
    message.contacts  # noqa: B018
    message.encode()


def microseconds(work: Callable[[], object]) -> float:
    """CPU time of one call, in µs: the median of ROUNDS rounds."""
    work()
    rounds = []
    for _ in range(ROUNDS):
        count, began = 0, time.process_time()
        while time.process_time() - began < ROUND_SECONDS:
            work()
            count += 1
        rounds.append((time.process_time() - began) / count * 1e6)
    return median(rounds)


def measure() -> dict[str, float]:
    """Figures on one core by CPU time.

    messages_per_s: a mix of INVITE, 200, ACK, BYE and REGISTER read, asked and written. parse_us, encode_us,
    respond_us: an INVITE of 1 kB read with its typed values, written, answered.
    """
    messages = corpus()
    invites = messages[:: len(MIX)]

    def mixed() -> None:
        for data in messages:
            read_and_write(data)

    def typed() -> None:
        for data in invites:
            message = parse(data)
            message.top_via, message.from_, message.to, message.cseq, message.call_id  # noqa: B018

    invite = parse(invites[0])
    assert isinstance(invite, Request)
    return {
        "messages_per_s": round(len(messages) / microseconds(mixed) * 1e6),
        "parse_us": round(microseconds(typed) / len(invites), 1),
        "encode_us": round(microseconds(lambda: [invite.encode() for _ in range(100)]) / 100, 1),
        "respond_us": round(
            microseconds(lambda: [invite.respond(180, tag="a") for _ in range(100)]) / 100, 1
        ),
    }


if __name__ == "__main__":
    print(measure())
