"""What recognisers make of cards, papers and numbers that somebody tells is masked as what is typed is."""

from __future__ import annotations

from random import Random

import pytest

from engine.access import mask, numerals

CARD = "4111111111111111"
CARDS = [
    "4111, 1111, 1111, 1111",
    "4111 1111. 1111, 1111",
    "4111 – 1111 – 1111 – 1111",
    "4111—1111—1111—1111",
    "4111\n1111\r\n1111\n1111",
    "4111... 1111... 1111... 1111",
    "4111\u200b1111\u200f1111\u20661111",
    "41, 11, 11, 11, 11, 11, 11, 11",
    "4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1",
    "٤١١١ ١١١١ ١١١١ ١١١١",
    "٤١١١، ١١١١، ١١١١، ١١١١",
    "４１１１１１１１１１１１１１１１",
    "四一一一 一一一一 一一一一 一一一一",
    "四幺幺幺，幺幺幺幺，幺幺幺幺，幺幺幺幺",
    "four one one one, one one one one, one one one one, one one one one",
    "Four, triple one, double one double one, one one one one, one one one one",
    "cuatro uno uno uno uno uno uno uno uno uno uno uno uno uno uno uno",
    "vier eins eins eins eins eins eins eins eins eins eins eins eins eins eins eins",
    "four 111 1111 one one one one 1111",
]
PAPERS = [
    "123-45-6789",  # Social Security
    "12345678Z",
    "5, 12345678Z",
    "X-1234567-L",
    "529.982.247-25",
    "52998224725",
    "five two nine nine eight two two four seven two five",
    "86095742719",
    "1034567899",
    "AB 12 34 56 C",
    "GODE561231HDFRRN04",
    "2 55 08 14 168 025 38",
    "2 55 08 14 168 025",
    "1234 5678 9012",
    "11010519491231002X",
    "GB82 WEST 1234 5698 7654 32",
    "GB82, WEST, 1234, 5698, 7654, 32",
    "ES91-2100-0418-4502-0005-1332",
]
PHONES = ["+34 911 234 567", "911 234 567", "612, 345, 678", "+1 (212) 555-0100", "0044 20 7946 0018"]


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("hide", [mask.text, mask.papers])
def test_a_card_is_found_however_it_is_told_and_its_last_four_stay(card: str, hide: mask.Hide) -> None:
    told = hide(f"My card is {card}. Thank you")
    assert told.startswith("My card is ************") and told.endswith(". Thank you")
    assert numerals.value(told) == CARD[-4:]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize(
    "sentence", ["{}", "It is {}, you see.", "Room 5, {}", "{}, one moment", "我的是{}号"]
)
def test_papers_and_accounts_are_hidden_from_everybody(paper: str, sentence: str) -> None:
    for hide in (mask.text, mask.papers):
        told = hide(sentence.format(paper))
        assert "**" in told
        bare, left = numerals.value(paper), numerals.value(told)
        assert len(left) <= 2 + mask.KEPT_OF_CARD and bare[:5] not in left


@pytest.mark.parametrize("phone", PHONES)
def test_telephone_numbers_are_masked_by_role_alone(phone: str) -> None:
    said = f"call me at {phone} please"
    assert mask.papers(said) == said
    assert "**" in mask.text(said) and len(numerals.value(mask.text(said))) <= 5


@pytest.mark.parametrize(
    "said",
    [
        "on 2025-10-09, at 10:30",
        "from 09/10/2025 to 12/10/2025, 3 nights",
        "12, 2025-10-09, 4",
        "order 4711, 3 pieces, 12.50 EUR",
        "it costs $1,250,000 or 1.250.000 euros",
        "rooms 101, 102",
        "one or two, maybe three",
        "uno, dos y tres",
        "一、二、三",
        "二十三号，一百五十块",
        "10:30, 11:30, 12:30",
    ],
)
def test_prices_dates_times_and_quantities_stay(said: str) -> None:
    assert mask.text(said) == mask.papers(said) == said


def test_a_card_of_which_one_digit_was_misheard_is_hidden_as_well() -> None:
    assert mask.papers("4111 1111 1111 1112, yes") == "**************12, yes"
    assert mask.papers(f"{CARD}, 12/26, 123") == "*********************23"


def test_a_card_that_is_told_over_several_utterances_is_found() -> None:
    told = mask.lines(["My card is 4111", "1111 1111,", "1111. Yes", "at 10:30"])
    assert told == ["My card is ****", "********", "1111. Yes", "at 10:30"]
    assert mask.lines(["612", "345", "678"], mask.papers) == ["612", "345", "678"]
    assert mask.lines(["612", "345", "678"]) == ["***", "***", "*78"]


def test_utterances_stay_as_many_as_they_were_whatever_is_in_them() -> None:
    rng = Random(11)
    parts = ["4111", " ", "\x1e", "one", "+", "(", ",", "ES91", "四", "$", "2025-10-09", "@a.es", "x", "\n"]
    for _ in range(500):
        said = ["".join(rng.choices(parts, k=rng.randrange(6))) for _ in range(rng.randrange(8))]
        for hide in (mask.text, mask.papers):
            told = mask.lines(said, hide)
            assert len(told) == len(said), said


def test_utterances_of_words_part_what_is_looked_through_and_nothing_else_changes() -> None:
    rng = Random(13)
    parts = ["4111", " ", "one", "double ", "+", "(", ",", "GB82", "四", "$", "1,250", "2025-10-09", "@a.es"]
    for _ in range(2_000):
        said = ["".join(rng.choices(parts, k=rng.randrange(6))) for _ in range(rng.randrange(8))]
        for hide in (mask.text, mask.papers):
            whole = hide(numerals.JOIN.join(said)).split(numerals.JOIN) if said else []
            assert mask.lines(said, hide) == whole


def test_a_text_never_has_more_digits_than_it_is_thought_to_have() -> None:
    rng = Random(14)
    parts = ["4", "\u0663", "七", "One", "ONE", "double ", "triple,", "meia", "\u212a", "İ", "six", "é", " "]
    for _ in range(2_000):
        said = "".join(rng.choices(parts, k=rng.randrange(12)))
        told = sum(len(numerals.value(said[each.start : each.end])) for each in numerals.runs(said))
        assert told <= numerals.most(said), said


def test_a_number_that_may_go_on_is_hidden_until_it_is_known_for_what_it_is() -> None:
    assert mask.growing("My card is 4111 1111") == "My card is ******11"
    assert mask.growing("My card is 4111 1111, then") == "My card is 4111 1111, then"
    assert mask.growing("order 4711") == "order 4711"


def test_what_may_be_a_part_of_a_number_is_hidden_where_a_sentence_stands_alone() -> None:
    assert mask.alone("It is 4111,") == "It is ****,"
    assert mask.alone("1111.") == "****."
    assert mask.alone("345 and 678") == "*** and ***"
    assert mask.alone("order 4711 please, on 2025-10-09") == "order 4711 please, on 2025-10-09"


@pytest.mark.parametrize(
    "evil",
    [
        "1 , " * 25_000,
        "1" * 100_000,
        "1.,– " * 20_000,
        "-.,\n " * 20_000,
        "one, " * 20_000,
        "double " * 14_000,
        "四，" * 50_000,
        "2025-10-09, " * 8_000,
        "$1,250" * 16_000,
        "ES91, " * 16_000,
        "GB82 WEST " * 10_000,
        "12345678 " * 11_000,
        "+(" * 50_000,
        "123-45-" * 14_000,
    ],
)
def test_a_hundred_kilobytes_of_spite_are_looked_through_once(evil: str) -> None:
    """Each number that is found is judged once, whatever its length, so that all of them are together no
    longer than the text: the work is bounded by it, and no clock is asked.
    """
    judged: list[str] = []

    def judge(run: str) -> bool:
        judged.append(run)
        return True

    for hide in (mask.growing, mask.alone):  # which ask `papers` and `text`
        assert len(hide(evil)) <= len(evil)
    mask.runs(evil, judge)
    assert sum(map(len, judged)) <= len(evil)


def test_no_card_can_be_read_whatever_separates_it() -> None:
    rng = Random(12)
    signs = [" ", ", ", ". ", " – ", "-", "\n", "，", "、", "... ", "\u00a0", "\u202f", " / "]
    for _ in range(1000):
        number = CARD if rng.random() < 0.5 else "5500005555555559"
        said, at = "", 0
        while at < len(number):
            size = rng.randrange(1, 6)
            said += number[at : at + size] + rng.choice(signs)
            at += size
        for hide in (mask.text, mask.papers):
            told = hide(f"card {said}ok")
            assert numerals.value(told) == number[-4:], (said, told)
            assert hide(told) == told
