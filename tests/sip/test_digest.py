"""Digest authentication: the RFCs' own examples, the client's manners, and what the server lets through."""

from __future__ import annotations

from random import Random

import pytest

import sip.digest
from sip.challenge import Checked, DigestPolicy, DigestServer, Outcome
from sip.digest import (
    ALGORITHMS,
    Authorizer,
    Credentials,
    Exchange,
    Secret,
    authorize,
    format_digest,
    make_ha1,
    parse_digest,
)
from sip.message import Headers, Response, Uri

REALM = "isogloss.example"
USERS = {
    "1001": Secret(password="correct horse"),
    "1002": Secret(ha1={"MD5": make_ha1("MD5", "1002", REALM, "s")}),
}
URI = Uri.parse("sip:isogloss.example")
HOME = "192.0.2.7"

MUFASA = {
    "realm": "http-auth@example.org",
    "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
}


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_section_3_9_1_come_out_right(algorithm, expected):
    exchange = Exchange(
        algorithm, False, MUFASA["nonce"], "/dir/index.html", "GET", "auth", "00000001", MUFASA["cnonce"]
    )
    assert exchange.response(make_ha1(algorithm, "Mufasa", MUFASA["realm"], "Circle of Life")) == expected


def test_the_example_of_rfc_2617_section_3_5_comes_out_right():
    exchange = Exchange(
        "MD5",
        False,
        "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "/dir/index.html",
        "GET",
        "auth",
        "00000001",
        "0a4f113b",
    )
    ha1 = make_ha1("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life")
    assert exchange.response(ha1) == "6629fae49393a05397450978507c4ef1"


def test_a_header_is_read_whatever_its_spacing_and_quoting():
    read = parse_digest('digest  realm="a \\"b\\"",nonce=1 ,qop="auth,auth-int" , stale=TRUE,')
    assert read == {"realm": 'a "b"', "nonce": "1", "qop": "auth,auth-int", "stale": "TRUE"}


@pytest.mark.parametrize(
    "value",
    [
        "Basic dXNlcjpwYXNz",
        "Digest realm=a realm=b",
        'Digest realm="a", realm="b"',
        'Digest realm="a',
        "Digest " + ", ".join(f"p{n}=1" for n in range(40)),
        'Digest realm="' + "a" * 5000 + '"',
    ],
)
def test_a_header_that_could_be_read_in_two_ways_or_without_end_is_not_read(value):
    assert parse_digest(value) is None


def test_what_is_written_is_read_back():
    parameters = {"username": 'o"bri\\en', "realm": "r", "nonce": "n", "qop": "auth", "nc": "00000001"}
    assert parse_digest(format_digest(parameters)) == parameters


# ------------------------------------------------------------------------------------------------- the client


def challenged(*values: str, status: int = 401) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return Response(status, headers=Headers([(name, value) for value in values]))


def test_a_client_takes_the_strongest_algorithm_it_is_offered():
    response = challenged(
        'Digest realm="a", nonce="1", qop="auth", algorithm=MD5',
        'Digest realm="a", nonce="2", qop="auth", algorithm=SHA-256',
    )
    ((name, value),) = authorize(
        response, Credentials("u", "p"), method="REGISTER", uri="sip:a", rng=Random(1)
    )
    answer = parse_digest(value)
    assert name == "Authorization"
    assert (answer["algorithm"], answer["nonce"], answer["qop"]) == ("SHA-256", "2", "auth")


def test_a_client_answers_proxies_and_servers_in_headers_of_their_own():
    authorizer = Authorizer(Credentials("u", "p"), Random(1))
    assert authorizer.challenged(challenged('Digest realm="proxy", nonce="1", qop="auth"', status=407))
    assert authorizer.challenged(challenged('Digest realm="server", nonce="1", qop="auth"'))
    assert [name for name, _ in authorizer.headers("INVITE", "sip:a")] == [
        "Proxy-Authorization",
        "Authorization",
    ]


def test_a_client_counts_the_uses_of_a_nonce_up():
    authorizer = Authorizer(Credentials("u", "p"), Random(1))
    authorizer.challenged(challenged('Digest realm="a", nonce="1", qop="auth"'))
    counts = [parse_digest(authorizer.headers("INVITE", "sip:a")[0][1])["nc"] for _ in range(3)]
    assert counts == ["00000001", "00000002", "00000003"]


def test_a_client_gives_up_when_its_password_is_turned_down():
    authorizer = Authorizer(Credentials("u", "wrong"), Random(1))
    assert authorizer.challenged(challenged('Digest realm="a", nonce="1", qop="auth"'))
    authorizer.headers("REGISTER", "sip:a")
    assert not authorizer.challenged(challenged('Digest realm="a", nonce="2", qop="auth"'))


def test_a_client_tries_again_when_only_its_nonce_was_stale():
    authorizer = Authorizer(Credentials("u", "p"), Random(1))
    authorizer.challenged(challenged('Digest realm="a", nonce="1", qop="auth"'))
    authorizer.headers("REGISTER", "sip:a")
    assert authorizer.challenged(challenged('Digest realm="a", nonce="2", qop="auth", stale=true'))
    assert parse_digest(authorizer.headers("REGISTER", "sip:a")[0][1])["nonce"] == "2"


def test_a_client_tells_its_password_to_no_other_realm_than_its_own():
    response = challenged('Digest realm="phishing", nonce="1", qop="auth"')
    credentials = Credentials("u", "p", realm="a")
    assert authorize(response, credentials, method="INVITE", uri="sip:a", rng=Random(1)) == ()


@pytest.mark.parametrize(
    "value", ["Basic realm=a", 'Digest realm="a", nonce="1", algorithm=WHIRLPOOL', "Digest"]
)
def test_a_client_does_not_answer_what_it_does_not_understand(value):
    assert (
        authorize(challenged(value), Credentials("u", "p"), method="INVITE", uri="sip:a", rng=Random(1)) == ()
    )


def test_no_secret_shows_in_a_representation():
    assert "hush" not in repr(Credentials("u", "hush")) + repr(Secret(password="hush", ha1={"MD5": "hush"}))


# ------------------------------------------------------------------------------------------------- the server


class Desk:
    """A server and a client of it, on one clock."""

    def __init__(self, **policy):
        self.now = 1000.0
        self.lookups = []
        policy = DigestPolicy(**{"realm": REALM, **policy})
        self.server = DigestServer(policy, self._secret_of, key=b"k" * 16, rng=Random(1))

    def _secret_of(self, user, realm):
        self.lookups.append(user)
        return USERS.get(user)

    def challenge(self, source=HOME, stale=False) -> Response:
        return Response(401, headers=Headers(self.server.challenges(source, self.now, stale=stale)))

    def client(self, user="1001", password="correct horse", source=HOME) -> Authorizer:
        authorizer = Authorizer(Credentials(user, password), Random(2))
        assert authorizer.challenged(self.challenge(source))
        return authorizer

    def check(self, headers, source=HOME, method="REGISTER", uri=URI, body=b"") -> Checked:
        return self.server.check(method, uri, Headers(headers), body, source, self.now)

    def try_once(self, user="1001", password="correct horse") -> Checked:
        return self.check(self.client(user, password).headers("REGISTER", str(URI)))


@pytest.fixture
def desk():
    return Desk()


def test_one_challenge_an_algorithm_is_sent_and_sha_256_comes_first(desk):
    read = [parse_digest(value) for _, value in desk.server.challenges(HOME, 0.0)]
    assert [each["algorithm"] for each in read] == ["SHA-256", "MD5"]
    assert len({each["nonce"] for each in read}) == 1


def test_a_user_with_the_right_password_is_let_in(desk):
    assert desk.try_once() == Checked(Outcome.VALID, user="1001", tried="1001")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("session", ["", "-sess"])
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_every_algorithm_and_quality_of_protection_is_understood(algorithm, session, qop):
    desk = Desk(algorithms=ALGORITHMS)
    nonce = parse_digest(desk.server.challenges(HOME, desk.now)[0][1])["nonce"]
    authorizer = Authorizer(Credentials("1001", "correct horse"), Random(2))
    value = f'Digest realm="{REALM}", nonce="{nonce}", algorithm={algorithm}{session}, qop="{qop}"'
    assert authorizer.challenged(challenged(value))
    headers = authorizer.headers("INVITE", str(URI), b"v=0")
    assert desk.check(headers, method="INVITE", body=b"v=0").outcome is Outcome.VALID


def test_with_auth_int_a_changed_body_is_noticed(desk):
    nonce = parse_digest(desk.server.challenges(HOME, desk.now)[0][1])["nonce"]
    authorizer = Authorizer(Credentials("1001", "correct horse"), Random(2))
    authorizer.challenged(challenged(f'Digest realm="{REALM}", nonce="{nonce}", qop="auth-int"'))
    headers = authorizer.headers("INVITE", str(URI), b"v=0")
    assert desk.check(headers, method="INVITE", body=b"v=1").outcome is Outcome.WRONG


def test_a_wrong_password_and_an_unknown_user_come_to_the_same(desk):
    assert desk.try_once(password="guess").outcome is desk.try_once("9999", "guess").outcome is Outcome.WRONG


def test_a_stored_hash_serves_instead_of_the_password(desk):
    authorizer = Authorizer(Credentials("1002", "s"), Random(2))
    md5 = [value for _, value in desk.server.challenges(HOME, desk.now) if "MD5" in value]
    authorizer.challenged(challenged(*md5))
    assert desk.check(authorizer.headers("REGISTER", str(URI))).outcome is Outcome.VALID


def test_known_and_unknown_users_cost_the_same_hashes(desk, monkeypatch):
    def hashes(user, algorithm):
        authorizer = Authorizer(Credentials(user, "guess"), Random(2))
        authorizer.challenged(
            challenged(*[v for _, v in desk.server.challenges(HOME, 1000.0) if algorithm in v])
        )
        headers = authorizer.headers("REGISTER", str(URI))
        counted, real = [], sip.digest.digest
        monkeypatch.setattr(sip.digest, "digest", lambda a, data: counted.append(a) or real(a, data))
        assert desk.check(headers).outcome is Outcome.WRONG
        monkeypatch.setattr(sip.digest, "digest", real)
        return counted

    for algorithm in ("SHA-256", "MD5"):
        by_password, by_hash, unknown = (hashes(user, algorithm) for user in ("1001", "1002", "9999"))
        assert by_password == by_hash == unknown == [algorithm] * 3


def test_no_credentials_or_those_of_another_realm_are_missing_ones(desk):
    assert desk.check([]).outcome is Outcome.MISSING
    other = [("Authorization", 'Digest username="u", realm="else", nonce="n", uri="sip:a", response="r"')]
    assert desk.check(other).outcome is Outcome.MISSING


def test_an_expired_nonce_is_stale_and_says_nothing_of_the_password(desk):
    right, wrong = desk.client(), desk.client(password="guess")
    desk.now += 301.0
    for client in (right, wrong):
        assert desk.check(client.headers("REGISTER", str(URI))).outcome is Outcome.STALE
    assert desk.lookups == []


def test_a_nonce_given_to_another_source_is_stale(desk):
    headers = desk.client(source="198.51.100.1").headers("REGISTER", str(URI))
    assert desk.check(headers).outcome is Outcome.STALE


def test_a_forged_nonce_is_stale(desk):
    authorizer = Authorizer(Credentials("1001", "correct horse"), Random(2))
    authorizer.challenged(challenged(f'Digest realm="{REALM}", nonce="{"0" * 52}", qop="auth"'))
    assert desk.check(authorizer.headers("REGISTER", str(URI))).outcome is Outcome.STALE


def test_a_request_that_is_replayed_is_stale(desk):
    headers = desk.client().headers("REGISTER", str(URI))
    assert desk.check(headers).outcome is Outcome.VALID
    assert desk.check(headers).outcome is Outcome.STALE


def test_nonce_counts_may_overtake_one_another_but_come_once(desk):
    client = desk.client()
    first, second, third = (client.headers("REGISTER", str(URI)) for _ in range(3))
    outcomes = [desk.check(headers).outcome for headers in (first, third, second, second, third)]
    assert outcomes == [Outcome.VALID] * 3 + [Outcome.STALE] * 2


def test_without_quality_of_protection_a_nonce_is_good_once(desk):
    nonce = parse_digest(desk.server.challenges(HOME, desk.now)[0][1])["nonce"]
    authorizer = Authorizer(Credentials("1001", "correct horse"), Random(2))
    authorizer.challenged(challenged(f'Digest realm="{REALM}", nonce="{nonce}"'))
    outcomes = [desk.check(authorizer.headers("REGISTER", str(URI))).outcome for _ in range(2)]
    assert outcomes == [Outcome.VALID, Outcome.STALE]


def test_the_replay_table_is_bounded_and_what_it_forgot_cannot_be_replayed():
    desk = Desk(max_nonces=4)
    kept = []
    for _ in range(20):
        desk.now += 0.01
        kept.append(desk.client().headers("REGISTER", str(URI)))
        assert desk.check(kept[-1]).outcome is Outcome.VALID
    assert desk.server.remembered <= 4
    assert {desk.check(headers).outcome for headers in kept} == {Outcome.STALE}


def test_the_replay_table_forgets_what_has_expired_anyway(desk):
    for _ in range(50):
        desk.try_once()
    desk.now += 301.0
    desk.try_once()
    assert desk.server.remembered == 1


def test_credentials_for_another_method_do_not_serve(desk):
    headers = desk.client().headers("REGISTER", str(URI))
    assert desk.check(headers, method="INVITE").outcome is Outcome.WRONG


def test_credentials_for_another_target_are_refused(desk):
    headers = desk.client().headers("INVITE", "sip:1002@isogloss.example")
    uri = Uri.parse("sip:0900123456@isogloss.example")
    assert desk.check(headers, method="INVITE", uri=uri).outcome is Outcome.MALFORMED


def test_a_phone_that_leaves_parameters_out_of_the_digest_uri_is_let_in(desk):
    headers = desk.client().headers("REGISTER", "sip:isogloss.example")
    uri = Uri.parse("sip:isogloss.example:5061;transport=tls")
    assert desk.check(headers, uri=uri).outcome is Outcome.VALID


@pytest.mark.parametrize(
    "change",
    [
        {"username": ""},
        {"response": ""},
        {"nonce": ""},
        {"uri": "not a uri"},
        {"nc": "1"},
        {"nc": "0000000g"},
        {"cnonce": ""},
        {"qop": "auth-conf"},
        {"algorithm": "SHA-1"},
    ],
)
def test_credentials_that_cannot_be_right_are_malformed(desk, change):
    answer = parse_digest(desk.client().headers("REGISTER", str(URI))[0][1]) | change
    assert desk.check([("Authorization", format_digest(answer))]).outcome is Outcome.MALFORMED


@pytest.mark.parametrize("seed", range(200))
def test_whatever_stands_in_the_header_nothing_is_raised_and_nobody_let_in(desk, seed):
    rng = Random(seed)
    value = list(desk.client().headers("REGISTER", str(URI))[0][1])
    for _ in range(rng.randint(1, 8)):
        value[rng.randrange(7, len(value))] = chr(
            rng.choice([0, 34, 44, 61, 92, 233, 0x4E2D, rng.randrange(32, 127)])
        )
    answer = parse_digest("".join(value))
    checked = desk.check([("Authorization", "".join(value))])
    if checked.outcome is Outcome.VALID:  # what was changed means the same, as the case of a hex digit does
        assert answer["username"] == "1001"
        assert answer["response"].lower() in "".join(value).lower()
