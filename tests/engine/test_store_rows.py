"""Events and records as rows, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import events, line_events
from engine.events import CallArrived, CallRecord, DigitPressed, Event, NodeStarted, Side
from engine.store.rows import Entry, encode, record_from, record_values
from tests.engine.store_samples import T0, arrived, record, talk

NAMED = {**vars(events), **vars(line_events)}
KINDS = [
    kind
    for kind in NAMED.values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]

# Anything a phone may put in a header, lone surrogates and NUL among it.
anything = st.text(st.characters(), max_size=12)
SECONDS = st.floats(allow_nan=False, allow_infinity=False)


def entry_of(event: Event) -> Entry:
    data, person = encode(event)
    return Entry(
        node="n1",
        seq=1,
        at=event.at,
        call=event.call,
        kind=event.kind,
        data=json.loads(data),
        person=json.loads(person) if person else {},
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
@given(data=st.data())
def test_every_event_comes_back_as_it_went(kind: type[Event], data: st.DataObject) -> None:
    hints = get_type_hints(kind)
    clean = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
    drawn = {str: clean, float: SECONDS, float | None: st.none() | SECONDS}
    values: dict[str, Any] = {
        item.name: data.draw(drawn.get(hints[item.name], st.from_type(hints[item.name])), item.name)
        for item in fields(kind)
        if item.name != "at"
    }
    event = kind(at=T0, **values)
    assert entry_of(event).event() == event


@given(
    st.builds(
        CallArrived,
        **dict.fromkeys([item.name for item in fields(CallArrived)][2:], anything),
        at=st.just(T0),
    )
)
def test_text_that_no_database_keeps_is_replaced_never_refused(event: CallArrived) -> None:
    data, person = encode(event)
    kept = {**json.loads(data), **json.loads(person or "{}")}
    for value in kept.values():
        assert "\0" not in value
        value.encode()


def test_what_names_or_reaches_a_person_stands_apart() -> None:
    data, person = encode(arrived())
    assert json.loads(person or "") == {"customer": "+4930123456", "source": "192.0.2.7:5060"}
    assert "+4930123456" not in data and "192.0.2.7" not in data


def test_an_event_about_nobody_has_no_personal_part() -> None:
    assert encode(NodeStarted(at=T0, node="n1", version="1"))[1] is None


def test_an_event_without_fields_of_its_own_is_an_empty_object() -> None:
    class Bare(Event):
        kind = "bare"

    assert encode(Bare(at=T0)) == ("{}", None)


def test_a_kind_of_another_release_is_kept_as_data() -> None:
    entry = Entry(node="n1", seq=1, at=T0, call="c1", kind="call.levitated", data={"height": 2}, person={})
    assert entry.event() is None


def test_an_erased_event_is_no_longer_an_event_but_still_an_entry() -> None:
    data, _ = encode(arrived())
    entry = Entry(node="n1", seq=1, at=T0, call="c1", kind="call.arrived", data=json.loads(data))
    assert entry.event() is None
    assert entry.data["market"] == "de"


def test_a_digit_is_never_written_down() -> None:
    assert encode(DigitPressed(at=T0, call="c1", side=Side.CUSTOMER)) == ('{"side":"customer"}', None)


def test_a_talk_reads_back_in_order() -> None:
    assert [entry_of(event).event() for event in talk()] == talk()


def test_a_record_comes_back_as_it_went() -> None:
    assert record_from(record_values(record())) == record()


@given(anything)
def test_a_record_takes_whatever_a_caller_calls_himself(name: str) -> None:
    kept = record_values(record(customer=name, source=name))
    kept["customer"].encode()
    assert "\0" not in kept["customer"] + kept["source"]


def test_a_figure_that_is_no_number_is_unknown() -> None:
    assert record_values(record(customer_mos=float("nan")))["customer_mos"] is None


def test_record_values_are_what_drivers_take() -> None:
    plain = (str, int, float, type(None))
    assert all(type(value) in plain for value in record_values(record()).values())
    assert list(record_values(record())) == [item.name for item in fields(CallRecord)]
