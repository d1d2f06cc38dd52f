"""Speech: who puts calls into words here, and an interpreter switched on and off in a call."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, Path

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.speech_schemas import InterpreterChoice, Speech

router = APIRouter(prefix="/v1", tags=["speech"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.BOARD)]
Writer = Annotated[Principal, may(Permission.ACT_ON_CALLS)]

CallId = Annotated[
    str, Path(alias="call", pattern=r"^[A-Za-z0-9_.-]{1,128}$", description="The call's `id`.")
]


@router.get("/speech", summary="Look at speech", operation_id="get_speech", responses=problems(401, 403, 422))
async def get_speech(view: View, _: Reader) -> Speech:
    """Recognisers, translators and voices that are there, pairs that they translate, and what is left out."""
    return Speech.model_validate(view.speech(), from_attributes=True)


@router.put(
    "/calls/{call}/interpreter",
    summary="Choose how a side hears the other",
    operation_id="choose_interpreter",
    responses=problems(401, 403, 404, 409, 413, 422, noun="call"),
)
async def choose_interpreter(
    view: View, caller: Writer, id: CallId, choice: InterpreterChoice
) -> InterpreterChoice:
    """Takes effect with the next clause. Asking twice is asking once. A call whose queue is not put into
    words, or whose two do not talk now, answers 409.
    """
    view.choose_interpreter(id, choice.side, choice.voice)
    log.info("interpreter chosen by hand", call=id, side=choice.side, voice=choice.voice, by=caller.who)
    return choice
