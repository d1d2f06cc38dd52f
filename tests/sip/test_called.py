"""The number that was called is found where registrars leave it."""

from __future__ import annotations

import pytest

from sip.called import called
from sip.message import Request, Uri

CONTACT = "account"


@pytest.mark.parametrize(
    ("uri", "fields", "user"),
    [
        ("sip:+442071838750@us", {}, "+442071838750"),
        ("sip:+44207@us", {"P-Called-Party-ID": "<sip:+99@x>", "To": "<sip:+98@x>"}, "+44207"),
        ("sip:account@us", {"P-Called-Party-ID": "<sip:+99@x>", "To": "<sip:+98@x>"}, "+99"),
        ("sip:account@us", {"P-Called-Party-ID": "<tel:+99>"}, "+99"),
        ("sip:account@us", {"P-Called-Party-ID": "<<", "To": '"x" <sip:+98@x>;tag=1'}, "+98"),
        ("sip:account@us", {"To": "<sip:x.example>"}, "account"),
        ("sip:account@us", {}, "account"),
    ],
)
def test_whoever_calls_our_contact_called_the_number_beside_it(uri: str, fields: dict[str, str], user: str):
    assert called(Request("INVITE", Uri.parse(uri), list(fields.items())), CONTACT).user == user


def test_where_we_are_not_registered_the_request_is_for_whom_it_says():
    request = Request("INVITE", Uri.parse("sip:a@us"), [("P-Called-Party-ID", "<sip:b@x>")])
    assert called(request, "").user == "a"
