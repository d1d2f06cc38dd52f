"""The four transaction tables: what is sent when, and when it is over (RFC 3261 section 17, RFC 6026)."""

from __future__ import annotations

import pytest

from sip.hop import Hop
from sip.matching import Transactions
from sip.message import Request, Response, Uri, parse
from sip.table import INITIAL, TERMINATED, Table
from sip.timeouts import Timeouts, Timing
from sip.transaction import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Transaction,
)

UDP, TCP = Hop("udp", "10.0.0.2", 5060), Hop("tcp", "10.0.0.2", 5060, 3)
TABLES = {
    "INVITE client": INVITE_CLIENT,
    "other client": NON_INVITE_CLIENT,
    "INVITE server": INVITE_SERVER,
    "other server": NON_INVITE_SERVER,
}


class Bench:
    """One transaction layer with a clock, and what it sent, as (seconds, first line)."""

    def __init__(self) -> None:
        self.timeouts = Timeouts()
        self.timing = Timing()
        self.transactions = Transactions(self)
        self.now = 0.0
        self.sent: list[tuple[float, str]] = []
        self.responses: list[int] = []
        self.failures: list[tuple[float, str]] = []

    def transmit(self, data: bytes, hop: Hop) -> None:
        line = data.split(b"\r\n")[0].decode()
        self.sent.append((self.now, line.split()[1] if line.startswith("SIP") else line.split()[0]))
        parse(data)

    def forget(self, transaction: Transaction) -> None:
        self.transactions.forget(transaction)

    def on_response(self, transaction: Transaction, response: Response, now: float) -> None:
        self.responses.append(response.status)

    def on_failure(self, transaction: Transaction, cause: str, now: float) -> None:
        self.failures.append((now, cause))

    def on_closed(self, transaction: Transaction) -> None:
        assert transaction.user is None
        assert transaction.state == TERMINATED

    def run(self, until: float) -> None:
        while (at := self.timeouts.next()) is not None and at <= until:
            self.now = at
            self.timeouts.run(at)
        self.now = until

    def send(self, method: str, hop: Hop = UDP) -> Request:
        request = make(method, "z9hG4bKours")
        self.transactions.send(request, "z9hG4bKours", hop, self, self.now)
        return request

    def answer(self, request: Request, status: int, tag: str = "t") -> None:
        response = parse(request.respond(status, tag=tag).encode())
        assert isinstance(response, Response)
        self.transactions.receive_response(response, self.now)

    def serve(self, method: str, hop: Hop = UDP) -> Transaction:
        transaction = self.transactions.begin(make(method, "z9hG4bKtheirs"), hop, self.now)
        transaction.user = self
        return transaction

    def repeat(self, transaction: Transaction, method: str | None = None) -> None:
        request = make(method or transaction.request.method, "z9hG4bKtheirs")
        found = self.transactions.find(request)
        assert found is transaction
        self.transactions.repeat(found, request, self.now)

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.sent]

    def is_empty(self) -> bool:
        return len(self.transactions) == 0 and len(self.timeouts) == 0


def make(method: str, branch: str) -> Request:
    headers = [
        ("Via", f"SIP/2.0/UDP 10.0.0.1:5060;branch={branch};rport"),
        ("Max-Forwards", "70"),
        ("From", "<sip:alice@10.0.0.1>;tag=a"),
        ("To", "<sip:bob@10.0.0.2>"),
        ("Call-ID", "1@10.0.0.1"),
        ("CSeq", f"1 {method}"),
        ("Route", "<sip:10.0.0.2;lr>"),
    ]
    return Request(method, Uri.sip("bob", "10.0.0.2"), headers)


# -------------------------------------------------------------------------------------------------- clients


def test_an_invite_is_repeated_at_doubling_intervals_until_64_t1():
    bench = Bench()
    bench.send("INVITE")
    bench.run(40)
    assert bench.times == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert bench.failures == [(32.0, "timeout")]
    assert bench.is_empty()


def test_any_other_request_is_repeated_at_most_four_seconds_apart():
    bench = Bench()
    bench.send("BYE")
    bench.run(40)
    assert bench.times == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert bench.failures == [(32.0, "timeout")]
    assert bench.is_empty()


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_over_a_stream_a_request_is_sent_once(method: str):
    bench = Bench()
    bench.send(method, TCP)
    bench.run(40)
    assert bench.times == [0]
    assert bench.failures == [(32.0, "timeout")]


def test_an_invite_that_rings_waits_for_ever():
    bench = Bench()
    request = bench.send("INVITE")
    bench.answer(request, 180)
    bench.run(3600)
    assert bench.times == [0]
    assert bench.failures == []
    assert len(bench.transactions) == 1


def test_a_request_in_progress_is_still_repeated_every_four_seconds_and_given_up_at_64_t1():
    bench = Bench()
    request = bench.send("REFER")
    bench.answer(request, 100)
    bench.run(40)
    assert bench.times == [0, 4, 8, 12, 16, 20, 24, 28]
    assert bench.failures == [(32.0, "timeout")]


def test_a_refused_invite_is_acknowledged_each_time_the_refusal_comes():
    bench = Bench()
    request = bench.send("INVITE")
    for _ in range(3):
        bench.answer(request, 486)
    assert [what for _, what in bench.sent] == ["INVITE", "ACK", "ACK", "ACK"]
    assert bench.responses == [486]
    bench.run(31.9)
    assert len(bench.transactions) == 1
    bench.run(32.1)
    assert bench.is_empty()


def test_the_acknowledgement_of_a_refusal_is_part_of_the_transaction():
    captured: list[bytes] = []
    bench = Bench()
    bench.transmit = lambda data, hop: captured.append(data)  # type: ignore[method-assign]
    request = bench.send("INVITE")
    bench.answer(request, 404, tag="theirs")
    ack = parse(captured[1])
    assert isinstance(ack, Request)
    assert ack.top_via == request.top_via
    assert (ack.cseq, ack.to.tag, ack.uri) == ((1, "ACK"), "theirs", request.uri)
    assert ack.headers.all("Route") == request.headers.all("Route")


def test_each_success_of_an_invite_is_passed_on_for_64_t1():
    bench = Bench()
    request = bench.send("INVITE")
    bench.answer(request, 200, "one")
    bench.run(10)
    bench.answer(request, 200, "two")
    bench.answer(request, 486)
    assert bench.responses == [200, 200]
    bench.run(33)
    assert bench.is_empty()
    bench.answer(request, 200, "late")
    assert bench.responses == [200, 200]


def test_a_late_answer_repeated_is_absorbed_for_five_seconds():
    bench = Bench()
    request = bench.send("BYE")
    bench.answer(request, 200)
    bench.answer(request, 200)
    assert bench.responses == [200]
    bench.run(5.1)
    assert bench.is_empty()


def test_over_a_stream_an_answered_request_is_forgotten_at_once():
    bench = Bench()
    request = bench.send("BYE", TCP)
    bench.answer(request, 200)
    assert bench.is_empty()


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_a_transport_that_fails_ends_the_request_at_once(method: str):
    bench = Bench()
    bench.send(method)
    bench.transactions.transport_failed(UDP, 1.0)
    assert bench.failures == [(1.0, "transport")]
    assert bench.is_empty()


# -------------------------------------------------------------------------------------------------- servers


def test_an_invite_unanswered_for_200_ms_is_answered_100():
    bench = Bench()
    bench.serve("INVITE")
    bench.run(0.19)
    assert bench.sent == []
    bench.run(1)
    assert bench.sent == [(0.2, "100")]


def test_a_repeated_invite_gets_the_newest_provisional_answer():
    bench = Bench()
    transaction = bench.serve("INVITE")
    transaction.respond(transaction.request.respond(180), bench.now)
    bench.repeat(transaction)
    transaction.respond(transaction.request.respond(183), bench.now)
    bench.repeat(transaction)
    assert [what for _, what in bench.sent] == ["180", "180", "183", "183"]


def test_a_refusal_is_repeated_until_its_ack_comes():
    bench = Bench()
    transaction = bench.serve("INVITE")
    transaction.respond(transaction.request.respond(486), bench.now)
    bench.run(2)
    bench.repeat(transaction, "ACK")
    bench.run(40)
    assert bench.times == [0, 0.5, 1.5]
    assert bench.failures == []
    assert bench.is_empty()


def test_a_refusal_nobody_acknowledges_is_given_up_after_64_t1():
    bench = Bench()
    transaction = bench.serve("INVITE")
    transaction.respond(transaction.request.respond(486), bench.now)
    bench.run(40)
    assert bench.times == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert bench.failures == [(32.0, "no_ack")]
    assert bench.is_empty()


def test_a_refusal_over_a_stream_is_sent_once_and_forgotten_with_its_ack():
    bench = Bench()
    transaction = bench.serve("INVITE", TCP)
    transaction.respond(transaction.request.respond(486), bench.now)
    bench.run(5)
    bench.repeat(transaction, "ACK")
    assert bench.times == [0]
    assert bench.is_empty()


def test_an_accepted_invite_absorbs_repetitions_for_64_t1():
    bench = Bench()
    transaction = bench.serve("INVITE")
    transaction.respond(transaction.request.respond(200), bench.now)
    bench.repeat(transaction)
    assert [what for _, what in bench.sent] == ["200"]
    bench.run(32.1)
    assert bench.is_empty()


def test_any_other_request_is_answered_again_for_64_t1():
    bench = Bench()
    transaction = bench.serve("BYE")
    bench.repeat(transaction)
    transaction.respond(transaction.request.respond(200), bench.now)
    bench.repeat(transaction)
    assert [what for _, what in bench.sent] == ["200", "200"]
    bench.run(32.1)
    assert bench.is_empty()


def test_a_request_its_owner_never_answers_is_forgotten_when_the_client_has_given_up():
    bench = Bench()
    bench.serve("REFER")
    bench.run(33)
    assert bench.is_empty()


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_a_second_final_answer_is_not_sent(method: str):
    bench = Bench()
    transaction = bench.serve(method)
    assert transaction.respond(transaction.request.respond(404), bench.now)
    assert not transaction.respond(transaction.request.respond(200), bench.now)
    assert not transaction.respond(transaction.request.respond(180), bench.now)
    assert [what for _, what in bench.sent] == ["404"]


# ------------------------------------------------------------------------------------------------- matching


def test_the_same_branch_from_another_sender_is_another_transaction():
    bench = Bench()
    bench.serve("INVITE")
    other = make("INVITE", "z9hG4bKtheirs")
    other.headers.set("Via", "SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bKtheirs")
    assert bench.transactions.find(other) is None


def test_a_cancel_finds_its_invite_and_has_a_transaction_of_its_own():
    bench = Bench()
    invite = bench.serve("INVITE")
    cancel = make("CANCEL", "z9hG4bKtheirs")
    assert bench.transactions.find_cancelled(cancel) is invite
    assert bench.transactions.find(cancel) is None


# --------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_state_of_a_table_begins_at_its_beginning_and_can_end(table: Table):
    reached, ends = {INITIAL}, {TERMINATED}
    for _ in table:
        reached |= {following for (state, _), (following, _) in table.items() if state in reached}
        ends |= {state for (state, _), (following, _) in table.items() if following in ends}
    states = {state for state, _ in table}
    assert states <= reached
    assert states <= ends
