"""Files of the node's configuration that are about calls: read, written whole, made and removed.

What runs is another thing: it changes when the files are applied (engine/api/routes/configuration.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import structlog
from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.concurrency import run_in_threadpool

from engine import editing
from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api import config_schemas as words
from engine.api.config_schemas import (
    ConfigFileName,
    ConfigFilePage,
    ConfigText,
    ConfigTextWish,
    ConfigWritten,
)
from engine.api.deps import may
from engine.api.documented import problems
from engine.api.paging import PageQuery, cut
from engine.api.problem import Problem
from engine.api.routes.configuration import OWN, Config
from engine.api.unchanged import VERSIONED, matched

router = APIRouter(prefix="/v1/config/files", tags=["config"])
log = structlog.get_logger("api")
Done = TypeVar("Done")

Writer = Annotated[Principal, may(Permission.CONFIGURE)]
Name = Annotated[
    str,
    Path(
        alias="file",
        pattern=f"^(?:{editing.EDITABLE.pattern})$",
        description="Its `name`, such as `lines/telecom-a.yaml`.",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=128, description="The ETag of the file that was looked at."),
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", max_length=128, description="`*`, for one that is to be made.")
]
OF_FILES = {
    **OWN,
    404: ("unknown-file", "There is no such file, or this node takes no other configuration."),
    409: ("illegal-state", "There are as many files as may be made from here."),
    412: ("other-version", "Somebody wrote the file meanwhile, or it is there already."),
    428: (
        "precondition-required",
        "Neither `If-Match` nor `If-None-Match: *` says over what it is to be written.",
    ),
    422: ("invalid-request", "A part of the request is not valid; `errors` says which."),
    503: ("not-written", "The disk does not take it; the file is as it was. `detail` says why."),
}


@router.get(
    "",
    summary="List files",
    operation_id="list_config_files",
    responses=problems(401, 403, 404, 422, own=OF_FILES),
)
async def list_config_files(
    _: Writer, config: Config, query: Annotated[PageQuery, Query()]
) -> ConfigFilePage:
    """Those that may be written from here, by name: people, queues, numbers, routing, lines, markets."""
    found = await run_in_threadpool(editing.listed, config.folder)
    page, after = cut(sorted(found), str, query)
    return ConfigFilePage(items=[ConfigFileName(name=each) for each in page], next=after)


@router.get(
    "/{file:path}",
    summary="Read a file",
    operation_id="get_config_file",
    responses={**VERSIONED, **problems(401, 403, 404, 422, 503, own=OF_FILES)},
)
async def get_config_file(_: Writer, config: Config, name: Name, response: Response) -> ConfigText:
    """What is written in it, which may not be what runs; the ETag is for writing it."""
    found = await _tried(lambda: editing.read(config.folder, name))
    response.headers["ETag"] = f'"{found.digest}"'
    return ConfigText(name=found.name, text=found.text)


@router.put(
    "/{file:path}",
    summary="Write a file",
    operation_id="put_config_file",
    responses=problems(401, 403, 404, 409, 412, 413, 422, 428, 503, own=OF_FILES),
)
async def put_config_file(
    caller: Writer,
    config: Config,
    name: Name,
    asked: ConfigTextWish,
    response: Response,
    expected: IfMatch = None,
    anew: IfNoneMatch = None,
) -> ConfigWritten:
    """Whole, over the state that `If-Match` names, or as a new one with `If-None-Match: *`. All files are
    looked at afterwards; nothing runs otherwise before they are applied. The same text again is no change.
    """
    over = _over(expected, anew)
    done = await _tried(lambda: editing.write(config.folder, name, asked.text, over))
    log.info("a file of the configuration was written", file=name, by=caller.who)
    response.headers["ETag"] = f'"{done.digest}"'
    faults = await config.check()
    return ConfigWritten(name=name, ok=not faults, faults=[words.fault(each) for each in faults])


@router.delete(
    "/{file:path}",
    summary="Remove a file",
    operation_id="delete_config_file",
    status_code=204,
    responses=problems(401, 403, 404, 412, 422, 428, 503, own=OF_FILES),
)
async def delete_config_file(caller: Writer, config: Config, name: Name, expected: IfMatch = None) -> None:
    """Its line or market goes on until the files are applied, and is in the history for longer."""
    over = _over(expected, None)
    await _tried(lambda: editing.remove(config.folder, name, over))
    log.info("a file of the configuration was removed", file=name, by=caller.who)


async def _tried(act: Callable[[], Done]) -> Done:
    try:
        return await run_in_threadpool(act)
    except editing.NotEditable as fault:
        raise Problem(404, "unknown-file", str(fault)) from fault
    except editing.NoText as fault:
        raise Problem(422, "invalid-request", str(fault)) from fault
    except editing.TooMany as fault:
        raise Problem(409, "illegal-state", str(fault)) from fault
    except editing.ChangedMeanwhile as fault:
        headers = {"ETag": f'"{fault.now}"'} if fault.now else {}
        detail = f"{fault} is another by now; look at it first" if fault.now else f"{fault} is not there"
        raise Problem(412, "other-version", detail, headers=headers) from fault
    except OSError as fault:
        detail = f"the disk does not take it: {fault.strerror}; make room, or look at its rights"
        raise Problem(503, "not-written", detail) from fault


def _over(expected: str | None, anew: str | None) -> str:
    """The digest of what is written over. Raises Problem."""
    if expected is None and anew is not None and anew.strip() == "*":
        return editing.NEW
    found = matched(expected, "[0-9a-f]{64}", "the ETag of the file, in quotes")
    if found is None:
        detail = "say over what: If-Match with its ETag, or If-None-Match: *"
        raise Problem(428, "precondition-required", detail)
    return found
