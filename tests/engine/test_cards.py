"""What a SIM card has seen it knows after a restart, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.carrier import CredentialSettings, RegisterSettings
from config.mobile import AkaSettings, ImsSettings
from config.secret import Secret
from engine.cards import Cards
from sip.aka import AkaCredentials, Card
from sip.digest import Credentials, read_challenge
from tests.sim.gateway import Lines
from tests.sim.stage import Stage
from tests.sip.subscriber import HOME, IMPI, KEYS, Subscriber


def started(folder: Path, user: str = IMPI) -> AkaCredentials:
    """The subscriber's card in a process that has just begun."""
    account = AkaCredentials(user, Card(KEYS), HOME)
    Cards(folder).attend(account)
    return account


def takes(account: AkaCredentials, challenge: str) -> bool:
    read = read_challenge(challenge, "Authorization")
    assert read is not None
    proof = account.prove(read)
    assert proof is not None
    return not proof.auts


def test_a_challenge_that_was_taken_before_a_restart_is_not_taken_after_it(tmp_path: Path) -> None:
    network = Subscriber()
    first = network.challenge()
    assert takes(started(tmp_path), first)
    again = started(tmp_path)
    assert not takes(again, first)
    assert takes(again, network.challenge())


def test_it_is_on_the_disk_before_the_answer_is_known(tmp_path: Path) -> None:
    account, network = started(tmp_path), Subscriber(sqn=7 << 5)
    kept = []
    account.card.resume((), lambda seen: kept.append(list(seen)))
    assert takes(account, network.challenge())
    assert kept == [[7] + 31 * [-1]]


def test_each_subscriber_has_a_memory_of_its_own_which_nobody_else_may_read(tmp_path: Path) -> None:
    challenge = Subscriber().challenge()
    folder = tmp_path / "cards"
    assert takes(started(folder), challenge)
    assert takes(started(folder, "another@ims.example"), challenge)
    assert folder.stat().st_mode & 0o077 == 0
    assert len(list(folder.iterdir())) == 2
    assert all(IMPI not in path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"{}",
        b"[1, 2]",
        b"[" + b"true," * 31 + b"true]",
        b"[" + b"-2," * 31 + b"0]",
        b"[" + b"9" * 400 + b"]",
    ],
)
def test_a_memory_that_cannot_be_read_is_none_and_is_made_anew(tmp_path: Path, kept: bytes) -> None:
    network = Subscriber()
    assert takes(started(tmp_path), network.challenge())
    (path,) = tmp_path.iterdir()
    path.write_bytes(kept)
    challenge = network.challenge()
    assert takes(started(tmp_path), challenge)
    assert not takes(started(tmp_path), challenge)


def test_a_disk_that_takes_nothing_costs_no_call(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("no folder")
    account, network = started(folder), Subscriber()
    challenge = network.challenge()
    assert takes(account, challenge)
    assert not takes(account, challenge)


def test_a_password_has_nothing_to_remember(tmp_path: Path) -> None:
    Cards(tmp_path).attend(Credentials("alice", "secret"))
    Cards(tmp_path).attend(None)
    assert not list(tmp_path.iterdir())


def test_a_lines_card_is_attended_to_once(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    attended: list[object] = []

    class Noted:
        def attend(self, account: object) -> None:
            attended.append(account)

    stage.house.switch.cards = Noted()
    Lines(stage).add(
        "mobile",
        "10.3.0.1",
        kind="ims",
        ims=ImsSettings(domain=HOME, public_identity=f"sip:+4930100@{HOME}"),
        register=RegisterSettings(),
        credentials=CredentialSettings(
            user=IMPI, aka=AkaSettings(k=Secret("test", "00" * 16), opc=Secret("test", "11" * 16))
        ),
    )
    stage.run(1.0)
    (account,) = (each for each in attended if each is not None)
    assert isinstance(account, AkaCredentials)
    assert stage.house.switch.trunks.account("mobile") is account
