"""Numbers of people cannot be read from what was masked; all else can."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access import mask

MARKETS = ["ar-SA", "de-DE", "en-GB", "en-US", "es-ES", "es-MX", "fr-FR", "ja-JP", "pt-BR", "zh-CN"]
PAPERS = [
    ("ar-SA", "1034567894"),
    ("ar-SA", "١٠٣٤٥٦٧٨٩٤"),
    ("de-DE", "L01X00T471"),
    ("de-DE", "86095742719"),
    ("en-GB", "QQ123456C".replace("QQ", "AB")),
    ("en-GB", "AB 12 34 56 C"),
    ("en-US", "123-45-6789"),
    ("es-ES", "12345678Z"),
    ("es-ES", "x-1234567-l"),
    ("es-MX", "GODE561231HDFRRN04"),
    ("es-MX", "GODE561231GR8"),
    ("fr-FR", "2 55 08 14 168 025 38"),
    ("fr-FR", "1 80 01 2A 004 123"),
    ("ja-JP", "1234 5678 9012"),
    ("pt-BR", "529.982.247-25"),
    ("zh-CN", "11010519491231002X"),
]
LETTERED = [each for shapes in mask.PAPERS.values() for each in shapes if re.search("[A-Z]", each)]
SENTENCES = ["{}", "it is {}, you see", "我的是{}号", "({})", "numéro: {}.", "{} and again {}"]


def digits(text: str) -> str:
    return "".join(each for each in text if each.isdigit())


def test_every_shipped_market_has_its_papers() -> None:
    assert sorted(mask.PAPERS) == MARKETS == sorted({market for market, _ in PAPERS})


@pytest.mark.parametrize(("market", "paper"), PAPERS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_papers_of_each_market_are_masked_wherever_they_stand(market: str, paper: str, sentence: str) -> None:
    masked = mask.text(sentence.format(paper, paper))
    assert paper not in masked
    assert len(digits(masked)) <= 2 * mask.KEPT_OF_OTHERS * sentence.count("{}")
    assert masked.startswith(sentence.partition("{}")[0].rstrip("("))


@pytest.mark.parametrize("shape", LETTERED)
@given(data=st.data())
def test_papers_that_have_letters_are_masked_by_their_shape_alone(shape: str, data: st.DataObject) -> None:
    """Which is looked for only where a figure is near."""
    signs = re.compile(re.sub(r"^\(\?=[^)]*\)", "", shape), re.ASCII)  # without what it looks ahead for
    paper = data.draw(st.from_regex(signs, fullmatch=True).filter(re.compile(shape).fullmatch))
    masked = mask.text(f"it is {paper}, you see")
    assert paper not in masked and len(digits(masked)) <= mask.KEPT_OF_OTHERS


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("+34911234567", "+34******567"),
        ("+1 (212) 555-0100", "+1*******100"),
        ("+351212345678", "+351******678"),
        ("911234567", "******567"),
        ("12345", "***45"),
        ("101", "101"),
        ("sip:+34911234567@192.0.2.7:5060", "sip:+34******567@192.0.2.7:5060"),
        ("sip:maria@example.org", "sip:m***@example.org"),
        ("tel:+34911234567", "tel:+34******567"),
        ("maria@example.org", "m***@example.org"),
        ("Ana Ruiz", "A***"),
        ("c-4711", "c***"),
        ("", ""),
    ],
)
def test_who_somebody_is_stays_enough_to_tell_two_apart(written: str, masked: str) -> None:
    assert mask.who(written) == masked


@pytest.mark.parametrize(
    "text",
    [
        "on 2025-10-09 at 10:30",
        "order 4711",
        "12.50 EUR",
        "room 101, floor 12",
        "call 24/7",
        "call 019a4f3c2b10",
    ],
)
def test_what_is_nobodys_number_stays(text: str) -> None:
    assert mask.text(text) == text


def test_a_card_keeps_its_last_four_and_an_account_two() -> None:
    assert mask.text("4111 1111 1111 1111, yes") == "************1111, yes"
    assert mask.text("ES91 2100 0418 4502 0005 1332 then") == "**********************32 then"
    assert mask.text("gb82west12345698765432") == "********************32"


def test_numbers_in_chinese_words_are_found() -> None:
    assert mask.text("电话是一三八零零一三八零零零") == "电话是*********零零"


def luhn(rng: Random, length: int) -> str:
    body = [rng.choice([3, 4, 5, 6]), *(rng.randrange(10) for _ in range(length - 2))]
    doubled = [sum(divmod(2 * each, 10)) for each in body[::-2]]
    return "".join(map(str, [*body, -(sum(doubled) + sum(body[-2::-2])) % 10]))


def grouped(rng: Random, number: str) -> str:
    """As people write it."""
    sign, every = rng.choice(["", " ", "-", ".", "\u00a0"]), rng.choice([2, 3, 4])
    return sign.join(number[at : at + every] for at in range(0, len(number), every))


def test_no_card_or_telephone_number_can_be_read_whatever_stands_around_it() -> None:
    rng = Random(7)
    words = ["my", "card", "es", "el", "número", "是", "رقم", "please", "ok,", "(now)", "at 5"]
    for _ in range(1500):
        card = rng.random() < 0.5
        number = luhn(rng, rng.choice([13, 15, 16, 19])) if card else str(rng.randrange(10**7, 10**14))
        said = f"{rng.choice(words)} {grouped(rng, number)}; {rng.choice(words)}"
        hidden = mask.text(said)
        left = max(map(len, re.findall(r"\d+", hidden)), default=0)
        assert left <= mask.KEPT_OF_CARD, (said, hidden)
        assert number not in digits(hidden)
        assert mask.text(hidden) == hidden


def test_e164_numbers_keep_their_country_and_three_digits() -> None:
    rng = Random(8)
    for _ in range(500):
        number = f"+{rng.randrange(10**8, 10**14)}"
        hidden = mask.who(number)
        assert hidden[-3:] == number[-3:] and len(hidden) == len(number)
        assert hidden.count("*") >= len(number) - 1 - 3 - 3
        assert mask.line(f"from {number} now") == f"from {hidden} now"


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("INVITE sip:911234567@192.0.2.1 SIP/2.0", "INVITE sip:******567@192.0.2.1 SIP/2.0"),
        ("From: <sips:+34911234567@a>;tag=1234567", "From: <sips:+34******567@a>;tag=1234567"),
        ("INVITE SIP:0034600123456@h SIP/2.0", "INVITE SIP:**********456@h SIP/2.0"),
        ("From: <sip:%2B34600123456@h>", "From: <sip:**********456@h>"),
        ("From: <sip:600-123-456@h>", "From: <sip:******456@h>"),
        ("to tel:+34-600-123-456 and tel:600.12.34", "to tel:+34******456 and tel:****234"),
        (
            "OPTIONS sip:192.168.100.200:5060 and sip:10.0.0.1",
            "OPTIONS sip:192.168.100.200:5060 and sip:10.0.0.1",
        ),
        ("paid with 4111111111111111", "paid with ************1111"),
        ("mail of maria@example.org", "mail of m***@example.org"),
        ("to ES9121000418450200051332", "to **********************32"),
        ("agent sip:alice@example.com is back", "agent sip:alice@example.com is back"),
        ("call 019a4f3c2b10-5d1e8a90c4b7f263", "call 019a4f3c2b10-5d1e8a90c4b7f263"),
        (
            "at 2025-10-09T08:53:20Z from 192.168.100.200:5060",
            "at 2025-10-09T08:53:20Z from 192.168.100.200:5060",
        ),
        ("o=- 3969830473 3969830473 IN IP4 10.0.0.1", "o=- 3969830473 3969830473 IN IP4 10.0.0.1"),
        ("1760000000000 ms, 4111111111111112 is no card", "1760000000000 ms, 4111111111111112 is no card"),
    ],
)
def test_lines_of_the_log_lose_what_is_surely_a_persons_and_keep_all_else(line: str, masked: str) -> None:
    assert mask.line(line) == masked


def test_an_events_persons_are_masked_however_deep_and_where_they_came_from_is_cut() -> None:
    given = {
        "customer": "+34911234567",
        "source": "192.0.2.7:5060",
        "notes": "call back on 600 12 34 56",
        "reasons": ["911234567", "plain words"],
        "stars": 4,
    }
    assert mask.person(given) == {
        "customer": "+34******567",
        "source": "192.0.2.x:5060",
        "notes": "call back on *******56",
        "reasons": ["******567", "plain words"],
        "stars": 4,
    }


@pytest.mark.parametrize(
    ("whence", "masked"),
    [
        ("carrier", "carrier"),
        ("203.0.113.9:5060", "203.0.113.x:5060"),
        ("[2001:db8:1:2::9]:5060", "[2001:db8:1::x]:5060"),
        ("192.168.1.20:5060", "192.168.1.20:5060"),
        ("+34911234567", "+34******567"),
        ("sip:+34911234567@203.0.113.9", "sip:+34******567@203.0.113.x"),
        ("whip", "whip"),
    ],
)
def test_where_a_call_came_from_is_a_line_an_address_or_a_number(whence: str, masked: str) -> None:
    assert mask.source(whence) == masked


def test_words_of_events_tell_no_address() -> None:
    given = {"cause": "the sound from 203.0.113.9:40012 is clipped", "leg": 7, "remote": "10.0.0.7"}
    assert mask.data(given) == given | {"cause": "the sound from 203.0.113.x:40012 is clipped"}


@pytest.mark.parametrize(
    "evil", ["1 " * 4000, "a." * 4000, "AB12 " * 2000, "ab12" * 3000, "(" * 9000, "a@" * 4000]
)
def test_no_text_takes_long(evil: str) -> None:
    """Linear in its length: a pattern that tries all ways would not end within the test's time."""
    assert len(mask.text(evil)) <= len(evil) and len(mask.line(evil)) <= len(evil)
