"""The second factor."""

from __future__ import annotations

import pytest

from engine.access import totp

# RFC 6238 appendix B: the secret of its SHA-1 examples, and their last six digits.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
EXAMPLES = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]


@pytest.mark.parametrize(("now", "code"), EXAMPLES)
def test_codes_are_those_of_the_rfc(now: int, code: str) -> None:
    assert totp.step_of(SECRET, code, now, 0) == now // 30


def test_a_clock_may_be_half_a_minute_off_and_no_more() -> None:
    now, code = EXAMPLES[1]
    step = now // 30
    assert [totp.step_of(SECRET, code, (step + off) * 30, 0) for off in (-2, -1, 0, 1, 2)] == [
        None,
        step,
        step,
        step,
        None,
    ]


def test_no_code_is_right_twice_nor_one_from_before() -> None:
    now, code = EXAMPLES[1]
    assert totp.step_of(SECRET, code, now, now // 30) is None
    assert totp.step_of(SECRET, code, now, now // 30 + 1) is None


@pytest.mark.parametrize("code", ["", "28708", "2870820", "２８７０８２", "28708a", " 287082"])
def test_what_is_no_code_by_its_form_is_none(code: str) -> None:
    assert totp.step_of(SECRET, code, 59, 0) is None


def test_an_app_reads_the_address() -> None:
    secret = totp.new_secret()
    uri = totp.uri(secret, "maria", "Isogloss")
    assert uri.startswith("otpauth://totp/Isogloss:maria?") and f"secret={secret}" in uri
    assert len(secret) == 32 and totp.new_secret() != secret


def test_recovery_codes_are_many_different_and_kept_as_hashes() -> None:
    codes = totp.new_recovery_codes()
    digests = {totp.recovery_digest(code) for code in codes}
    assert len(digests) == totp.RECOVERY_CODES and None not in digests
    assert totp.recovery_digest(f" {codes[0].upper()} ") in digests
    assert totp.recovery_digest("492039") is None and totp.recovery_digest("") is None
