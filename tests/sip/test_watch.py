"""We watch our registration with a mobile network, and do what it tells us of it (RFC 3680, RFC 6665)."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sip.digest import Credentials, parse_digest
from sip.events import Event
from sip.hop import Hop
from sip.line import LineDown, LineLeft, LineUp, RegistrationSettings
from sip.manner import Manner
from sip.message import NameAddr, Request, Response, Uri, parse
from tests.sip.network import Network, Seen, drained

PCSCF = "10.0.0.9"
ACCESS = ("P-Access-Network-Info", "3GPP-E-UTRAN-FDD")
ROW = """<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="{version}" state="full">
  <registration aor="sip:us@ims.example" id="a" state="{state}">
    <contact id="b" state="{state}" event="{event}"{more}><uri>sip:us@{host}:5060;ob</uri></contact>
  </registration></reginfo>"""


class Mobile:
    """Our node, and a network played by hand at PCSCF."""

    def __init__(self, **settings: Any) -> None:
        self.network = Network()
        self.node = self.network.add("10.0.0.1")
        self.asked: list[Request] = []
        self.answers: list[Response] = []
        self.answer_subscribe: tuple[int, list[tuple[str, str]]] = (200, [("Expires", "600000")])
        self.network.drop = self._take
        hop = Hop("udp", PCSCF, 5060)
        chosen = {
            "line": "mobile",
            "registrar": Uri.parse("sip:ims.example"),
            "account": NameAddr.parse("<sip:us@ims.example>"),
            "contact": lambda hop: self.node.agent.contact("us", hop),
            "credentials": Credentials("us@ims.example", "secret"),
            "expires": 600_000,
            "manner": Manner(always=(ACCESS,)),
            "home": "ims.example",
        } | settings
        self.registration = self.node.agent.register(
            RegistrationSettings(**chosen), (hop,), now=self.network.now
        )
        self.network.flush(self.node)
        self.network.run(0.1)

    def _take(self, seen: Seen) -> bool:
        message = seen.message
        if isinstance(message, Response):
            self.answers.append(message)
            return True
        self.asked.append(message)
        headers = [("Expires", "600000"), ("Service-Route", "<sip:orig@scscf.ims.example;lr>")]
        headers.append(("P-Associated-URI", "<sip:+44207@ims.example>"))
        if message.method == "SUBSCRIBE":
            status, headers = self.answer_subscribe
            headers = [*headers, ("Contact", "<sip:scscf.ims.example>")]
            headers.append(("Record-Route", "<sip:10.0.0.9;lr>"))
        else:
            status = 200
        answer = message.respond(status, tag="net", headers=headers).encode()
        self.network.send(self.node.host, answer, Hop("udp", PCSCF, 5060))
        return True

    def say(self, message: Request | Response) -> None:
        self.node.agent.receive(message.encode(), Hop("udp", PCSCF, 5060), self.network.now)
        self.network.flush(self.node)

    @property
    def subscribed(self) -> list[Request]:
        return [each for each in self.asked if each.method == "SUBSCRIBE"]

    def notify(self, body: str = "", *, number: int = 1, tag: str = "net", **headers: str) -> Response:
        """One NOTIFY, and what it was answered."""
        ours = self.subscribed[-1]
        fields = {
            "Via": f"SIP/2.0/UDP {PCSCF}:5060;branch=z9hG4bK{number}{len(self.answers)}",
            "Max-Forwards": "70",
            "From": f"<sip:+44207@ims.example>;tag={tag}",
            "To": f"<sip:+44207@ims.example>;tag={ours.from_.tag}",
            "Call-ID": ours.call_id,
            "CSeq": f"{number} NOTIFY",
            "Contact": "<sip:scscf.ims.example>",
            "Event": "reg",
            "Subscription-State": "active;expires=600000",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            fields["Content-Type"] = "application/reginfo+xml"
        before = len(self.answers)
        self.say(Request("NOTIFY", Uri.parse("sip:us@10.0.0.1"), list(fields.items()), body.encode()))
        assert len(self.answers) == before + 1
        return self.answers[-1]

    def told(self, event: str, state: str = "terminated", more: str = "", **options: Any) -> Response:
        version = options.get("number", 1)
        return self.notify(
            ROW.format(version=version, state=state, event=event, more=more, host="10.0.0.1"), **options
        )

    def run(self, seconds: float) -> None:
        self.network.run(seconds)


@pytest.fixture
def mobile() -> Mobile:
    return Mobile()


def test_a_registration_is_watched_from_its_beginning(mobile: Mobile):
    (request,) = mobile.subscribed
    assert str(request.uri) == "sip:+44207@ims.example"
    assert str(request.from_.uri) == str(request.to.uri) == "sip:+44207@ims.example"
    assert request.headers.all("Route") == ["<sip:10.0.0.9:5060;lr>", "<sip:orig@scscf.ims.example;lr>"]
    assert request.headers.get("Event") == "reg"
    assert request.headers.get("Accept") == "application/reginfo+xml"
    assert request.headers.get("Expires") == "600000"
    assert request.headers.get(ACCESS[0]) == ACCESS[1]
    assert str(request.contacts[0].uri) == "sip:us@10.0.0.1:5060"


def test_a_registration_elsewhere_is_not_watched():
    assert Mobile(home="").subscribed == []


def test_a_challenge_is_answered():
    mobile = Mobile()
    challenge = 'Digest realm="ims.example", nonce="n", qop="auth", algorithm=MD5'
    first = mobile.subscribed[0]
    assert "Authorization" not in first.headers
    mobile.answer_subscribe = (407, [("Proxy-Authenticate", challenge)])
    mobile.run(100)
    mobile.told("deactivated")
    mobile.run(1)
    renewed = mobile.subscribed[1:]
    assert "Proxy-Authorization" in renewed[1].headers
    assert parse_digest(renewed[1].headers.get("Proxy-Authorization") or "")["username"] == "us@ims.example"


def test_all_is_well_changes_nothing(mobile: Mobile):
    assert mobile.told("registered", "active").status == 200
    assert mobile.registration.registered
    assert [type(each) for each in mobile.node.log] == [LineUp]


def test_a_deactivated_contact_is_registered_anew_at_once(mobile: Mobile):
    mobile.run(100)
    assert mobile.told("deactivated").status == 200
    mobile.run(1)
    assert [type(each) for each in mobile.node.log] == [LineUp, LineDown, LineUp]
    assert mobile.node.log[1] == LineDown("mobile", 480, "Deactivated", 0.0)
    assert [each.method for each in mobile.asked] == ["REGISTER", "SUBSCRIBE"] * 2


def test_a_network_that_takes_back_what_it_just_gave_is_not_hurried(mobile: Mobile):
    mobile.told("deactivated")
    assert mobile.node.last(LineDown).retry_in == 5.0


@pytest.mark.parametrize(
    ("event", "more", "wait"),
    [("probation", ' retry-after="45"', 45.0), ("rejected", "", 600.0), ("unregistered", "", 600.0),
     ("expired", "", 0.0), ("probation", ' retry-after="4000000"', 3600.0), ("whatever", "", 600.0)],
)  # fmt: skip
def test_what_the_network_ends_is_made_anew_when_it_says(mobile: Mobile, event: str, more: str, wait: float):
    mobile.run(100)
    mobile.told(event, more=more)
    assert mobile.node.last(LineDown).retry_in == wait


def test_somebody_elses_contact_is_not_ours(mobile: Mobile):
    body = ROOT_OF_ANOTHER.format(version=1)
    assert mobile.notify(body).status == 200
    assert mobile.registration.registered


ROOT_OF_ANOTHER = ROW.replace("{state}", "terminated").replace("{event}", "deactivated").replace("{more}", "")
ROOT_OF_ANOTHER = ROOT_OF_ANOTHER.replace("{host}", "10.0.0.77")


def test_a_shortened_life_is_renewed_in_time(mobile: Mobile):
    mobile.told("shortened", "active", ' expires="60"')
    before = len(mobile.asked)
    mobile.run(31)
    assert [each.method for each in mobile.asked[before:]] == ["REGISTER"]
    assert [type(each) for each in mobile.node.log] == [LineUp]


def test_old_news_is_no_news(mobile: Mobile):
    mobile.told("registered", "active", number=5)
    body = ROW.format(version=5, state="terminated", event="deactivated", more="", host="10.0.0.1")
    assert mobile.notify(body, number=6).status == 200
    assert mobile.registration.registered


def test_a_whole_registration_that_ended_without_a_contact_is_made_anew(mobile: Mobile):
    mobile.run(100)
    root = '<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="1">{}</reginfo>'
    mobile.notify(root.format('<registration state="terminated"/>'))
    assert mobile.node.last(LineDown).reason == "Terminated"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"tag": "other"}, 481), ({"Event": "presence"}, 489), ({"number": 0}, 200)],
)
def test_only_what_belongs_to_it_is_taken(mobile: Mobile, headers: dict[str, Any], status: int):
    assert mobile.told("registered", "active", **headers).status == status


def test_a_repeated_number_is_refused(mobile: Mobile):
    mobile.told("registered", "active", number=4)
    assert mobile.told("registered", "active", number=3).status == 500


def test_what_cannot_be_read_is_refused_and_changes_nothing(mobile: Mobile):
    assert mobile.notify("<reginfo").status == 400
    assert mobile.registration.registered
    assert mobile.told("registered", "active", number=2).status == 200


def test_it_is_renewed_inside_its_dialog_ten_minutes_before_the_end(mobile: Mobile):
    mobile.told("registered", "active")
    mobile.run(599_300)
    assert len(mobile.subscribed) == 1
    mobile.run(200)
    first, second = mobile.subscribed
    assert (second.call_id, second.to.tag) == (first.call_id, "net")
    assert str(second.uri) == "sip:scscf.ims.example"
    assert second.headers.all("Route") == ["<sip:10.0.0.9;lr>"]
    assert second.cseq[0] == first.cseq[0] + 1


@pytest.mark.parametrize(
    ("said", "after"),
    [("terminated;reason=timeout", 5), ("terminated;reason=probation;retry-after=40", 40),
     ("terminated;reason=rejected", 600), ("terminated", 600), ("terminated;reason=;;=", 600)],
)  # fmt: skip
def test_one_that_the_network_ends_is_asked_for_anew(mobile: Mobile, said: str, after: float):
    mobile.told("registered", "active", Subscription_State=said)
    mobile.run(after - 1)
    assert len(mobile.subscribed) == 1
    mobile.run(2)
    first, second = mobile.subscribed
    assert second.call_id != first.call_id
    assert mobile.registration.registered


def test_one_that_is_refused_is_asked_for_later(mobile: Mobile):
    mobile.answer_subscribe = (489, [])
    mobile.told("registered", "active", Subscription_State="terminated;reason=timeout")
    mobile.run(6)
    assert len(mobile.subscribed) == 2
    mobile.run(590)
    assert len(mobile.subscribed) == 2
    mobile.run(20)
    assert len(mobile.subscribed) == 3


def test_nothing_is_left_when_the_line_is_taken_down(mobile: Mobile):
    mobile.told("registered", "active")
    mobile.node.agent.unregister(mobile.registration, now=mobile.network.now)
    mobile.network.flush(mobile.node)
    mobile.network.settle()
    assert isinstance(mobile.node.log[-1], LineLeft)
    assert drained(mobile.network.counts())
    assert not [each for each in mobile.node.log if isinstance(each, Event)]
    assert isinstance(parse(mobile.asked[-1].encode()), Request)


def test_no_mutilated_notify_raises_or_makes_anything_grow(mobile: Mobile):
    rng = Random(3)
    mobile.network.drop, mobile.network.keep_trace = None, False  # what is answered cannot always be read
    ours = mobile.subscribed[-1]
    body = ROW.format(version=1, state="terminated", event="deactivated", more="", host="10.0.0.1")
    fields = {
        "Via": f"SIP/2.0/UDP {PCSCF}:5060;branch=z9hG4bKx",
        "From": "<sip:+44207@ims.example>;tag=net",
        "To": f"<sip:+44207@ims.example>;tag={ours.from_.tag}",
        "Call-ID": ours.call_id,
        "CSeq": "1 NOTIFY",
        "Contact": "<sip:scscf.ims.example>",
        "Record-Route": "<sip:10.0.0.9;lr>",
        "Event": "reg",
        "Subscription-State": "active;expires=600000",
        "Content-Type": "application/reginfo+xml",
    }
    whole = Request("NOTIFY", Uri.parse("sip:us@10.0.0.1"), list(fields.items()), body.encode()).encode()
    for _ in range(800):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        mobile.node.agent.receive(bytes(data), Hop("udp", PCSCF, 5060), mobile.network.now)
        mobile.network.run(0.05)
    mobile.network.run(40)
    counts = mobile.network.counts()
    assert (counts["transactions"], counts["dialogs"], counts["sessions"]) == (0, 0, 0)
    assert counts["watches"] <= 1
