"""Judging a call by a form, at its recording's page in the console."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.files import recording_file
from engine.console.look import Place, Told
from engine.judging import UnknownForm
from engine.scorecards import MOST_COMMENT, BadAnswers
from engine.views import IllegalState

Fields = Mapping[str, str]
ANSWER = "answer-"  # before a question's name, in the names of fields
ANSWERS = frozenset(["", *map(str, range(11))])

log = structlog.get_logger("console")


async def judge(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    answers = {
        name.removeprefix(ANSWER): int(value) if value else None
        for name, value in given.items()
        if name.startswith(ANSWER) and value in ANSWERS
    }
    lines = given.get("comment", "").strip()[:MOST_COMMENT].splitlines()
    comment = "\n".join("".join(filter(str.isprintable, each)) for each in lines)
    form = given.get("form", "")
    try:
        card = await desk.ask(desk.view.cards.judge, place.id, form, answers, who.name, comment)
    except UnknownForm:
        return Told("judge.no_form", bad=True)
    except (BadAnswers, IllegalState) as fault:
        return Told("beside.refused", {"why": str(fault)}, bad=True)
    if card is None:
        return Told("call.unknown_id", bad=True)
    log.info("a call was judged", call=place.id, form=form, agent=card.agent, by=who.name)
    first = await recording_file(desk, place, None)
    return Told("judge.done", {"name": card.agent}, keep=await recording_file(desk, place, first))
