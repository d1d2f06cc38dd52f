"""Calls judged by supervisors: a form's questions answered, and what that comes to.

The score is the mean of the answers, each as a share of its best, by their weights: 0 to 100. A critical
question that is answered with 0 fails the whole, whose score is 0 then. What was asked is kept with the
answers, so that a form may change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.form import FormSettings
from engine.access.principal import EVERYTHING, Reach
from engine.events import CallRecord
from engine.views import IllegalState

MOST_COMMENT = 2000


class BadAnswers(ValueError):
    """What was answered is no answer to what the form asks; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """given: 0 to scale, None where it does not arise."""

    name: str
    ask: str
    weight: float
    scale: int
    critical: bool
    given: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """at: epoch s. score: 0 to 100. failed: by a critical question."""

    id: str
    call: str
    form: str
    at: float
    by: str
    market: str
    queue: str
    agent: str
    score: float
    failed: bool
    comment: str = ""
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class CardFilter:
    """Which; None asks nothing. since, until: epoch s, since <= at < until."""

    agent: str | None = None
    form: str | None = None
    since: float | None = None
    until: float | None = None
    reach: Reach = EVERYTHING


@dataclass(frozen=True, slots=True)
class CardPage:
    """next: the cursor of the page after this one, None on the last."""

    items: tuple[Scorecard, ...]
    next: str | None


def forms_for(forms: Mapping[str, FormSettings], queue: str) -> Sequence[FormSettings]:
    """By which calls of a queue may be judged."""
    return [each for each in forms.values() if not each.queues or queue in each.queues]


def judged(
    form: FormSettings,
    record: CallRecord,
    given: Mapping[str, int | None],
    *,
    id: str,
    at: float,
    by: str,
    comment: str = "",
) -> Scorecard:
    """Raises BadAnswers, and IllegalState for a call that is none of the form's, or had no agent."""
    if not record.agent:
        raise IllegalState("no agent talked in this call; there is nobody to judge")
    if form.queues and record.queue not in form.queues:
        raise IllegalState(f"calls of this queue are not judged by {form.name}; see forms.yaml")
    answers = answered(form, given)
    score, failed = scored(answers)
    return Scorecard(
        id=id,
        call=record.call,
        form=form.name,
        at=at,
        by=by,
        market=record.market,
        queue=record.queue,
        agent=record.agent,
        score=score,
        failed=failed,
        comment=comment,
        answers=answers,
    )


def answered(form: FormSettings, given: Mapping[str, int | None]) -> tuple[Answer, ...]:
    """Raises BadAnswers."""
    strangers = given.keys() - {each.name for each in form.questions}
    if strangers:
        raise BadAnswers(f"the form asks nothing that is called '{min(strangers)[:64]}'")
    answers = []
    for each in form.questions:
        value = given.get(each.name)
        if value is None and not each.optional:
            raise BadAnswers(f"'{each.name}' wants an answer")
        if value is not None and not 0 <= value <= each.scale:
            raise BadAnswers(f"'{each.name}' is answered from 0 to {each.scale}")
        answers.append(
            Answer(
                name=each.name, ask=each.ask, weight=each.weight, scale=each.scale,
                critical=each.critical, given=value,
            )
        )  # fmt: skip
    return tuple(answers)


def scored(answers: Sequence[Answer]) -> tuple[float, bool]:
    """The score, and whether a critical question failed it. Raises BadAnswers where nothing counts."""
    counted = [each for each in answers if each.given is not None]
    weights = sum(each.weight for each in counted)
    if not weights:
        raise BadAnswers("nothing that counts was answered")
    if any(each.critical and each.given == 0 for each in counted):
        return 0.0, True
    total = sum(each.weight * (each.given or 0) / each.scale for each in counted)
    return round(100 * total / weights, 1), False
