"""Bodies about links to recordings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from engine.api.hand_schemas import whole
from engine.api.plain import AT, example
from engine.sharing import LEAST_S, MOST_S, MOST_USES, USUAL_S

Note = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Whole = BeforeValidator(whole)


class ShareWanted(BaseModel):
    """For whom a link is, and how long."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"lasts_s": 86400, "uses": 3, "transcript": True, "note": "claim 4471"}]
        },
    )

    lasts_s: Annotated[int, Whole] = Field(
        default=USUAL_S, ge=LEAST_S, le=MOST_S, strict=True, description="Seconds; a week when left out."
    )
    uses: Annotated[int | None, Whole] = Field(
        default=None,
        ge=1,
        le=MOST_USES,
        strict=True,
        description="How often it may be opened; any number of times when left out.",
    )
    transcript: bool = Field(
        default=False, strict=True, description="Show what was said too, with numbers of people masked."
    )
    note: Note = Field(default="", description="Whom it is for; shown to nobody who has the link.")


SHARE = {
    "id": "9f2c61d07be4a358",
    "recording": "2026-03-02/01HZ-1.opus",
    "made_by": "sue",
    "made_at": AT,
    "expires_at": AT,
    "note": "claim 4471",
    "transcript": True,
    "uses": 1,
    "most_uses": 3,
    "used_at": AT,
    "revoked_at": None,
    "revoked_by": "",
    "leads": True,
}


class RecordingShare(BaseModel):
    """A link to a recording, without the link."""

    model_config = example(**SHARE)

    id: str
    recording: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    note: str
    transcript: bool
    uses: int = Field(description="How often it was opened.")
    most_uses: int | None
    used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str
    leads: bool = Field(description="Whether it leads to the recording now.")


class NewRecordingShare(RecordingShare):
    """The same with its link, which is told this once."""

    model_config = example(**SHARE, path="/shared/9f2c61d07be4a358.Zb1c…")

    path: str = Field(description="Where it is, at any node of the store that has the recording's file.")


class RecordingShareList(BaseModel):
    model_config = example(items=[SHARE])

    items: list[RecordingShare]
