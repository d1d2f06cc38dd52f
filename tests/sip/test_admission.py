"""Admission: one verdict a request, from password, address and past conduct."""

from __future__ import annotations

from ipaddress import ip_network
from random import Random

import pytest

import sip.digest
from sip.admission import (
    Admission,
    AdmissionPolicy,
    Admitted,
    Challenged,
    Dropped,
    Identity,
    LineSource,
    Refused,
)
from sip.challenge import DigestPolicy, DigestServer
from sip.digest import Authorizer, Credentials, Secret
from sip.guard import Blocked, Guard, GuardPolicy
from sip.hop import Hop
from sip.message import Request, Response, parse
from sip.uri import Uri

REALM = "isogloss.example"
PHONE, THIEF, LINE = (
    Hop("udp", "192.0.2.7", 5060),
    Hop("udp", "203.0.113.9", 5060),
    Hop("udp", "198.51.100.4", 5060),
)
OTHERS = ["SUBSCRIBE", "MESSAGE", "REFER", "PUBLISH"]


class Door:
    """An admission with two users and two lines, and clients that answer its challenges."""

    def __init__(self, policy: AdmissionPolicy | None = None, guard: GuardPolicy | None = None):
        self.now = 100.0
        self.guard = Guard(guard or GuardPolicy())
        users = {"1001": Secret(password="one"), "1002": Secret(password="two")}
        server = DigestServer(
            DigestPolicy(REALM), lambda user, realm: users.get(user), key=b"k" * 16, rng=Random(1)
        )
        lines = [
            LineSource("wholesale", (ip_network("198.51.100.0/24"),)),
            LineSource("berlin", (ip_network("198.51.100.4/32"), ip_network("2001:db8::/48"))),
            LineSource("secure", (ip_network("203.0.113.0/24"),), frozenset({"tls"})),
        ]
        self.admission = Admission(server, self.guard, lines=lines, policy=policy)

    def ask(self, method="INVITE", user="1001", password=None, hop=PHONE, *, as_user=None, from_host=REALM):
        request = make(method, user, from_host)
        if password is not None:
            verdict = self.admission.admit(request, hop, self.now)
            if not isinstance(verdict, Challenged):
                return verdict
            authorizer = Authorizer(Credentials(as_user or user, password), Random(2))
            assert authorizer.challenged(Response(verdict.status, headers=verdict.headers))
            for name, value in authorizer.headers(method, str(request.uri)):
                request.headers.add(name, value)
        return self.admission.admit(request, hop, self.now)


def make(method: str, user: str, host: str) -> Request:
    target = f"sip:{REALM}" if method == "REGISTER" else f"sip:support@{REALM}"
    request = parse(
        f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n"
        f"From: <sip:{user}@{host}>;tag=1\r\nTo: <sip:{user}@{REALM}>\r\nCall-ID: 1\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:{user}@192.0.2.7>\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert isinstance(request, Request)
    return request


@pytest.fixture
def door():
    return Door()


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", *OTHERS])
def test_nobody_starts_anything_without_a_password(door, method):
    verdict = door.ask(method)
    assert isinstance(verdict, Challenged)
    assert (verdict.status, verdict.after) == (401, 0.0)
    assert [name for name, _ in verdict.headers] == ["WWW-Authenticate"] * 2


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", *OTHERS])
def test_a_user_with_the_right_password_is_admitted_by_name(door, method):
    assert door.ask(method, password="one") == Admitted(Identity("user", "1001"))


@pytest.mark.parametrize("method", ["OPTIONS", "BYE", "ACK", "CANCEL", "NOTIFY", "INFO"])
def test_what_starts_nothing_is_not_challenged(door, method):
    assert door.ask(method) == Admitted(Identity("anonymous"))


@pytest.mark.parametrize("method", ["INVITE", "REGISTER"])
def test_a_user_cannot_pass_for_another(door, method):
    assert door.ask(method, user="1002", as_user="1001", password="one") == Refused(403)


def test_a_user_may_call_without_showing_who_they_are(door):
    verdict = door.ask(user="anonymous", as_user="1001", password="one", from_host="anonymous.invalid")
    assert verdict == Admitted(Identity("user", "1001"))


def test_a_line_is_known_by_its_address_and_the_narrowest_network_names_it(door):
    assert door.ask(user="+4930123456", hop=LINE, from_host="carrier.example") == Admitted(
        Identity("line", "berlin")
    )
    assert door.ask(hop=Hop("udp", "198.51.100.9", 5060)) == Admitted(Identity("line", "wholesale"))
    assert door.ask(hop=Hop("tcp", "2001:db8::9", 5060)) == Admitted(Identity("line", "berlin"))


def test_a_line_that_must_come_over_tls_is_nobody_over_udp(door):
    assert isinstance(door.ask(hop=Hop("udp", "203.0.113.5", 5060)), Challenged)
    assert door.ask(hop=Hop("tls", "203.0.113.5", 5061)) == Admitted(Identity("line", "secure"))


def test_a_line_cannot_register_as_a_user(door):
    assert isinstance(door.ask("REGISTER", hop=LINE), Challenged)


def test_a_user_behind_the_address_of_a_line_is_still_a_user(door):
    request = make("INVITE", "1001", REALM)
    verdict = door.admission.admit(make("REGISTER", "1001", REALM), LINE, door.now)
    authorizer = Authorizer(Credentials("1001", "one"), Random(2))
    authorizer.challenged(Response(401, headers=verdict.headers))
    for name, value in authorizer.headers("INVITE", str(request.uri)):
        request.headers.add(name, value)
    assert door.admission.admit(request, LINE, door.now) == Admitted(Identity("user", "1001"))


def test_anonymous_callers_are_let_in_only_where_that_is_wanted():
    door = Door(AdmissionPolicy(anonymous_invites=True, domains=frozenset({REALM})))
    assert door.ask(user="anyone", from_host="elsewhere.example") == Admitted(Identity("anonymous"))
    assert isinstance(door.ask(user="1001", from_host=REALM), Challenged)  # not in the name of one of ours
    assert isinstance(door.ask("MESSAGE", user="anyone", from_host="elsewhere.example"), Challenged)


def test_known_and_unknown_users_get_the_same_answer(door):
    known, unknown = door.ask(user="1001", password="guess"), door.ask(user="9999", password="guess")
    assert isinstance(known, Challenged)
    assert (known.status, known.after) == (unknown.status, unknown.after)
    assert [shape(value) for _, value in known.headers] == [shape(value) for _, value in unknown.headers]


def shape(value):
    return {
        name: len(text) if name == "nonce" else text for name, text in sip.digest.parse_digest(value).items()
    }


def test_known_and_unknown_users_cost_the_same_hashes_all_the_way_to_the_block(monkeypatch):
    def course(user):
        door, counted, real = Door(), [], sip.digest.digest
        monkeypatch.setattr(sip.digest, "digest", lambda a, data: counted.append(a) or real(a, data))
        steps = [(type(verdict := door.ask(user=user, password=f"guess {n}")).__name__, verdict, len(counted))
                 for n in range(14)]  # fmt: skip
        monkeypatch.setattr(sip.digest, "digest", real)
        return [(name, getattr(verdict, "after", None), count) for name, verdict, count in steps]

    assert course("1001") == course("9999")


def test_whoever_keeps_guessing_is_slowed_and_then_gets_no_answer(door):
    verdicts = [door.ask(user="1001", password=f"guess {n}", hop=THIEF) for n in range(10)]
    waits = [verdict.after for verdict in verdicts[:9]]
    assert waits[:2] == [0.0, 0.0]
    assert waits == sorted(waits)
    assert waits[-1] == 8.0
    assert verdicts[9] == Dropped()
    assert door.ask(user="1001", password="one", hop=THIEF) == Dropped()
    assert door.admission.drops(THIEF, door.now)
    assert [type(event) for event in door.admission.events()][-1] is Blocked


def test_a_line_is_never_blocked_for_the_passwords_it_gets_wrong(door):
    for number in range(30):
        door.ask("REGISTER", password=f"guess {number}", hop=LINE)
    assert not door.admission.drops(LINE, door.now)
    assert door.ask(hop=LINE, from_host="carrier.example") == Admitted(Identity("line", "berlin"))


def test_a_forged_source_cannot_have_another_blocked(door):
    answer = Authorizer(Credentials("1001", "guess"), Random(2))
    request = make("INVITE", "1001", REALM)
    answer.challenged(Response(401, headers=door.admission.admit(request, THIEF, door.now).headers))
    for _ in range(50):
        request = make("INVITE", "1001", REALM)
        for name, value in answer.headers("INVITE", str(request.uri)):
            request.headers.add(name, value)
        assert isinstance(door.admission.admit(request, PHONE, door.now), Challenged)
    assert door.ask(password="one") == Admitted(Identity("user", "1001"))


def test_a_flood_of_questions_is_answered_at_a_rate():
    door = Door(guard=GuardPolicy(ignore_after=10_000))
    verdicts = [door.ask(hop=THIEF) for _ in range(700)]
    assert verdicts.count(Dropped()) == 200
    assert isinstance(door.ask(hop=PHONE), Challenged)


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "MESSAGE"])
def test_whoever_scans_gets_no_more_answers_than_a_few(door, method):
    verdicts = [door.ask(method, user=str(number), hop=THIEF) for number in range(100, 400)]
    assert [isinstance(each, Challenged) for each in verdicts] == [True] * 59 + [False] * 241
    assert door.ask("OPTIONS", hop=THIEF) == Dropped()
    assert isinstance(door.ask(hop=PHONE), Challenged)


def test_looking_by_options_who_is_there_is_scanning_and_keeping_a_way_open_is_not(door):
    for _ in range(300):
        assert isinstance(door.admission.admit(options(f"sip:{REALM}"), THIEF, door.now), Admitted)
    for number in range(59):
        assert isinstance(door.admission.admit(options(f"sip:{number}@{REALM}"), THIEF, door.now), Admitted)
    assert door.admission.admit(options(f"sip:99@{REALM}"), THIEF, door.now) == Dropped()


def options(target: str) -> Request:
    request = make("OPTIONS", "100", REALM)
    request.uri = Uri.parse(target)
    return request


def test_a_forger_silences_neither_a_line_nor_where_somebody_is_registered(door):
    assert door.ask("REGISTER", password="one") == Admitted(Identity("user", "1001"))
    for number in range(2000):
        door.now += 0.5  # slowly enough for the rate
        for hop in (PHONE, LINE):
            door.ask("REGISTER", user=str(number), hop=hop)
            door.admission.admit(options(f"sip:{number}@{REALM}"), hop, door.now)
    assert door.ask("REGISTER", password="one") == Admitted(Identity("user", "1001"))
    assert isinstance(door.ask(hop=PHONE), Challenged)
    assert door.ask(hop=LINE, from_host="carrier.example") == Admitted(Identity("line", "berlin"))


def test_a_phone_that_was_forged_into_silence_is_heard_with_the_nonce_it_has(door):
    client = Authorizer(Credentials("1001", "one"), Random(2))
    client.challenged(Response(401, headers=door.ask(hop=PHONE).headers))
    for number in range(100):
        door.ask("REGISTER", user=str(number), hop=PHONE)
    assert door.ask(hop=PHONE) == Dropped()
    request = make("INVITE", "1001", REALM)
    for name, value in client.headers("INVITE", str(request.uri)):
        request.headers.add(name, value)
    assert door.admission.admit(request, PHONE, door.now) == Admitted(Identity("user", "1001"))
    assert isinstance(door.ask(hop=PHONE), Challenged)


def test_an_office_that_comes_back_at_once_is_let_in_phone_by_phone(door):
    """After a power cut: all ask before the first of them can answer."""
    clients = []
    for _ in range(200):
        verdict = door.ask("REGISTER", hop=PHONE)
        clients.append(verdict.headers if isinstance(verdict, Challenged) else None)
    assert clients.count(None) == 141
    client = Authorizer(Credentials("1001", "one"), Random(2))
    client.challenged(Response(401, headers=clients[0]))
    request = make("REGISTER", "1001", REALM)
    for name, value in client.headers("REGISTER", str(request.uri)):
        request.headers.add(name, value)
    assert isinstance(door.admission.admit(request, PHONE, door.now), Admitted)
    assert all(isinstance(door.ask("REGISTER", hop=PHONE), Challenged) for _ in range(141))


def test_a_nonce_that_expired_is_renewed_without_counting_as_a_failure(door):
    verdict = door.admission.admit(make("INVITE", "1001", REALM), PHONE, door.now)
    client = Authorizer(Credentials("1001", "one"), Random(2))
    client.challenged(Response(401, headers=verdict.headers))
    for _ in range(20):
        door.now += 400.0
        request = make("INVITE", "1001", REALM)
        for name, value in client.headers("INVITE", str(request.uri)):
            request.headers.add(name, value)
        verdict = door.admission.admit(request, PHONE, door.now)
        assert all("stale=true" in value for _, value in verdict.headers)
        assert verdict.after == 0.0
        assert client.challenged(Response(401, headers=verdict.headers))


def test_a_browser_is_challenged_in_md5_first_for_its_softphones_look_no_further(door):
    asked = door.ask("REGISTER", hop=Hop("wss", "203.0.113.5", 40001, 7))
    assert isinstance(asked, Challenged)
    assert ["MD5" in value for _, value in asked.headers] == [True, False]
