"""The node's configuration: what runs, what the files would change, taking them, and going back."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, cast

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from config.fault import ConfigError
from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api import config_schemas as words
from engine.api.config_schemas import (
    ApplyWish,
    ConfigApplied,
    ConfigChecked,
    ConfigPlan,
    ConfigStatus,
    ConfigVersionPage,
    PlanWish,
    RollbackWish,
)
from engine.api.deps import may
from engine.api.documented import REASONS, problems
from engine.api.idempotency import IdempotencyKey, Once
from engine.api.paging import PageQuery, cut
from engine.api.problem import MAX_FAULTS, Problem
from engine.api.unchanged import VERSIONED, matched
from engine.applying import NotReady
from engine.history import HistoryFault
from engine.operating import Applied, Operating, OtherVersion, Refused, UnknownVersion

router = APIRouter(prefix="/v1/config", tags=["config"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.READ_CONFIG)]
Writer = Annotated[Principal, may(Permission.CONFIGURE)]

OWN: Mapping[int, tuple[str, str]] = {
    **REASONS,
    404: ("unknown-version", "There is no such version, or this node takes no other configuration."),
    409: ("destination-without-line", "A destination would be left without a line; `errors` says which."),
    412: ("other-version", "Another version runs than `If-Match` names."),
    422: ("configuration-faults", "The files have faults, or the request has; `errors` says which."),
    503: ("not-ready", "It could not be kept or prepared; nothing has changed. `detail` says why."),
}


def operating_of(request: Request) -> Operating:
    """Raises Problem where the node's configuration is not to be changed."""
    operating: Operating | None = request.app.state.operating
    if operating is None:
        raise Problem(404, "unknown-version", "this node takes no other configuration")
    return operating


def once_of(request: Request) -> Once:
    return cast(Once, request.app.state.once)


Config = Annotated[Operating, Depends(operating_of)]
Wishes = Annotated[Once, Depends(once_of)]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=64,
        description="The version that has to run, in quotes, as in the ETag of `GET /v1/config`.",
    ),
]


@router.get(
    "",
    summary="What runs",
    operation_id="get_config",
    responses={**VERSIONED, **problems(401, 403, 404, own=OWN)},
)
async def get_config(_: Reader, config: Config, response: Response) -> ConfigStatus:
    """The version that runs; its number is the ETag."""
    status = config.status()
    response.headers["ETag"] = f'"{status.version.number}"'
    return ConfigStatus(
        version=words.version(status.version),
        folder=str(status.folder.resolve()),
        restart=list(status.restart),
        faults=[words.fault(each) for each in status.faults],
    )


@router.get(
    "/versions",
    summary="List versions",
    operation_id="list_config_versions",
    responses=problems(401, 403, 404, 422, own=OWN),
)
async def list_config_versions(
    _: Reader, config: Config, query: Annotated[PageQuery, Query()]
) -> ConfigVersionPage:
    """What was applied, and by whom; the newest first."""
    found = await run_in_threadpool(config.versions)
    page, after = cut(found, lambda each: f"{10**9 - each.number:09d}", query)
    return ConfigVersionPage(items=[words.version(each) for each in page], next=after)


@router.post(
    "/check",
    summary="Check the files",
    operation_id="check_config",
    responses=problems(401, 403, 404, own=OWN),
)
async def check_config(_: Writer, config: Config) -> ConfigChecked:
    """Every fault of the files in the node's folder, with file, line and remedy. Nothing changes."""
    faults = await config.check()
    return ConfigChecked(ok=not faults, faults=[words.fault(each) for each in faults])


@router.post(
    "/plan",
    summary="What would change",
    operation_id="plan_config",
    responses=problems(401, 403, 404, 409, 413, 422, own=OWN),
)
async def plan_config(_: Writer, config: Config, asked: PlanWish) -> ConfigPlan:
    """What the files, or a version, would change, in words, and when each change would be felt."""
    return words.plan(await _told(config.plan(asked.version)))


@router.post(
    "/apply",
    summary="Take the files",
    operation_id="apply_config",
    responses=problems(401, 403, 404, 409, 412, 413, 422, 503, own=OWN),
)
async def apply_config(
    caller: Writer,
    config: Config,
    wishes: Wishes,
    asked: ApplyWish,
    response: Response,
    key: IdempotencyKey = None,
    expected: IfMatch = None,
) -> ConfigApplied:
    """The files of the node's folder are taken, all or none; calls in progress go on. Answers what runs."""

    def act() -> Awaitable[Applied]:
        return config.apply(caller.who, asked.why, force=asked.force, expected=_number(expected))

    return await _applied(wishes, f"{caller.key} apply", key, asked, act, response)


@router.post(
    "/rollback",
    summary="Go back to a version",
    operation_id="rollback_config",
    responses=problems(401, 403, 404, 409, 412, 413, 422, 503, own=OWN),
)
async def rollback_config(
    caller: Writer,
    config: Config,
    wishes: Wishes,
    asked: RollbackWish,
    response: Response,
    key: IdempotencyKey = None,
    expected: IfMatch = None,
) -> ConfigApplied:
    """A version that was applied is taken again, as a new one. The files stay as they are, and are taken at
    the next start only if somebody changed them since.
    """

    def act() -> Awaitable[Applied]:
        return config.rollback(
            asked.version, caller.who, asked.why, force=asked.force, expected=_number(expected)
        )

    return await _applied(wishes, f"{caller.key} rollback", key, asked, act, response)


async def _applied(
    wishes: Once,
    who: str,
    key: str | None,
    asked: ApplyWish,
    act: Callable[[], Awaitable[Applied]],
    response: Response,
) -> ConfigApplied:
    done: Applied = await wishes.do(who, key, asked, time.monotonic(), lambda: _told(act()))
    response.headers["ETag"] = f'"{done.version.number}"'
    return ConfigApplied(
        version=words.version(done.version),
        changes=[words.change(each) for each in done.plan.changes],
        warnings=list(done.plan.warnings),
    )


async def _told(doing: Awaitable[Any]) -> Any:
    """What comes of it; what speaks against it as a problem."""
    try:
        return await doing
    except ConfigError as error:
        faults = [{"where": _where(each), "what": f"{each.problem}; {each.remedy}"} for each in error.faults]
        detail = f"the files have faults, {len(faults)} in all; nothing has changed"
        raise Problem(422, "configuration-faults", detail, errors=faults[:MAX_FAULTS]) from error
    except Refused as refused:
        errors = [{"where": "lines", "what": each} for each in refused.reasons[:MAX_FAULTS]]
        detail = f"{refused}; nothing has changed: add a line, or force it"
        raise Problem(409, "destination-without-line", detail, errors=errors) from refused
    except OtherVersion as other:
        headers = {"ETag": f'"{other.running}"'}
        raise Problem(412, "other-version", f"{other}; look at it first", headers=headers) from other
    except UnknownVersion as unknown:
        raise Problem(404, "unknown-version", str(unknown)) from unknown
    except (HistoryFault, NotReady) as fault:
        raise Problem(503, "not-ready", f"{fault}; nothing has changed") from fault


def _where(fault: Any) -> str:
    return f"{fault.file}:{fault.line}" + (f" {fault.path}" if fault.path else "")


def _number(condition: str | None) -> int | None:
    found = matched(condition, "[0-9]{1,9}", 'a version in quotes, such as "7"')
    return None if found is None else int(found)
