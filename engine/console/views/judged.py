"""How supervisors judged a call, and the forms to judge it by."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from config.form import FormSettings, QuestionSettings
from engine.access.role import Permission
from engine.console.judge import ANSWER
from engine.console.look import Look, address
from engine.console.markup import tag
from engine.console.views import pieces
from engine.console.views.one_call import file_of
from engine.console.views.pieces import card, cell, icon, link, moment, name, pill, row, table
from engine.scorecards import MOST_COMMENT, Answer, Scorecard

GOOD, FAIR = 80.0, 60.0


def judged(look: Look) -> Markup:
    """Nothing for who may not judge, and where no form is for such calls and nobody judged it."""
    say, file = look.say, file_of(look)
    if file.record is None or not file.record.agent or not look.who.may(Permission.LISTEN):
        return Markup("")
    if not file.forms and not file.cards:
        return Markup("")
    forms = [_form(look, place, each) for place, each in enumerate(file.forms)]
    cards = [_card(look, each) for each in file.cards]
    done = tag("ul", cards, class_="rows") if cards else None
    return card(say("judge.title"), forms, done, key="judged")


def _form(look: Look, place: int, form: FormSettings) -> Markup:
    say = look.say
    box = tag("textarea", "", id=f"comment-{place}", name="comment", maxlength=MOST_COMMENT, rows=2)
    inner = tag(
        "form",
        tag("input", type="hidden", name="form", value=form.name),
        [_question(look, form, each) for each in form.questions],
        tag("label", say("judge.comment"), for_=f"comment-{place}"),
        box,
        tag("div", tag("button", say("judge.save"), type="submit", class_="first"), class_="row end"),
        data_do="judge",
        class_="stack-s",
    )
    key = f"{form.name}-{len(file_of(look).cards)}"  # empty again when it was saved
    words = tag("span", say("judge.open", form=form.title))
    return tag("details", tag("summary", icon("edit"), words), inner, class_="judge", data_key=key)


def _question(look: Look, form: FormSettings, asked: QuestionSettings) -> Markup:
    """One of few answers, in a row."""
    say = look.say
    values = (1, 0) if asked.scale == 1 else range(asked.scale + 1)
    choices: list[tuple[str, str]] = [(str(each), _words(look, each, asked.scale)) for each in values]
    if asked.optional:
        choices.append(("", say("judge.none")))
    field = f"{ANSWER}{asked.name}"
    answers = [
        tag(
            "label",
            tag("input", type="radio", name=field, value=value, required=True),
            tag("span", words),
        )
        for value, words in choices
    ]
    critical = pill(say("judge.critical"), "bad") if asked.critical else None
    return tag(
        "fieldset",
        tag("legend", tag("span", asked.ask, dir="auto"), critical),
        tag("div", answers, class_="answers"),
        data_key=f"{form.name}-{asked.name}",
    )


def _words(look: Look, given: int | None, scale: int) -> str:
    if given is None:
        return look.say("judge.none")
    return look.say("judge.yes" if given else "judge.no") if scale == 1 else look.say.number(given)


def scaled(answer: Answer) -> bool:
    """Told as so many of so many, which goes from left to right everywhere."""
    return answer.scale > 1 and answer.given is not None


def _card(look: Look, each: Scorecard) -> Markup:
    say = look.say
    answers = [
        tag(
            "li",
            tag("span", answer.ask, dir="auto"),
            tag(
                "b",
                _words(look, answer.given, answer.scale),
                f" / {say.number(answer.scale)}" if scaled(answer) else None,
                dir="ltr" if scaled(answer) else None,
                class_="bad" if answer.critical and answer.given == 0 else None,
            ),
        )
        for answer in each.answers
    ]
    who = tag("span", name(each.by), class_="soft")
    return tag(
        "li",
        tag(
            "div",
            tag("p", score(look, each), tag("b", name(each.form)), who, moment(each.at, "day")),
            tag("p", each.comment, class_="comment", dir="auto") if each.comment else None,
            tag("ul", answers, class_="answered"),
        ),
        data_key=each.id,
    )  # fmt: skip


def score(look: Look, each: Scorecard) -> Markup:
    if each.failed:
        return pill(look.say("judge.failed"), "bad")
    level = "good" if each.score >= GOOD else "warn" if each.score >= FAIR else "bad"
    return pill(look.say.number(each.score), level)


def of_agent(look: Look, cards: Sequence[Scorecard]) -> Markup:
    """The newest of an agent, on her page."""
    say = look.say
    if not cards:
        step = link(say("judge.empty.step"), address("recordings", agent=look.place.id), class_="button")
        return card(say("judge.title"), pieces.empty(say, "judge.empty", step), key="judged")
    mean = say.number(sum(each.score for each in cards) / len(cards))
    heads = [
        (say("judge.score"), ""),
        (say("judge.form"), ""),
        (say("judge.at"), ""),
        (say("judge.by"), ""),
        (say("judge.comment"), ""),
    ]
    rows = [
        row(
            each.id,
            cell([link(score(look, each), address("recordings", each.call))]),
            cell(name(each.form)),
            cell(moment(each.at, "day")),
            cell(name(each.by)),
            cell(tag("span", each.comment, dir="auto")),
            to="recording",
        )
        for each in cards
    ]
    told = tag("span", say("judge.mean", mean=mean), class_="soft")
    return card(say("judge.title"), table(heads, rows, label=say("judge.title")), more=told, key="judged")
