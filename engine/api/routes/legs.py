"""Legs of calls in progress, one phone each: all of the node's at once, to find the bad ones among them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.paging import PageQuery, cut
from engine.api.schemas import CallLeg, LegPage, Plain
from engine.call_filter import CallFilter
from engine.views import CallView, LegSide, LegView

router = APIRouter(prefix="/v1/legs", tags=["calls"])

Reader = Annotated[Principal, may(Permission.CALLS)]


class LegQuery(PageQuery):
    call: Plain | None = Field(default=None, description="Only legs of this call.")
    queue: Plain | None = Field(default=None, description="Only legs of calls of this queue.")
    agent: Plain | None = Field(default=None, description="Only legs of calls of this agent.")
    market: Plain | None = Field(default=None, description="Only legs of calls of this market.")
    side: LegSide | None = Field(default=None, description="Only legs of this side.")
    role: Plain | None = Field(
        default=None, description="Only legs of customers, agents, guests, supervisors."
    )
    codec: Plain | None = Field(default=None, description="Only legs that speak this codec.")
    encrypted: bool | None = Field(default=None, description="Only legs with SRTP, or only those without.")
    troubled: bool | None = Field(default=None, description="Only legs with something wrong, or without.")
    mos_under: float | None = Field(
        default=None, ge=1, le=5, description="Only legs that sound worse than this now."
    )

    def filter(self) -> CallFilter:
        return CallFilter(queue=self.queue, agent=self.agent, market=self.market)

    def wants(self, leg: LegView) -> bool:
        return (
            self.side in (None, leg.side)
            and self.role in (None, leg.role)
            and self.codec in (None, leg.codec)
            and self.encrypted in (None, bool(leg.encryption))
            and self.troubled in (None, bool(leg.troubles))
            and (self.mos_under is None or (leg.mos_now is not None and leg.mos_now < self.mos_under))
        )


@router.get(
    "", summary="List legs of calls in progress", operation_id="list_legs", responses=problems(401, 403, 422)
)
async def list_legs(view: View, _: Reader, query: Annotated[LegQuery, Query()]) -> LegPage:
    """Legs of all calls, by call and the order in which they joined it."""
    calls = (call for call in view.calls(query.filter()) if query.call in (None, call.id))
    legs = ((call, leg) for call in calls for leg in call.legs if query.wants(leg))
    page, after = cut(legs, _name, query)
    return LegPage(items=[_told(*each) for each in page], next=after)


def _name(found: tuple[CallView, LegView]) -> str:
    call, leg = found
    return f"{call.id} {leg.id:012}"


def _told(call: CallView, leg: LegView) -> CallLeg:
    known = {"call": call.id, "queue": call.queue, "agent": call.agent, "market": call.market}
    return CallLeg.model_validate(known | {name: getattr(leg, name) for name in leg.__slots__})
