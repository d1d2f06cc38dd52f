"""Registrations: which phones can be reached, and where."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.paging import PageQuery, cut
from engine.api.schemas import Plain, Registration, RegistrationPage

router = APIRouter(prefix="/v1/registrations", tags=["registrations"])

Reader = Annotated[Principal, may(Permission.BOARD, personal=True)]


class RegistrationQuery(PageQuery):
    aor: Plain | None = Field(default=None, description="Only this address of record.")


@router.get(
    "", summary="List registrations", operation_id="list_registrations", responses=problems(401, 403, 422)
)
async def list_registrations(
    view: View, _: Reader, query: Annotated[RegistrationQuery, Query()]
) -> RegistrationPage:
    """Contacts by address of record."""
    wanted = (found for found in view.registrations() if query.aor in (None, found.aor))
    page, after = cut(wanted, lambda found: f"{found.aor}\n{found.contact}", query)
    return RegistrationPage(items=[Registration.model_validate(found) for found in page], next=after)
