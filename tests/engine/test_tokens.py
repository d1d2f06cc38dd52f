"""Callers' tokens: what they say, who may have signed them, and what is none."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from random import Random
from typing import Any

import jwt
import pytest

from engine.throttle import Throttle
from engine.tokens import BadToken, Claims, read, sign

KEYS = {"new": "n" * 40, "old": "o" * 40}
NOW = 1_700_000_000.0
CLAIMS = Claims("visitor-0001", "support", NOW, NOW + 300, "es", "mx", "Ana Peña", "c-4711")


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def nested() -> str:
    """A header that no parser of JSON gets to the end of."""
    return base64.urlsafe_b64encode(b"[" * 2900).decode().rstrip("=")


def test_a_token_says_what_was_signed_under_any_key_that_is_known():
    for key, secret in KEYS.items():
        assert read(sign(CLAIMS, key, secret), KEYS, NOW, 300) == CLAIMS


def test_a_site_may_sign_by_itself():
    said = {"jti": "visitor-0002", "iat": NOW, "exp": NOW + 60, "destination": "support"}
    made = jwt.encode(said, KEYS["old"], "HS256", {"kid": "old"})
    assert read(made, KEYS, NOW, 300).destination == "support"


def test_an_expired_one_is_still_its_callers():
    assert read(sign(CLAIMS, "new", KEYS["new"]), KEYS, NOW + 9000, 300).id == CLAIMS.id


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "no key|no token"),
        ("a.b.c", "no token"),
        ("x" * 5000, "too long"),
        (sign(CLAIMS, "unknown", KEYS["new"]), "no key"),
        (sign(CLAIMS, "old", KEYS["new"]), "signature"),
        (f"{part({'alg': 'none', 'kid': 'new'})}.{part({'jti': 'visitor-0001'})}.", "no key"),
        (f"{part([])}.{part({})}.x", "no token"),
        (f"{part({'alg': 'HS256', 'kid': ['new']})}.{part({})}.x", "no token|no key"),
        (f"{nested()}.{part({})}.x", "no token"),
        (sign(replace(CLAIMS, begins=NOW + 900), "new", KEYS["new"]), "future"),
        (sign(replace(CLAIMS, expires=NOW + 301), "new", KEYS["new"]), "300 s"),
        (sign(replace(CLAIMS, destination=""), "new", KEYS["new"]), "destination"),
        (sign(replace(CLAIMS, language="Klingon"), "new", KEYS["new"]), "language"),
        (sign(replace(CLAIMS, name="a\x00b"), "new", KEYS["new"]), "plain text"),
        (sign(replace(CLAIMS, id="short"), "new", KEYS["new"]), "jti"),
    ],
)
def test_what_is_no_good_is_refused_with_the_reason(token: str, why: str):
    with pytest.raises(BadToken, match=why):
        read(token, KEYS, NOW, 300)


def test_no_mutation_of_a_token_is_taken_for_one():
    rng, good = Random(7519), sign(CLAIMS, "new", KEYS["new"])
    for _ in range(1000):
        text = list(good)
        for _ in range(rng.randint(1, 4)):
            text[rng.randrange(len(text))] = chr(rng.choice([rng.randrange(32, 127), rng.randrange(0x2000)]))
        token = "".join(text)
        try:
            assert read(token, KEYS, NOW, 300) == CLAIMS and token[:-1] == good[:-1], "spare bits of base64"
        except BadToken:
            continue


def test_a_source_has_a_minutes_worth_at_once_and_then_waits():
    throttle = Throttle(per_min=6)
    assert [throttle.take("a", 0.0) for _ in range(6)] == [0.0] * 6
    assert throttle.take("a", 0.0) == pytest.approx(10.0)
    assert throttle.take("b", 0.0) == 0.0
    assert throttle.take("a", 10.0) == 0.0


def test_sources_are_remembered_within_bounds():
    throttle = Throttle(per_min=1, most=10)
    for number in range(100):
        throttle.take(str(number), 0.0)
    assert throttle.take("99", 0.0) > 0.0 and throttle.take("0", 0.0) == 0.0
