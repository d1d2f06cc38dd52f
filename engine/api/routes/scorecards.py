"""Calls that supervisors judge by forms: the forms, judging, and what came of it."""

from __future__ import annotations

import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api import card_schemas as bodies
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.idempotency import IdempotencyKey, Once
from engine.api.paging import PageQuery, bad_cursor
from engine.api.plain import Plain
from engine.api.problem import Problem, not_found
from engine.api.routes.calls import CallId
from engine.api.routes.records import Instant
from engine.judging import UnknownForm
from engine.scorecards import BadAnswers, CardFilter, CardPage
from engine.store.records import BadCursor

router = APIRouter(tags=["scorecards"])
log = structlog.get_logger("api")

Judge = Annotated[Principal, may(Permission.LISTEN)]
Oneself = Annotated[Principal, may(Permission.OWN_ACCOUNT)]


class CardQuery(PageQuery):
    agent: Plain | None = Field(default=None, description="Only of this agent.")
    form: Plain | None = Field(default=None, description="Only by this form.")
    since: Instant | None = Field(default=None, description="Only those judged then or later.")
    until: Instant | None = Field(default=None, description="Only those judged before then.")

    def filter(self) -> CardFilter:
        return CardFilter(
            agent=self.agent,
            form=self.form,
            since=self.since.timestamp() if self.since else None,
            until=self.until.timestamp() if self.until else None,
        )


@router.get(
    "/v1/forms",
    summary="By what calls are judged",
    operation_id="list_forms",
    responses=problems(401, 403),
)
async def list_forms(view: View, _: Judge) -> bodies.FormList:
    """Those of forms.yaml."""
    items = [bodies.Form.model_validate(each, from_attributes=True) for each in view.cards.forms().values()]
    return bodies.FormList(items=items)


@router.post(
    "/v1/calls/{call}/scorecards",
    status_code=201,
    summary="Judge a call",
    operation_id="judge_call",
    responses=problems(401, 403, 404, 409, 413, 422, 503, noun="call"),
)
async def judge_call(
    request: Request,
    view: View,
    caller: Judge,
    id: CallId,
    wanted: bodies.ScorecardWanted,
    key: IdempotencyKey = None,
) -> bodies.Scorecard:
    """A call that is over, by a form of its queue. Several may judge a call, each time it is kept beside what
    was kept before. Answers 422 where a question is left open that wants an answer.
    """

    async def act() -> bodies.Scorecard:
        judge, comment = view.cards.judge, wanted.comment.strip()
        try:
            card = await run_in_threadpool(judge, id, wanted.form, wanted.answers, caller.who, comment)
        except UnknownForm:
            raise Problem(422, "unknown-form", f"no form is called {wanted.form!r}; see forms.yaml") from None
        except BadAnswers as bad:
            raise Problem(422, "bad-answers", str(bad)) from None
        if card is None:
            raise not_found("call", id)
        log.info("a call was judged", call=id, form=card.form, agent=card.agent, by=caller.who)
        return bodies.Scorecard.model_validate(card, from_attributes=True)

    once: Once = request.app.state.once
    done: bodies.Scorecard = await once.do(f"{caller.key} judge {id}", key, wanted, time.monotonic(), act)
    return done


@router.get(
    "/v1/calls/{call}/scorecards",
    summary="How a call was judged",
    operation_id="list_call_scorecards",
    responses=problems(401, 403, 404, 422, 503, noun="call"),
)
async def list_call_scorecards(view: View, _: Judge, id: CallId) -> bodies.ScorecardList:
    """The newest first."""
    if await run_in_threadpool(view.record, id) is None:
        raise not_found("call", id)
    found = await run_in_threadpool(view.cards.of_call, id)
    items = [bodies.Scorecard.model_validate(each, from_attributes=True) for each in found]
    return bodies.ScorecardList(items=items)


@router.get(
    "/v1/scorecards",
    summary="List how calls were judged",
    operation_id="list_scorecards",
    responses=problems(401, 403, 422, 503),
)
async def list_scorecards(view: View, _: Judge, query: Annotated[CardQuery, Query()]) -> bodies.ScorecardPage:
    """The newest first; of one agent, say."""
    try:
        page = await run_in_threadpool(
            view.cards.page, query.filter(), cursor=query.cursor, limit=query.limit
        )
    except BadCursor:
        raise bad_cursor() from None
    return _page(page)


@router.get(
    "/v1/session/scorecards",
    summary="How my calls were judged",
    operation_id="list_own_scorecards",
    responses=problems(401, 403, 422, 503),
)
async def list_own_scorecards(
    view: View, oneself: Oneself, query: Annotated[PageQuery, Query()]
) -> bodies.ScorecardPage:
    """Of the agent who is called as the user who asks."""
    ask = view.cards.of_agent
    try:
        page = await run_in_threadpool(ask, oneself.who, cursor=query.cursor, limit=query.limit)
    except BadCursor:
        raise bad_cursor() from None
    return _page(page)


def _page(page: CardPage) -> bodies.ScorecardPage:
    items = [bodies.Scorecard.model_validate(each, from_attributes=True) for each in page.items]
    return bodies.ScorecardPage(items=items, next=page.next)
