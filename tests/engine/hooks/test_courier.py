"""Hooks are told what happens: signed, in order, at least once, across restarts, and without harm."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, insert
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from config.hook import HookSettings
from config.secret import Secret
from engine.events import (
    CallConnected,
    CallEnded,
    CallOffered,
    CallQueued,
    CallWrappedUp,
    EndReason,
    Event,
    Side,
)
from engine.hook_views import HookTrial
from engine.hooks import courier as couriers
from engine.hooks.courier import Courier
from engine.hooks.post import Post
from engine.store import database, migrate
from engine.store.outbox import DAY_S, Outbox
from engine.store.rows import Line, clean, encode
from engine.store.schema import hook_cursors
from engine.store.sink import Sink
from engine.views import Health, IllegalState
from tests.engine.hooks.receiver import Receiver, receiving, status
from tests.engine.store_samples import NODE, T0, arrived

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two random bytes").decode()
OK = status(200)


def hook(name: str = "crm", url: str = "", **changes: Any) -> HookSettings:
    values: dict[str, Any] = {
        "name": name,
        "url": url,
        "secret": Secret("test", SECRET),
        "allow_private": True,
    }
    return HookSettings(**values | {"kinds": ("call.*",), "timeout_s": 5.0} | changes)


def story(call: str, at: float = T0, queue: str = "support", **changes: Any) -> list[Event]:
    return [
        arrived(call, at, **changes),
        CallQueued(at=at + 1, call=call, queue=queue, position=1),
        CallOffered(at=at + 2, call=call, queue=queue, agent="alice", why="longest idle"),
        CallConnected(at=at + 3, call=call, party="sip:alice@x", agent="alice", codec="PCMA"),
        CallEnded(at=at + 9, call=call, by=Side.CUSTOMER, reason=EndReason.COMPLETED),
    ]


class Bench:
    """A store, its journal, and a courier whose clock stands until it is moved."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/isogloss.db"
        self.store: Engine = database.connect(self.url)
        migrate.upgrade(self.store)
        with self.store.begin() as connection:
            connection.execute(insert(hook_cursors).values(node=NODE, seq=0))
        self.now = T0 + 60.0
        self.hooks: dict[str, HookSettings] = {}
        self._seq = 0
        self.restart()

    def restart(self) -> None:
        """The node dies and comes back: nothing is left but the store."""
        self.store.dispose()
        self.store = database.connect(self.url)
        self.outbox = Outbox(self.store, NODE)
        self.courier = Courier(self.outbox, Post(), lambda: self.hooks, lambda: self.now, Random(1))

    def happens(self, *events: Event) -> None:
        sink = Sink(self.store)
        lines = []
        for event in events:
            self._seq += 1
            data, person = encode(event)
            lines.append(Line(NODE, self._seq, event.at, event.call, event.kind, data, person))
        sink.write(lines)
        sink.close()

    def round(self) -> None:
        asyncio.run(self.courier.round())

    def told(
        self,
        answer: Callable[[dict[str, Any]], bytes | None],
        story: Callable[[Receiver], Awaitable[None]],
        **changes: Any,
    ) -> Receiver:
        """Have a story played with a target that answers so."""

        async def play() -> Receiver:
            async with receiving(answer) as receiver:
                self.hooks["crm"] = hook(url=receiver.url, **changes)
                await story(receiver)
                return receiver

        return asyncio.run(play())

    def one_round(self, answer: Callable[[dict[str, Any]], bytes | None], **changes: Any) -> Receiver:
        async def story(_: Receiver) -> None:
            await self.courier.round()

        return self.told(answer, story, **changes)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.dispose()


def test_an_event_is_a_cloud_event_that_any_receiver_of_standard_webhooks_verifies(bench: Bench) -> None:
    bench.now = time.time()
    bench.happens(*story("c1", bench.now))
    receiver = bench.one_round(lambda _: OK)
    assert len(receiver.got) == 5 and bench.outbox.waiting() == {}
    for headers, body in receiver.got:
        assert headers[""] == "POST /hook?key=k HTTP/1.1"
        assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
        event = Webhook(SECRET).verify(body, headers)
        assert (event["specversion"], event["subject"], event["id"]) == ("1.0", "c1", headers["webhook-id"])
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body.replace(b"c1", b"c2"), headers)
    ended = receiver.events[-1]
    assert ended["type"] == "isogloss.call.ended" and ended["source"] == f"/nodes/{NODE}"
    assert ended["data"] == {"queue": "support", "market": "de", "by": "customer", "reason": "completed"}


HOSTILE = (
    '"><script>alert(1)</script>',
    "</script>\r\nwebhook-id: forged\r\n\r\n{}",
    '","type":"isogloss.forged","x":"',
    "\u202e\u2028\ud800\x00\x1b[31m",
    "=HYPERLINK(1)",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_somebody_calls_herself_is_a_value_in_the_body_and_nothing_else(
    bench: Bench, name: str
) -> None:
    bench.now = time.time()
    bench.happens(arrived("c1", bench.now, contact=name, customer=name, number=name, language=name))
    receiver = bench.one_round(lambda _: OK, personal=True)
    ((headers, body),) = receiver.got
    event = Webhook(SECRET).verify(body, headers)
    assert event["type"] == "isogloss.call.arrived" and headers["webhook-id"] == event["id"]
    kept = clean(name)
    assert (event["data"]["contact"], event["data"]["number"]) == (kept, kept)
    assert body.count(b"\n") == 0 and "forged" not in "".join(headers)


def test_of_one_call_events_come_in_order_and_of_many_side_by_side(bench: Bench) -> None:
    for pair in zip(*(story(f"c{n}") for n in range(20))):
        bench.happens(*pair)
    receiver = bench.one_round(lambda _: OK)
    order: dict[str, list[str]] = {}
    for event in receiver.events:
        order.setdefault(event["subject"], []).append(event["sequence"])
    assert len(order) == 20 and all(each == sorted(each) and len(each) == 5 for each in order.values())


def test_only_what_a_hook_wants_is_told_and_people_only_where_it_may_be(bench: Bench) -> None:
    bench.happens(*story("c1"), *story("c2", queue="sales"), *story("c3", market="es"))
    wanted = {"kinds": ("call.arrived", "call.ended"), "queues": ("support",), "markets": ("de",)}
    receiver = bench.one_round(lambda _: OK, **wanted)
    (event,) = receiver.events  # a call is of no queue when it arrives
    assert (event["subject"], event["type"]) == ("c1", "isogloss.call.ended")
    bench.happens(*story("c4"))
    (event,) = bench.one_round(lambda _: OK, kinds=("call.arrived",)).events
    assert "customer" not in event["data"]
    bench.happens(*story("c5"))
    (event,) = bench.one_round(lambda _: OK, kinds=("call.arrived",), personal=True).events
    assert event["data"]["customer"] == "+4930123456"


def test_a_hook_with_people_in_it_has_no_cards_all_the_same(bench: Bench) -> None:
    notes = "paid by 4111, 1111, 1111, 1111; call 612 345 678"
    bench.happens(CallWrappedUp(at=bench.now, call="c1", agent="alice", outcome="sale", notes=notes))
    (event,) = bench.one_round(lambda _: OK, kinds=("call.wrapped_up",), personal=True).events
    assert event["data"]["notes"] == "paid by ************1111; call 612 345 678"


def test_what_was_not_taken_is_told_by_the_next_life_and_nothing_is_lost(bench: Bench) -> None:
    rng, taken = Random(7), []

    def answer(event: dict[str, Any]) -> bytes:
        if rng.random() < 0.4:
            return status(503)
        taken.append((event["subject"], event["sequence"]))
        return OK if rng.random() < 0.8 else b""  # taken, and the answer lost on its way

    calls = [f"c{n}" for n in range(12)]
    for call in calls:
        bench.happens(*story(call))
        bench.one_round(answer)
        bench.restart()
    for _ in range(200):
        if not bench.outbox.waiting():
            break
        bench.now += 3600.0
        bench.one_round(answer)
        bench.restart()
    assert bench.outbox.waiting() == {}
    for call in calls:
        order = [sequence for subject, sequence in taken if subject == call]
        first = list(dict.fromkeys(order))
        assert first == sorted(first) and len(first) == 5  # each at least once, the first time in order


def test_a_target_out_of_order_is_left_alone_longer_each_time(bench: Bench) -> None:
    bench.happens(*story("c1"), *story("c2"))
    waits, tried = [], []
    for _ in range(14):
        receiver = bench.one_round(lambda _: status(503))
        tried.append(len(receiver.got))
        again = bench.courier.standings()["crm"].retry_at
        waits.append(again - bench.now)
        assert bench.one_round(lambda _: OK).got == []  # before its time
        bench.now = again
    assert tried[0] == 2 and set(tried[1:]) == {1}  # then one letter to see whether it is well
    assert waits[0] <= 5.0 and waits[-1] >= 1800.0 and max(waits) <= 3600.0
    assert bench.courier.standings()["crm"].error == "answered 503"
    told = bench.courier.check()
    assert told.status is Health.DEGRADED
    assert re.fullmatch(r"crm is behind by \d{3} min: answered 503", told.detail), told.detail
    bench.one_round(lambda _: OK)
    assert bench.courier.check().status is Health.OK
    assert bench.outbox.waiting() == {} and bench.courier.standings()["crm"].failures == 0


def test_while_a_secret_is_exchanged_receivers_verify_by_either(bench: Bench) -> None:
    bench.now = time.time()
    bench.happens(arrived("c1", bench.now))
    former = "whsec_" + base64.b64encode(b"the key that was there before it").decode()
    ((headers, body),) = bench.one_round(lambda _: OK, former_secret=Secret("test", former)).got
    for secret in (SECRET, former):
        assert Webhook(secret).verify(body, headers)["subject"] == "c1"
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"a key of nobody").decode()).verify(body, headers)


def _always(answer: bytes, event: object) -> bytes:
    return answer


def test_a_hook_is_tried_with_an_event_that_any_receiver_verifies_and_nothing_is_kept_of_it(
    bench: Bench,
) -> None:
    bench.now = time.time()
    tried: list[HookTrial] = []

    async def story(_: Receiver) -> None:
        tried.append(await bench.courier.try_out("crm"))
        await bench.courier.round()

    for answer, took in ((status(410), (False, 410, "answered 410")), (OK, (True, 200, ""))):
        ((headers, body),) = bench.told(partial(_always, answer), story, enabled=False).got
        event, told = Webhook(SECRET).verify(body, headers), tried.pop()
        assert (event["type"], event["data"]) == ("isogloss.hook.tried", {"hook": "crm"})
        assert event["id"] == headers["webhook-id"] == told.id
        assert (told.taken, told.status, told.why) == took
    assert bench.outbox.waiting() == {}
    with pytest.raises(LookupError):
        asyncio.run(bench.courier.try_out("erp"))


def test_a_target_that_takes_a_trial_is_told_what_waits_for_it_at_once(bench: Bench) -> None:
    bench.happens(*story("c1"))
    bench.one_round(lambda _: status(503))
    assert bench.courier.standings()["crm"].retry_at > bench.now

    async def well_again(_: Receiver) -> None:
        if (await bench.courier.try_out("crm")).taken:
            assert bench.courier.standings()["crm"].error == ""
        await bench.courier.round()

    assert len(bench.told(lambda _: OK, well_again).got) == 1 + 5
    bench.happens(*story("c2"))
    bench.one_round(lambda _: status(503))
    assert len(bench.told(lambda _: status(503), well_again).got) == 1, "and one that does not is left alone"


def test_a_hook_is_tried_once_at_a_time(bench: Bench) -> None:
    async def twice(receiver: Receiver) -> None:
        first = asyncio.create_task(bench.courier.try_out("crm"))
        while not receiver.got:
            await asyncio.sleep(0)
        assert bench.courier.tries("crm")
        with pytest.raises(IllegalState):
            await bench.courier.try_out("crm")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        receiver.answer = lambda _: OK
        assert not bench.courier.tries("crm")
        assert (await bench.courier.try_out("crm")).taken

    bench.told(lambda _: None, twice)


def test_an_event_that_is_refused_holds_up_its_own_call_alone(bench: Bench) -> None:
    bench.happens(*story("c1"), *story("c2"))
    receiver = bench.one_round(lambda event: status(422) if event["subject"] == "c1" else OK)
    assert [event["subject"] for event in receiver.events].count("c1") == 1
    assert [event["subject"] for event in receiver.events].count("c2") == 5
    assert bench.outbox.waiting()["crm"].waiting == 5


def test_what_nobody_takes_for_days_is_put_aside_and_may_be_replayed(bench: Bench) -> None:
    bench.happens(story("c1")[0])
    while not bench.outbox.dead("crm"):
        bench.one_round(lambda _: status(410))
        bench.now += 3600.0
        assert bench.now < T0 + 5 * DAY_S
    assert bench.now >= T0 + 3 * DAY_S
    (letter,) = bench.outbox.dead("crm")
    assert (letter.call, letter.error) == ("c1", "answered 410")
    assert bench.one_round(lambda _: OK).got == []
    assert bench.courier.check().detail == "1 events for crm were put aside"
    assert bench.outbox.replay("crm", [letter.seq + 1], bench.now, bench.now + DAY_S) == 0
    assert bench.outbox.replay("crm", None, bench.now, bench.now + DAY_S) == 1
    assert len(bench.one_round(lambda _: OK).got) == 1 and bench.outbox.waiting() == {}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (status(302, "Location: http://169.254.169.254/latest"), "redirects are not followed"),
        (status(200, *(f"X-{n}: {'y' * 1000}" for n in range(100))), "too long"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "RemoteProtocolError"),
        (b"", "without an answer"),
        (None, "no answer within 1 s"),
    ],
)
def test_whatever_a_target_answers_harms_nobody(bench: Bench, answer: bytes | None, why: str) -> None:
    bench.happens(story("c1")[0])
    receiver = bench.one_round(lambda _: answer, timeout_s=1.0)
    assert why in bench.courier.standings()["crm"].error and len(receiver.got) == 1


def test_a_hook_that_leads_within_is_not_told(bench: Bench) -> None:
    bench.happens(story("c1")[0])
    receiver = bench.one_round(lambda _: OK, allow_private=False)
    assert receiver.got == [] and "private" in bench.courier.standings()["crm"].error


def test_a_node_that_had_no_hooks_does_not_tell_its_past(bench: Bench) -> None:
    bench.happens(*story("c1"))
    bench.outbox.begin(anew=True)
    bench.happens(*story("c2"))
    receiver = bench.one_round(lambda _: OK)
    assert {event["subject"] for event in receiver.events} == {"c2"}


def test_a_started_courier_tells_by_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(couriers, "SOON_S", 0.0)

    async def story_(receiver: Receiver) -> None:
        bench.courier = Courier(bench.outbox, Post(), lambda: bench.hooks, lambda: bench.now, Random(1))
        bench.courier.start()
        bench.happens(*story("c1"))
        bench.courier.notice(None)
        async with asyncio.timeout(20):
            while len(receiver.got) < 5:
                await asyncio.sleep(0)
        await bench.courier.close()

    bench.told(lambda _: OK, story_)


def test_a_target_that_hangs_keeps_no_other_hook_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(couriers, "SOON_S", 0.0)

    async def story_(hanging: Receiver) -> None:
        async with receiving(lambda _: OK) as well:
            bench.hooks["erp"] = hook("erp", well.url)
            bench.courier = Courier(bench.outbox, Post(), lambda: bench.hooks, lambda: bench.now, Random(1))
            bench.courier.start()
            for n in range(3):
                bench.happens(*story(f"c{n}"))
                bench.courier.notice(None)
                async with asyncio.timeout(20):
                    while len(well.got) < 5 * (n + 1):
                        await asyncio.sleep(0)
            await bench.courier.close()
            assert 1 <= len(hanging.got) <= 3  # the first of each call, which it still has in hand

    bench.told(lambda _: None, story_, timeout_s=60.0)


def test_a_node_without_hooks_still_puts_aside_what_waited_for_them(bench: Bench) -> None:
    bench.happens(*story("c1"))
    bench.one_round(lambda _: status(503))
    bench.hooks.clear()
    bench.now += 4 * DAY_S

    async def play() -> None:
        bench.courier = Courier(bench.outbox, Post(), lambda: bench.hooks, lambda: bench.now, Random(1))
        bench.courier.start()
        async with asyncio.timeout(20):
            while not await asyncio.to_thread(bench.outbox.dead, "crm"):
                await asyncio.sleep(0)
        await bench.courier.close()

    asyncio.run(play())
    assert bench.outbox.waiting()["crm"].waiting == 0
