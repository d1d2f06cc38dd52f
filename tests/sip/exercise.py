"""What must hold for the wire layer whatever a peer sends."""

from __future__ import annotations

from random import Random

from sip import sdp
from sip.errors import MalformedMessage, MalformedSdp, NothingInCommon, StreamBroken
from sip.framing import Framed, Framer
from sip.message import Message, Request, Response, parse
from sip.multipart import find_body
from sip.screening import is_stray, screen
from sip.uri import NameAddr, Uri

METHODS = (
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "REFER",
    "INFO",
    "UPDATE",
    "PRACK",
    "NOTIFY",
)
CAPABILITIES = [
    sdp.CodecOffer("PCMA"),
    sdp.CodecOffer("opus", 48000, 2, fmtp="useinbandfec=1"),
    sdp.CodecOffer("telephone-event", pt=101),
    sdp.CodecOffer("CN"),
]


def exercise(data: bytes, rng: Random) -> str:
    """Everything the wire layer does with one message: "read" or "refused", for counting.

    Raises AssertionError, or whatever escaped, when a promise is broken.
    """
    try:
        message = parse(data)
    except MalformedMessage as malformed:
        check_refusal(malformed)
        outcome = "refused"
    else:
        check_message(message)
        outcome = "read"
    check_stream(data, rng)
    return outcome


def check_refusal(malformed: MalformedMessage) -> None:
    """What can be answered is no ACK and has a way back."""
    if malformed.request is not None:
        assert malformed.request.method != "ACK"
        assert malformed.request.top_via.host
        check_wire(malformed.request.respond(malformed.status, malformed.reason))


def check_message(message: Request | Response) -> None:
    """What was read can be asked for everything, and reads the same once it is written."""
    touch(message)
    again = parse(check_wire(message))
    # Without the one byte that was no UTF-8, escaped in a URI, the same bytes may read as UTF-8.
    if again.charset != message.charset:
        return
    assert again.headers.all("Via") == message.headers.all("Via")
    assert (again.call_id, again.cseq, again.from_, again.to) == (
        message.call_id,
        message.cseq,
        message.from_,
        message.to,
    )
    assert again.body == message.body
    if isinstance(message, Request):
        assert isinstance(again, Request) and again.uri == message.uri
        check_wire(message.respond(200, tag="ours", headers=[("Contact", "<sip:us@example.com>")]))
        refusal = screen(message, methods=METHODS, extensions=("100rel",))
        if refusal is not None:
            check_wire(refusal)
        message.stamp("203.0.113.7", 40000)
        assert not message.top_via.received or message.top_via.received == "203.0.113.7"
        check_wire(message)
    else:
        is_stray(message)


def touch(message: Message) -> None:
    """Ask for every typed value; none may raise."""
    addresses = [message.from_, message.to, *message.contacts, *message.routes, *message.record_routes]
    for address in addresses:
        check_address(address)
    for via in message.vias:
        via.branch, via.rport, via.received, via.reply_to, str(via)
    message.max_forwards, message.expires, message.content_type, message.wildcard_contact  # noqa: B018
    for name in ("Require", "Supported", "Allow"):
        message.headers.tokens(name)
    body = find_body(message)
    if body is not None:
        check_description(body)


def check_address(address: NameAddr) -> None:
    """A name and URI hold no control character and read the same once they are written."""
    assert address.display.isprintable() or all(ord(each) >= 0x20 for each in address.display)
    text = str(address.uri)
    assert all(0x20 < ord(each) < 0x7F for each in text), text
    assert Uri.parse(text) == address.uri
    assert NameAddr.parse(str(address)) == address
    address.uri.matches(address.uri), address.uri.aor, address.uri.user_text


def check_description(body: bytes) -> None:
    """A description is read or refused; what is read can be answered, and reads the same once written."""
    try:
        offer = sdp.parse(body)
        assert sdp.parse(offer.encode()).encode() == offer.encode()
        chosen = sdp.choose(offer, CAPABILITIES)
    except (MalformedSdp, NothingInCommon):
        return
    answer = sdp.make_answer(offer, chosen, address="203.0.113.7", port=40000)
    assert len(answer.media) == len(offer.media)
    assert sdp.parse(answer.encode()).encode() == answer.encode()


def check_wire(message: Message) -> bytes:
    """On the wire there is one head, whose lines are the fields we hold: nothing was smuggled in."""
    wire = message.encode()
    head, _, body = wire.partition(b"\r\n\r\n")
    assert body == message.body
    lines = head.split(b"\r\n")
    fields = sum(1 for name, _ in message.headers if name != "Content-Length")
    assert len(lines) == 1 + fields + 1
    assert b"\n" not in head.replace(b"\r\n", b"") and b"\r" not in head.replace(b"\r\n", b"")
    return wire


def check_stream(data: bytes, rng: Random) -> None:
    """In pieces of any size a stream yields messages or breaks, and never holds more than its limits."""
    framer = Framer()
    framed: list[Framed] = []
    position = 0
    try:
        while position < len(data):
            size = rng.choice((1, 50, 500, 70_000, 70_000))
            framed += framer.feed(data[position : position + size])
            assert framer.buffered < 300_000
            position += size
    except StreamBroken as broken:
        framed += broken.framed
    for each in framed:
        if isinstance(each, MalformedMessage):
            assert each.__traceback__ is None
        else:
            each.top_via, each.cseq, each.from_, each.to  # noqa: B018
