"""Signing in by the word of another house: a provider that is right, and many that are not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from engine.access.desk import csrf_of
from engine.access.errors import AccessError, WrongCredentials
from engine.access.oidc import METADATA_S, STATE_S, Oidc, Provider, ProviderFault
from engine.access.principal import How
from engine.access.role import Role
from engine.access.vouching import Vouching
from tests.engine.access.provider import CLIENT, SECRET, IdProvider, serving
from tests.engine.access.stand import Stand, run

ORIGIN = "http://127.0.0.1:8080"
ROLES = {"admins": Role.ADMIN, "leads": Role.SUPERVISOR}
Spoil = Callable[[dict[str, Any]], "dict[str, Any] | str"]


class House:
    """A node's desk, its provider, and a browser between them."""

    def __init__(self, stand: Stand, provider: IdProvider, **more: Any) -> None:
        self.stand, self.provider = stand, provider
        given = Provider(provider.issuer, CLIENT, SECRET, ORIGIN, roles=ROLES)
        self.oidc = Oidc(replace(given, **more), wall=stand.wall, clock=stand.clock)
        self.vouching = Vouching(stand.desk, self.oidc)

    async def leave(self) -> tuple[str, str, str]:
        """To the provider and back: the cookie, and the state and the code that came back."""
        url, cookie = await self.vouching.begin("/console")
        async with httpx.AsyncClient(verify=False) as browser:
            answer = await browser.get(url)
        assert answer.status_code == 303 and answer.headers["location"].startswith(
            f"{ORIGIN}/v1/session/oidc/"
        )
        back = parse_qs(urlsplit(answer.headers["location"]).query)
        return cookie, back["state"][0], back["code"][0]

    async def sign_in(self) -> Any:
        return await self.vouching.finish(*await self.leave(), "192.0.2.7")


def through(stand: Stand, what: Callable[[House], Any], prepare: Any = None, **more: Any) -> Any:
    async def all_of() -> Any:
        provider = IdProvider(stand.wall)
        if prepare is not None:
            prepare(provider)
        async with serving(provider):
            return await what(House(stand, provider, **more))

    return run(all_of())


def test_who_the_provider_vouches_for_is_let_in_as_what_it_says(stand: Stand) -> None:
    opened, next = through(stand, House.sign_in)
    assert next == "/console"
    found = opened.principal
    assert (found.who, found.role, found.how, found.limited) == ("maria", Role.SUPERVISOR, How.OIDC, False)
    assert run(stand.desk.principal_of_session(opened.secret)) == found
    assert opened.csrf == csrf_of(opened.secret)
    user = stand.accounts.user("maria")
    assert user is not None and user.password == "" and user.subject is not None
    assert stand.told()[0] == ("maria", "login", "done")


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "EC", "crv": "Curve-of-tomorrow", "x": "AA", "y": "AA", "kid": "k2"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "kid": "k3"},
        {"kid": "k4"},
        {"kty": "RSA", "n": "", "e": "", "kid": "k5"},
    ],
)
def test_a_key_of_the_providers_that_is_not_understood_keeps_nobody_out(
    stand: Stand, odd: dict[str, str]
) -> None:
    """RFC 7517 section 5."""
    opened, _ = through(stand, House.sign_in, lambda provider: provider.odd.append(odd))
    assert opened.principal.who == "maria"


def test_nobody_signs_in_with_a_password_as_one_who_is_vouched_for(stand: Stand) -> None:
    through(stand, House.sign_in)
    for password in ("", "anything at all"):
        with pytest.raises(WrongCredentials):
            run(stand.desk.login("maria", password, "", "192.0.2.7"))


def test_role_and_limits_are_the_providers_each_time(stand: Stand) -> None:
    limits = {"markets_claim": "markets", "teams_claim": "teams"}

    def told(**claims: Any) -> Callable[[IdProvider], None]:
        return lambda provider: provider.claims.update(claims)

    async def twice(house: House) -> Any:
        first, _ = await house.sign_in()
        house.provider.claims.update(groups=["admins", "leads"], markets="*")
        second, _ = await house.sign_in()
        return first, second, await house.stand.desk.principal_of_session(first.secret)

    first, second, gone = through(stand, twice, told(markets=["es-ES"], teams="north"), **limits)
    assert first.principal.markets == {"es-ES"} and first.principal.teams == {"north"}
    assert second.principal.role == Role.ADMIN and not second.principal.markets
    assert gone is None  # rights changed, so what was opened before ended


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"groups": ["guests"]}, "no role"),
        ({"groups": None}, "no role"),
        ({"groups": {"admins": True}}, "no role"),
        ({"markets": []}, "which markets"),
        ({"markets": None}, "which markets"),
        ({"markets": ""}, "which markets"),
        ({"preferred_username": "../admin"}, "name"),
        ({"preferred_username": ""}, "name"),
    ],
)
def test_who_has_no_role_no_limits_or_no_name_here_is_not_let_in(
    stand: Stand, claims: dict[str, Any], why: str
) -> None:
    def prepare(provider: IdProvider) -> None:
        provider.claims.update({"markets": ["es-ES"]} | claims)

    with pytest.raises(WrongCredentials, match=why):
        through(stand, House.sign_in, prepare, markets_claim="markets")
    assert stand.accounts.users() == []
    assert stand.told()[0][1:] == ("login", "wrong-credentials")


def test_a_user_with_a_password_is_never_taken_over_by_name(stand: Stand) -> None:
    stand.user("maria", Role.AGENT)
    with pytest.raises(WrongCredentials, match="another user"):
        through(stand, House.sign_in)
    user = stand.accounts.user("maria")
    assert user is not None and user.subject is None and user.role == Role.AGENT


def test_who_is_shut_out_here_stays_so(stand: Stand) -> None:
    async def again(house: House) -> Any:
        await house.sign_in()
        house.stand.accounts.change("maria", 0.0, disabled=True)
        return await house.sign_in()

    with pytest.raises(WrongCredentials, match="shut out"):
        through(stand, again)


def claim(**changes: Any) -> Callable[[IdProvider], Spoil]:
    return lambda provider: (
        lambda claims: {name: value for name, value in (claims | changes).items() if value}
    )


SPOILT: dict[str, Callable[[IdProvider], Spoil]] = {
    "of another sign-in": claim(nonce="other"),
    "without a nonce": claim(nonce=None),
    "for another client": claim(aud="another"),
    "by another client": claim(azp="another"),
    "of another issuer": claim(iss="http://127.0.0.1:1"),
    "of nobody": claim(sub=None),
    "expired": claim(exp=1_700_000_000),
    "of the future": claim(iat=1_900_000_000, exp=1_900_000_300),
    "without an end": claim(exp=None),
    "signed by nobody": lambda provider: lambda claims: jwt.encode(claims, None, "none", {"kid": "k1"}),
    "signed by another key": lambda provider: lambda claims: provider.signed(claims, provider.other),
    "signed by an unknown key": lambda provider: lambda claims: provider.signed(claims, kid="k9"),
    "signed with the public key": lambda provider: provider.by_public_key,
    "signed with a shared key": lambda provider: (
        lambda claims: jwt.encode(claims, b"\0\0\0" * 16, "HS256", {"kid": "shared"})
    ),
    "changed on the way": lambda provider: lambda claims: provider.signed(claims)[:-4] + "AAAA",
    "no token": lambda provider: lambda claims: "nonsense",
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_no_id_token_is_taken_that_is_not_genuine_and_for_this_sign_in(stand: Stand) -> None:
    async def each(house: House) -> list[str]:
        taken = []
        for how, spoil in SPOILT.items():
            house.provider.spoil = spoil(house.provider)
            try:
                await house.sign_in()
                taken.append(how)
            except WrongCredentials:
                continue
        house.provider.spoil = dict
        await house.sign_in()  # and yet one that is right is
        return taken

    assert through(stand, each) == []
    assert [user.name for user in stand.accounts.users()] == ["maria"]


def test_what_comes_back_has_to_be_what_left(stand: Stand) -> None:
    async def attacks(house: House) -> None:
        cookie, state, code = await house.leave()
        other, _, _ = await house.leave()
        tries = [("", state, code), (cookie, "other", code), (cookie, "", code), (other, state, code)]
        forged = jwt.encode({"state": state, "nonce": "n", "verifier": "v", "until": "9" * 10}, "guess" * 8)
        for each in [*tries, (forged, state, code)]:
            with pytest.raises(WrongCredentials):
                await house.vouching.finish(*each, "192.0.2.7")
        assert (await house.vouching.finish(cookie, state, code, "192.0.2.7"))[0].principal.who == "maria"
        with pytest.raises(WrongCredentials):  # a code is good once
            await house.vouching.finish(cookie, state, code, "192.0.2.7")
        late = await house.leave()
        house.stand.later(STATE_S + 1)
        with pytest.raises(WrongCredentials):
            await house.vouching.finish(*late, "192.0.2.7")

    through(stand, attacks)


@pytest.mark.parametrize(
    "prepare",
    [
        lambda provider: provider.metadata.update(issuer="https://another.example.com"),
        lambda provider: provider.metadata.update(authorization_endpoint="http://id.example.com/a"),
        lambda provider: provider.metadata.update(authorization_endpoint="javascript:alert(1)"),
        lambda provider: setattr(provider, "padding", "x" * 400_000),
    ],
)
def test_a_provider_that_says_odd_things_is_not_followed(stand: Stand, prepare: Any) -> None:
    with pytest.raises(ProviderFault):
        through(stand, House.sign_in, prepare)


@pytest.mark.parametrize(
    "issuer", ["http://127.0.0.1:9", "http://id.example.com", "ftp://127.0.0.1", "nonsense"]
)
def test_a_provider_that_is_not_there_or_not_under_https_is_a_fault_of_its(stand: Stand, issuer: str) -> None:
    oidc = Oidc(Provider(issuer, CLIENT, SECRET, ORIGIN, roles=ROLES), wall=time.time)
    with pytest.raises(AccessError) as fault:
        run(oidc.begin("/"))
    assert (fault.value.status, fault.value.name) == (503, "provider-fault")


def test_what_the_provider_says_of_itself_is_remembered_for_an_hour(stand: Stand) -> None:
    async def often(house: House) -> list[str]:
        for _ in range(3):
            await house.sign_in()
        house.stand.later(METADATA_S + 1)
        await house.sign_in()
        return house.provider.asked

    assert through(stand, often) == ["discovery", "keys", "discovery", "keys"]


def test_a_key_that_the_provider_has_taken_back_counts_for_an_hour_at_most(stand: Stand) -> None:
    async def stolen(house: House) -> None:
        await house.sign_in()
        provider, old = house.provider, house.provider.key
        provider.key = provider.other  # under the same name, say
        provider.spoil = lambda claims: provider.signed(claims, old)
        await house.sign_in()
        house.stand.later(METADATA_S + 1)
        with pytest.raises(WrongCredentials):
            await house.sign_in()

    through(stand, stolen)
