"""What an INVITE over a line to a mobile network says of whom it is for and whom it is from."""

from __future__ import annotations

import pytest

from config.carrier import CallerIdSettings
from config.line import LineSettings
from config.mobile import ImsSettings
from engine.trunk.invitation import Invitation, invitation, manner_of
from routing.dial import dial
from routing.identity import Caller

HOME, OWN, OURS = "ims.example", "+4930100", "+4930100200"
LINE = LineSettings(
    name="mobile",
    kind="ims",
    country="DE",
    ims=ImsSettings(domain=HOME, public_identity=f"sip:{OWN}@{HOME}", access_network="3GPP-E-UTRAN-FDD"),
    caller_id=CallerIdSettings(number=OWN, listed=(OWN,)),
)


def invited(number: str, caller: Caller, *, emergency: bool = False) -> Invitation:
    return invitation(dial(LINE.terms(), number, caller, (), emergency=emergency), HOME)


def test_a_caller_is_preferred_to_a_mobile_network_which_asserts_by_itself():
    said = invited("+34910601234", Caller(OURS))
    assert (str(said.uri), str(said.to.uri)) == ("tel:+34910601234", "tel:+34910601234")
    assert list(said.headers) == [("P-Preferred-Identity", f"<tel:{OURS}>")]
    assert str(said.from_) == f"<sip:{OURS}@{HOME}>"


def test_a_private_caller_is_told_to_the_network_alone():
    said = invited("+34910601234", Caller(OURS, "Eva", private=True))
    assert str(said.from_) == '"Anonymous" <sip:anonymous@anonymous.invalid>'
    assert list(said.headers) == [("P-Preferred-Identity", f"<tel:{OURS}>"), ("Privacy", "id")]
    assert manner_of(LINE).contact == "", "nor does the Contact tell, of a line that is not registered"


@pytest.mark.parametrize(
    ("number", "called"),
    [
        ("112", "urn:service:sos"),
        ("911", "urn:service:sos"),
        ("110", f"tel:110;phone-context={HOME}"),  # the police of this country: the network knows which
    ],
)
def test_help_is_called_by_its_service_where_a_number_is_for_all(number: str, called: str):
    """TS 24.229 section 5.1.6.8, RFC 5031; whoever calls for help is never hidden."""
    said = invited(number, Caller(OURS, private=True), emergency=True)
    assert (str(said.uri), str(said.to)) == (called, f"<{called}>")
    assert list(said.headers) == [("P-Preferred-Identity", f"<tel:{OURS}>")]
    assert said.from_.uri.user == OURS
