"""How well two phones hear each other through the node, by their own buffers: a matter of a quiet machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.test_encryption import converse, put_through
from tests.interop.test_phones import Phones, Speech


@pytest.mark.parametrize(("transport", "srtp"), [("udp", "disabled"), ("tls", "mandatory")])
def test_hardly_a_packet_comes_too_late_to_be_played(
    agent: Phones, speech: Speech, tmp_path: Path, transport: str, srtp: str
) -> None:
    customer, anna = agent("customer", transport, srtp), agent("anna", transport, srtp)
    call, offered = put_through(customer, anna)
    converse(speech, tmp_path, (customer, call), (anna, offered))
    quality = [customer.hangup(call)["stats"], anna.expect("ended")["stats"]]
    assert all(each["loss"] < 0.02 and each["mos"] > 3.5 for each in quality), quality
