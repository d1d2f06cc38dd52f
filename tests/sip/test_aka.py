"""A SIM card's answers: to the network that knows its key, to one that repeats itself, and to strangers."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from random import Random

import pytest

from sip.aka import AkaCredentials, Card
from sip.digest import Authorizer, Credentials, parse_digest
from sip.message import Response
from sip.milenage import Milenage
from tests.sip.subscriber import AMF, HOME, IMPI, Subscriber, credentials

URI = f"sip:{HOME}"
STRANGER = Milenage(bytes(16), bytes(16))


class Phone:
    def __init__(self, account: AkaCredentials | Credentials | None = None) -> None:
        self.authorizer = Authorizer(account or credentials(), Random(1))

    def asked(self, challenge: str) -> bool:
        return self.authorizer.challenged(Response(401, headers=[("WWW-Authenticate", challenge)]))

    def says(self) -> str:
        ((name, value),) = self.authorizer.headers("REGISTER", URI)
        assert name == "Authorization"
        return value


def test_the_network_that_has_the_key_is_answered_with_res():
    network, phone = Subscriber(), Phone()
    assert phone.asked(network.challenge())
    said = phone.says()
    assert network.accepts(said)
    assert parse_digest(said)["algorithm"] == "AKAv1-MD5"
    assert "auts" not in parse_digest(said)


def test_an_answer_serves_the_requests_after_it_with_the_next_count():
    network, phone = Subscriber(), Phone()
    phone.asked(network.challenge())
    first, second = phone.says(), phone.says()
    assert [parse_digest(each)["nc"] for each in (first, second)] == ["00000001", "00000002"]
    assert network.accepts(second)


def test_a_sequence_number_that_was_seen_is_answered_with_the_cards_own():
    network, phone = Subscriber(sqn=320), Phone()
    phone.asked(network.challenge())
    phone.says()
    phone.says()
    network.sqn = 320  # the network has lost count
    assert phone.asked(network.challenge())
    said = phone.says()
    assert not network.accepts(said)
    assert network.resynchronised(said)
    assert phone.asked(network.challenge())
    assert network.accepts(phone.says())


def test_resynchronisation_is_computed_without_a_password():
    account, network = credentials(), Subscriber(sqn=0)
    phone = Phone(account)
    account.card.answer(*_vector(network))
    network.sqn = 0
    phone.asked(network.challenge())
    said = parse_digest(phone.says())
    assert said["auts"]
    assert said["response"] == _response(said, b"")


def test_challenges_may_overtake_each_other_in_their_places():
    card, network = Card(Subscriber().keys), Subscriber(sqn=1000 << 5 | 3)
    newer = _vector(network)
    network.sqn = 900 << 5 | 4
    older_elsewhere = _vector(network)
    network.sqn = 900 << 5 | 3
    older_here = _vector(network)
    assert card.answer(*newer).password
    assert card.answer(*older_elsewhere).password
    assert card.answer(*older_here).auts
    assert card.highest == 1000 << 5 | 3


def test_a_network_without_the_key_gets_nothing_to_work_with():
    network, phone = Subscriber(STRANGER), Phone()
    assert phone.asked(network.challenge())
    said = parse_digest(phone.says())
    assert said["response"] == ""
    assert "auts" not in said


def test_a_network_that_cannot_prove_itself_twice_is_given_up():
    network, phone = Subscriber(STRANGER), Phone()
    phone.asked(network.challenge())
    phone.says()
    assert not phone.asked(network.challenge())


def test_wrong_keys_of_ours_end_after_one_refusal():
    network, phone = Subscriber(), Phone()
    phone.asked(network.challenge())
    phone.says()
    assert not phone.asked(network.challenge())


def test_only_the_amf_that_is_wanted_is_taken():
    network = Subscriber()
    assert Card(network.keys, AMF).answer(*_vector(network)).password
    assert Card(network.keys, b"\x00\x01").answer(*_vector(network)).refused


def test_a_card_answers_nothing_but_aka_and_a_password_answers_no_aka():
    plain = f'Digest realm="{HOME}", nonce="abc", qop="auth", algorithm=SHA-256'
    assert not Phone().asked(plain)
    assert not Phone(Credentials(IMPI, "secret")).asked(Subscriber().challenge())
    name, card = "WWW-Authenticate", Subscriber().challenge()
    both = Response(401, headers=[(name, plain), (name, card)])
    assert Phone().authorizer.challenged(both)
    assert Phone(Credentials(IMPI, "secret")).authorizer.challenged(both)


def test_who_registers_is_told_before_any_challenge():
    phone = Phone()
    ((name, value),) = phone.authorizer.opening(URI, HOME)
    assert name == "Authorization"
    assert value == f'Digest username="{IMPI}", realm="{HOME}", nonce="", uri="{URI}", response=""'
    phone.asked(Subscriber().challenge())
    assert phone.authorizer.opening(URI, HOME) == ()


@pytest.mark.parametrize("nonce", ["", "!", "AAAA", "A" * 41, "é" * 44, "A" * 2000, "=" * 44, " " * 44])
def test_a_nonce_that_holds_no_vector_is_not_answered(nonce: str):
    challenge = f'Digest realm="{HOME}", nonce="{nonce}", algorithm=AKAv1-MD5, qop="auth"'
    assert not Phone().asked(challenge)


def test_no_mutilated_nonce_raises_and_none_is_answered_with_res():
    rng, network = Random(7), Subscriber()
    for _ in range(500):
        challenge = bytearray(network.challenge().encode())
        start = challenge.index(b'nonce="') + 7
        for _ in range(rng.randrange(1, 4)):
            challenge[start + rng.randrange(44)] = rng.randrange(32, 127)
        phone = Phone()
        if phone.asked(challenge.decode()):
            said = phone.says()
            assert parse_digest(said)["response"] == "" or network.accepts(said)


def test_keys_are_in_no_text():
    text = repr(credentials()) + repr(Card(Subscriber().keys)) + repr(Phone().authorizer)
    assert "465b5c" not in text
    assert "x00" not in text


def _vector(network: Subscriber) -> tuple[bytes, bytes]:
    nonce = b64decode(parse_digest(network.challenge())["nonce"])
    return nonce[:16], nonce[16:32]


def _response(said: dict[str, str], password: bytes) -> str:
    ha1 = hashlib.md5(f"{said['username']}:{said['realm']}:".encode() + password).hexdigest()
    ha2 = hashlib.md5(f"REGISTER:{said['uri']}".encode()).hexdigest()
    text = f"{ha1}:{said['nonce']}:{said['nc']}:{said['cnonce']}:{said['qop']}:{ha2}"
    return hashlib.md5(text.encode()).hexdigest()
