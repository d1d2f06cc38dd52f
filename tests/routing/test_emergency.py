"""Which numbers call for help."""

from __future__ import annotations

import pytest

from routing.emergency import is_emergency


@pytest.mark.parametrize(
    ("dialled", "country", "helps"),
    [
        ("999", "GB", True),
        ("112", "GB", True),
        ("112", "CN", True),
        ("110", "CN", True),
        ("110", "GB", False),
        ("9991", "GB", False),
        ("1001", "GB", False),
        ("+44999", "GB", False),
        ("", "GB", False),
        ("112", "ZZ", True),
        ("9 9-9", "GB", True),
        ("9" * 500, "GB", False),
        ("١١٢", "GB", False),
    ],
)
def test_the_numbers_of_the_callers_country_and_those_of_every_phone(dialled, country, helps):
    assert is_emergency(dialled, country) is helps


def test_the_operator_may_add_numbers():
    assert is_emergency("5555", "GB", {"5555"})
