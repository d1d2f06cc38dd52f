"""Links to recordings: for a time, for so many uses, until revoked; the store alone leads nobody anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import sharing
from engine.sharing import ShareStore, Sharing, Wish
from engine.store import database, migrate
from engine.store.shares import KEPT_S, Shares
from engine.views import IllegalState
from tests.engine.share_samples import Links
from tests.engine.store_samples import T0

NAME = "2026-03-02/01hz-1.opus"


class Clock:
    now = T0


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ShareStore]:
    if request.param == "memory":
        yield Links()
        return
    engine = database.connect(f"sqlite:///{tmp_path}/isogloss.db")
    migrate.upgrade(engine)
    yield Shares(engine)
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def links(store: ShareStore, clock: Clock) -> Sharing:
    return Sharing(store, lambda: clock.now)


def test_a_link_leads_to_its_recording_until_it_ends(links: Sharing, clock: Clock) -> None:
    made, link = links.make(NAME, Wish(lasts_s=600, note="claim 4471", transcript=True), "sue")
    assert (made.call, made.made_by, made.note) == ("01hz", "sue", "claim 4471")
    found = links.open(link, use=True)
    assert found is not None and found.recording == NAME
    (seen,) = links.of(NAME)
    assert (seen.uses, seen.used_at) == (1, T0)
    clock.now = made.expires_at
    assert links.open(link, use=True) is None and links.open(link, use=False) is None
    assert links.of(NAME)[0].uses == 1


def test_a_link_is_used_as_often_as_it_may_and_its_last_use_goes_on(links: Sharing) -> None:
    _, link = links.make(NAME, Wish(most=2), "sue")
    assert [links.open(link, use=True) is not None for _ in range(3)] == [True, True, False]
    assert links.open(link, use=False) is not None


def test_a_revoked_link_leads_nowhere_at_once(links: Sharing, clock: Clock) -> None:
    made, link = links.make(NAME, Wish(), "sue")
    assert links.revoke("2026-03-02/other-1.opus", made.id, "ann") is None
    assert links.open(link, use=True) is not None
    clock.now += 5
    revoked = links.revoke(NAME, made.id, "ann")
    assert revoked is not None and (revoked.revoked_at, revoked.revoked_by) == (T0 + 5, "ann")
    clock.now += 5
    again = links.revoke(NAME, made.id, "bob")
    assert again is not None and (again.revoked_at, again.revoked_by) == (T0 + 5, "ann")
    assert links.open(link, use=True) is None and links.open(link, use=False) is None


@pytest.mark.parametrize(
    "broken",
    [
        lambda link: link[:-1] + ("A" if link[-1] != "A" else "B"),
        lambda link: "0" * 16 + link[16:],
        lambda link: link.upper(),
        lambda link: link + "A",
        lambda link: link.partition(".")[0],
        lambda link: "",
        lambda link: "../../etc/passwd",
        lambda link: "x" * 10_000,
    ],
)
def test_what_is_no_link_leads_nowhere(links: Sharing, broken: object) -> None:
    _, link = links.make(NAME, Wish(), "sue")
    assert callable(broken) and links.open(broken(link), use=True) is None


def test_who_writes_into_the_store_makes_no_link_lead_elsewhere_or_last_longer(clock: Clock) -> None:
    store = Links()
    links = Sharing(store, lambda: clock.now)
    made, link = links.make(NAME, Wish(), "sue")
    for changed in (
        replace(made, recording="2026-03-02/other-1.opus"),
        replace(made, expires_at=made.expires_at + 1e6),
    ):
        store.all[made.id] = changed
        assert links.open(link, use=True) is None
    assert link.partition(".")[2] not in repr(made)


def test_links_to_one_recording_are_so_many(links: Sharing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "EACH", 2)
    first, _ = links.make(NAME, Wish(), "sue")
    links.make(NAME, Wish(), "sue")
    with pytest.raises(IllegalState, match="revoke"):
        links.make(NAME, Wish(), "sue")
    links.revoke(NAME, first.id, "sue")
    links.make(NAME, Wish(), "sue")
    assert len(links.of(NAME)) == 3


def test_links_that_ended_long_ago_are_let_go_of(tmp_path: Path, clock: Clock) -> None:
    engine = database.connect(f"sqlite:///{tmp_path}/isogloss.db")
    migrate.upgrade(engine)
    links = Sharing(Shares(engine), lambda: clock.now)
    old, _ = links.make(NAME, Wish(lasts_s=600), "sue")
    clock.now = old.expires_at + KEPT_S - 1
    links.make(NAME, Wish(), "sue")
    assert len(links.of(NAME)) == 2
    clock.now += 2
    links.make(NAME, Wish(), "sue")
    assert old.id not in {each.id for each in links.of(NAME)}
    engine.dispose()
