"""Who dials into a call is told to the audit log, with what she does by keys; whom the API rings, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.access.by_phone import ByPhone
from engine.supervision import Mode
from tests.engine.access.stand import Stand, standing
from tests.engine.test_supervision import Floor


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path) as made:
        yield made


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    folder = tmp_path / "floor"
    folder.mkdir()
    return Floor(folder)


@pytest.fixture
def by_phone(floor: Floor, stand: Stand) -> ByPhone:
    made = ByPhone(stand.audit)
    floor.switch.observers.append(made.notice)
    return made


def told(stand: Stand) -> list[tuple[str, str, str, str, str]]:
    stand.settle()
    rows = [row.entry for row in stand.trail.rows() if row.entry.what != "settled"]
    return [(each.who, each.how, each.what, each.object, json.loads(each.detail)["mode"]) for each in rows]


def dialled(floor: Floor, whom: str = "agent0") -> None:
    floor.sue.session = floor.sue.call(f"*86{whom}", "sue", floor.sue.credentials)
    floor.run(2.0)


def test_who_dials_in_is_told_of_with_every_change_by_a_key(
    floor: Floor, stand: Stand, by_phone: ByPhone
) -> None:
    dialled(floor)
    call = floor.call.id
    for key in "23":
        floor.sue.press(key)
        floor.run(0.5)
    floor.hang_up(floor.sue)
    assert told(stand) == [
        ("sue", "phone", "supervise_call", f"calls/{call}", mode) for mode in ("listen", "whisper", "barge")
    ]
    assert not by_phone._here and not by_phone._asked


def test_whom_the_api_rings_is_told_of_there(floor: Floor, stand: Stand, by_phone: ByPhone) -> None:
    floor.ask(Mode.LISTEN)
    floor.turn(Mode.BARGE)
    floor.hang_up(floor.sue)
    assert told(stand) == [] and not by_phone._asked
    dialled(floor)
    assert [each[-1] for each in told(stand)] == ["listen"]
