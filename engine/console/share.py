"""Links to a recording, made and revoked at its page in the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import structlog

from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.files import MOST_FILES, CallFile, recording_file
from engine.console.look import Place, Told, whole
from engine.sharing import MOST_USES, Wish
from engine.views import IllegalState

Fields = Mapping[str, str]
LASTS_S = (3600, 86_400, 7 * 86_400, 30 * 86_400)  # what is offered
MOST_NOTE = 200

log = structlog.get_logger("console")


async def share(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    name = given.get("recording", "")
    if name not in await _names(desk, place) or await desk.ask(desk.view.recording, name) is None:
        return Told("share.nowhere", bad=True)
    lasts, uses = given.get("lasts", ""), given.get("uses", "")
    most = whole(uses, MOST_USES)
    if lasts not in map(str, LASTS_S) or (uses and not most):
        return Told("share.odd", bad=True)
    note = "".join(each for each in given.get("note", "").strip()[:MOST_NOTE] if each.isprintable())
    wish = Wish(lasts_s=float(lasts), most=most or 0, transcript=given.get("transcript") == "yes", note=note)
    try:
        made = await desk.ask(desk.view.shares.make, name, wish, who.name)
    except IllegalState as full:
        return Told("beside.refused", {"why": str(full)}, bad=True)
    if made is None:
        return Told("share.nowhere", bad=True)
    log.info("a recording is shared", recording=name, share=made[0].id, by=who.name)
    return Told("share.done", keep=replace(await _anew(desk, place), link=f"/shared/{made[1]}"))


async def revoke(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    name, id = given.get("recording", ""), given.get("share", "")
    if name not in await _names(desk, place):
        return Told("share.nowhere", bad=True)
    if await desk.ask(desk.view.shares.revoke, name, id, who.name) is None:
        return Told("share.nowhere", bad=True)
    log.info("a link was revoked", recording=name, share=id, by=who.name)
    return Told("share.gone", keep=await _anew(desk, place))


async def _anew(desk: Desk, place: Place) -> CallFile:
    """With its outline, which is at hand by now."""
    return await recording_file(desk, place, await recording_file(desk, place, None))


async def _names(desk: Desk, place: Place) -> list[str]:
    """Files of the recording that the page is about."""
    record = await desk.ask(desk.view.record, place.id)
    return record.recording.split()[:MOST_FILES] if record is not None else []
