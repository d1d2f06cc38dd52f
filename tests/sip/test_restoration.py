"""A network that has forgotten us says so in a document of its own; nothing else is taken for that."""

from __future__ import annotations

import pytest

from sip import restoration
from sip.message import Response

ASKS = (
    '<?xml version="1.0" encoding="UTF-8"?><ims-3gpp version="1"><alternative-service>'
    "<type>restoration</type><reason>lost</reason><action>initial-registration</action>"
    "</alternative-service></ims-3gpp>"
)
DECLARED = "<!DOCTYPE x [<!ENTITY e 'restoration'>]>"


def refused(body: str | bytes, status: int = 504, type: str = restoration.TYPE) -> Response:
    text = body.encode() if isinstance(body, str) else body
    return Response(status, headers=[("Content-Type", type)], body=text)


@pytest.mark.parametrize(
    "body",
    [
        ASKS,
        ASKS.replace("<ims-3gpp ", '<ims-3gpp xmlns="urn:3gpp:ns:ims" '),
        ASKS.replace("restoration", "\n restoration \n"),
    ],
)
def test_a_504_that_asks_for_an_initial_registration_is_understood(body: str):
    assert restoration.wanted(refused(body))


@pytest.mark.parametrize(
    "response",
    [
        Response(504),
        refused(ASKS, status=503),
        refused(ASKS, type="application/sdp"),
        refused(""),
        refused(b"\xff" * 100),
        refused("<a" * 1000),
        refused("<a>" * 100),
        refused(ASKS + " " * restoration.MAX_BYTES),
        refused(ASKS.replace("initial-registration", "emergency-registration")),
        refused(ASKS.replace("restoration", "emergency")),
        refused(ASKS.replace("alternative-service", "other")),
        refused(
            "<!DOCTYPE x [<!ENTITY e 'restoration'>]>" + ASKS.partition("?>")[2].replace("restoration", "&e;")
        ),
    ],
    ids=range(12),
)
def test_whatever_else_a_refusal_holds_asks_for_nothing(response: Response):
    assert not restoration.wanted(response)
