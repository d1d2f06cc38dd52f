"""Phones that register, rightly and wrongly, as sipp and PJSIP do it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sip.pjsip.process import Softphone
from tests.interop.node import FORGETFUL, NONCE_S, STRANGER, Node
from tests.interop.sipp import Sipp

Phones = Callable[..., Softphone]


def register(
    node: Node, folder: Path, scenario: str, account: str, password: str = "", **options: str | int
) -> Sipp:
    """Run a REGISTER scenario of sipp against the node."""
    transport = "tcp" if options.get("transport") == "t1" else "udp"
    return Sipp(
        scenario,
        folder,
        remote=node.address(transport),
        caller=account,
        password=password or node.password(account),
        digest_uri=node.domain,
        keys={"domain": node.domain},
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_a_phone_registers(node: Node, tmp_path: Path, transport: str) -> None:
    with register(node, tmp_path, "register", "lodger", transport=transport) as phone:
        pass
    assert phone.contact in str(node.get("/v1/registrations"))


@pytest.mark.parametrize("account", ["tenant", "nobody-of-that-name"])
def test_a_wrong_password_is_challenged_again_whether_or_not_the_account_exists(
    node: Node, tmp_path: Path, account: str
) -> None:
    with register(node, tmp_path, "register_wrong_password", account, "wrong", address=STRANGER):
        pass


def test_an_expired_nonce_is_called_stale_and_replaced(node: Node, tmp_path: Path) -> None:
    wait = str(int(NONCE_S * 1000) + 500)
    with register(node, tmp_path, "register_stale", "tenant", wait=wait):
        pass


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_softphone_registers_and_unregisters(node: Node, phone: Phones, transport: str) -> None:
    softphone = phone("customer")
    answer = softphone.register(
        "customer",
        node.password("customer"),
        node.domain,
        node.address(transport),
        transport=transport,
    )
    assert answer["event"] == "registered", answer
    softphone.unregister()


def test_a_softphone_with_a_wrong_password_is_told_so(node: Node, phone: Phones) -> None:
    softphone = phone("visitor", address=FORGETFUL)
    answer = softphone.register("visitor", "wrong", node.domain, node.address())
    assert answer["event"] == "register_failed"
    assert answer["status"] in (401, 403)
