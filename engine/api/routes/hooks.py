"""Webhooks: how they do, what they did not take, and that once more."""

from __future__ import annotations

import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.hook_schemas import (
    DeadLetter,
    DeadLetterList,
    Hook,
    HookList,
    HookTrial,
    Replayed,
    ReplayWish,
)
from engine.api.idempotency import IdempotencyKey, Once
from engine.api.problem import Problem, not_found
from engine.hook_views import HookView
from engine.views import IllegalState

router = APIRouter(prefix="/v1/hooks", tags=["hooks"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.READ_CONFIG)]
Writer = Annotated[Principal, may(Permission.CONFIGURE)]

HookName = Annotated[
    str, Path(alias="hook", pattern=r"^[a-z0-9_.-]{1,64}$", description="The hook's `name`.")
]


@router.get("", summary="List webhooks", operation_id="list_hooks", responses=problems(401, 403))
async def list_hooks(view: View, _: Reader) -> HookList:
    """By name, as they do on this node; each node tells what happens on it."""
    now = time.time()
    return HookList(items=[_hook(each, now) for each in view.hooks()])


@router.get(
    "/{hook}/replay",
    summary="List what a webhook did not take",
    operation_id="list_dead_letters",
    responses=problems(401, 403, 404, 422, 503, noun="hook"),
)
async def list_dead_letters(view: View, _: Reader, name: HookName) -> DeadLetterList:
    """Events that were put aside: not taken within the hook's `keep_days`, or too many."""
    _known(view, name)
    found = await run_in_threadpool(view.dead_letters, name)
    return DeadLetterList(items=[DeadLetter.model_validate(each, from_attributes=True) for each in found])


@router.post(
    "/{hook}/replay",
    status_code=202,
    summary="Tell a webhook once more",
    operation_id="replay_hook",
    responses=problems(401, 403, 404, 409, 413, 422, 503, noun="hook"),
)
async def replay_hook(
    request: Request,
    view: View,
    caller: Writer,
    name: HookName,
    wish: ReplayWish,
    key: IdempotencyKey = None,
) -> Replayed:
    """What was put aside is tried again for as long as anything new would be."""
    _known(view, name)

    async def act() -> Replayed:
        events = await run_in_threadpool(view.replay, name, wish.seqs)
        log.info("a hook is told once more", hook=name, events=events, by=caller.who)
        return Replayed(events=events)

    once: Once = request.app.state.once
    done: Replayed = await once.do(f"{caller.key} replay {name}", key, wish, time.monotonic(), act)
    return done


@router.post(
    "/{hook}/trial",
    summary="Try a webhook",
    operation_id="try_hook",
    responses=problems(401, 403, 404, 409, 422, 503, noun="hook"),
)
async def try_hook(
    request: Request, view: View, caller: Writer, name: HookName, key: IdempotencyKey = None
) -> HookTrial:
    """One signed event is posted to it now, and how it was taken is told; also to a hook that is not enabled.
    It is not tried again. A hook that takes it is told at once what waits for it.
    """
    _known(view, name)

    async def act() -> HookTrial:
        try:
            found = await view.try_hook(name)
        except IllegalState as fault:
            raise Problem(409, "illegal-state", str(fault)) from fault
        except LookupError as gone:
            raise not_found("hook", name) from gone
        log.info("a hook is tried", hook=name, taken=found.taken, by=caller.who)
        return HookTrial(
            id=found.id, taken=found.taken, status=found.status, why=found.why,
            took_ms=round(found.took_s * 1000, 1),
        )  # fmt: skip

    once: Once = request.app.state.once
    done: HookTrial = await once.do(f"{caller.key} try {name}", key, None, time.monotonic(), act)
    return done


def _known(view: View, name: str) -> None:
    if all(hook.name != name for hook in view.hooks()):
        raise not_found("hook", name)


def _hook(hook: HookView, now: float) -> Hook:
    return Hook(
        name=hook.name,
        url=hook.place,
        enabled=hook.enabled,
        kinds=list(hook.kinds),
        waiting=hook.waiting,
        lag_s=round(max(0.0, now - hook.oldest), 1) if hook.oldest is not None else 0.0,
        dead=hook.dead,
        told=hook.told,
        failed=hook.failed,
        failures=hook.failures,
        last_at=hook.last_at,  # type: ignore[arg-type]
        error=hook.error,
    )
